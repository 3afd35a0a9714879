"""Writes questions with a model; only those that pass every gate get through, and nothing is repaired."""
