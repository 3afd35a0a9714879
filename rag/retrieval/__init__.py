"""Finds the passages that can answer a question: by meaning and by words, fused into one list."""
