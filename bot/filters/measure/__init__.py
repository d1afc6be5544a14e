"""How good the filters are and what they cost: measured beside other libraries. Nothing of it is needed to run the bot."""
