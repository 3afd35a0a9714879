"""Questions beside the bank and reports are kept for each owner alone: on SQLite and on Postgres."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag.quiz_types import AskedQuestion, Evidence, Point
from rag.storage.engine import Database
from rag.storage.questions import Questions
from tests.contract.test_storage_contract import Clock, database, postgres, url

__all__ = ["database", "postgres", "url"]

EVIDENCE = Evidence("ivf", "Inverted files", 20, 40, "nprobe counts lists.")
CHOICE = AskedQuestion(
    id="own-1",
    kind="mcq",
    topic="vectors",
    level="junior",
    skill="recall",
    prompt="What does nprobe count?",
    origin="own",
    evidence=EVIDENCE,
    checks=("form",),
    options=("lists", "links", "books", "copies"),
    answer=0,
    whys=("It does.", "HNSW.", "PQ.", "Servers."),
)
OPEN = AskedQuestion(
    id="gen-1",
    kind="open",
    topic="vectors",
    level="senior",
    skill="trade-off",
    prompt="What does nprobe trade?",
    origin="generated",
    evidence=None,
    points=(Point("Recall rises.", True, 2, EVIDENCE), Point("It takes longer.", False, 1, None)),
    model_answer="Recall against latency: 5 ms \u2248 much.",
    follow_ups=("How is it set?",),
)


@pytest.fixture
def questions(database: Database) -> Questions:
    return Questions(database, Clock())


def test_a_question_comes_back_as_it_was(questions: Questions) -> None:
    assert questions.add("ann", [CHOICE, OPEN], "batch") == 2
    assert questions.list("ann") == [OPEN, CHOICE]
    assert questions.list("ann", "own") == [CHOICE]


def test_the_newest_come_first_and_a_known_id_is_skipped(questions: Questions) -> None:
    questions.add("ann", [CHOICE], "first")
    before = questions.stamp("ann")
    assert questions.add("ann", [replace(CHOICE, prompt="Changed?"), OPEN], "second") == 1
    assert questions.list("ann") == [OPEN, CHOICE]
    assert questions.stamp("ann") != before


def test_two_people_may_have_a_question_with_the_same_id(questions: Questions) -> None:
    bobs = replace(CHOICE, prompt="Bob's?")
    assert (questions.add("ann", [CHOICE], "a"), questions.add("bob", [bobs], "b")) == (1, 1)
    assert questions.remove("bob", "own-1") is True
    assert questions.remove("bob", "own-1") is False
    assert (questions.list("ann"), questions.list("bob"), questions.list("")) == ([CHOICE], [], [])


def test_a_batch_is_removed_as_one(questions: Questions) -> None:
    questions.add("ann", [CHOICE], "first")
    questions.add("ann", [OPEN], "second")
    assert questions.remove_batch("bob", "second") == 0
    assert questions.remove_batch("ann", "second") == 1
    assert questions.list("ann") == [CHOICE]


def test_what_quotes_a_document_is_removed_with_it_also_by_a_point(questions: Questions) -> None:
    named = replace(CHOICE, id="own-2", prompt='Which has "document_id": "ivf"?', evidence=None)
    other = replace(CHOICE, id="own-3", evidence=replace(EVIDENCE, document_id="ivf2"))
    questions.add("ann", [CHOICE, OPEN, named, other], "batch")
    questions.add("bob", [CHOICE], "batch")
    assert questions.remove_resting_on("iv_") == 0
    assert questions.remove_resting_on("ivf") == 3
    assert questions.list("ann") == [named, other]
    assert questions.list("bob") == []


def test_a_report_is_one_for_each_owner_and_question(questions: Questions) -> None:
    questions.report("ann", "rag-mcq-01", "Two are right.")
    questions.report("ann", "rag-mcq-02", "Unclear.")
    questions.report("ann", "rag-mcq-01", "None is right.")
    assert list(questions.reported("ann").items()) == [
        ("rag-mcq-01", "None is right."),
        ("rag-mcq-02", "Unclear."),
    ]
    assert questions.reported("bob") == {}
    questions.unreport("ann", "rag-mcq-01")
    assert questions.reported("ann") == {"rag-mcq-02": "Unclear."}
