"""The kinds of source, each a module behind one table."""
