"""Turns text into vectors; one module a backend."""
