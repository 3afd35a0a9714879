"""Markdown and plain text fall into blocks with exact offsets."""

from __future__ import annotations

import pytest

from rag.text.markdown import blocks

TOUR = """# Title with `code` and [a link](https://a.example)

A paragraph that is
wrapped over two lines.

- first item
  - nested item

    second paragraph of the nested item
- third item

  ```python
  x = 1
  ```

> A quotation
> over two lines.

| Name | Use |
|---|---|
| FAISS | vectors |

***

<div>
html
</div>

Setext title
------------
"""


def shown(text: str, start: int = 0) -> list[tuple[str, str]]:
    return [(block.kind, text[block.start : block.end]) for block in blocks(text, start)]


def test_every_kind_of_block_is_found_where_it_stands() -> None:
    assert shown(TOUR) == [
        ("heading", "# Title with `code` and [a link](https://a.example)"),
        ("paragraph", "A paragraph that is\nwrapped over two lines."),
        ("list_item", "- first item"),
        ("list_item", "- nested item"),
        ("list_item", "second paragraph of the nested item"),
        ("list_item", "- third item"),
        ("fence", "```python\n  x = 1\n  ```"),
        ("quote", "> A quotation\n> over two lines."),
        ("table", "| Name | Use |\n|---|---|"),
        ("table_row", "| FAISS | vectors |"),
        ("rule", "***"),
        ("html", "<div>\nhtml\n</div>"),
        ("heading", "Setext title\n------------"),
    ]


def test_headings_tell_their_level_and_their_words_without_markup() -> None:
    headings = [(block.level, block.title) for block in blocks(TOUR) if block.kind == "heading"]
    assert headings == [(1, "Title with code and a link"), (2, "Setext title")]


def test_items_tell_their_depth_and_their_list() -> None:
    items = [(block.level, block.list_id) for block in blocks(TOUR) if block.kind == "list_item"]
    assert items == [(1, 0), (2, 1), (2, 1), (1, 0)]


def test_offsets_count_from_the_beginning_of_the_text_when_the_front_matter_is_left_out() -> None:
    text = "---\nid: a\n---\n# B\n\nC\n"
    assert shown(text, start=14) == [("heading", "# B"), ("paragraph", "C")]


def test_a_carriage_return_shifts_nothing() -> None:
    assert shown("# A\r\n\r\nB\r\nC\r\n") == [("heading", "# A"), ("paragraph", "B\r\nC")]


def test_a_fence_that_is_never_closed_goes_to_the_end() -> None:
    assert shown("a\n\n```\ncode\n\nmore") == [("paragraph", "a"), ("fence", "```\ncode\n\nmore")]


def test_the_first_line_of_indented_code_keeps_its_indentation() -> None:
    assert shown("a\n\n    x = f(1)\n    y = 2\n") == [
        ("paragraph", "a"),
        ("fence", "    x = f(1)\n    y = 2"),
    ]


def test_prose_that_a_typewriter_indented_is_no_code() -> None:
    text = "    It was a dark and stormy night, and the\n    rain fell in torrents on the old roof."
    assert [kind for kind, _ in shown(text)] == ["paragraph"]


def test_lines_too_long_to_be_wrapped_are_paragraphs_of_their_own() -> None:
    long = "Word " * 50 + "end."
    assert shown(f"{long}\nA short line.\n{long}\nand its continuation.") == [
        ("paragraph", long),
        ("paragraph", "A short line."),
        ("paragraph", f"{long}\nand its continuation."),
    ]


def test_wiki_headings_are_headings() -> None:
    text = " = Rome = \n Rome is a city . \n = = History = = \n It is old . \n"
    assert [(block.kind, block.level, block.title) for block in blocks(text)] == [
        ("heading", 1, "Rome"),
        ("paragraph", 0, ""),
        ("heading", 2, "History"),
        ("paragraph", 0, ""),
    ]


def test_a_long_paragraph_above_a_line_of_equals_signs_is_no_heading() -> None:
    assert shown("word " * 60 + "\n====\n")[0] == ("paragraph", ("word " * 60).strip())


@pytest.mark.parametrize("text", ["", " \n\t\n", "-", "[a]: https://a.example"])
def test_a_text_that_shows_nothing_has_no_blocks(text: str) -> None:
    assert blocks(text) == []
