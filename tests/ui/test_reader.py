"""The reader: the evidence of an answer in its document, and what is said when the document has changed."""

import re
from base64 import b64decode
from dataclasses import replace

import pytest

from pages.shared import people
from pages.shared.links import source_params
from pages.sources import original
from rag.quiz.resting import RestingItem
from rag.storage.library import Original
from rag.types import Chunk, Citation, Hit, SentSpan
from tests.ui import samples
from tests.ui.test_sources_page import marked, reader

TRACE = samples.ANSWER.trace_id


PIXEL = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one point."""


def passage(quote, number, cut=None):
    start, end = samples.place(quote)
    return Hit(
        Chunk(f"caching#{number}", "caching", (), start, end, quote, 9), "Caching", "", number, 1.0, cut=cut
    )


def sent(quote):
    return SentSpan("caching", *samples.place(quote))


PARAGRAPH = "A cache keeps results for later. It saves **time and `money`**. A stale entry is the price."
ANSWER = replace(
    samples.ANSWER,
    retrieval=replace(
        samples.FOUND,
        hits=(passage(PARAGRAPH, 1), passage("| Memory | Fast |", 2, cut="beyond the top 1")),
    ),
    sent=(sent(samples.QUOTE), sent("It saves **time and `money`**."), sent("Use a key of *all* inputs.")),
    citations=(
        samples.citation(1, samples.QUOTE),
        samples.citation(2, samples.SECOND),
        Citation(3, "agents#0", "agents", "When agents fail", 21, 31, "They loop."),
    ),
)


@pytest.fixture
def told(services):
    """Return services with a stored answer, and the id of its conversation."""
    conversation = services.conversations.create()
    turn = services.conversations.add_turn(conversation.id, "What is a cache?")
    stored = services.conversations.begin_answer(turn, "embedded", "", TRACE)
    services.conversations.complete(stored, ANSWER)
    return services, conversation.id


def opened(services, quote=samples.QUOTE, trace=TRACE):
    return reader(services, **source_params("caching", *samples.place(quote), quote, trace))


def body(app):
    return next(element.value for element in app.html if "<article" in element.value)


def painted(app, layer):
    return re.findall(
        rf'<(?:mark|span) class="(?:st-key-sources_mark )?viva-{layer}[^>]*>(.*?)</(?:mark|span)>', body(app)
    )


def changed(services, text):
    """Save the document with another text."""
    services.library.save(replace(samples.CACHING, text=text), [], {}, [])


def texts(app):
    kinds = ("markdown", "caption", "warning", "page_link", "expander")
    return "\n".join(
        str(getattr(e, "value", "") or getattr(e, "label", "")) for k in kinds for e in app.get(k)
    )


def test_an_answer_is_shown_in_its_source_in_layers(told):
    app = opened(told[0])
    assert painted(app, "cited") == ["A cache keeps results for later.", "A stale entry is the price."]
    assert painted(app, "sent") == ["It saves <strong>time and <code>money</code></strong>."]
    assert painted(app, "found") == [" ", " "]
    assert painted(app, "aside") == ["Memory", "Fast"]
    assert 'class="st-key-sources_mark viva-cited viva-current" data-numbers="1"' in body(app)


def test_a_layer_can_be_hidden(told):
    app = opened(told[0])
    app.checkbox(key="sources_layer_cited").uncheck().run()
    assert painted(app, "sent") == [
        "A cache keeps results for later.",
        "It saves <strong>time and <code>money</code></strong>.",
    ]


def test_one_can_step_through_the_cited_sentences_and_the_address_follows(told):
    app = opened(told[0])
    assert "Cited sentence 1 of 2" in texts(app)
    assert app.button(key="sources_previous").disabled
    app.button(key="sources_next").click().run()
    start, end = samples.place(samples.SECOND)
    assert (app.query_params["start"], app.query_params["end"]) == (str(start), str(end))
    assert "Cited sentence 2 of 2" in texts(app)
    assert app.button(key="sources_next").disabled


def test_what_the_answer_cites_of_other_documents_is_linked(told):
    app = opened(told[0])
    assert "1 more sentence cited in another document:" in texts(app)
    assert "When agents fail" in [link.label for link in app.get("page_link")]


def test_the_words_of_a_link_are_marked_when_its_answer_is_gone(services):
    app = opened(services)
    assert "no longer stored" in texts(app)
    assert marked(app) == [samples.QUOTE]


def test_words_that_moved_are_quoted_and_where_they_stand_now_is_offered(told):
    services, _ = told
    changed(services, samples.TEXT.replace("# Caching\n", "# Caching\n\nNew.\n"))
    app = opened(services)
    assert "has changed" in app.warning[0].value
    assert f"They were: “{samples.QUOTE}”" in texts(app)
    assert marked(app) == []
    assert [link.label for link in app.get("page_link")].count("Open where these words stand now") == 2


def test_where_words_stand_is_not_guessed_when_they_stand_twice(told):
    services, _ = told
    changed(services, samples.TEXT.replace("# Caching\n", f"# Caching\n\n{samples.QUOTE}\n"))
    app = opened(services)
    assert "stand at 2 places" in texts(app)


def test_words_that_are_gone_are_said_to_be_gone(told):
    services, _ = told
    changed(services, samples.TEXT.replace("for later", "for ever"))
    app = opened(services)
    assert "does not have these words any more" in texts(app)
    assert painted(app, "cited") == []


def test_a_document_of_somebody_else_is_not_in_the_library(services, monkeypatch):
    services.library.save(replace(samples.CACHING, owner="ann"), [], {}, [])
    monkeypatch.setattr(people, "reader", lambda: "bob")
    app = reader(services, doc="caching")
    assert "not in the library" in app.warning[0].value
    assert not any("<article" in element.value for element in app.html)


def test_what_rests_on_the_marked_words_is_listed(told):
    services, _ = told
    start, end = samples.place(samples.SECOND)
    services.quiz_items = [
        RestingItem("q1", "open", "system-design", "mid", "What is the price?", start, end, samples.SECOND)
    ]
    app = opened(services)
    app.session_state["sources_resting"] = True
    app.run()
    assert "**What is a cache?**" in texts(app)
    assert "No question of the quiz rests on these words yet." in texts(app)
    app.segmented_control(key="sources_scope").set_value("The whole document").run()
    assert "**What is the price?**" in texts(app)


def test_chunks_are_drawn_into_the_text(services):
    first, last = samples.place("A cache keeps results for later. It saves **time and `money`**.")
    spans = [(samples.CACHING.body_start + 1, last), (first, samples.place("| Disk | Slow |")[1])]
    chunks = [
        Chunk(f"caching#{n}", "caching", ("Caching",), start, end, samples.TEXT[start:end], 30 + n)
        for n, (start, end) in enumerate(spans)
    ]
    services.library.save(samples.CACHING, chunks, {}, [])
    app = reader(services, doc="caching")
    app.toggle(key="sources_chunks").set_value(True).run()
    assert re.findall('<span class="viva-note">(.*?)</span>', body(app)) == [
        "Chunk 1 · 30 tokens",
        "Chunk 2 · 31 tokens · repeats the last 2 sentences of chunk 1",
    ]
    assert "2 chunks of 30 to 31 tokens" in texts(app)


def test_a_long_document_is_shown_in_parts(services):
    lines = [f"Line {number} of a long text." for number in range(12_000)]
    text = "\n\n".join(lines)
    services.library.save(replace(samples.AGENTS, text=text), [], {}, [])
    start = text.index(lines[6_000])
    app = reader(services, **source_params("agents", start, start + len(lines[6_000]), lines[6_000]))
    assert marked(app) == [lines[6_000]]
    assert len(body(app)) < 250_000
    app.button(key="sources_before").click().run()
    assert marked(app) == []
    assert "characters " in texts(app)


def test_a_question_about_the_document_is_begun(services):
    app = reader(services, doc="caching")
    app.button(key="sources_ask").click().run()
    assert app.chat_input(key="chat_input").value == "What do the sources say about Caching?"


def test_a_page_that_could_not_be_drawn_is_tried_again(services, monkeypatch):
    pictures = iter([None, PIXEL])
    monkeypatch.setattr(original, "page_image", lambda content, number: next(pictures))
    file = Original("a.pdf", b"%PDF-1.7", (0,))
    services.library.save(replace(samples.CACHING, format="pdf"), [], {}, [], original=file)
    app = reader(services, doc="caching")
    assert "could not be drawn here" in texts(app)
    assert "could not be drawn here" not in texts(app.run())
