"""The values that flow through Viva, from a document to a checked answer. All are immutable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

Level = Literal["junior", "mid", "senior"]
Outcome = Literal["answered", "partial", "not_in_kb", "interrupted"]
Basis = Literal["quotes", "passages", "general_knowledge", "conversation"]
"""What an answer rests on: sentences quoted from the sources, passages a model was given, a model's own
memory (never cited), or nothing but the conversation (greetings, thanks)."""
Format = Literal["markdown", "text", "html", "pdf", "docx", "csv"]
IndexKind = Literal["flat", "ivf", "hnsw"]
Support = Literal["supported", "partial", "unsupported", "unchecked"]


@dataclass(frozen=True, slots=True)
class Document:
    """One source text with what its front matter says about it."""

    id: str
    title: str
    topic: str
    text: str
    """The text that all offsets count in: decoded, line ends as \\n, front matter still in place."""
    content_hash: str
    """sha256 of `text`, hexadecimal."""
    path: str = ""
    tags: tuple[str, ...] = ()
    level: Level | None = None
    """None: the source does not say."""
    body_start: int = 0
    """Offset of the first character after the front matter."""
    format: Format = "markdown"
    """What the file was; `text` is Markdown for all formats but text."""
    owner: str = ""
    """Who may read it; empty: everybody."""
    file_hash: str = ""
    """sha256 of the file as it came, hexadecimal; empty when only the text is known."""


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of a document's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that is read and cited as one: `text == document.text[start:end]`."""

    id: str
    document_id: str
    heading_path: tuple[str, ...]
    """Titles of the enclosing headings, outermost first."""
    start: int
    end: int
    text: str
    tokens: int
    """Word pieces of the embedding tokenizer."""
    questions: tuple[str, ...] = ()
    """What the document's author says this passage answers, in the words of people who ask."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Restricts a search; an empty set does not restrict."""

    topics: frozenset[str] = frozenset()
    document_ids: frozenset[str] = frozenset()
    reader: str = ""
    """Who searches: documents that belong to somebody else are not found."""


@dataclass(frozen=True, slots=True)
class RetrievalConfig:
    """How passages are found; what the retrieval lab compares and makes the default."""

    top_k: int = 6
    """Passages an answer may use."""
    candidates: int = 40
    """How many each list contributes to the fusion."""
    words_weight: float = 0.45
    """Share of the search by words in the fused score, 0 to 1; the search by meaning has the rest."""
    index: IndexKind = "flat"
    effort: int = 0
    """Cells that IVF visits (nprobe), or HNSW's candidate list (efSearch); 0: the index's own default."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that a search found, with its place in every list."""

    chunk: Chunk
    title: str
    """Title of the chunk's document."""
    topic: str
    rank: int
    """1-based place after fusion."""
    score: float
    """Fused score; comparable within one search only."""
    dense_rank: int | None = None
    """1-based place by meaning; None when the vector search did not return the chunk."""
    dense_score: float | None = None
    """Cosine of the chunk's best window with the query."""
    lexical_rank: int | None = None
    """1-based place by words; None when no query word occurs in the chunk."""
    lexical_score: float | None = None
    """BM25 score."""
    matched_terms: tuple[str, ...] = ()
    """Stems of the query's words that occur in the chunk."""
    cut: str | None = None
    """Why the hit is not used, e.g. "beyond the top 6"; None when it is used."""


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The trace of one search: what was searched, what each stage found, what was kept and why."""

    query: str
    hits: tuple[Hit, ...] = ()
    """All candidates in fused order, also those that were cut."""
    sufficient: bool = False
    """False: nothing found is close enough to answer from."""
    borderline: bool = False
    """True: close enough for an answer in part only."""
    margin: float = 0.0
    """Log-odds that the passages answer the query, as the cut-off weighed them."""
    best_cosine: float = 0.0
    """Cosine of the best window or sentence with the query."""
    word_cover: float = 0.0
    """Share (by idf) of the query's content words that occur in the kept passages, 0 to 1."""
    missing_terms: tuple[str, ...] = ()
    """Content words of the query that no kept passage has, as the user wrote them."""
    nearest_topics: tuple[str, ...] = ()
    """Titles of the nearest documents, offered when nothing was good enough."""
    filters: Filters = Filters()
    config: RetrievalConfig = RetrievalConfig()
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    """embed, dense, lexical, fuse, total."""

    @property
    def kept(self) -> tuple[Hit, ...]:
        """The hits that an answer may use, best first."""
        return tuple(hit for hit in self.hits if hit.cut is None)


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence of a source that a claim rests on: `quote == document.text[start:end]`."""

    marker: int
    """The number shown in the answer, counted from 1 in order of appearance."""
    chunk_id: str
    document_id: str
    title: str
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class SentSpan:
    """Characters of a document that the answer could be made of: a model was sent them, or they stood to
    choice for quoting."""

    document_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """One statement of an answer with the markers that stand behind it."""

    text: str
    markers: tuple[int, ...] = ()
    support: Support = "unchecked"
    reason: str = ""
    """Why the support is not full, in words for the reader."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and money spent on one answer, all model calls together."""

    input_tokens: int = 0
    """Includes the cached ones."""
    cached_input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: Decimal | None = None
    """None: the model's price is unknown, which is not the same as free."""
    estimated: bool = False
    """True when the provider reported no counts, e.g. after Stop."""


FREE = Usage(cost_usd=Decimal(0))
"""What an answer costs that no model was asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A finished answer with its evidence, its price and where its time went.

    `text` is Markdown. `[n]` in it is the marker of citation n; a bracketed number that is not a marker
    is written `\\[n]`.
    """

    outcome: Outcome
    text: str
    basis: Basis
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    retrieval: Retrieval | None = None
    """None when nothing was searched, e.g. for a greeting."""
    searched_for: str = ""
    """The standalone question that was searched; empty when nothing was."""
    usage: Usage = FREE
    timings_ms: Mapping[str, float] = field(default_factory=dict)
    """Milliseconds by step in the order they ran; first_token and total count from the question."""
    provider: str = "embedded"
    model: str = ""
    trace_id: str = ""
    missing: str = ""
    """For a partial answer: what the sources do not say."""
    note: str = ""
    """What the reader must know about how the answer came about, e.g. why it was interrupted."""
    dropped_markers: int = 0
    """Markers the model invented; they were removed."""
    dropped_passages: int = 0
    """Passages that did not fit into the token budget."""
    sent: tuple[SentSpan, ...] = ()
    """Every sentence that was given to the model, or that stood to choice for quoting."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the conversation with the text of its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Retrieved:
    """The search is done; the answer follows."""

    retrieval: Retrieval


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer's Markdown; markers are never split across two deltas."""

    text: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The last event of every stream."""

    answer: Answer


AnswerEvent = Retrieved | TextDelta | Completed


def never_stopped() -> bool:
    """Say that nobody wants to stop the answer."""
    return False


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with everything that decides how it is answered."""

    question: str
    history: Sequence[Turn] = ()
    """Oldest first."""
    filters: Filters = Filters()
    searched_for: str | None = None
    """Search for this instead of the condensed question; None: condense."""
    general_knowledge: bool = False
    """Answer from the model's own knowledge, marked and uncited."""
    trace_id: str = ""
    """Names the answer in the ledger and in messages; empty: the answerer makes one up."""
    stopped: Callable[[], bool] = never_stopped
    """Asked between pieces of text; True ends the answer as interrupted, with its citations and usage."""


class Answerer(Protocol):
    """Answers a question as a stream: Retrieved (unless nothing is searched), TextDelta..., Completed."""

    @property
    def provider(self) -> str:
        """Who answers: embedded, openai, openai_compatible or local."""
        ...

    @property
    def model(self) -> str:
        """The model's name; empty for embedded."""
        ...

    def stream(self, ask: Ask) -> Iterator[AnswerEvent]:
        """Yield the events of one answer.

        Raises ProviderError when a model call failed before any text arrived. Once text has arrived the
        stream ends with a Completed whose outcome is `interrupted`.
        """
        ...
