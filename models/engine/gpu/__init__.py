"""Decoding on a GPU: shared prompts read once by torch's variable-length attention, whole steps as CUDA graphs."""
