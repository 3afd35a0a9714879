"""What the sources page shows."""

import pytest

from pages.shared.links import source_params
from tests.ui import samples
from tests.ui.driving import page


def reader(services, **query):
    app = page(**query).run()
    app.switch_page("sources/page.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def marked(app):
    body = next(element.value for element in app.html if "<article" in element.value)
    return [part.split("</mark>")[0].split(">", 1)[1] for part in body.split("<mark")[1:]]


def test_a_document_can_be_opened(services):
    app = reader(services)
    app.button(key="sources_open_caching").click().run()
    assert app.query_params["doc"] == "caching"
    assert app.get_by_key("sources_reader") is not None


@pytest.mark.parametrize(
    ("quote", "seen"),
    [
        (samples.QUOTE, ["A cache keeps results for later."]),
        ("It saves **time and `money`**.", ["It saves <strong>time and <code>money</code></strong>."]),
        ("It bounds the age of an entry.", ["It bounds the age of an entry."]),
        ("Use a key of *all* inputs.", ["Use a key of <em>all</em> inputs."]),
        ("Memory | Fast", ["Memory ", " Fast"]),
        ("cache[key] = answer", ["cache[key] = answer"]),
    ],
)
def test_the_cited_words_are_marked(services, quote, seen):
    start, end = samples.place(quote)
    app = reader(services, **source_params("caching", start, end, quote))
    assert [part.strip() for part in marked(app)] == [part.strip() for part in seen]


def test_a_link_without_a_fingerprint_works(services):
    start, end = samples.place(samples.QUOTE)
    assert marked(reader(services, doc="caching", start=str(start), end=str(end))) == [samples.QUOTE]


@pytest.mark.parametrize(
    "query",
    [
        {"start": "5", "end": "999999"},
        {"start": "90", "end": "80"},
        {"start": "-3", "end": "9"},
        {"start": "x", "end": "9"},
        {"start": "9"},
        {"start": "3", "end": "9"},
        {"start": "80", "end": "99", "check": "00000000"},
    ],
)
def test_a_place_that_is_gone_is_said_to_be_gone_and_nothing_is_marked(services, query):
    app = reader(services, doc="caching", **query)
    assert "has changed" in app.warning[0].value
    assert marked(app) == []


def test_a_document_that_is_gone_is_said_to_be_gone(services):
    app = reader(services, doc="nonsense")
    assert "not in the library any more" in app.warning[0].value
    app.button(key="sources_back").click().run()
    assert app.get_by_key("sources_library") is not None
