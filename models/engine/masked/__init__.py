"""Rewrites some words of a passage, or fills a gap, with a masked language model (BERT, RoBERTa, ModernBERT, …)."""
