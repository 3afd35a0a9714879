"""What the library shows, finds and removes."""

from dataclasses import replace

import pytest

from pages.shared import people
from tests.ui import samples
from tests.ui.driving import page, said

PHYSICS = replace(
    samples.AGENTS,
    id="uploads.physics",
    title="Physics",
    topic="uploads",
    path="physics.md",
    text="# Physics",
)


def library(app=None, **query):
    app = app or page(**query).run()
    app.switch_page("sources/page.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def listed(app):
    """Return the titles of the documents as they are listed."""
    buttons = app.get_by_key("sources_library").button
    return [button.label for button in buttons if button.key.startswith("sources_open_")]


def headings(app):
    return [heading.value for heading in app.get_by_key("sources_library").header]


def test_documents_are_listed_by_topic(services):
    app = library()
    assert headings(app) == ["Agents", "System design"]
    assert listed(app) == ["When agents fail", "Caching"]


def test_the_reader_learns_what_a_document_holds(services):
    services.library.save(
        samples.CACHING, [replace(samples.hit(1).chunk, tokens=1500)], {}, [], origin="knowledge"
    )
    told = said(library().get_by_key("sources_library")).replace("\N{NO-BREAK SPACE}", " ")
    assert "**2 documents** · 1 chunk · 1,500 tokens · last change" in told
    assert "Markdown · 1 chunk · 1,500 tokens · 382 bytes · changed" in told


def test_a_document_can_be_opened(services):
    app = library()
    app.button(key="sources_open_caching").click().run()
    assert app.query_params["doc"] == "caching"


@pytest.mark.parametrize("search", ["when AGENTS", "fail agents"])
def test_a_document_is_found_by_words_of_its_title(services, search):
    app = library()
    app.text_input(key="sources_find").set_value(search).run()
    assert listed(app) == ["When agents fail"]
    assert headings(app) == []


def test_a_document_is_found_by_words_of_its_text_and_opens_there(services):
    app = library()
    app.text_input(key="sources_find").set_value("results for later").run()
    assert headings(app) == ["Found in the text of 1 document"]
    assert "A cache keeps **results for later**." in said(app.get_by_key("sources_library"))
    app.button(key="sources_open_caching").click().run()
    start, _ = samples.place("results for later")
    assert app.query_params["start"] == str(start)


def test_a_search_that_finds_nothing_can_be_taken_back(services):
    app = library()
    app.text_input(key="sources_find").set_value("zebra").run()
    assert listed(app) == []
    app.button(key="sources_show_all").click().run()
    assert listed(app) == ["When agents fail", "Caching"]


def test_a_filter_and_an_order_are_applied(services):
    services.library.save(replace(PHYSICS, format="pdf"), [], {}, [], origin="added")
    app = library()
    app.selectbox(key="sources_order").set_value("By title").run()
    assert listed(app) == ["Caching", "Physics", "When agents fail"]
    app.selectbox(key="sources_format").set_value("pdf").run()
    assert listed(app) == ["Physics"]


def test_what_was_filtered_survives_reading_a_document(services):
    app = library()
    app.text_input(key="sources_find").set_value("caching").run()
    app.button(key="sources_open_caching").click().run()
    app.query_params.clear()
    app.run()
    assert listed(app) == ["Caching"]


def test_a_removed_document_can_be_brought_back_even_after_a_refresh(services):
    app = library()
    app.menu_button(key="sources_menu_caching").click_index(0).run()
    assert listed(app) == ["When agents fail"]
    app = library()
    assert any("Removed “Caching”" in element.value for element in app.markdown)
    app.button(key="sources_undo").click().run()
    assert not app.exception
    assert listed(app) == ["When agents fail", "Caching"]


def test_the_bar_that_undoes_a_removal_can_be_dismissed(services):
    services.take_out("caching")
    app = library()
    app.button(key="sources_undo_dismiss").click().run()
    assert "sources_undo" not in [button.key for button in app.button]
    app.button(key="sources_restore_caching").click().run()
    assert listed(app) == ["When agents fail", "Caching"]


def test_an_uploaded_document_can_be_deleted_for_good(services):
    services.library.save(PHYSICS, [], {}, [], origin="added")
    services.take_out("uploads.physics")
    app = library()
    app.button(key="sources_forget_confirm_uploads.physics").click().run()
    assert services.library.removed() == []
    assert "sources_undo" not in [button.key for button in app.button]


def test_a_failed_removal_is_explained(services):
    app = library()
    services.library.take_out("caching")
    app.menu_button(key="sources_menu_caching").click_index(0).run()
    assert "not there any more" in app.error[0].value


def test_nobody_sees_or_removes_what_belongs_to_somebody_else(services, monkeypatch):
    monkeypatch.setattr(people, "reader", lambda: "ada")
    services.library.save(replace(PHYSICS, owner="bob"), [], {}, [], origin="added")
    services.library.save(replace(PHYSICS, id="uploads.ada", owner="ada"), [], {}, [], origin="added")
    app = library()
    assert listed(app) == ["Physics", "When agents fail", "Caching"]
    assert [menu.key for menu in app.menu_button if menu.key.startswith("sources")] == [
        "sources_menu_uploads.ada"
    ]
    app.text_input(key="sources_find").set_value("physics").run()
    assert listed(app) == ["Physics"]


def test_a_title_cannot_draw_anything(services):
    services.library.save(replace(PHYSICS, title="**B** ![x](http://e.vil) :red[y]"), [], {}, [])
    assert "\\!\\[x\\]" in "\n".join(listed(library()))


def test_the_index_can_be_rebuilt(services):
    app = library()
    app.button(key="sources_rebuild").click().run()
    assert [job.kind for job in services.jobs.list()] == ["rebuild"]
    assert app.button(key="sources_rebuild").disabled
    assert "Rebuilding the index" in said(app.get_by_key("sources_jobs"))


def test_an_empty_library_says_what_to_do(services):
    for document_id in ("caching", "agents"):
        services.remove(document_id)
    assert headings(library()) == ["The library is empty"]


def test_a_filter_for_a_topic_that_is_gone_lets_everything_through(services):
    services.library.save(PHYSICS, [], {}, [], origin="added")
    app = library()
    app.selectbox(key="sources_topic").set_value("uploads").run()
    assert listed(app) == ["Physics"]
    app.menu_button(key="sources_menu_uploads.physics").click_index(0).run()
    assert not app.exception
    assert listed(app) == ["When agents fail", "Caching"]
