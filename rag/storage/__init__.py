"""Keeps what must survive a restart: library, vectors, conversations and the ledger of calls."""
