"""Finds the vectors nearest to a query; one module a backend."""
