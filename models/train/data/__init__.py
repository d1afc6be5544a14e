"""From sources of text to a versioned dataset folder: read, clean, split, measure, write."""
