"""From story text to a checkpoint that the worker can serve."""
