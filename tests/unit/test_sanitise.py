"""The sanitiser shows text and does nothing else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pages.shared.sanitise import Chip, label, markdown, plain
from tests.browser.attacks import ATTACKS, HOST

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
"""Stands for the browser: unlike the sanitiser it takes HTML, images and references."""
ESCAPED_OR_CODE = re.compile(r"\\.|(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
OWN_DIRECTIVE = re.compile(r"(?<!\\):(?:color\[\\?[-<>=~:]\]|(?:gray|green|orange|red)-badge\[\d+\])")
DIRECTIVE = re.compile(r":[a-zA-Z][\w-]*\[")
CHIPS = {1: Chip("/sources?doc=a&start=1&end=9", 'He said "x" | `y` [z](w) \\ <b> $1$', "green")}


def tokens(text):
    flat = []
    for token in READER.parse(text):
        flat += [token, *(token.children or [])]
    return flat


def shown(text):
    """Return the characters a reader sees."""
    parts = [t.content for t in tokens(text) if t.type in ("text", "code_inline", "fence", "softbreak")]
    return re.sub(r":(?:color|[a-z]+-badge)\[([^\]]*)\]", r"\1", " ".join(parts))


def harmful(text):
    """Return what the text would do beyond showing characters; empty when it does nothing."""
    found = []
    for token in tokens(text):
        if token.type in ("html_block", "html_inline", "image"):
            found.append(token.type)
        if token.type == "link_open" and not str(token.attrs["href"]).startswith("/sources?doc="):
            found.append(f"link {token.attrs['href']}")
        if token.type == "fence" and "mermaid" in token.info.lower():
            found.append("diagram")
        if token.type == "text":
            if re.search(r"https?://|www\.|[\w.+-]+@[\w-]+\.[\w-]", token.content, re.IGNORECASE):
                found.append(f"bare address in {token.content!r}")
            if re.search(r":material_\w+:|:streamlit:|(?:^|\s)(?:->|<-|--|>=|<=)(?:\s|$)", token.content):
                found.append(f"replaced sign in {token.content!r}")
    left = ESCAPED_OR_CODE.sub("", OWN_DIRECTIVE.sub("", text))
    if "$" in left:
        found.append("formula")
    if DIRECTIVE.search(left):
        found.append(f"directive in {left!r}")
    return found


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_comes_out_as_text(name):
    assert harmful(markdown(ATTACKS[name])) == []


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_that_is_cut_anywhere_comes_out_as_text(name):
    attack = ATTACKS[name]
    assert [harmful(markdown(attack[:end])) for end in range(len(attack))] == [[]] * len(attack)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_as_a_title_comes_out_as_text(name):
    assert harmful(label(ATTACKS[name])) == []


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_as_a_cited_sentence_stays_inside_the_title_of_its_link(name):
    written = markdown("True [1].", {1: Chip("/sources?doc=a", ATTACKS[name], "green")})
    links = [token for token in tokens(written) if token.type == "link_open"]
    assert len(links) == 1
    assert harmful(written) == []


PIECES = [
    *"ab1 \n\t[]()!<>&`*_~$:#|-+=\"'\\/.@^{}",
    "http://",
    "www.a.b",
    ":red[",
    "![",
    "](",
    "```",
    "| - |",
]


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_no_text_becomes_more_than_text(text):
    assert harmful(markdown(text, CHIPS)) == []
    assert harmful(label(text)) == []


def test_words_are_kept_as_they_are():
    said = "Costs $5 (50%) for 3 * 4 = 12, see a_b_c & <T>; C:\\dir: yes! #1 ~ok~ “quoted” it's 10:30."
    assert shown(markdown(said)) == said


def test_markdown_keeps_its_form():
    text = "**bold** and *thin* with `a_b`\n\n- one\n  1. inner\n- two\n\n> said\n\n```python\nx = 1\n```"
    assert markdown(text) == text


def test_a_table_keeps_its_form():
    assert markdown("| a | b |\n|---|---|\n| 1 | `x` |") == "| a | b |\n| --- | --- |\n| 1 | `x` |"


def test_a_marker_links_to_its_sentence_and_shows_it():
    written = markdown("True [1].", CHIPS)
    link = next(token for token in tokens(written) if token.type == "link_open")
    assert link.attrs["href"] == "/sources?doc=a&start=1&end=9"
    assert link.attrs["title"] == 'He said "x" | `y` [z](w) \\ <b> $1$'


def test_a_marker_keeps_its_sentence_inside_a_table():
    written = markdown("| a |\n|---|\n| True [1] |", CHIPS)
    link = next(token for token in tokens(written) if token.type == "link_open")
    assert link.attrs["title"] == 'He said "x" | `y` [z](w) \\ <b> $1$'


def test_a_marker_without_a_citation_is_left_out():
    assert markdown("True [2].", CHIPS) == "True."


def test_markers_are_shown_without_links_while_the_citations_are_unknown():
    assert markdown("True [1].") == "True :gray-badge[1]."


def test_an_escaped_bracket_is_no_marker():
    assert shown(markdown("see \\[1]", CHIPS)) == "see [1]"


def test_a_marker_in_code_is_code():
    assert markdown("`a[1]`", CHIPS) == "`a[1]`"


def test_a_foreign_link_shows_its_host():
    assert markdown(f"[our docs](https://{HOST}/x?y=1)") == f"our docs (`{HOST}`)"


def test_an_image_is_its_description():
    assert markdown(f"![a diagram](https://{HOST}/a.png)") == "a diagram"


def test_an_own_link_is_kept_and_rebuilt():
    text = "[here](/sources?doc=a%20b&start=1&end=2&evil=1)"
    assert markdown(text) == "[here](/sources?doc=a%20b&start=1&end=2)"


def test_a_heading_is_no_larger_than_the_fourth_level():
    assert markdown("# Title\n\n###### Small") == "#### Title\n\n###### Small"


def test_signs_that_turn_the_writing_direction_are_removed():
    assert label("invoice\u202egnp.exe") == "invoicegnp.exe"


def test_a_label_is_one_line():
    assert label("one\ntwo\t three") == "one two three"


def test_plain_words_have_no_signs_and_no_headings():
    assert plain("## Head\n\nUse `x` and **y**\n- z") == "Use x and y z"


def test_a_long_run_of_brackets_takes_less_than_two_seconds():
    import time

    started = time.perf_counter()
    markdown("[" * 5_000 + "](" * 5_000)
    assert time.perf_counter() - started < 2
