"""The Discord bot: stories, rounds, votes and filters. Never imports torch or the worker's package."""
