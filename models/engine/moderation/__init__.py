"""Says how much a text is of each category (hate, violence, …), with any model for sequence classification."""
