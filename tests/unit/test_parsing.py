"""Files of every format become text that can be quoted; damaged and hostile ones become clear errors."""

from __future__ import annotations

import bz2
import contextlib
import io
import os
import resource
import tempfile
import time
from pathlib import Path

import docx
import pytest
from fpdf import FPDF

from rag.errors import KnowledgeError
from rag.ingestion.chunking import chunk
from rag.ingestion.loading import load_text
from rag.ingestion.parsing import Limits, Parsed, parse, reading
from rag.ingestion.parsing.furniture import without_furniture
from rag.ingestion.parsing.lines import Line
from rag.text.sentences import sentences
from tests import hostile

MEGABYTES_OF_THE_PARENT = 200


def quotes(parsed: Parsed) -> list[str]:
    return [parsed.text[unit.start : unit.end] for unit in sentences(parsed.text)]


def refusal(content: bytes, name: str, limits: Limits = Limits()) -> KnowledgeError:  # noqa: B008
    with pytest.raises(KnowledgeError) as caught:
        parse(content, name, limits)
    return caught.value


def written(*pages: str, header: str = "", size: int = 11, **style: str) -> bytes:
    """Return a PDF of these pages, each set as wrapped text; a line that begins with # is larger."""

    class Document(FPDF):
        def header(self) -> None:
            self.set_font("helvetica", size=9)
            self.cell(text=header, new_x="LMARGIN", new_y="NEXT")

        def footer(self) -> None:
            self.set_y(-15)
            self.set_font("helvetica", size=9)
            self.cell(text=f"Page {self.page_no()} of {len(pages)}")

    document = Document() if header else FPDF()
    for page in pages:
        document.add_page()
        for paragraph in page.split("\n"):
            is_heading = paragraph.startswith("# ")
            document.set_font("helvetica", size=18 if is_heading else size)
            document.multi_cell(0, text=paragraph.removeprefix("# "), new_x="LMARGIN", new_y="NEXT", **style)
            document.ln(3)
    return bytes(document.output())


@pytest.mark.parametrize("case", hostile.HOSTILE, ids=lambda case: case.name)
def test_a_hostile_file_is_read_or_refused_in_time_and_memory(case: hostile.Hostile) -> None:
    content = case.build()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    if case.says:
        error = refusal(content, case.name)
        assert str(error) == f"{case.name} {case.says}"
        assert error.hint.endswith(".")
    else:
        document = load_text(parse(content, case.name).text, "a.md")
        assert chunk(document)
    assert time.monotonic() - start < 15
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < MEGABYTES_OF_THE_PARENT


def test_a_reading_that_takes_too_long_is_ended() -> None:
    start = time.monotonic()
    error = refusal(b"# Heading\n" * 200_000, "slow.md", Limits(seconds=1))
    assert str(error) == "slow.md takes more than 1 seconds to read."
    assert time.monotonic() - start < 5


def test_a_file_over_the_limit_is_not_even_read() -> None:
    error = refusal(b"x" * 3 * 2**20, "big.txt", Limits(bytes=2 * 2**20))
    assert str(error) == "big.txt has 3.0 MB; the limit is 2 MB."


def test_nothing_of_a_reading_stays_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = children()
    parse(b"Text.", "a.txt")
    refusal(b"# Heading\n" * 200_000, "slow.md", Limits(seconds=1))
    assert list(tmp_path.iterdir()) == []
    assert children() <= before


def children() -> set[int]:
    """Return the ids of the processes that this one started, also of those that ended unnoticed."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state_and_parent = stat.read_text().rpartition(")")[2].split()[:2]
            if state_and_parent[1] == str(os.getpid()):
                found.add(int(stat.parent.name))
    return found


def impostor(monkeypatch: pytest.MonkeyPatch, folder: Path, program: str) -> None:
    """Let another program stand in for the child process."""
    (folder / "impostor.py").write_text(program)
    monkeypatch.setattr(reading, "_ROOT", folder)
    monkeypatch.setattr(reading, "_CHILD", "impostor")


def test_the_child_process_sees_no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    told = '{"text": " ".join(os.environ), "format": "text", "title": "", "page_starts": []}'
    impostor(monkeypatch, tmp_path, f"import json, os\nprint(json.dumps({told}))")
    text = parse(b"Text.", "a.txt").text
    assert "PATH" in text
    assert "OPENAI_API_KEY" not in text


@pytest.mark.parametrize(
    "program",
    [
        """print('{"text": "a", "format": "exe", "title": "", "page_starts": []}')""",
        """print('{"text": "a", "format": "pdf", "title": "", "page_starts": [9]}')""",
        """print('{"error": "no such code"}')""",
        """print("[" * 99_999)""",
        """while True: print("x" * 2**20)""",
        """import os; os.kill(os.getpid(), 11)""",
    ],
)
def test_an_answer_that_makes_no_sense_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    impostor(monkeypatch, tmp_path, program)
    assert str(refusal(b"Text.", "a.txt")) == f"a.txt {hostile.EXHAUSTING}"


def test_what_the_child_process_started_ends_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    impostor(
        monkeypatch,
        tmp_path,
        "import subprocess, sys\n"
        "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(tmp_path / 'number')!r}, 'w').write(str(other.pid))\n",
    )
    refusal(b"Text.", "a.txt", Limits(seconds=2))
    number = (tmp_path / "number").read_text()
    deadline = time.monotonic() + 5
    while Path(f"/proc/{number}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{number}").exists()


def test_a_pdf_is_read_by_page() -> None:
    parsed = parse(hostile.text_pdf("First page.", "", "Third page."), "report.pdf")
    assert parsed == Parsed("First page.\n\nThird page.", "pdf", "", (0, 13, 13))


def test_a_pdf_is_a_pdf_whatever_its_name() -> None:
    assert parse(hostile.text_pdf("Some text."), "notes.txt").format == "pdf"


def test_lines_of_a_pdf_become_sentences() -> None:
    first = "An inverted file divides the vectors into cells. " * 8
    second = "A graph index links each vector to its nearest neighbours. " * 6
    parsed = parse(written(f"# Index types\n{first}\n{second}"), "index.pdf")
    assert parsed.text == f"# Index types\n\n{first.strip()}\n\n{second.strip()}"
    assert parsed.title == "Index types"
    assert set(quotes(parsed)) == {
        "Index types",
        "An inverted file divides the vectors into cells.",
        "A graph index links each vector to its nearest neighbours.",
    }


def test_hyphens_at_line_ends_go_unless_they_belong_to_the_word() -> None:
    text = "A state-of-the-art quan\u00adti\u00adza\u00adtion is small. " * 12
    parsed = parse(written(text, align="L"), "a.pdf")
    assert set(quotes(parsed)) == {"A state-of-the-art quantization is small."}


def test_headers_footers_and_page_numbers_go() -> None:
    pages = [f"Chapter text {name} is here." for name in ("one", "two", "three", "four")]
    parsed = parse(written(*pages, header="The Handbook - Internal"), "book.pdf")
    assert parsed.text == "\n\n".join(pages)
    assert [parsed.text[start:][:16] for start in parsed.page_starts] == [page[:16] for page in pages]


def test_numbers_that_do_not_count_the_pages_stay() -> None:
    pages = [f"Sales of the month\n{amount}" for amount in (120, 340, 90)]
    assert "340" in parse(written(*pages), "sales.pdf").text


def test_a_sentence_that_runs_over_a_page_stays_one() -> None:
    parsed = parse(written("The index is rebuilt every", "night at two."), "a.pdf")
    assert parsed.text == "The index is rebuilt every\nnight at two."
    assert parsed.page_starts == (0, 27)
    assert quotes(parsed) == [parsed.text]


def test_lists_of_a_pdf_stay_lists_and_its_signs_stay_signs() -> None:
    parsed = parse(written("# not code\n- first\n- second\n#5 wins.", size=11), "a.pdf")
    assert "- first\n- second" in parsed.text


def word_document() -> bytes:
    document = docx.Document()
    document.add_heading("Vector search", 0)
    document.add_heading("Indexes", 1)
    document.add_paragraph("A flat index compares all vectors.")
    document.add_paragraph("Fast", style="List Bullet")
    document.add_paragraph("Faster", style="List Bullet 2")
    document.add_paragraph("Build it.", style="List Number")
    document.add_paragraph("Search it.", style="List Number")
    table = document.add_table(2, 2)
    for cell, text in zip(table._cells, ("Index", "Recall|10", "HNSW", "0.98"), strict=True):
        cell.text = text
    hidden = document.add_paragraph("Seen. ").add_run("Unseen.")
    hidden.font.hidden = True
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_a_word_document_keeps_headings_lists_and_tables_in_order() -> None:
    assert parse(word_document(), "search.docx") == Parsed(
        "# Vector search\n\n## Indexes\n\nA flat index compares all vectors.\n\n- Fast\n  - Faster\n"
        "1. Build it.\n2. Search it.\n\n| Index | Recall\\|10 |\n| --- | --- |\n| HNSW | 0.98 |\n\nSeen.",
        "docx",
        "Vector search",
    )


def test_changes_notes_and_text_boxes_of_a_word_document_are_read_as_shown() -> None:
    body = (
        "<w:p><w:del><w:r><w:delText>Old</w:delText></w:r></w:del><w:ins><w:r><w:t>New</w:t></w:r></w:ins></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>In a control.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:r><w:t># no heading</w:t></w:r></w:p>"
        "<w:p><w:r><w:rPr><w:b/></w:rPr><w:t>Made by hand</w:t></w:r></w:p>"
    )
    text = parse(hostile.docx(body), "a.docx").text
    assert text == "New\n\nIn a control.\n\n\\# no heading\n\n**Made by hand**"


def test_a_page_is_read_without_menus_forms_scripts_and_hidden_text() -> None:
    page = """<!DOCTYPE html><html><head><title>Rate  limits</title><style>p{}</style></head><body>
      <nav>Home</nav><header>Site</header><main><h1>Rate limits <a class=headerlink href=#>¶</a></h1>
      <p>A <a href="https://evil.example/?q=1">token bucket</a> allows bursts<sup><a href=#n1>[1]</a></sup>.
      <img src="https://evil.example/x.png" alt="x">It holds 10<sup>3</sup> tokens.</p>
      <p style="display: none">Hidden.</p><p hidden>Hidden.</p><script>alert(1)</script>
      <form><input value="x"><button>Send</button></form>
      <ul><li>One</li><li>Two<ul><li>Three</li></ul></li></ul>
      <table><tr><th>Plan</th><th>Limit</th></tr><tr><td>Free</td><td>10|s</td></tr></table>
      <pre>if a &lt; b:\n    pass</pre><p>&lt;b&gt; is a tag.</p></main><footer>Imprint</footer></body>"""
    assert parse(page.encode(), "limits.html") == Parsed(
        "# Rate limits\n\nA token bucket allows bursts.\nIt holds 10³ tokens.\n\n- One\n- Two\n  - Three\n\n"
        "| Plan | Limit |\n| --- | --- |\n| Free | 10\\|s |\n\n```\nif a < b:\n    pass\n```\n\n"
        "\\<b> is a tag.",
        "html",
        "Rate limits",
    )


@pytest.mark.parametrize(
    "content",
    [
        "<p>Größe</p>".encode("utf-16"),
        '<meta charset="iso-8859-1"><p>Größe</p>'.encode("latin-1"),
        "<p>Größe</p>".encode(),
        '<meta charset="latin-1"><p>Größe</p>'.encode(),
        '<meta charset="no-such"><p>Größe</p>'.encode(),
    ],
)
def test_the_letters_of_a_page_are_right_whatever_it_declares(content: bytes) -> None:
    assert parse(content, "a.html").text == "Größe"


def test_a_row_of_a_table_is_one_quotable_sentence_with_the_names_of_its_columns() -> None:
    table = "Country;Capital;Note\nChile;Santiago;Long. And narrow.\nPeru;Lima;\n;;\nCuba;Havana;A;extra\n"
    parsed = parse(table.encode(), "countries.csv")
    assert parsed.text == (
        "- Country: Chile; Capital: Santiago; Note: Long. And narrow.\n- Country: Peru; Capital: Lima\n"
        "- Country: Cuba; Capital: Havana; Note: A; Column 4: extra"
    )
    assert "Country: Peru; Capital: Lima" in quotes(parsed)


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("1,2\n3,4\n", "- Column 1: 1; Column 2: 2\n- Column 1: 3; Column 2: 4"),
        ('a,b\n"x, y","1\n2"\n', "- a: x, y; b: 1 2"),
        ("a\tb\n1\t2\n", "- a: 1; b: 2"),
        ("sep=|\na|b\n1|2\n", "- a: 1; b: 2"),
        ("name\nAda\nGrace\n", "- name: Ada\n- name: Grace"),
        ("a,b\n<i>,#5\n<b>,#6\n", "- a: <i>; b: #5\n- a: <b>; b: #6"),
    ],
)
def test_delimiters_heads_and_quotes_of_csv_are_found(table: str, text: str) -> None:
    assert parse(table.encode(), "a.csv").text == text


@pytest.mark.parametrize(
    "table",
    [
        "Animal,Habitat\nLion,Savanna\nBear,Forest\n",
        "Country,Capital\nChile,Santiago\nCountry,Capital\nPeru,Lima\n",
        "Product,Manufacturer,Made in\nKettle,Bosch,Ulm\nPhone,Nokia,Salo\n",
        "Company name,Headquarters\nSAP,Walldorf\nNokia,Espoo\n",
        "Framework,Best for\nLangChain,Quick prototypes\nHaystack,Search\n",
        "Question,Answer\nWhat is RAG?,It reads before it answers.\nWhat is BM25?,It counts words.\n",
        "Index,Recall\nHNSW,high\nFlat,exact\n",
        "planet,moon\nMars,Phobos\nSaturn,Titan\n",
        "NAME,TOWN\nAnn,Bern\nBob,Rome\n",
        "userId,fullName\nann,Ann Lee\nbob,Bob Ray\n",
        "Town,Flag\nBerlin,DE\nParis,FR\n",
        "Model,Fits\nbge-small,a laptop with 8 GB\ne5-large,a server with 64 GB\n",
        "Setting,Since\nTheme,2024-01-31\nFont,2023-05-01\n",
        "chunk,meant\nwindow,A part of a passage that is embedded alone.\nclaim,A statement of an answer.\n",
    ],
)
def test_a_first_row_that_looks_like_a_head_names_the_columns(table: str) -> None:
    first, second = table.splitlines()[0].split(",")[:2]
    text = parse(table.encode(), "a.csv").text
    assert text.startswith(f"- {first}: ")
    assert f"; {second}: " in text
    assert "Column" not in text


@pytest.mark.parametrize(
    "table",
    [
        "alice,paris\nbob,rome\ncarol,oslo\n",
        "Alice,Paris\nBob,Rome\nCarol,Oslo\n",
        "Kansas City,Missouri\nDenver,Colorado\nBoston,Massachusetts\n",
        "Sales manager,Sales department\nClerk,Personnel department\n",
        "dog,animal\ncat,animal\nrose,plant\n",
        "iPhone,phone\nGalaxy,phone\nPixel,phone\n",
        "max_tokens,limits the output\ntemperature,adds chance\nseed,repeats it\n",
        "Alice,Room 5\nBob,Room 7\n",
        "Ann,Main Street\nBob,Elm Street 5\n",
        "Berlin,DE\nParis,FR\n",
        "name,Ann\ncity,Bern\nhobby,Chess\n",
    ],
)
def test_a_first_row_without_a_sign_of_a_head_is_kept_as_a_row(table: str) -> None:
    rows = [row.split(",") for row in table.splitlines()]
    expected = "\n".join(f"- Column 1: {first}; Column 2: {second}" for first, second in rows)
    assert parse(table.encode(), "a.csv").text == expected


def test_a_list_without_a_head_stays_a_list() -> None:
    assert parse(b"apples\npears\n", "a.csv").text == "- apples\n- pears"


@pytest.mark.parametrize(
    "text",
    [
        "GGUF is a file format for quantized models.",
        "ID3 tags hold titles.",
        "BZhang wrote this.",
        "GIF89a is an old format.",
        "The ftyp box comes first in a video.",
        "RIFF and WAVE are names of formats.",
    ],
)
def test_a_text_may_begin_with_the_word_that_another_format_begins_with(text: str) -> None:
    assert parse(text.encode(), "a.txt").text == text


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"GGUF\3\0\0\0", "a language model (GGUF)"),
        (b"ID3\3\0\0", "a sound recording"),
        (bz2.compress(b"Text."), "a bzip2 archive"),
        (b"GIF89a\1\0\1\0", "a picture (GIF)"),
        (b"%!PS-Adobe-3.0\n", "a PostScript file"),
        (b"From: <Saved by Blink>\n", "a web archive (MHTML)"),
    ],
)
def test_a_file_of_another_format_is_called_by_its_name(content: bytes, kind: str) -> None:
    assert str(refusal(content, "a.txt")) == f"a.txt is {kind}, which can't be read."


def test_lines_with_turkish_letters_are_no_roman_numbers() -> None:
    texts = ("İ harfi büyüktür.", "ı", "İ ..... ı", "xi")
    page = [Line(text, 72, 200, 700 - 20 * place, 11) for place, text in enumerate(texts)]
    assert without_furniture([page]) == [page]


@pytest.mark.parametrize(("name", "kind"), [("a.md", "markdown"), ("a.txt", "text"), ("a.log", "text")])
def test_text_is_kept_as_it_is(name: str, kind: str) -> None:
    parsed = parse(b"\xef\xbb\xbf# One\r\n\r\nTwo <b>.\r\n", name)
    assert parsed == Parsed("# One\n\nTwo <b>.\n", kind)  # type: ignore[arg-type]
