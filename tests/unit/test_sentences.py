"""Texts are cut into units that can be quoted: where a sentence ends, and where it only seems to."""

from __future__ import annotations

import time

import pytest
from markdown_it import MarkdownIt

from rag.text.sentences import LONGEST, sentences


def quotes(text: str) -> list[str]:
    return [text[sentence.start : sentence.end] for sentence in sentences(text)]


def kinds(text: str) -> list[tuple[str, str]]:
    return [(sentence.kind, text[sentence.start : sentence.end]) for sentence in sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "Use a cache, e.g. Redis, i.e. something fast.",
        "Dr. Smith met Prof. J. R. Smith in the U.S. Senate.",
        "Latency vs. cost is the question.",
        "See No. 5, Fig. 3 and pp. 7 to 9 of Jan. 2024.",
        "Smith et al. (2020) measured it.",
        "SQLite 3.40.1 and Python v3.11.2 cost $0.50 in total.",
        "Tools such as FAISS, Qdrant etc. are compared.",
        "It waits... and then goes on.",
        'He asked "Why?" and left.',
        "Yahoo! is a company.",
        "Call `a. B` twice.",
        "Read [First. Second](https://a.example/x?a=b.c) today.",
        "It stops (see above. Really.) and resumes.",
        "A line that was\nwrapped by hand. no new sentence",
        "Node.js, ASP.NET and example.com are names.",
    ],
)
def test_a_full_stop_in_the_middle_is_no_end(text: str) -> None:
    assert quotes(text) == [text]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four… Five", ["One.", "Two!", "Three?", "Four…", "Five"]),
        (
            'He said "Go." Then he left. (It was late.) End.',
            ['He said "Go."', "Then he left.", "(It was late.)", "End."],
        ),
        ("**Bold.** Next. *Why?* So.", ["**Bold.**", "Next.", "*Why?*", "So."]),
        ("It is in the U.S. The rest is not.", ["It is in the U.S.", "The rest is not."]),
        ("Use Redis, Qdrant, etc. The rest follows.", ["Use Redis, Qdrant, etc.", "The rest follows."]),
        ("It costs $5. 3 of them cost $15.", ["It costs $5.", "3 of them cost $15."]),
        (
            "Call it. `run()` starts. st.cache_data caches.",
            ["Call it.", "`run()` starts.", "st.cache_data caches."],
        ),
        ("Measured.[1] Known.[^2] Old.", ["Measured.[1]", "Known.[^2]", "Old."]),
        ("See https://a.example/b.c. Next.", ["See https://a.example/b.c.", "Next."]),
        ("Faster! 💨", ["Faster! 💨"]),
        ("这是一。那是二！真的吗？“是。”", ["这是一。", "那是二！", "真的吗？", "“是。”"]),
        (
            "all small letters. a new sentence. see no. 5.",
            ["all small letters.", "a new sentence.", "see no. 5."],
        ),
        ("Wrapped by\nhand. A new\nsentence.", ["Wrapped by\nhand.", "A new\nsentence."]),
        ("Tokenised text . Another one .", ["Tokenised text .", "Another one ."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: list[str]) -> None:
    assert quotes(text) == expected


def test_list_items_lose_their_bullets_and_share_the_number_of_their_list() -> None:
    text = "- one\n- [x] two. Three.\n  1) nested\n\n* other list\n"
    assert [(s.kind, s.list_id, text[s.start : s.end]) for s in sentences(text)] == [
        ("list_item", 0, "one"),
        ("list_item", 0, "two."),
        ("list_item", 0, "Three."),
        ("list_item", 1, "nested"),
        ("list_item", 2, "other list"),
    ]


def test_a_table_row_is_one_unit_without_its_outer_pipes() -> None:
    text = "| Store | Use |\n|:---|---:|\n| FAISS | exact. Fast. |\n|  |  |\nQdrant | filters\n"
    assert kinds(text) == [
        ("heading", "Store | Use"),
        ("table_row", "FAISS | exact. Fast."),
        ("table_row", "Qdrant | filters"),
    ]


def test_lines_of_cells_are_units_although_no_delimiter_row_makes_them_a_table() -> None:
    assert quotes("year | sales\n2016 | 5\n2017 | 6") == ["year | sales", "2016 | 5", "2017 | 6"]


def test_a_code_fence_is_one_unit() -> None:
    assert kinds("Run this:\n\n```python\na = 1. \n\nb()\n```\n") == [
        ("prose", "Run this:"),
        ("code", "```python\na = 1. \n\nb()\n```"),
    ]


@pytest.mark.parametrize(
    "text", ["## Why cache ##", "Why cache\n---", " = = Why cache = = ", "- # Why cache"]
)
def test_headings_are_quoted_without_their_signs(text: str) -> None:
    assert kinds(text) == [("heading", "Why cache")]


def test_a_paragraph_of_one_bold_line_is_a_heading() -> None:
    assert kinds("**API calls**\n\n**Only load data you trust.**") == [
        ("heading", "**API calls**"),
        ("prose", "**Only load data you trust.**"),
    ]


def test_quotations_and_footnotes_lose_their_signs() -> None:
    assert quotes("> One. Two.\n> Three.\n\n[^1]: A note.") == ["One.", "Two.", "Three.", "A note."]


def test_what_has_no_words_is_no_sentence() -> None:
    text = (
        '***\n\n![A. B](a.png)\n\n[![A](a.png)](https://a.example)\n\n<Image src="a"\n alt="b. C" />\n\n…\n'
    )
    assert quotes(text) == []


def test_html_gives_the_texts_between_its_tags() -> None:
    text = "<details>\n<summary>More</summary>\nSome <b>bold</b> text. Two.\n</details>\n\n<!-- no. No. -->"
    assert quotes(text) == ["More", "Some <b>bold</b> text.", "Two."]


def test_a_sentence_without_end_is_cut_at_a_clause() -> None:
    text = "word " * 120 + "end; " + "word " * 120
    first, second = quotes(text)
    assert first.endswith("end;")
    assert second.startswith("word")


def test_a_sentence_without_any_white_space_is_cut_all_the_same() -> None:
    assert [len(quote) for quote in quotes("x" * 2500)] == [LONGEST, LONGEST, 500]


@pytest.mark.parametrize(
    "unit", ["e.g. ", "[", "(a ", "`a", "<a ", '"a." ', "**a", "> ", "| a ", "- ", "....", "。", "[a](", "&"]
)
def test_hostile_repetition_takes_linear_time(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    before = time.process_time()
    sentences(text)
    assert time.process_time() - before < 5


def test_a_megabyte_of_markdown_takes_little_more_than_parsing_it() -> None:
    page = (
        "## Caching\n\nIt saves money, e.g. `lru_cache`. It may be stale. See [a](b.c).\n\n- One.\n- Two.\n\n"
    )
    text = page * (1_000_000 // len(page))
    started = time.process_time()
    MarkdownIt("commonmark").parse(text)
    parsed = time.process_time()
    sentences(text)
    assert time.process_time() - parsed < 2.5 * (parsed - started)
