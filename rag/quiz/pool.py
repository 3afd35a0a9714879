"""Owns what a person may be asked: the checked bank and their own questions, with the evidence in place."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from rag.embedding.base import Embedder, Vectors
from rag.quiz.bank import MultipleChoice, Question, TopicBank, load_bank
from rag.quiz.evidence import Sources, asked, placed_again
from rag.quiz.verdicts import ItemVerdicts, faults, load_verdicts
from rag.quiz_types import AskedQuestion
from rag.storage.library import Library
from rag.storage.questions import Questions

OWNERS_KEPT, VECTORS_KEPT = 32, 10_000

Files = tuple[tuple[str, int, int], ...]
"""Path, time of the last change in nanoseconds and size."""


@dataclass(frozen=True, slots=True)
class TopicCount:
    """How much there is to be asked about a topic."""

    topic: str
    mcq: int
    open: int
    passages: int
    """Of the documents on the topic that the person may read; few passages make for few questions."""


@dataclass(frozen=True, slots=True)
class _Checked:
    questions: Mapping[str, AskedQuestion]
    """By id."""
    rejected: Mapping[str, int]
    """How many may not be asked now, by the gate that they fail."""


class Pool:
    """Every question that somebody may be asked, as it is asked. Safe to share between threads.

    What was checked is kept until a file of the bank, the library or the person's questions change. Methods
    raise KnowledgeError for a bank that is not valid; without a bank there are the person's own questions.
    """

    def __init__(self, library: Library, questions: Questions, bank_folder: Path, embedder: Embedder) -> None:
        self._library = library
        self._questions = questions
        self._folder = bank_folder
        self._embedder = embedder
        self._lock = threading.Lock()
        self._kept: dict[str | None, tuple[object, _Checked]] = {}
        """By owner; None: the bank."""
        self._vectors: dict[str, Vectors] = {}

    def questions(self, owner: str) -> list[AskedQuestion]:
        """Return what `owner` may be asked: the bank, then their own, without what they reported."""
        reported = self._questions.reported(owner)
        return [question for question in self._all(owner).values() if question.id not in reported]

    def get(self, owner: str, question_id: str) -> AskedQuestion | None:
        """Return a question; None when `owner` may not be asked it (any more)."""
        found = self._all(owner).get(question_id)
        return None if found is None or question_id in self._questions.reported(owner) else found

    def reported(self, owner: str) -> list[tuple[AskedQuestion, str]]:
        """Return the questions that `owner` reported with the reason, the newest first."""
        known = self._all(owner)
        reports = self._questions.reported(owner)
        return [
            (known[question_id], reason) for question_id, reason in reports.items() if question_id in known
        ]

    def own(self, owner: str) -> list[AskedQuestion]:
        """Return the questions of `owner` whose evidence is in place, those they reported among them."""
        return list(self._checked(owner)[1].questions.values())

    def topics(self, owner: str) -> list[TopicCount]:
        """Return the topics that have questions, by name."""
        counts = Counter((question.topic, question.kind) for question in self.questions(owner))
        passages: Counter[str] = Counter()
        for summary in self._library.summaries():
            if summary.owner in ("", owner):
                passages[summary.topic] += summary.chunks
        return [
            TopicCount(topic, counts[topic, "mcq"], counts[topic, "open"], passages[topic])
            for topic in sorted({topic for topic, _ in counts})
        ]

    def rejected(self, owner: str) -> dict[str, int]:
        """Return how many questions may not be asked now, by the gate that they fail.

        "quote": its evidence stands in no document that `owner` may read; "options_judged": no reader has
        judged the options as they are; "repeated_id": the bank has a question with its id.
        """
        bank, own = self._checked(owner)
        return dict(Counter(bank.rejected) + Counter(own.rejected))

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return a unit-length row per text as the embedder does, and keep it for the next time."""
        known = {text: vector for text in texts if (vector := self._vectors.get(text)) is not None}
        new = [text for text in dict.fromkeys(texts) if text not in known]
        if new:
            made = dict(zip(new, self._embedder.embed(new), strict=True))
            known |= made
            with self._lock:
                if len(self._vectors) + len(made) > VECTORS_KEPT:
                    self._vectors = {}
                self._vectors |= made
        return np.array([known[text] for text in texts], np.float32).reshape(-1, self._embedder.dimension)

    def _all(self, owner: str) -> dict[str, AskedQuestion]:
        bank, own = self._checked(owner)
        return {**bank.questions, **own.questions}

    def _checked(self, owner: str) -> tuple[_Checked, _Checked]:
        """Return the bank and the questions of `owner`, as files, library and questions are now."""
        files, judged = _files(self._folder, "*.y*ml"), _files(self._folder / "verdicts", "*.jsonl")
        version = self._library.version()
        bank = self._fresh(
            None,
            (files, judged, version),
            lambda: _frozen(_read(self._folder, files, judged), Sources(self._library, "")),
        )
        own = self._fresh(
            owner,
            (bank, self._questions.stamp(owner), version),
            lambda: _placed(self._questions.list(owner), bank.questions, Sources(self._library, owner)),
        )
        return bank, own

    def _fresh(self, owner: str | None, stamp: object, check: Callable[[], _Checked]) -> _Checked:
        """Return what was kept for this stamp, or else check again."""
        kept = self._kept.get(owner)
        if kept is None or kept[0] != stamp:
            with self._lock:
                kept = self._kept.get(owner)
                if kept is None or kept[0] != stamp:
                    with self._library.snapshot():
                        kept = (stamp, check())
                    if len(self._kept) > OWNERS_KEPT:
                        self._kept = {None: self._kept[None]}
                    self._kept[owner] = kept
        return kept[1]


def _frozen(bank: tuple[list[TopicBank], dict[str, ItemVerdicts]], sources: Sources) -> _Checked:
    """Return the questions of the bank whose quotes are in place and whose options were judged."""
    topics, judged = bank
    found: dict[str, AskedQuestion] = {}
    rejected: Counter[str] = Counter()
    for topic in topics:
        questions: list[Question] = [*topic.open, *topic.multiple_choice]
        for question in questions:
            frozen = asked(topic.topic, question, sources)
            if frozen is None:
                rejected["quote"] += 1
            elif isinstance(question, MultipleChoice) and next(faults(question, judged), None):
                rejected["options_judged"] += 1
            else:
                found[frozen.id] = frozen
    return _Checked(found, rejected)


def _placed(stored: Sequence[AskedQuestion], bank: Mapping[str, AskedQuestion], sources: Sources) -> _Checked:
    """Return the stored questions whose evidence still stands, at the place where it stands now."""
    found: dict[str, AskedQuestion] = {}
    rejected: Counter[str] = Counter()
    for question in stored:
        moved = placed_again(question, sources)
        if question.id in bank:
            rejected["repeated_id"] += 1
        elif moved is None:
            rejected["quote"] += 1
        else:
            found[question.id] = moved
    return _Checked(found, rejected)


def _files(folder: Path, pattern: str) -> Files:
    """Return the files of a folder with what changes when they do."""
    found = ((file, file.stat()) for file in sorted(folder.glob(pattern)))
    return tuple((str(file), status.st_mtime_ns, status.st_size) for file, status in found)


@lru_cache(maxsize=4)
def _read(folder: Path, files: Files, judged: Files) -> tuple[list[TopicBank], dict[str, ItemVerdicts]]:
    """Return the bank and the verdicts on it, which takes a second; `files` and `judged`: as they are now."""
    return (load_bank(folder) if files else []), load_verdicts(folder / "verdicts")
