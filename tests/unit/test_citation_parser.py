"""The streaming parser: which markers count, what is escaped, and that the cuts of a stream never matter."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answering.citations import CitationParser
from rag.answering.claims import claims_of
from rag.answering.signals import SignalFilter
from rag.text.sentences import sentences
from rag.types import Citation

CITABLE = {
    (passage, sentence): Citation(
        0, f"c{passage}", f"d{passage}", "Title", sentence * 10, sentence * 10 + 5, "quote"
    )
    for passage in (1, 2, 3)
    for sentence in (1, 2, 3, 4)
}


def shown(text: str) -> str:
    parser = CitationParser(CITABLE)
    return parser.feed(text) + parser.close()


def read(pieces: list[str]) -> tuple[list[str], CitationParser, SignalFilter]:
    """Return what is shown after each piece, and both readers."""
    signals, parser = SignalFilter(), CitationParser(CITABLE)
    deltas = [parser.feed(signals.feed(piece)) for piece in pieces]
    deltas.append(parser.feed(signals.close()) + parser.close())
    return deltas, parser, signals


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is so [1.2].", "It is so [1]."),
        ("Two [1.2, 3.1].", "Two [1][2]."),
        ("Two [1.2][3.1].", "Two [1][2]."),
        ("Two [1.2; 3.1].", "Two [1][2]."),
        ("Double [[1.2]].", "Double [1]."),
        ("Other brackets 【1.2】 and ［3.1］.", "Other brackets [1] and [2]."),
        ("A range [1.2-1.4].", "A range [1][2][3]."),
        ("A short range [1.2–3].", "A short range [1][2]."),
        ("Twice [1.2] and again [1.2].", "Twice [1] and again [1]."),
        ("Repeated [1.2][1.2].", "Repeated [1]."),
        ("- [ ] open [1.1]\n- [x] done [1.2]", "- [ ] open [1]\n- [x] done [2]"),
    ],
)
def test_every_way_of_writing_a_marker_is_read(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected", "dropped"),
    [
        ("Made up [9.9].", "Made up.", 1),
        ("Half known [1.1, 1.99].", "Half known [1].", 1),
        ("A passage number [1.1, 2].", "A passage number [1].", 1),
        ("Past the end [1.3-1.6].", "Past the end [1][2].", 2),
    ],
)
def test_invented_markers_are_dropped_and_counted(text: str, expected: str, dropped: int) -> None:
    parser = CitationParser(CITABLE)
    assert (parser.feed(text) + parser.close(), parser.dropped) == (expected, dropped)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("An index a[3] and [1, 2].", r"An index a\[3] and \[1, 2]."),
        ("An interval [0.5, 1.2].", r"An interval \[0.5, 1.2]."),
        ("Version [1.2.3].", r"Version \[1.2.3]."),
        (r"Escaped \[1.2].", r"Escaped \[1.2]."),
        ("[[9.9]3] and [3[9.9]]", r"\[3] and \[3]"),
    ],
)
def test_other_numbers_in_brackets_are_escaped(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Inline `x[1.2]` code [1.1].", "Inline `x[1.2]` code [1]."),
        ("``a ` [1.2]`` [1.1]", "``a ` [1.2]`` [1]"),
        ("```py\nx[1.2]\n```\n[1.1]", "```py\nx[1.2]\n```\n[1]"),
        ("~~~\n[1.2]\n~~~\n[1.1]", "~~~\n[1.2]\n~~~\n[1]"),
        ("- ```\n  [1.2]\n  ```\n- [1.1]", "- ```\n  [1.2]\n  ```\n- [1]"),
        ("```\n[1.2]", "```\n[1.2]"),
        ("One ` alone [1.1].", "One ` alone [1]."),
        ("One ` alone\n\n[1.1] and `", "One ` alone\n\n[1] and `"),
    ],
)
def test_markers_in_code_are_left_alone(text: str, expected: str) -> None:
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[1.1](http://evil.test)", r"[1]\(http://evil.test)"),
        ("![1.1](http://evil.test)", r"![1]\(http://evil.test)"),
        ("[1.1] [9.9](http://evil.test)", r"[1]\(http://evil.test)"),
        ("[1.1][evil]", r"[1]\[evil]"),
        ("[1.1]: http://evil.test", r"[1]\: http://evil.test"),
        ("> - [1.1]: http://evil.test", r"> - [1]\: http://evil.test"),
        ("[9.9][1.1]: http://evil.test", r"[1]\: http://evil.test"),
    ],
)
def test_a_marker_never_becomes_a_link(text: str, expected: str) -> None:
    assert shown(text) == expected


def test_half_a_marker_is_held_back_until_it_is_whole() -> None:
    parser = CitationParser(CITABLE)
    assert [parser.feed(piece) for piece in ("So [", "1", ".", "2", ", 3", ".1", "]", ".")] == [
        "So",
        "",
        "",
        "",
        "",
        "",
        " [1][2]",
        ".",
    ]


def test_half_a_marker_at_the_end_is_dropped() -> None:
    assert [shown("So [1."), shown("So [1.2"), shown("So [[1.2]"), shown("So [")] == [
        "So",
        "So",
        "So [1]",
        "So [",
    ]


def test_citations_are_numbered_by_first_appearance_of_their_sentence() -> None:
    parser = CitationParser(CITABLE | {(4, 1): CITABLE[1, 2]})
    parser.feed("A [3.1], b [1.2], c [3.1], d [4.1].")
    assert [(cited.marker, cited.document_id, cited.start) for cited in parser.citations] == [
        (1, "d3", 10),
        (2, "d1", 20),
    ]


PIECES = st.sampled_from(
    [
        "[1.1]",
        "[1.2, 2.1]",
        "[9.9]",
        "[[2.2]]",
        "【1.1】",
        "[3]",
        "[",
        "]",
        "[[",
        "]]",
        "1",
        ".",
        "2",
        ",",
        "-",
        " ",
        "  ",
        "\n",
        "\n\n",
        "`",
        "``",
        "```",
        "~~~",
        "(",
        ")",
        ":",
        "!",
        "\\",
        "> ",
        "- ",
        "word",
        "End.",
        "MISSING:",
        "MISS",
        "NOT_IN_SOURCES",
        "NOT_IN",
        "**",
        "［1.3］",
        "0.5",
    ]
)
TEXTS = st.lists(PIECES, max_size=25).map("".join)


@settings(max_examples=600, deadline=None)
@given(TEXTS, st.data())
def test_the_cuts_of_the_stream_never_matter(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole, parser, signals = read([text])
    for cut in (pieces, list(text)):
        deltas, cut_parser, cut_signals = read(cut)
        assert "".join(deltas) == "".join(whole)
        assert (cut_parser.citations, cut_parser.places, cut_parser.dropped) == (
            parser.citations,
            parser.places,
            parser.dropped,
        )
        assert (cut_signals.refused, cut_signals.missing) == (signals.refused, signals.missing)


@settings(max_examples=600, deadline=None)
@given(TEXTS)
def test_no_delta_holds_half_a_marker(text: str) -> None:
    deltas, parser, _ = read(list(text))
    ends = [0]
    for delta in deltas:
        ends.append(ends[-1] + len(delta))
    inside = [
        (offset, end)
        for offset, number in parser.places
        for end in ends
        if offset < end < offset + len(f"[{number}]")
    ]
    assert inside == []


@settings(max_examples=600, deadline=None)
@given(TEXTS.map(lambda text: text.replace("`", "").replace("~", "")))
def test_outside_code_exactly_the_citations_look_like_markers(text: str) -> None:
    _, parser, _ = read([text])
    out = "".join(read([text])[0])
    found = [(match.end(1), int(match[2])) for match in re.finditer(r"(?<!\\)((?:\\\\)*)\[(\d+)\]", out)]
    assert found == parser.places


def test_a_refusal_is_never_shown() -> None:
    for text in (
        "NOT_IN_SOURCES",
        "**NOT_IN_SOURCES**",
        " NOT_IN_SOURCES. The passages are about cats [1.1].",
    ):
        deltas, parser, signals = read(list(text))
        assert ("".join(deltas), signals.refused, parser.citations) == ("", True, [])


def test_a_late_refusal_is_taken_out_of_the_text() -> None:
    deltas, _, signals = read(list("It is so [1.1].\n\nNOT_IN_SOURCES"))
    assert ("".join(deltas), signals.refused) == ("It is so [1].", True)


@pytest.mark.parametrize(
    "text",
    [
        "It is so [1.1].\n\nMISSING: the price of it.",
        "It is so [1.1].\n\n**MISSING:** the price of it [1.2]",
        "It is so [1.1].\n- MISSING:\n\nthe price of it",
    ],
)
def test_what_is_missing_is_read_and_not_shown(text: str) -> None:
    deltas, _, signals = read(list(text))
    assert ("".join(deltas), signals.missing) == ("It is so [1].", "the price of it")


def test_words_that_begin_like_a_signal_are_shown() -> None:
    deltas, _, signals = read(list("NOT so. The M in MISSILE [1.1]. Not a NOT_IN"))
    assert "".join(deltas) == "NOT so. The M in MISSILE [1]. Not a NOT_IN"
    assert (signals.refused, signals.missing) == (False, "")


def claims(text: str) -> list[tuple[str, tuple[int, ...]]]:
    deltas, parser, _ = read([text])
    return [(claim.text, claim.markers) for claim in claims_of("".join(deltas), parser.places, sentences)]


def test_a_marker_belongs_to_the_sentence_it_stands_in_or_behind() -> None:
    assert claims("First [1.1]. Second. [1.2] Third.[1.3] Fourth [1.1][1.2].") == [
        ("First.", (1,)),
        ("Second.", (2,)),
        ("Third.", (3,)),
        ("Fourth.", (1, 2)),
    ]


def test_list_items_and_table_rows_are_claims_of_their_own() -> None:
    text = "There are two:\n\n- fast [1.1]\n- [1.2] small\n\n| a | b |\n|---|---|\n| one | two [1.3] |"
    assert claims(text) == [("fast", (1,)), ("small", (2,)), ("one | two", (3,))]


def test_headings_questions_and_code_are_no_claims() -> None:
    assert claims("# Title\n\nWhy so?\n\n```\nx[1]\n```\n\nBecause `a[1]` is [1.1].") == [
        ("Because `a[1]` is.", (1,))
    ]
