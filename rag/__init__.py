"""Viva's engine: everything the pages and the command line can do, without a browser."""

__version__ = "0.4.0"
