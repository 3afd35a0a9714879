"""Questions that are blanked out of definitions: which sentences define a term, and what stands beside it."""

from __future__ import annotations

import pytest

from rag.embedding.onnx import OnnxEmbedder
from rag.quiz import definitions as defining
from rag.quiz import extractive
from rag.quiz.definitions import BLANK, Definitions, definitions
from rag.quiz.extractive import extractive_items
from rag.quiz.form_gates import Item, failures
from rag.types import Document
from tests.asking import LibraryOf

GLOSSARY = """# Glossary

- **Idempotency key**: A value that a client sends along so that a repeated request is carried out once.
- **Circuit breaker**: A component that stops calls to a service which keeps failing for some time.
- **Message broker**: A server that takes messages from producers and hands them to consumers in order.
- **Feature flag**: A switch that turns a part of a program on or off without a new release.
- **SLO**: Service Level Objective - A target for the share of requests that a service answers well.
- **Blue-green release**: A way of switching all traffic between two environments of equal size.
"""
PROSE = """# Queues

A dead letter queue is a queue that collects the messages which could not be handled after several attempts.
Backpressure is the signal by which a slow consumer tells a producer to send less.

A queue is a good choice for slow work. The main reason is a simple one: it is a buffer between two programs.
This is the part that people forget about when they talk about queues and their limits.
The worker is a process that you already know from the example above.
Retries are the most common cause of duplicate messages in systems of this kind.
"""


def document(text: str, name: str = "d", title: str = "Queues") -> Document:
    return Document(name, title, "notes", text, "0")


def test_only_sentences_that_define_a_term_by_themselves_are_taken() -> None:
    assert [one.term for one in definitions(document(PROSE))] == ["dead letter queue", "backpressure"]


def test_labels_of_a_glossary_are_terms_and_what_they_are_short_for_is_left_out() -> None:
    found = {one.term: one for one in definitions(document(GLOSSARY, title="Glossary"))}
    assert set(found) == {
        "Idempotency key", "Circuit breaker", "Message broker", "Feature flag", "SLO",
    }  # fmt: skip
    assert found["SLO"].blanked == f"{BLANK}: A target for the share of requests that a service answers well."


def test_a_table_of_terms_is_read_row_by_row() -> None:
    text = (
        "# Words\n\n| Term | Meaning |\n|---|---|\n"
        "| Sharding | Splitting a table by rows among several servers, so that each holds one part |\n"
    )
    (found,) = definitions(document(text))
    assert (found.term, found.quote) == ("Sharding", text.splitlines()[-1].strip("| "))


@pytest.mark.parametrize(
    ("sentence", "blanked"),
    [
        (
            "Reciprocal rank fusion (RRF) is a method that adds up shares which fall with each place.",
            f"{BLANK} is a method that adds up shares which fall with each place.",
        ),
        (
            "An *idle worker* is a process that holds a connection and waits for jobs, but it costs little.",
            f"A(n) {BLANK} is a process that holds a connection and waits for jobs.",
        ),
        ("ASGI is an interface between servers and programs that may answer in pieces.",
         f"{BLANK} is an interface between servers and programs that may answer in pieces."),
    ],
)  # fmt: skip
def test_the_term_its_article_and_its_abbreviation_leave_no_trace(sentence: str, blanked: str) -> None:
    (found,) = definitions(document(f"# Notes\n\n{sentence}\n"))
    assert found.blanked == blanked
    assert found.quote == sentence


@pytest.mark.parametrize(
    ("elsewhere", "term"),
    [
        ("We run a sharded store, a Paxos group and another Paxos group.", "Paxos"),
        ("We run a sharded store and, of course, a paxos group.", "paxos"),
        ("We import `Paxos` and run a paxos group.", "Paxos"),
        ("Paxos opens this sentence. Paxos opens that one.", "paxos"),
        ("We run a Paxosgroup.", "paxos"),
    ],
)
def test_a_term_keeps_its_capital_where_the_text_writes_it_so_inside_sentences(
    elsewhere: str, term: str
) -> None:
    defined = "Paxos is a protocol by which several servers agree on one value despite failures."
    (found,) = definitions(document(f"# Notes\n\n{defined}\n\n{elsewhere}\n"))
    assert found.term == term


def test_the_text_is_searched_once_however_many_terms_it_defines(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[str] = []
    searched = defining.re.findall
    monkeypatch.setattr(
        defining.re, "findall", lambda form, text, *rest: passes.append(text) or searched(form, text, *rest)
    )
    sentence = "Term{} is a buffer that keeps the messages which a slow consumer could not handle."
    text = "# Notes\n\n" + "\n\n".join(sentence.format("abcdefgh"[n]) for n in range(8))
    assert len(definitions(document(text))) == 8
    assert text not in passes


def test_a_document_that_did_not_change_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Definitions()
    first = kept.of(document(PROSE))
    monkeypatch.setattr(defining, "blocks", lambda *_: [])
    assert kept.of(document(PROSE)) is first
    assert kept.of(Document("d", "Queues", "notes", "Other words.", "1")) == []


def test_of_a_long_document_the_beginning_is_read(
    embedder: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(defining, "LONGEST_TEXT", len(PROSE) // 3)
    monkeypatch.setattr(extractive, "LONGEST_TEXT", len(PROSE) // 3)
    assert [one.term for one in definitions(document(PROSE))] == ["dead letter queue"]
    assert not extractive_items([document(PROSE)], [], embedder.embed).read_all


def test_documents_are_read_until_there_is_no_room_for_more(
    embedder: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, other = document(GLOSSARY, title="Glossary"), document(PROSE, "e")
    monkeypatch.setattr(extractive, "MOST_TEXT", len(GLOSSARY))
    alone = extractive_items([source], [], embedder.embed)
    assert extractive_items([source], [other], embedder.embed) == alone
    assert alone.read_all
    assert not extractive_items([source, other], [], embedder.embed).read_all


def test_what_is_too_much_for_one_go_is_tried_in_the_next(
    embedder: OnnxEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extractive, "MOST_TERMS", 3)
    source = document(GLOSSARY, title="Glossary")
    first = extractive_items([source], [document(PROSE, "e")], embedder.embed)
    asked = extractive.terms_asked_for(first.questions)
    assert first.dropped["later"] == 2
    assert set(asked) <= {"Idempotency key", "Circuit breaker", "Message broker"}
    second = extractive_items([source], [document(PROSE, "e")], embedder.embed, asked=asked)
    assert {"Feature flag", "SLO"} & {*extractive.terms_asked_for(second.questions)}
    assert "later" not in second.dropped


def test_every_item_is_right_by_construction_and_well_formed(embedder: OnnxEmbedder) -> None:
    source = document(GLOSSARY, title="Glossary")
    made = extractive_items([source], [document(PROSE, "e")], embedder.embed)
    assert len(made.questions) >= 3
    for one in made.questions:
        assert one.evidence.quote == source.text[one.evidence.start : one.evidence.end]
        assert one.options[one.answer].lower() in one.evidence.quote.lower()
        assert one.options[one.answer] not in one.prompt
        others = [option for place, option in enumerate(one.options) if place != one.answer]
        assert not any(option.lower() in one.evidence.quote.lower() for option in others)
        named = zip(one.options, one.whys, strict=True)
        assert all(option.lower() in why.lower() for option, why in named)
        item = Item(one.id, one.prompt, one.options, one.answer, quote="", whys=one.whys)
        assert failures(item) == []
        assert one.origin == "extractive"
        assert "by_construction" in one.checks


def test_too_few_terms_make_no_question(embedder: OnnxEmbedder) -> None:
    made = extractive_items([document(PROSE)], [], embedder.embed)
    assert (made.questions, made.dropped) == ((), {"distractors": 2})
    assert extractive_items([document("# Empty\n\nNothing here.\n")], [], embedder.embed).dropped == {}


def test_a_question_whose_sentence_was_edited_is_made_anew(library_of: LibraryOf) -> None:
    services = library_of({"glossary.md": GLOSSARY, "queues.md": PROSE})
    study = services.study
    added, _ = study.extractive(["glossary"], "ann")
    kept = {one.id for one in study.questions.list("ann")}
    file = services.settings.data_dir / "documents" / "glossary.md"
    file.write_text(GLOSSARY.replace("turns a part of a program", "turns one part of a program"))
    services.ingest([file])
    again, yields = study.extractive(["glossary"], "ann")
    assert (again, yields["known"]) == (1, added - 1)
    stored = {one.id for one in study.questions.list("ann")}
    assert (len(stored), len(stored & kept)) == (added, added - 1)
    assert stored == {one.id for one in study.pool.own("ann")}


def test_questions_on_a_document_that_was_taken_out_wait_for_it(library_of: LibraryOf) -> None:
    services = library_of({"glossary.md": GLOSSARY, "queues.md": PROSE})
    services.study.extractive(["glossary"], "ann")
    before = services.study.questions.list("ann")
    services.take_out("glossary")
    services.study.extractive(["glossary", "queues"], "ann")
    assert services.study.questions.list("ann") == before


def test_questions_are_made_once_for_each_reader_of_a_document(library_of: LibraryOf) -> None:
    services = library_of({"glossary.md": GLOSSARY, "queues.md": PROSE})
    added, yields = services.study.extractive(["glossary"], "ann")
    assert added == yields["kept"] >= 3
    assert yields["drafted"] == 5
    again, yields = services.study.extractive(["glossary"], "ann")
    assert (again, yields["known"]) == (0, added)
    assert services.study.extractive(["glossary"], "bob")[0] == added
    asked = services.study.pool.questions("ann")
    assert {one.origin for one in asked if one.id.startswith("blank-")} == {"extractive"}
    assert services.study.extractive(["nothing"], "ann") == (0, {"drafted": 0, "kept": 0})
