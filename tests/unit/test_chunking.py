"""Chunks are sections or parts of them with whole sentences; windows are what of them is embedded."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from rag.ingestion.chunking import PARTS, chunk, window_text, windows
from rag.ingestion.loading import load_file, load_text
from rag.text import tokens
from rag.text.sentences import sentences
from rag.types import Chunk, Document

SENTENCE = "The cache keeps the answer of a question until the document behind it changes. "


def prose(count: int) -> str:
    """Return `count` different sentences of 16 to 18 tokens."""
    return "".join(SENTENCE.replace("question", f"question {number}") for number in range(count)).strip()


def document_of(text: str) -> Document:
    return load_text(text, "guide.md")


def chunks_of(text: str) -> list[Chunk]:
    return chunk(document_of(text))


def test_sections_are_chunks_with_the_headings_above_them() -> None:
    found = chunks_of("Intro.\n\n# A\n\nOne.\n\n### B `x`\n\nTwo.\n\n## C\n\nThree.\n\n# D\n\nFour.")
    assert [(part.heading_path, part.text) for part in found] == [
        ((), "Intro."),
        (("A",), "# A\n\nOne."),
        (("A", "B x"), "### B `x`\n\nTwo."),
        (("A", "C"), "## C\n\nThree."),
        (("D",), "# D\n\nFour."),
    ]


def test_a_heading_belongs_to_the_text_that_follows_it() -> None:
    assert [(part.heading_path, part.text) for part in chunks_of("# A\n\n<br/>\n\n## B\n\nText.")] == [
        (("A", "B"), "# A\n\n<br/>\n\n## B\n\nText.")
    ]


def test_a_heading_that_nothing_follows_stays_with_the_text_before_it() -> None:
    assert [part.text for part in chunks_of("# A\n\nText.\n\n## B\n")] == ["# A\n\nText.\n\n## B"]


def test_ids_count_the_chunks_and_the_front_matter_is_in_none() -> None:
    found = chunks_of("---\nid: caching\n---\n# A\n\nOne.\n\n# B\n\nTwo.\n")
    assert [(part.id, part.document_id) for part in found] == [
        ("caching#0", "caching"),
        ("caching#1", "caching"),
    ]
    assert found[0].start == 20


def test_tokens_are_the_word_pieces_of_the_embedding_model() -> None:
    (part,) = chunks_of("# Tokenization\n\nEmbeddings aren't free: 0.1 ms, naïve.")
    assert part.tokens == tokens.count(part.text) == 19


def test_a_section_that_fits_stays_whole() -> None:
    assert len(chunks_of(f"# A\n\n{prose(30)}")) == 1


@pytest.mark.parametrize("count", [40, 60, 100, 333])
def test_a_long_section_is_divided_into_parts_of_300_to_800_tokens(count: int) -> None:
    found = chunks_of(f"# A\n\n{prose(count)}")
    assert len(found) > 1
    assert all(PARTS.smallest <= part.tokens <= PARTS.largest for part in found)


def test_parts_of_a_section_share_ten_to_twenty_percent_in_whole_sentences() -> None:
    document = document_of(f"# A\n\n{prose(200)}\n\n# B\n\n{prose(100)}")
    found = chunk(document)
    starts = {sentence.start for sentence in sentences(document.text)}
    for one, following in pairwise(found):
        if following.heading_path != one.heading_path:
            assert one.end < following.start
            continue
        shared = tokens.count(document.text[following.start : one.end])
        assert following.start in starts
        assert 0.10 <= shared / PARTS.target <= 0.20


def test_a_part_ends_with_a_paragraph_rather_than_in_it() -> None:
    text = "\n\n".join(prose(9) for _ in range(12))
    assert all(text[part.end : part.end + 2] in ("\n\n", "") for part in chunks_of(text))


def test_what_announces_a_list_or_code_is_not_torn_from_it() -> None:
    step = f"{prose(7)}\n\nIt works like this:\n\n```\n" + "x = 1\n" * 20 + "```\n\n"
    assert not any(part.text.endswith("this:") for part in chunks_of(step * 8))


def test_a_fence_of_more_than_800_tokens_stays_whole_in_its_own_chunk() -> None:
    fence = "```python\n" + "value = compute(1)\n" * 200 + "```"
    found = chunks_of(f"# A\n\n{prose(30)}\n\n{fence}\n\n{prose(30)}")
    (own,) = [part for part in found if "```" in part.text]
    assert own.text == fence
    assert PARTS.largest < own.tokens < 2000


def test_a_heading_stays_with_a_long_fence_below_it() -> None:
    fence = "```python\n" + "value = compute(1)\n" * 200 + "```"
    assert [part.text for part in chunks_of(f"# A\n\n{fence}")] == [f"# A\n\n{fence}"]


def test_a_fence_of_more_than_2000_tokens_is_cut_at_line_ends() -> None:
    fence = "```python\n" + "value = compute(1)\n" * 900 + "```"
    found = chunks_of(f"# A\n\n{fence}")
    assert len(found) > 1
    assert all(part.tokens <= 2000 for part in found)
    assert all(part.text.endswith(("(1)", "```")) for part in found)


def test_a_table_is_cut_between_rows() -> None:
    rows = [f"| name {number} | {SENTENCE.strip()} |" for number in range(120)]
    text = "| a | b |\n|---|---|\n" + "\n".join(rows)
    found = chunks_of(text)
    assert len(found) > 1
    assert all(set(part.text.splitlines()) <= set(text.splitlines()) for part in found)


def test_a_text_without_headings_is_divided_in_linear_time() -> None:
    text = "\n\n".join(prose(50) for _ in range(180))
    document = document_of(text)
    before = time.process_time()
    for part in chunk(document):
        windows(document, part)
    assert len(text) > 700_000
    assert time.process_time() - before < 8


def test_a_blob_that_the_tokenizer_hardly_counts_is_divided_by_its_characters() -> None:
    blob = " ".join("A1b2" * 250 for _ in range(200))
    assert all(len(part.text) < 60_000 for part in chunks_of(blob))


def test_windows_are_whole_sentences_that_overlap() -> None:
    document = document_of(f"# A\n\n{prose(25)}")
    (part,) = chunk(document)
    found = windows(document, part)
    ends = {sentence.end for sentence in sentences(document.text)}
    assert len(found) > 3
    assert all(span.end in ends for span in found)
    assert all(following.start < one.end for one, following in pairwise(found))
    assert (found[0].start, found[-1].end) == (part.start, part.end)


def test_a_window_is_embedded_below_its_title_and_headings() -> None:
    document = load_text("---\ntitle: Caching\n---\n# Caching\n\n## When not\n\nNever cache errors.", "a.md")
    (part,) = chunk(document)
    (span,) = windows(document, part)
    assert window_text(document, part, span).splitlines()[0] == "Caching > When not"
    assert window_text(document, part, span).endswith("\nNever cache errors.")


def test_a_long_heading_path_loses_its_middle_first() -> None:
    document = document_of(f"# Guide\n\n## {'about ' * 60}\n\n### Errors\n\n{prose(20)}")
    (part,) = chunk(document)
    lines = {window_text(document, part, span).splitlines()[0] for span in windows(document, part)}
    assert lines == {"Guide > Errors"}


def test_a_real_page_is_divided_by_its_sections(eval_dir: Path) -> None:
    page = eval_dir / "streamlit_caching.md"
    document = load_file(page, page.parent)
    found = chunk(document)
    assert document.title == "Caching overview"
    assert all(part.text == document.text[part.start : part.end] for part in found)
    assert all(part.tokens <= PARTS.largest for part in found)
    assert all(part.text.count("```") % 2 == 0 for part in found)
    assert ("Caching overview", "Basic usage", "st.cache_data", "Behavior") in {p.heading_path for p in found}


@pytest.mark.parametrize("name", ["chatlogs", "finance", "pubmed", "state_of_the_union", "wikitexts"])
def test_long_raw_texts_are_divided_into_chunks_of_300_to_800_tokens(eval_dir: Path, name: str) -> None:
    path = eval_dir / "chunking_eval" / "corpora" / f"{name}.md"
    document = load_file(path, path.parent)
    found = chunk(document)
    parts_of_a_section = [
        part for part in found if sum(other.heading_path == part.heading_path for other in found) > 1
    ]
    assert parts_of_a_section
    assert all(PARTS.smallest <= part.tokens <= PARTS.largest for part in parts_of_a_section)
