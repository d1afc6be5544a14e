"""How good the filters are and what they cost, beside other libraries. Running the bot needs none of it."""
