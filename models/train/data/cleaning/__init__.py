"""What a story goes through before it may be trained on; each step counts what it changes and drops."""
