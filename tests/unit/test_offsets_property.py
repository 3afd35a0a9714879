"""For any text: blocks, sentences, chunks and windows are where they say, and nothing is lost or torn."""

from __future__ import annotations

from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rag.embedding.packaged import MAX_TOKENS
from rag.ingestion import chunking
from rag.ingestion.chunking import PARTS, Sizes, chunk, window_text, windows
from rag.ingestion.loading import decode
from rag.ingestion.units import LARGEST_UNIT
from rag.text import tokens
from rag.text.markdown import blocks
from rag.text.sentences import LONGEST, sentences
from rag.types import Document

SMALL = Sizes(smallest=12, target=20, largest=40, least_overlap=2, most_overlap=4)
"""Sizes at which short examples are cut, too."""

WORDS = st.sampled_from(
    """The cache|e.g.|Dr. Smith|v1.2.|U.S.|`a. B`|ends here.|Why?|“Yes.”|[a](b.c)|这是句子。|😀|ü|x|\u200b|…
    |https://a.b/c?d=e|(see Fig. 3)|**bold**|a: b|1.""".split("|")
)
PROSE = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
LINES = st.one_of(
    PROSE,
    PROSE.map("# {}".format),
    PROSE.map("### {} ###".format),
    PROSE.map("- {}".format),
    PROSE.map("  - {}".format),
    PROSE.map("1. {}".format),
    PROSE.map("> {}".format),
    PROSE.map("    {}".format),
    PROSE.map("= = {} = =".format),
    PROSE.map("```\n{}\n```".format),
    PROSE.map("  ~~~ x\n  {}".format),
    PROSE.map("| a | b |\n|---|---|\n| {} | d |".format),
    PROSE.map("<div>{}</div>".format),
    PROSE.map("**{}**".format),
    st.sampled_from(
        ["", "", "---", "===", "\t", "|", "```", "~~~", ">", "-", "<!--", "-->", "[a]: /b", "\x0c"]
    ),
    st.text(max_size=40),
)
LINE_ENDS = st.sampled_from(["\n", "\n\n", "\r\n", "\r"])
TEXTS = st.lists(st.tuples(LINES, LINE_ENDS), max_size=16).map(lambda parts: "".join(map("".join, parts)))

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # machines differ


def document_of(text: str, body_start: int = 0) -> Document:
    return Document(
        id="any", title="Any title", topic="general", text=text, content_hash="", body_start=body_start
    )


@patient
@given(TEXTS, st.integers(0, 20))
@example("```\nopen", 0)
@example("- ", 0)
@example("a\r\nb\rc", 1)
def test_blocks_are_in_order_and_hold_no_blank_space_around_them(text: str, start: int) -> None:
    found = blocks(text, start)
    assert all(start <= block.start < block.end <= len(text) for block in found)
    assert all(one.end <= next_one.start for one, next_one in pairwise(found))
    assert all(not text[block.end - 1].isspace() for block in found)


@patient
@given(TEXTS, st.integers(0, 20))
@example("a. " * 700, 0)
@example("word " * 700, 0)
@example("x" * 2500, 0)
def test_sentences_are_trimmed_and_in_order_and_each_in_its_block(text: str, start: int) -> None:
    parsed = blocks(text, start)
    found = sentences(text, start)
    assert found == sentences(text, start, parsed)
    assert all(one.end <= next_one.start for one, next_one in pairwise(found))
    for sentence in found:
        block, quote = parsed[sentence.block], text[sentence.start : sentence.end]
        assert block.start <= sentence.start < sentence.end <= block.end
        assert quote.rstrip() == quote
        assert sentence.kind == "code" or quote.lstrip() == quote
        assert sentence.kind not in ("prose", "list_item") or len(quote) <= LONGEST


@patient
@given(TEXTS, st.integers(0, 20), st.sampled_from([PARTS, SMALL]))
@example("# Only a heading", 0, PARTS)
@example("[a]: /b\n[c]: /d", 0, PARTS)
@example("text\n\n# A heading at the end", 0, PARTS)
def test_chunks_are_slices_that_hold_all_of_the_text_but_blank_space(
    text: str, start: int, sizes: Sizes
) -> None:
    with patch.object(chunking, "PARTS", sizes):
        found = chunk(document_of(text, start))
    assert all(part.text == text[part.start : part.end] == part.text.strip("\n") for part in found)
    assert [part.id for part in found] == [f"any#{number}" for number in range(len(found))]
    covered = start
    for part in found:
        assert part.start >= start
        assert not text[covered : part.start].strip()
        assert part.end > covered
        covered = part.end
    assert not text[covered:].strip()


@patient
@given(TEXTS, st.sampled_from([PARTS, SMALL]))
def test_no_chunk_ends_inside_a_sentence_a_table_row_or_a_code_fence(text: str, sizes: Sizes) -> None:
    with patch.object(chunking, "PARTS", sizes):
        cuts = [cut for part in chunk(document_of(text)) for cut in (part.start, part.end)]
    for sentence in sentences(text):
        torn = [cut for cut in cuts if sentence.start < cut < sentence.end]
        assert not torn or tokens.count(text[sentence.start : sentence.end]) > LARGEST_UNIT


@patient
@given(TEXTS, st.sampled_from([PARTS, SMALL]))
@example("word " * 900, PARTS)
@example("```\n" + "x = 1\n" * 900 + "```", PARTS)
@example("。".join(["字" * 300] * 4), PARTS)
@example("a" * 5000, PARTS)
def test_windows_cover_their_chunk_and_fit_the_embedding_model(text: str, sizes: Sizes) -> None:
    document = document_of(text)
    with patch.object(chunking, "PARTS", sizes):
        chunks = chunk(document)
    for part in chunks:
        found = windows(document, part)
        covered = part.start
        for span in found:
            assert part.start <= span.start < span.end <= part.end
            assert not text[covered : span.start].strip()
            assert tokens.count(window_text(document, part, span)) + 2 <= MAX_TOKENS
            covered = span.end
        assert not text[covered : part.end].strip()


@patient
@given(TEXTS)
def test_decoding_keeps_the_text_and_makes_every_line_end_the_same(text: str) -> None:
    kept = "".join(sign for sign in text if sign.isprintable() or sign in "\t\r\n")
    assert decode(kept.encode()) == kept.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_names_the_encoding(mark: str) -> None:
    assert decode("Grüße, 世界\r\n".encode(mark)) == "Grüße, 世界\n"
