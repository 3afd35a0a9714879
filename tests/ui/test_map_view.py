"""What the map shows: all passages the reader may see, and the passages of a question as text, too."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pages.shared import startup
from rag.ingestion.indexing import Indexer
from rag.ingestion.loading import load_text
from tests.ui.driving import page, said

TEXT = "# {0}\n\n## What {0} is\n\nThe {0} keeps things.\n\n## When {0} hurts\n\nThe {0} is slow at times."


@pytest.fixture
def services(library_of, monkeypatch):
    """Two documents of two chunks each, drawn by the pages."""
    found = library_of({"cache.md": TEXT.format("cache"), "queue.md": TEXT.format("queue")})
    ready = SimpleNamespace(services=found, error=None, wait=lambda seconds: True)
    monkeypatch.setattr(startup, "_current", ready)
    return found


def shown(**query):
    app = page(view="map", **query).run()
    app.switch_page("sources/page.py")
    for name, value in {"view": "map", **query}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def told(app):
    return said(app.get_by_key("sources_map"))


def test_all_passages_are_on_the_map(services):
    app = shown()
    assert "4 passages, each a point" in told(app)
    assert len(app.get("vega_lite_chart")) == 1


def test_the_passages_of_a_question_are_listed_below_the_map(services):
    text = told(shown(q="When does a cache hurt?"))
    assert "Passages used for this question" in text
    assert "cache › When cache hurts" in text


def test_what_belongs_to_somebody_else_is_not_on_the_map(services):
    theirs = replace(load_text(TEXT.format("secret"), "secret.md"), owner="ann")
    Indexer(services.library, services.embedder).index(theirs, origin="added")
    services.retriever.refresh()
    text = told(shown(q="What is the secret?"))
    assert "4 passages, each a point" in text
    assert "What secret is" not in text


def test_an_empty_library_has_an_empty_map(library_of, monkeypatch):
    ready = SimpleNamespace(services=library_of({}), error=None, wait=lambda seconds: True)
    monkeypatch.setattr(startup, "_current", ready)
    assert "The map is empty" in told(shown())
