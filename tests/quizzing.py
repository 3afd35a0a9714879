"""Takes quizzes on a small pool; all is real but the questions, the embedding, the clock and the graders."""

import hashlib
from datetime import UTC, datetime, timedelta

import numpy as np

from rag.quiz.assembling import assemble
from rag.quiz.interviewing import Interviewer
from rag.quiz.planning import NO_NEEDS
from rag.quiz.sessions import Sessions
from rag.quiz_types import AskedQuestion, Evidence, Grade, Point, PointVerdict
from rag.storage.ledger import Ledger
from rag.storage.questions import Questions
from rag.storage.quizzes import Quizzes

TOPICS = ("agents", "caching", "retrieval")
LEVELS = ("junior", "mid", "senior")
CREDIT = {"met": 1.0, "partial": 0.5, "missing": 0.0, "contradicted": 0.0}


def evidence(quote, document_id="notes"):
    """Return a place for a quote."""
    return Evidence(document_id, "Notes", 10, 10 + len(quote), quote)


def open_question(topic="agents", level="mid", n=1, **more):
    """Return an open question with two must-have points and an optional one."""
    name = f"{topic}-{level}-open-{n}"
    points = (
        Point(
            f"Names the second thing of {name}.", True, 2, evidence(f"A second thing about {name} is said.")
        ),
        Point(f"Says the first thing of {name}.", True, 3, evidence(f"A first thing about {name} is said.")),
        Point(f"Adds an optional thing of {name}.", False, 3, evidence(f"A third thing of {name} is said.")),
    )
    values = {
        "id": name,
        "kind": "open",
        "topic": topic,
        "level": level,
        "skill": "recall",
        "prompt": f"What is open in {name}?",
        "origin": "bank",
        "evidence": points[0].evidence,
        "points": points,
        "model_answer": f"All of {name}.",
        "follow_ups": (f"And what lies behind {name}?", f"What would you measure in {name}?"),
    }
    return AskedQuestion(**{**values, **more})


def choice_question(topic="agents", level="mid", n=1):
    """Return a question with four options; the second is the key."""
    name = f"{topic}-{level}-mcq-{n}"
    return AskedQuestion(
        id=name,
        kind="mcq",
        topic=topic,
        level=level,
        skill="recall",
        prompt=f"Which holds for {name}?",
        origin="bank",
        evidence=evidence(f"The second holds for {name}."),
        options=tuple(f"The {word} of {name}" for word in ("first", "second", "third", "fourth")),
        answer=1,
        whys=("No.", "Yes.", "No.", "No."),
    )


POOL = [
    question
    for topic in TOPICS
    for level in LEVELS
    for question in (
        open_question(topic, level, 1),
        open_question(topic, level, 2),
        choice_question(topic, level),
    )
]


def embed(texts):
    """Return a unit vector for each text; different texts are far from each other."""
    rows = [
        np.random.default_rng(int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)).normal(size=64)
        for text in texts
    ]
    return np.array([row / np.linalg.norm(row) for row in rows], np.float32).reshape(-1, 64)


class Clock:
    """Tells the time it was set to."""

    def __init__(self):
        self.now = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def wait(self, **time):
        """Let time pass."""
        self.now += timedelta(**time)


class Judge:
    """Grades every point the same way as a model would, or fails with an error."""

    def __init__(self, verdict="met", error=None):
        self.verdict = verdict
        self.error = error
        self.calls = 0

    def grade(self, question, answer, *, trace_id):
        """Return the grade or raise."""
        self.calls += 1
        if self.error:
            raise self.error
        verdicts = tuple(
            PointVerdict(point.claim, self.verdict, point.must_have, point.weight, answer, point.evidence)
            for point in question.points
        )
        return Grade("llm", "graded", verdicts=verdicts, score=CREDIT[self.verdict], model="judge")


class Hint:
    """Says that nothing was mentioned, as the coverage hint would."""

    def grade(self, question, answer, *, trace_id):
        """Return the hint."""
        return Grade("coverage_hint", "ungraded", not_mentioned=tuple(one.claim for one in question.points))


class SmallPool:
    """The questions of POOL, without those that were taken out of it."""

    def __init__(self, questions=POOL):
        self.all = list(questions)

    def questions(self, owner):
        """Return what may be asked."""
        return list(self.all)


def sessions_on(
    database, *, pool=None, clock=None, hint=None, needs=NO_NEEDS, find_needs=None, on_result=None
):
    """Return the sessions over a database; everybody has the same needs, unless a function finds them."""
    clock = clock or Clock()
    return Sessions(
        Quizzes(database, clock),
        pool or SmallPool(),
        Questions(database, clock),
        Ledger(database, clock),
        Interviewer(assemble, embed, lambda found: ["Where it stands", found.title], hint),
        clock,
        find_needs or (lambda owner: needs),
        on_result or (lambda session, item: None),
    )
