"""A document as HTML: exact marks, and nothing but text."""

import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.reading import LAYERS, Mark, Note, layers, page
from rag.ingestion.loading import load_file
from rag.text.sentences import sentences
from rag.types import Span
from tests.browser.attacks import ATTACKS

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
TAGS = re.compile(
    r"</?(?:p|h[1-6]|ul|li|blockquote|table|thead|tbody|tr|th|td|code|strong|em|s|mark|article)>"
    r'|<pre tabindex="0">|</pre>|<ol(?: start="\d+")?>|</ol>|<hr>|<br>|</?div>'
    r'|<div class="viva-table" tabindex="0">'
    r'|<mark class="st-key-sources_mark">|<span(?: title="[^"<>]*")?>|</span>|<p class="viva-plain">'
    r'|<mark class="(?:st-key-sources_mark )?viva-cited(?: viva-current)?"(?: data-numbers="[\d, ]+")?>'
    r'|<(?:span|mark) class="(?:st-key-sources_mark )?viva-(?:aside|found|sent|note)(?: viva-current)?">'
)


def marks(html):
    return re.findall(r"<mark[^>]*>(.*?)</mark>", html, re.DOTALL)


def words(text):
    """Return a text without markup and white space."""
    return re.sub(r"[\s`*_~|#>]|\]\([^)]*\)|[\[\]\\]", "", text)


def test_a_sentence_is_marked_as_one_piece():
    text = "One. Two is **bold** here. Three."
    assert marks(page(text, 5, 26).html) == ["Two is <strong>bold</strong> here."]


def test_a_sentence_that_ends_inside_bold_words_is_marked_to_its_end():
    text = "**First one. Second** one."
    assert marks(page(text, 2, 12).html) == ["First one."]


def test_a_sentence_that_begins_inside_bold_words_is_marked_from_its_beginning():
    text = "**First one. Second** one."
    assert marks(page(text, 13, 26).html) == ["Second", " one."]


def test_a_sentence_that_begins_with_emphasis_keeps_it():
    text = 'He said. _"Yes"_ it is.'
    assert marks(page(text, 9, 23).html) == ["<em>&quot;Yes&quot;</em> it is."]


def test_a_whole_code_block_is_marked_without_its_fences():
    text = "a\n\n```python\nx = 1\ny = 2\n```\n"
    assert marks(page(text, 3, 28).html) == ["x = 1\ny = 2"]


def test_nothing_is_marked_without_a_place():
    assert page("One. Two.").marked == ""


def test_a_mark_that_would_change_the_text_is_not_made():
    text = "See [the docs](https://example.org/a) now."
    shown = page(text, 20, 25)
    assert shown.marked == ""
    assert shown.html == page(text).html


def test_a_foreign_link_is_text_that_tells_where_it_leads():
    assert (
        page("[docs](https://example.org/a)").html == '<p><span title="https://example.org/a">docs</span></p>'
    )


@pytest.mark.parametrize("path", sorted(KNOWLEDGE.rglob("*.md")), ids=lambda path: path.stem)
def test_every_sentence_of_the_knowledge_is_marked_exactly(path):
    document = load_file(path, KNOWLEDGE)
    body = document.text[document.body_start :]
    found = sentences(document.text, document.body_start)
    places = [(one.start - document.body_start, one.end - document.body_start) for one in found]
    shown = layers(body, [Mark(start, end, "cited") for start, end in places])
    for (start, end), seen in zip(places, shown.seen, strict=True):
        assert words(seen) == words(re.sub(r"\A```\w*\n|\n```\Z", "", body[start:end]))
    alone = places[len(places) // 2]
    assert page(body, *alone).marked == shown.seen[len(places) // 2]


LAYERED = """# Cache

It is **fast and `cheap`**. It is old.

- One item
- Two &amp; more

| a | b \\| c |
|---|---|
| d | e |

```python
x = 1
y = 2
```

1. first
2. second
"""


def test_a_passage_is_painted_across_all_kinds_of_blocks():
    html = layers(LAYERED, [Mark(0, len(LAYERED), "found")]).html
    plain = re.sub(r"</?span[^>]*>", "", html)
    assert plain == page(LAYERED).html
    painted = re.findall('<span class="viva-found">(.*?)</span>', html, re.DOTALL)
    assert painted == [
        "Cache",
        "It is <strong>fast and <code>cheap</code></strong>. It is old.",
        "One item",
        "Two &amp; more",
        "a",
        "b | c",
        "d",
        "e",
        "x = 1\ny = 2",
        "first",
        "second",
    ]


def test_where_marks_overlap_the_strongest_is_painted():
    text = "One two three four."
    marks = [Mark(0, 19, "found"), Mark(4, 13, "sent"), Mark(8, 13, "cited", (2, 5)), Mark(8, 13)]
    shown = layers(text, marks)
    assert shown.html == (
        '<p><span class="viva-found">One </span><span class="viva-sent">two </span>'
        '<mark class="st-key-sources_mark viva-cited viva-current" data-numbers="2, 5">three</mark>'
        '<span class="viva-found"> four.</span></p>'
    )
    assert shown.seen == ("One two three four.", "two three", "three", "three")
    assert shown.marked == "three"


def test_a_character_that_is_marked_in_part_is_not_marked():
    assert page("a &amp; b", 0, 4).marked == "a"
    assert page("a &amp; b", 0, 7).marked == "a &"


def test_cells_with_escaped_bars_are_marked_exactly():
    text = "> | a \\| b | c |\n> |---|---|\n> | d | e |\n"
    start = text.index("a \\|")
    assert page(text, start, start + 6).marked == "a | b"
    assert page(text, text.index("e |"), text.index("e |") + 1).marked == "e"


def test_a_note_stands_before_the_block_or_the_word_at_its_place():
    text = "# A\n\nOne. Two.\n\n- x\n- y\n"
    notes = [Note(0, "first"), Note(text.index("Two"), "second"), Note(text.index("- y"), "third")]
    assert layers(text, [], notes).html == (
        '<span class="viva-note">first</span><h1>A</h1><p>One. <span class="viva-note">second</span>Two.</p>'
        '<ul><li>x</li><li><span class="viva-note">third</span>y</li></ul>'
    )


def test_a_part_of_a_long_text_keeps_heads_and_numbers():
    rows = "".join(f"| r{number} | s{number} |\n" for number in range(50))
    items = "".join(f"{number}. item {number}\n" for number in range(1, 50))
    text = f"| a | b |\n|---|---|\n{rows}\n\n{items}"
    at = text.index("| r30")
    table = layers(text, [Mark(at + 2, at + 5)], shown=Span(at, at + 10))
    assert table.marked == "r30"
    assert re.sub("<[^>]*>", " ", table.html).split() == ["a", "b", "r30", "s30"]
    at = text.index("item 30")
    assert layers(text, [], shown=Span(at, at + 5)).html == '<ol start="30"><li>item 30</li></ol>'


def test_plain_text_is_shown_as_it_is():
    text = "# no heading\n  *stars*\n\n1) two"
    shown = layers(text, [Mark(2, 12)], is_plain=True)
    assert shown.html == (
        '<p class="viva-plain"># <mark class="st-key-sources_mark">no heading</mark>\n  *stars*</p>'
        '<p class="viva-plain">1) two</p>'
    )


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_in_a_document_is_text(name):
    html = page(ATTACKS[name], 0, len(ATTACKS[name])).html
    assert re.search("[<>]", TAGS.sub("", html)) is None


SIGNS = [
    *'ab. \n\t\\`*_[]()!<>#|-~&"',
    "```\n",
    "|a|b\\|c|\n|-|-|\n",
    "\n\n",
    "1. ",
    "> ",
    "&amp;",
    "[a](b)",
    "**",
]
TEXTS = st.lists(st.sampled_from(SIGNS), max_size=40).map("".join)


@given(TEXTS, st.integers(0, 40), st.integers(0, 40))
def test_only_our_own_tags_are_written_and_marks_hold_what_was_asked_for(text, start, length):
    start, end = min(start, len(text)), min(start + length, len(text))
    shown = page(text, start, end)
    assert re.search("[<>]", TAGS.sub("", shown.html)) is None
    inside = "".join(unescape(re.sub("<[^>]*>", "", mark)) for mark in marks(shown.html))
    visible = unescape(re.sub("<[^>]*>", "", page(text).html))
    assert "".join(inside.split()) == "".join(shown.marked.split())
    assert "".join(shown.marked.split()) in "".join(visible.split())


@given(
    TEXTS, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 30), st.sampled_from(LAYERS)), max_size=5)
)
def test_marks_change_nothing_of_what_is_read_and_every_piece_of_text_can_be_marked(text, spans):
    plain = re.sub("<[^>]*>", "", page(text).html)
    found = [Mark(start, min(start + length, len(text)), layer) for start, length, layer in spans]
    shown = layers(text, [mark for mark in found if mark.start < mark.end])
    assert re.search("[<>]", TAGS.sub("", shown.html)) is None
    assert re.sub("<[^>]*>", "", shown.html) == plain
    whole = layers(text, [Mark(0, len(text))]) if text else shown
    assert words(whole.marked) == words(unescape(plain)) or not text
