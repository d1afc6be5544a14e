"""Project Gutenberg's plain text files: licence, line wrapping, chapters."""
