"""Whatever a document looks like, chunks and citations are exactly the text of their spans."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.asking import answered
from tests.conftest import LibraryOf

words = st.sampled_from(
    """
    cache token Index vektor naïve 検索 emoji🎉 e.g. 3.5 `code` **bold** [1] \\[2] [link](x) a|b
    “quoted” <b>x</b>
    """.split()
)
sentences = st.builds(
    lambda said, end: " ".join(said) + end,
    st.lists(words, min_size=2, max_size=9),
    st.sampled_from(".!?:;。"),
)
paragraphs = st.lists(sentences, min_size=1, max_size=4).map(" ".join)
items = st.builds(
    lambda bullet, texts: "\n".join(f"{bullet} {text}" for text in texts),
    st.sampled_from(["-", "*", "1.", "- [ ]", "  -", ">"]),
    st.lists(paragraphs, min_size=1, max_size=4),
)
headings = st.builds(lambda level, text: f"{'#' * level} {text}", st.integers(1, 6), sentences)
tables = st.lists(words, min_size=2, max_size=6).map(
    lambda cells: (
        "| Name | Use |\n| --- | --- |\n" + "\n".join(f"| {cell} | {cell} token |" for cell in cells)
    )
)
fences = paragraphs.map(lambda text: f"```\n{text}\n```")
raw = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
markdown = st.builds(
    lambda blocks, gap, end: gap.join(blocks) + end,
    st.lists(paragraphs | items | headings | tables | fences | raw, min_size=1, max_size=8),
    st.sampled_from(["\n\n", "\n", "\r\n\r\n", "\n \n"]),
    st.sampled_from(["", "\n", "  \n\n"]),
)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=markdown, other=paragraphs)
def test_chunks_and_citations_are_the_text_of_their_spans(
    library_of: LibraryOf, text: str, other: str
) -> None:
    services = library_of({"document.md": text, "other.md": f"# Other\n\n{other}"})
    documents = {summary.id: services.document(summary.id) for summary in services.library.summaries()}
    assert "other" in documents
    for document in documents.values():
        assert document is not None
        for chunk in services.library.chunks(document.id):
            assert chunk.text == document.text[chunk.start : chunk.end]
        asked = " ".join(re.findall(r"\w+", document.text[document.body_start :])[:12])
        for citation in answered(services, f"What about {asked}").citations:
            source = documents[citation.document_id]
            assert source is not None
            assert citation.quote == source.text[citation.start : citation.end]


@settings(
    max_examples=5,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(said=st.lists(words, min_size=3, max_size=6))
def test_a_question_in_the_words_of_a_sentence_quotes_it(library_of: LibraryOf, said: list[str]) -> None:
    sentence = f"Zebra striping keeps {' '.join(said)} readable."
    answer = answered(
        library_of({"zebra.md": f"# Zebra striping\n\n{sentence}\n"}), "What does zebra striping keep?"
    )
    assert "Zebra striping keeps" in answer.citations[0].quote
