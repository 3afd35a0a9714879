"""Files become documents: which files, in which encoding, with which metadata."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from rag.errors import KnowledgeError
from rag.ingestion import loading
from rag.ingestion.loading import decode, documents_in, load_file, load_text, load_upload
from rag.ingestion.parsing import Parsed
from tests import hostile


def written(folder: Path, name: str, content: str | bytes = "Text.") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def names_in(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in documents_in([folder])]


def test_front_matter_describes_the_document(tmp_path: Path) -> None:
    text = (
        "---\nid: caching\ntitle: Caching\ntopic: cost\nlevel: Mid\ntags: [a, b]\nx: y\n---\n# C\n\nText.\n"
    )
    document = load_file(written(tmp_path, "01-x/file.md", text), tmp_path)
    assert (document.id, document.title, document.topic) == ("caching", "Caching", "cost")
    assert (document.level, document.tags, document.path) == ("mid", ("a", "b"), "01-x/file.md")
    assert document.text == text
    assert document.text[document.body_start :] == "# C\n\nText.\n"
    assert document.content_hash == hashlib.sha256(text.encode()).hexdigest()


def test_without_front_matter_the_path_and_the_heading_describe_it(tmp_path: Path) -> None:
    document = load_file(
        written(tmp_path, "02-system design/Cache Guide.md", "# How to cache\n\nText."), tmp_path
    )
    assert document.id == "02-system-design.cache-guide"
    assert document.title == "How to cache"
    assert document.topic == "system design"
    assert (document.level, document.tags, document.body_start) == (None, (), 0)


def test_a_file_at_the_top_has_the_general_topic_and_its_name_for_a_title(tmp_path: Path) -> None:
    document = load_file(written(tmp_path, "deploy_guide-v1.2.txt", "Text without heading."), tmp_path)
    assert (document.id, document.title, document.topic) == (
        "deploy_guide-v1.2",
        "Deploy guide v1.2",
        "general",
    )


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("Intro.\n\n# The title\n\nText.", "The title"),
        ("## Starts with a section\n\nText.", "Starts with a section"),
        ("# One\n\nText.\n\n# Two\n\nText.", "Notes"),
        ("Intro.\n\n## A section\n\nText.", "Notes"),
    ],
)
def test_a_title_stands_for_the_whole_text(body: str, title: str) -> None:
    assert load_text(body, "notes.md").title == title


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Über uns.md", "uber-uns"),
        ("日本.md", "document-cf2abf0c"),
        ("a/b/c.md", "a.b.c"),
        ("x" * 130 + ".md", "x" * 100 + "-" + hashlib.sha256(b"x" * 130).hexdigest()[:8]),
    ],
)
def test_ids_are_readable_and_valid(name: str, expected: str) -> None:
    assert load_text("Text.", name).id == expected


def test_plain_values_in_front_matter_are_taken_as_text() -> None:
    document = load_text("---\nid: 42\ntitle: 2024-01-31\ntags: x, y\n---\nText.", "a.md")
    assert (document.id, document.title, document.tags) == ("42", "2024-01-31", ("x", "y"))


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nText between rules.\n\n---\nMore.",
        "---\nText between rules.\n---\nMore.",
        "---\nkey: value\nand never closed",
        "---\n- a list\n---\nMore.",
        "-----\nText.",
    ],
)
def test_a_thematic_break_at_the_top_is_no_front_matter(text: str) -> None:
    assert load_text(text, "a.md").body_start == 0


@pytest.mark.parametrize(
    ("front", "line", "problem"),
    [
        ("id: a\ntitle: b: c", 3, "not valid YAML"),
        ("id: a\ntags: [a", 4, "not valid YAML"),
        ("id: a\nlevel: expert", 3, "`level` in the front matter is not valid"),
        ("tags:\n- {a: b}", 2, "`tags` in the front matter is not valid"),
        ("id: !!python/object/apply:os.getcwd []", 2, "not valid YAML"),
        ("when: 2024-13-45", 2, "not valid YAML"),
        ("a: " + "[" * 3000, 2, "not valid YAML"),
    ],
)
def test_a_mistake_in_front_matter_is_reported_with_its_line(front: str, line: int, problem: str) -> None:
    with pytest.raises(KnowledgeError) as caught:
        load_text(f"---\n{front}\n---\nText.", "folder/a.md")
    assert str(caught.value).startswith(f"folder/a.md, line {line}: ")
    assert problem in str(caught.value)
    assert (caught.value.path, caught.value.line) == ("folder/a.md", line)
    assert caught.value.hint.startswith("Correct the lines between the two ---")


@pytest.mark.parametrize("text", ["", " \n\t\n", "---\nid: a\n---\n", "---\nid: a\n---\n***\n"])
def test_a_file_without_words_is_refused(text: str) -> None:
    with pytest.raises(KnowledgeError, match=r"a\.md has no text\."):
        load_text(text, "a.md")


@pytest.mark.parametrize("name", ["a.xlsx", "b.doc", "c.yaml", "d"])
def test_other_formats_are_refused_with_the_ones_that_are_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(KnowledgeError, match="is not in a supported format") as caught:
        load_file(written(tmp_path, name), tmp_path)
    assert caught.value.hint == (
        "Supported formats: Markdown, plain text, HTML, PDF, Word (.docx) and CSV "
        "(.md, .markdown, .txt, .html, .htm, .pdf, .docx, .csv)."
    )


@pytest.mark.parametrize(
    "content",
    [
        b"a\0b",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3",
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
        bytes(range(1, 256)),
        b"\xff\xfea\0\0\0",
    ],
)
def test_binary_content_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(KnowledgeError, match=r"picture\.txt is not a text file\."):
        load_file(written(tmp_path, "picture.txt", content), tmp_path)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Grüße aus Köln", "utf-8"),
        ("Grüße aus Köln", "utf-8-sig"),
        ("Grüße aus Köln", "utf-16"),
        ("Café – naïve, 5 €", "cp1252"),
        ("Привет, как дела? Это текст на русском языке.", "cp1251"),
        ("日本語のテキストです。これは長い文章の例です。", "shift_jis"),
    ],
)
def test_text_is_decoded_whatever_its_encoding(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


def test_line_ends_become_newlines() -> None:
    assert decode(b"a\r\nb\rc\n") == "a\nb\nc\n"


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="can't be read: No such file"):
        load_file(tmp_path / "gone.md", tmp_path)
    with pytest.raises(KnowledgeError, match="does not exist"):
        list(documents_in([tmp_path / "gone.md"]))


def test_a_folder_gives_its_texts_sorted_and_leaves_out_what_is_none(tmp_path: Path) -> None:
    for name in [
        "b.md",
        "a/z.txt",
        "a/README.md",
        "README.md",
        ".hidden.md",
        ".git/c.md",
        "d.png",
        "c.MARKDOWN",
        "e.PDF",
        "f.docx",
    ]:
        written(tmp_path, name)
    assert names_in(tmp_path) == ["a/README.md", "a/z.txt", "b.md", "c.MARKDOWN", "e.PDF", "f.docx"]


def test_the_question_bank_is_left_out_but_a_folder_of_that_name_is_read(tmp_path: Path) -> None:
    written(tmp_path, "bank/questions/about.md")
    written(tmp_path, "bank/questions/cost.yaml")
    written(tmp_path, "faq/questions/about.md")
    assert names_in(tmp_path / "bank") == []
    assert names_in(tmp_path / "faq") == ["questions/about.md"]


def test_a_file_that_is_named_is_always_yielded(tmp_path: Path) -> None:
    path = written(tmp_path, "README.md")
    assert list(documents_in([path])) == [path]


def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    secret = written(tmp_path, "outside/secret.md")
    inside = written(tmp_path, "in/a.md")
    (tmp_path / "in" / "b.md").symlink_to(inside)
    (tmp_path / "in" / "c.md").symlink_to(secret)
    (tmp_path / "in" / "d.md").symlink_to(tmp_path / "in" / "gone.md")
    (tmp_path / "in" / "e").symlink_to(tmp_path / "outside")
    assert names_in(tmp_path / "in") == ["a.md", "b.md"]


def test_a_file_of_another_format_keeps_its_ending_in_its_id(tmp_path: Path) -> None:
    content = hostile.text_pdf("Recall falls with speed.")
    document = load_file(written(tmp_path, "01-search/IVF guide.pdf", content), tmp_path)
    assert (document.id, document.title, document.topic) == ("01-search.ivf-guide.pdf", "IVF guide", "search")
    assert (document.format, document.text) == ("pdf", "Recall falls with speed.")
    assert document.file_hash == hashlib.sha256(content).hexdigest()


def test_a_text_says_its_format_and_the_hash_of_its_file(tmp_path: Path) -> None:
    documents = [load_file(written(tmp_path, name, b"Text.\r\n"), tmp_path) for name in ("a.md", "b.txt")]
    assert [document.format for document in documents] == ["markdown", "text"]
    assert {document.file_hash for document in documents} == {hashlib.sha256(b"Text.\r\n").hexdigest()}


def test_an_upload_is_described_by_its_front_matter_within_the_uploads() -> None:
    text = "---\nid: caching\ntitle: Caching\ntopic: cost\nlevel: mid\ntags: [a]\n---\n# C\n\nText.\n"
    document, page_starts = load_upload(text.encode(), "notes.md")
    assert (document.id, document.title, document.topic) == ("uploads.caching", "Caching", "cost")
    assert (document.level, document.tags, document.path) == ("mid", ("a",), "notes.md")
    assert (document.format, document.owner, page_starts) == ("markdown", "", ())
    assert document.text[document.body_start :] == "# C\n\nText.\n"


def test_an_upload_without_front_matter_is_described_by_its_name_and_owner() -> None:
    content = hostile.text_pdf("One.", "Two.")
    document, page_starts = load_upload(content, "Q3 Report.pdf", owner="ada@example.org")
    owner = hashlib.sha256(b"ada@example.org").hexdigest()[:6]
    digest = hashlib.sha256(b"Q3 Report-pdf").hexdigest()[:8]
    assert (document.id, document.owner) == (f"uploads.{owner}.q3-report-pdf-{digest}", "ada@example.org")
    assert (document.title, document.topic, document.format) == ("Q3 Report", "uploads", "pdf")
    assert page_starts == (0, 6)
    assert document.file_hash == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("---\nid: uploads.ivf\n---\nText.", "uploads.ivf"),
        ("---\nid: abc123.ivf\n---\nText.", "uploads.abc123-ivf-adaadff8"),
        ("---\nid: ../../etc\n---\nText.", "uploads.etc-74ccf3c5"),
        ("---\nid: 日本\n---\nText.", "uploads.document-" + hashlib.sha256("日本".encode()).hexdigest()[:8]),
    ],
)
def test_an_upload_cannot_take_the_id_of_another_document(text: str, expected: str) -> None:
    assert load_upload(text.encode(), "a.md")[0].id == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("notes.md", "uploads.notes"),
        ("Notes.MD", "uploads.notes"),
        ("deploy_guide-2.md", "uploads.deploy_guide-2"),
        ("report.txt", "uploads.report-txt"),
        ("folder/report.txt", "uploads.report-txt"),
        ("日本.md", "uploads.document-cf2abf0c"),
    ],
)
def test_the_id_of_an_upload_is_its_name_where_that_tells_it_apart(name: str, expected: str) -> None:
    assert load_upload(b"Text.", name)[0].id == expected


@pytest.mark.parametrize(
    "names",
    [
        ("C.md", "C++.md", "C#.md"),
        ("my-notes.md", "My Notes.md", "My_Notes.md"),
        ("report.txt", "report-txt.md", "report-txt", "report.md"),
        ("server-log.md", "server.log", "server-log.log", "server"),
        ("notes.md", "notes.markdown"),
        ("resume.md", "résumé.md"),
        ("a_.md", "a?.md", "a*.md"),
        ("x" * 90 + ".md", "x" * 91 + ".md"),
        ("x" * 80 + "a" + "x" * 80 + ".md", "x" * 80 + "b" + "x" * 80 + ".md"),
    ],
)
def test_uploads_with_different_names_have_different_ids(names: tuple[str, ...]) -> None:
    ids = {load_upload(b"Text.", name)[0].id for name in names}
    assert len(ids) == len(names)


def test_a_name_is_the_same_whichever_way_its_accents_are_written() -> None:
    composed, apart = (
        load_upload(b"Text.", name)[0].id for name in ("r\xe9sum\xe9.md", "re\u0301sume\u0301.md")
    )
    assert composed == apart


def test_a_tricky_name_gives_a_safe_id_and_a_safe_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "parse", lambda content, name: Parsed("Text.", "markdown"))
    for name in hostile.TRICKY_NAMES:
        document, _ = load_upload(b"Text.", name)
        assert re.fullmatch(r"uploads\.[a-z0-9][a-z0-9_-]{0,100}", document.id), name
        assert re.fullmatch(r"[^/\\:<>|\x00-\x1f\u200b\u202e\u2066]{1,120}", document.path), name
        assert document.path.lower() not in ("con.md", "nul", ".", "..")
        assert document.title.isprintable()


def test_aliases_in_front_matter_cannot_exhaust_the_memory() -> None:
    levels = "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 30))
    text = f"---\nb0: &b0 [x]\n{levels}questions:\n  Heading: [*b29, Why]\n---\n# Heading\n\nText."
    assert load_upload(text.encode(), "a.md")[0].id == "uploads.a"
