"""Measures retrieval, answers, refusals and citations on golden question sets."""
