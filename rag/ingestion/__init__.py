"""Turns files into documents, documents into chunks, and keeps the index up to date with them."""
