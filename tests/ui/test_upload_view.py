"""What the field for files does, and what is told of each file."""

import pytest

from pages.shared import people
from rag.errors import StoreError
from rag.storage.claims import Claims
from tests.ui.driving import said
from tests.ui.test_library_view import library, listed


def upload(app, *names, number=0, content=b"# Physics"):
    field = app.file_uploader(key=f"sources_files_{number}")
    for name in names:
        field.upload(name, content)
    app.run()
    assert not app.exception
    return app


def progress(app):
    """Return what is told of the jobs, the texts of the bars included."""
    drawn = app.get_by_key("sources_jobs")
    return "\n".join([said(drawn), *(bar.proto.text for bar in drawn.get("progress"))])


@pytest.fixture
def claims(services):
    """What the worker writes."""
    return Claims(services.database)


def test_files_are_taken_once_and_the_field_is_empty_again(services):
    app = upload(library(), "a.md", "b.md")
    app.run()
    assert [[file.name for file in job.files] for job in services.jobs.list()] == [["a.md", "b.md"]]
    assert app.file_uploader(key="sources_files_1").value == []
    upload(app, "c.md", number=1)
    assert len(services.jobs.list()) == 2


def test_what_can_be_added_is_said_before(services):
    told = said(library().get_by_key("sources_upload"))
    assert "PDF, Word (DOCX), web pages, tables (CSV), Markdown and plain text, up to 20 MB each" in told


def test_files_that_could_not_be_stored_stay_in_the_field(services, monkeypatch):
    def full(files, owner=""):
        raise StoreError("The disk is full.", hint="Free some space.")

    monkeypatch.setattr(services, "upload", full)
    app = upload(library(), "a.md")
    assert "The disk is full" in app.error[0].value
    assert [file.name for file in app.file_uploader(key="sources_files_0").value] == ["a.md"]


def test_each_stage_is_told_in_words(services, claims):
    services.upload([("a.md", b"# A")])
    app = library()
    assert "**a.md** · 3 bytes · :material/schedule: Waiting" in progress(app)
    claim = claims.claim()
    for stage, done, total, told in [
        ("reading", 0, 0, "Reading"),
        ("cutting", 0, 0, "Cutting into chunks"),
        ("embedding", 34, 120, "Embedding 34 of 120 windows"),
        ("saving", 120, 120, "Saving"),
    ]:
        claims.report(claim, stage, done, total)
        assert f"**a.md** · 3 bytes · {told}" in progress(app.run())


@pytest.mark.parametrize(
    ("state", "values", "told"),
    [
        ("added", {"document_id": "caching", "chunks": 14}, "Added, 14 chunks"),
        ("updated", {"document_id": "caching", "chunks": 1}, "Updated, 1 chunk"),
        ("added", {"document_id": "gone", "chunks": 2}, "Added, 2 chunks, removed since"),
        ("unchanged", {"document_id": "caching"}, "the same file is already here as “Caching”"),
        (
            "failed",
            {"error": "It is a picture.", "hint": "Try text."},
            "Not added.] It is a picture. Try text.",
        ),
    ],
)
def test_each_outcome_is_told_in_words(services, claims, state, values, told):
    services.upload([("a.md", b"# A")])
    claims.finish(claims.claim(), state, **values)
    assert told in progress(library())


def test_what_was_added_can_be_opened(services, claims):
    job = services.upload([("a.md", b"# A")])
    claims.finish(claims.claim(), "added", document_id="caching", chunks=1)
    app = library()
    app.button(key=f"sources_job_open_{job}_0").click().run()
    assert app.query_params["doc"] == "caching"


def test_a_job_can_be_cancelled_and_hidden(services):
    job = services.upload([("a.md", b"# A"), ("b.md", b"# B")])
    app = library()
    app.button(key=f"sources_cancel_{job}").click().run()
    assert progress(app).count("Cancelled") == 2
    app.button(key="sources_hide_finished").click().run()
    assert services.jobs.list() == []
    assert listed(app) == ["When agents fail", "Caching"]


def test_the_running_job_is_shown_however_many_wait(services, claims):
    running = services.upload([("first.md", b"# A")])
    claims.report(claims.claim(), "embedding", 1, 2)
    for number in range(12):
        services.upload([(f"{number}.md", b"# A")])
    app = library()
    assert "**first.md** · 3 bytes · Embedding 1 of 2 windows" in progress(app)
    assert not app.button(key=f"sources_cancel_{running}").disabled


@pytest.mark.parametrize(
    ("owner", "act", "key"),
    [
        ("jobs", "cancel", "sources_cancel_{}"),
        ("jobs", "delete_finished", "sources_hide_finished"),
        (None, "rebuild", "sources_rebuild"),
    ],
)
def test_what_a_busy_database_refuses_is_explained(services, monkeypatch, owner, act, key):
    def busy(*args):
        raise StoreError("The database is busy.", hint="Try again.")

    services.jobs.cancel(services.upload([("old.md", b"# A")]))
    job = services.upload([("a.md", b"# A")])
    monkeypatch.setattr(getattr(services, owner) if owner else services, act, busy)
    app = library()
    app.button(key=key.format(job)).click().run()
    assert [error.value for error in app.error] == ["**The database is busy.** Try again."]
    assert not app.run().error


@pytest.mark.parametrize(
    ("done", "told"),
    [
        (5, "Rebuilt, with exceptions.] Of 5 documents, 1 could only be rebuilt from their stored text."),
        (2, "Not rebuilt.] Of 5 documents, 1 could only be rebuilt from their stored text."),
    ],
)
def test_what_a_rebuild_could_not_do_is_not_called_adding(services, claims, done, told):
    services.rebuild()
    error = "Of 5 documents, 1 could only be rebuilt from their stored text."
    claims.finish(claims.claim(), "failed", done=done, total=5, error=error)
    assert told in progress(library())


def test_a_long_job_lists_some_files_and_counts_the_rest(services):
    services.upload([(f"{number}.md", b"# A") for number in range(20)])
    told = progress(library())
    assert "**Adding 20 files** · 0 done" in told
    assert "and 12 waiting" in told


def test_a_file_name_cannot_draw_anything(services):
    services.upload([("../**a** :red[x] <b>.md", b"# A")])
    assert "**../\\*\\*a\\*\\* \\:red\\[x\\] \\<b>.md**" in progress(library())


def test_nobody_sees_the_files_of_somebody_else(services, monkeypatch):
    services.upload([("secret.md", b"# A")], owner="bob")
    monkeypatch.setattr(people, "reader", lambda: "ada")
    app = upload(library(), "own.md")
    assert services.jobs.list("ada")
    assert "own.md" in progress(app)
    assert "secret.md" not in progress(app)
