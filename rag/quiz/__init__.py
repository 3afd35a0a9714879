"""The checked question bank and the gates a question must pass."""
