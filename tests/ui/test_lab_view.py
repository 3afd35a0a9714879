"""What the search lab shows and does, over a small library that is really searched."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pages.shared import startup
from pages.sources import telling
from rag.errors import StoreError
from rag.ingestion.indexing import Indexer
from rag.ingestion.loading import load_text
from rag.storage.conversations import Conversations
from rag.types import RetrievalConfig
from tests.asking import answered
from tests.ui.driving import page, said
from tests.ui.samples import hit

CACHING = """---
id: caching
title: Caching <b>fast</b>
topic: state
---
# Caching

## What a cache is

A cache keeps results for later, so that they are not computed again.

## When a cache hurts

A stale entry of a cache shows what was true yesterday.
"""
QUEUES = """---
id: queues
title: Queues
topic: jobs
---
# Queues

## What a queue is

A queue holds jobs until a worker takes them.
"""
QUESTION = "What is a zebra cache?"


@pytest.fixture
def services(library_of, monkeypatch):
    """Two documents, searched by the pages."""
    found = library_of({"caching.md": CACHING, "queues.md": QUEUES})
    ready = SimpleNamespace(services=found, error=None, wait=lambda seconds: True)
    monkeypatch.setattr(startup, "_current", ready)
    return found


def lab(part=None, **query):
    app = page(view="lab", **query).run()
    app.switch_page("sources/page.py")
    for name, value in {"view": "lab", **query}.items():
        app.query_params[name] = value
    app.run()
    if part:
        app.session_state["lab_part"] = part
        app.run()
    assert not app.exception
    return app


def told(app):
    return said(app.get_by_key("sources_results"))


def keep(services, answer):
    """Store an answer as the chat does and return its conversation's id."""
    conversations: Conversations = services.conversations
    conversation = conversations.create().id
    turn = conversations.add_turn(conversation, QUESTION)
    stored = conversations.begin_answer(turn, answer.provider, answer.model, answer.trace_id)
    conversations.complete(stored, answer)
    return conversation


def test_an_empty_lab_offers_questions(services):
    app = lab()
    app.button(key="lab_suggestion_0").click().run()
    assert "1. What was searched" in told(app)


def test_every_stage_of_a_search_is_shown(services):
    text = told(lab(q=QUESTION))
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert [head[3:4] for head in heads] == list("12345678")
    assert "3 passages of 2 documents" in text
    assert ":orange-badge[zebra: in no passage used]" in text
    assert "cosine 0." in text
    assert "log-odds" in text
    assert "Search by meaning" in text


def test_what_a_model_would_be_sent_is_counted(services):
    text = told(lab(q="What is a cache?"))
    assert "2 passages and the instructions, about " in text
    assert "tokens of at most 4,000" in text
    assert "no model is asked" in told(lab(q="How do I bake bread?"))


def test_a_title_with_markup_is_shown_as_text(services):
    app = lab(q=QUESTION)
    lists = [element.value for element in app.get_by_key("sources_results").html]
    assert any("Caching &lt;b&gt;fast&lt;/b&gt; › Caching › What a cache is" in html for html in lists)
    assert not any("<b>" in html for html in lists)


def test_the_search_of_an_answer_is_the_stored_one(services):
    answer = replace(answered(services, "What is a cache?"), trace_id="abc")
    keep(services, answer)
    services.set_retrieval_config(RetrievalConfig(top_k=1))
    app = lab(trace="abc")
    assert "as it was then" in told(app)
    assert "the best 6 of" in told(app)
    assert ":green-badge[cited as 1" in told(app)
    assert "stood to choice for quoting" in told(app)
    assert "has changed since" not in told(app)


def test_a_library_that_changed_since_an_answer_is_said_to_have_changed(services):
    answer = replace(answered(services, "What is a cache?"), trace_id="abc")
    keep(services, answer)
    Indexer(services.library, services.embedder).index(
        load_text(CACHING.replace("yesterday", "long ago"), "caching.md"), origin="added"
    )
    assert "1 document is newer, and 1 of the 3 passages found" in told(lab(trace="abc"))


def test_an_answer_that_is_gone_is_said_to_be_gone(services):
    assert "not stored any more" in told(lab(trace="nonsense"))


def test_two_settings_are_compared_and_the_better_one_becomes_the_default(services):
    app = lab("compare", q="What is a cache?")
    assert "Nothing: both use the same" in told(app)
    app.slider(key="lab_b_top_k").set_value(1).run()
    assert "only in A, place 2; in B: beyond the top 1" in told(app)
    assert "passages used 6 → 1" in told(app)
    app.button(key="lab_make_default").click().run()
    assert services.retrieval_config.top_k == 1
    app.button(key="lab_back").click().run()
    assert services.retrieval_config.top_k == 6
    assert app.slider(key="lab_b_top_k").value == 6


def test_every_setting_that_is_allowed_can_be_compared(services):
    services.set_retrieval_config(RetrievalConfig(top_k=50, candidates=500, index="ivf", effort=3))
    app = lab("compare", q="What is a cache?")
    assert (app.slider(key="lab_b_top_k").value, app.slider(key="lab_b_candidates").value) == (50, 500)
    assert app.selectbox(key="lab_b_effort").value == 3
    assert app.button(key="lab_make_default").disabled


def test_a_failed_return_to_the_settings_is_explained(services, monkeypatch):
    services.set_retrieval_config(RetrievalConfig(top_k=1))
    app = lab("compare", q="What is a cache?")

    def busy(name):
        raise StoreError("The database is busy.", hint="Try again.")

    monkeypatch.setattr(services.preferences, "clear", busy)
    app.button(key="lab_back").click().run()
    assert [error.value for error in app.error] == ["**The database is busy.** Try again."]
    assert app.slider(key="lab_b_top_k").value == 1


def test_a_question_can_be_taken_to_the_chat(services):
    app = lab("compare", q="What is a cache?")
    app.button(key="lab_chat").click().run()
    assert app.session_state["chat_input"] == "What is a cache?"


def test_a_passage_is_followed_to_where_it_got_lost(services):
    services.set_retrieval_config(RetrievalConfig(top_k=1))
    app = lab(q="What is a cache?", chunk="caching#1")
    assert app.session_state["lab_part"] == "lost"
    assert "It got lost at the cut-off." in told(app)
    assert "lost here" in told(app)
    assert "Raise the passages used from 1 to 2" in told(app)


def test_a_passage_without_a_question_waits_for_one(services):
    app = lab(chunk="caching#1")
    assert "Type the question that a passage should answer" in told(app)
    app.text_input(key="sources_query").set_value("What is a cache?").run()
    assert app.selectbox(key="lab_lost_chunk").value == "caching#1"


def test_another_passage_can_be_chosen(services):
    app = lab(q="What is a cache?", chunk="caching#1")
    app.selectbox(key="lab_lost_document").select("queues").run()
    assert app.query_params["chunk"] == "queues#0"
    assert "A queue holds jobs" in told(app)


def test_what_belongs_to_somebody_else_is_neither_listed_nor_followed(services):
    theirs = load_text(QUEUES.replace("queues", "theirs").replace("Queues", "Zebra cache"), "theirs.md")
    Indexer(services.library, services.embedder).index(replace(theirs, owner="ann"), origin="added")
    app = lab(q=QUESTION)
    assert "Zebra cache" not in told(app)
    app = lab(q=QUESTION, chunk="theirs#0")
    assert "not in the library any more" in told(app)
    assert "theirs" not in app.selectbox(key="lab_lost_document").options


def test_other_chunk_sizes_are_a_preview_only(services):
    long = "# Long\n\n" + " ".join(f"Sentence {n} says something else about it." for n in range(120))
    Indexer(services.library, services.embedder).index(load_text(long, "long.md"), origin="added")
    before = services.library.chunks("long")
    app = lab("chunks")
    app.slider(key="lab_cut_range").set_value((50, 200))
    app.slider(key="lab_cut_target").set_value(100).run()
    assert f"instead of {len(before)}" in told(app)
    assert "A chunk would end here" in told(app)
    assert services.library.chunks("long") == before


def test_kinds_of_index_are_measured_and_the_figures_kept(services):
    app = lab("indexes")
    assert "Not measured yet" in told(app)
    app.button(key="lab_measure").click().run()
    assert "a whole search takes" in told(app)
    kept = services.preferences.get("index_figures")
    assert {row["kind"] for row in kept["figures"]} == {"flat", "ivf", "hnsw"}
    assert all(row["search_p50_ms"] > 0 for row in kept["figures"])
    assert "a whole search takes" in told(lab("indexes"))


def test_figures_that_can_not_be_stored_stay_on_the_page_with_the_reason(services, monkeypatch):
    def full(name, value):
        raise StoreError("The disk is full.", hint="Free some space.")

    monkeypatch.setattr(services.preferences, "set", full)
    app = lab("indexes")
    app.button(key="lab_measure").click().run()
    assert [error.value for error in app.error] == ["**The disk is full.** Free some space."]
    assert "a whole search takes" in told(app)
    assert "a whole search takes" in told(app.run())


def test_figures_of_an_earlier_version_are_not_taken_for_whole_searches(services):
    row = {"kind": "flat", "effort": 0, "recall_at_10": 1.0, "p50_ms": 1.0, "p95_ms": 2.0, "build_ms": 3.0}
    services.preferences.set("index_figures", {"version": 1, "vectors": 9, "figures": [row]})
    assert "Not measured yet" in told(lab("indexes"))


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ((1, 3, 1), "▲ 3 → 1 (3 by meaning, 1 by words)"),
        ((2, 1, None), "▼ 1 → 2 (1 by meaning, no shared words)"),
        ((4, 4, 9), "stays 4 (4 by meaning, 9 by words)"),
        ((5, None, 2), "2 by words alone"),
    ],
)
def test_moves_are_told_in_words(places, words):
    rank, dense, lexical = places
    assert telling.moved(hit(rank, dense_rank=dense, lexical_rank=lexical)) == words


def test_log_odds_are_told_as_shares_of_a_hundred():
    found = SimpleNamespace(best_cosine=0.5, word_cover=0.7, hits=(), sufficient=True)
    for margin, words in ((0.0, "about 50"), (9.0, "more than 99"), (-9.0, "fewer than one")):
        assert words in telling.weighed(SimpleNamespace(**vars(found), margin=margin))
