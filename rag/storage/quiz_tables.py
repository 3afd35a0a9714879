"""The tables of quizzes: questions beside the bank, their generation, every answer, reviews."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from rag.storage.tables import METADATA, UtcDateTime, Words

questions = Table(
    "questions",
    METADATA,
    Column("id", Words, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("origin", Text, nullable=False),
    Column("batch", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("topic", Words, nullable=False),
    Column("level", Text, nullable=False),
    Column("document_id", Words, nullable=False),
    Column("item", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("questions_by_owner", "owner"),
)
"""Questions beside the shipped bank. `batch`: the generation or import they came with."""

generations = Table(
    "generations",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("state", Text, nullable=False),
    Column("config", JSON, nullable=False),
    Column("yields", JSON, nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index("generations_by_start", "started_at"),
)
"""`yields`: how many questions were drafted, kept, and dropped by each gate."""

quizzes = Table(
    "quizzes",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("stop_reason", Text, nullable=False),
    Column("request", JSON, nullable=False),
    Column("plan", JSON, nullable=False),
    Column("position", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Index("quizzes_by_owner", "owner", "updated_at"),
)

quiz_items = Table(
    "quiz_items",
    METADATA,
    Column("quiz_id", Text, ForeignKey("quizzes.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("question_id", Words, nullable=False),
    Column("question", JSON, nullable=False),
    Column("follow_up_of", Integer),
    Column("reason", Words, nullable=False),
    Column("shown_at", UtcDateTime),
    Column("hints", Integer, nullable=False),
    Column("draft", Words, nullable=False),
    Column("guessing", Boolean, nullable=False),
    Column("response", JSON(none_as_null=True)),
    Column("answered_at", UtcDateTime),
    Column("grading", Text, nullable=False),
    Column("grading_error", Words, nullable=False),
    Column("grade", JSON(none_as_null=True)),
    Column("self_rating", Text, nullable=False),
    Column("disagreement", Words, nullable=False),
    Column("report", Words, nullable=False),
    Index("quiz_items_by_question", "question_id"),
)
"""`question` has its options in their order, its key and its rubric, frozen when it was chosen."""

reports = Table(
    "reports",
    METADATA,
    Column("owner", Words, primary_key=True),
    Column("question_id", Words, primary_key=True),
    Column("reason", Words, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
"""Questions that somebody found wrong: they are not asked them again."""

review_cards = Table(
    "review_cards",
    METADATA,
    Column("owner", Words, primary_key=True),
    Column("question_id", Words, primary_key=True),
    Column("topic", Words, nullable=False),
    Column("card", JSON, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Index("review_cards_by_due", "owner", "due_at"),
)
"""`card` is what `fsrs.Card` writes of itself."""

review_logs = Table(
    "review_logs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("owner", Words, nullable=False),
    Column("question_id", Words, nullable=False),
    Column("rating", Text, nullable=False),
    Column("reviewed_at", UtcDateTime, nullable=False),
    Column("quiz_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("log", JSON, nullable=False),
    UniqueConstraint("quiz_id", "position"),
    Index("review_logs_by_time", "owner", "reviewed_at"),
)
"""One review of a card by one answer; answering is counted once, whatever happens on the page."""
