"""Every way of decoding over one checkpoint: what it gains in quality and costs in diversity, on the same prompts."""
