"""Writes questions and quizzes as files that people take along: Anki, CSV, JSON, Markdown."""
