"""Quizzes of the pages' tests: everything is real but the embedding, the bank and who grades."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from rag.storage.ledger import CallRecord, Ledger
from rag.study import Study
from rag.text.words import stems

KNOWLEDGE = Path(__file__).parent / "knowledge"
"""Holds six questions on the two documents in samples.py: three with options, three open."""
DIMENSION = 512


class WordEmbedder:
    """Texts with the same words are near each other, and nothing else is."""

    model = "words"
    dimension = DIMENSION

    def embed(self, texts):
        """Return one unit vector a text: a bit for each of its stems."""
        rows = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[0] = 0.01
            for stem in stems(text):
                row[1 + int(hashlib.sha256(stem.encode()).hexdigest(), 16) % (DIMENSION - 1)] += 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def embed_parts(self, texts, parts):
        """Return the vectors of each text and of its parts."""
        return [
            (self.embed([text])[0], self.embed([text[start:end] for start, end in ranges]))
            for text, ranges in zip(texts, parts, strict=True)
        ]


class ScriptedStudy(Study):
    """The real study on the temporary database; `script` grades in place of a model.

    `script`: None grades as without a model; else it is called with question and answer and returns the
    Grade or raises.
    """

    def __init__(self, settings, database, library):
        super().__init__(
            settings.model_copy(update={"knowledge_dir": KNOWLEDGE}),
            database,
            library,
            WordEmbedder(),
            Ledger(database, lambda: datetime.now(UTC)),
            lambda: None,
            lambda: datetime.now(UTC),
        )
        self.ledger = self._ledger
        self.script = None
        self.graded = []

    def spend(self, quiz_id, usage):
        """Write into the ledger that a model call of this quiz took so much."""
        call = self.ledger.open(CallRecord(quiz_id, "grade", "openai", "gpt-test"))
        self.ledger.settle(call, "completed", usage, 900.0)

    def grader(self, choice=None):
        """Return who grades: the script, or the real one."""
        return super().grader(choice) if self.script is None else self

    def grade(self, question, answer, *, trace_id):
        """Grade as the script says."""
        self.graded.append((question.id, answer, trace_id))
        return self.script(question, answer)
