"""The inference worker and the training of its models. Never imports the bot."""
