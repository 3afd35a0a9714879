"""A document as HTML: exact marks, and nothing but text."""

import re
from html import unescape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.reading import page
from rag.ingestion.loading import load_file
from rag.text.sentences import sentences
from tests.browser.attacks import ATTACKS

KNOWLEDGE = Path(__file__).parents[2] / "knowledge"
TAGS = re.compile(
    r"</?(?:p|h[1-6]|ul|li|blockquote|table|thead|tbody|tr|th|td|pre|code|strong|em|s|mark|article)>"
    r'|<ol(?: start="\d+")?>|</ol>|<hr>|<br>|</?div>|<div class="viva-table">'
    r'|<mark class="st-key-sources_mark">|<span(?: title="[^"<>]*")?>|</span>'
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
    for sentence in sentences(document.text, document.body_start):
        quote = document.text[sentence.start : sentence.end]
        shown = page(body, sentence.start - document.body_start, sentence.end - document.body_start)
        expected = re.sub(r"\A```\w*\n|\n```\Z", "", quote)
        assert words(shown.marked) == words(expected)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_in_a_document_is_text(name):
    html = page(ATTACKS[name], 0, len(ATTACKS[name])).html
    assert re.search("[<>]", TAGS.sub("", html)) is None


@given(
    st.lists(st.sampled_from([*'ab. \n`*_[]()!<>#|-~&"', "```\n", "| - |", "\n\n"]), max_size=40).map(
        "".join
    ),
    st.integers(0, 40),
    st.integers(0, 40),
)
def test_only_our_own_tags_are_written_and_marks_hold_what_was_asked_for(text, start, length):
    start, end = min(start, len(text)), min(start + length, len(text))
    shown = page(text, start, end)
    assert re.search("[<>]", TAGS.sub("", shown.html)) is None
    inside = "".join(unescape(re.sub("<[^>]*>", "", mark)) for mark in marks(shown.html))
    assert words(inside) == words(shown.marked)
    assert words(shown.marked) in words(unescape(re.sub("<[^>]*>", "", page(text).html)))
