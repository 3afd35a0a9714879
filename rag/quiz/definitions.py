"""Finds the sentences of a document that say what a term means: glossary entries, labels and "X is a ..."."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt

from rag.quiz.defining_words import JUDGING, NO_ENDINGS, NO_TERMS
from rag.text.markdown import Block, blocks
from rag.text.sentences import Sentence, sentences
from rag.text.words import STOP_WORDS, stems, words
from rag.types import Document

BLANK = "____"
SHORTEST, LONGEST = 45, 300
"""Characters of a definition with its term blanked."""
FEWEST_STEMS = 5
"""Content words that a definition has beside its term; fewer fit too many terms."""
LONGEST_TERM = 40
LONGEST_TEXT = 1_000_000
"""Characters of a document that are looked at, from its start."""
DOCUMENTS_KEPT = 2_000

_INLINE = MarkdownIt("commonmark")
_REFERENCE = re.compile(r"!?\[([^\[\]]*)\]\[[^\[\]]*\]|\[\^[^\]\s]+\]|<[^<>]{1,200}>")
_WORD = r"[^\W_](?:[\w.+#/’'-]*[\w+#])?"
_TERM = rf"{_WORD}(?: {_WORD}){{0,4}}"
_ALSO = r"(?:,? \([^()]{1,60}\)|, (?:or|also|sometimes also|often) [^,]{1,60},)?"
"""An abbreviation in brackets, or another name between commas."""
_COPULA = re.compile(
    rf"(?:(?P<article>An?|The) )?['‘“\"]?(?P<term>{_TERM})['’”\"]?(?P<also>{_ALSO})"
    r" (?P<verb>is|are|means|refers to|stands for|describes) (?P<says>(?:an?|the|any|one) .+)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:\*\*|__)(?P<term>[^*_\n]{2,60}?)(?:(?:\*\*|__)\s*[:–—-]|:(?:\*\*|__))\s+(?P<says>\S.*)", re.DOTALL
)
_SPELT_OUT = re.compile(
    r"(?:[A-Z][\w/.'’-]*|[a-z]{1,3}|[-–—])(?: (?:[A-Z][\w/.'’-]*|[a-z]{1,3})){0,6} [-–—] (?=\S)"
)
"""What a label is short for, before what it means."""
_GLOSSARY = re.compile(r"\b(?:glossary|glossaries|terms|terminology|definitions|vocabulary)\b", re.I)
_TERM_COLUMN = re.compile(r"(?:term|word|concept|abbreviation|acronym|name)s?", re.I)
_MEANING_COLUMN = re.compile(r"(?:definition|meaning|description|explanation|what it (?:is|means))s?", re.I)
_CELLS = re.compile(r"\s*(?<!\\)\|\s*")
_CUE = re.compile(
    r"\b(?:that|which|who|whose|where|when|whether|used|using|made|called|trained|between|of|for|to|by|with|"
    r"from|into)\b"
)
_STATES = re.compile(
    r"(?:(?!\b(?:that|which|who|where|when)\b).){0,80}\b(?:is|are|was|were|has|have)\b", re.I
)
"""What begins like a noun and goes on as a sentence about it."""
_ARTICLE = re.compile(r"(?:an?|the|any|one)\s", re.I)
_VAGUE = re.compile(
    rf"(?:an?|the|one|any) (?:(?:very|much|more|rather|quite|so) )?(?:{'|'.join(JUDGING)}|\w{{3,}}est)\b"
    r"|(?:an?|the|one|any) (?:of|that|which|the)\b",
    re.I,
)
_LEANS = re.compile(
    r"\b(?:this|these|those|such|above|below|here|following|previous|previously|earlier|we|our|us|my|i|"
    r"see|note|because|since|unless|(?:the|in|of) (?:section|chapter|figure|page|book|document|example)|"
    r"(?:section|chapter|figure|table) \d+)\b"
    r"|\bthat (?:is|was|case)\b|https?:|[{}→]",
    re.I,
)
_GOES_ON = re.compile(
    r"(?:;|, (?:so|but|and (?:it|they)|while|whereas)\b"
    r"|, (?:and )?(?:an? |the )?(?:[\w'’-]+ ){1,4}(?:is|are) (?:an?|the|one)\b).*$",
    re.I,
)
"""Where a sentence goes on to something else than the definition."""
_INSIDE = frozenset("of to in as per on by for".split())
"""Function words that a term of a heading may hold between others."""
_GOING_ON = re.compile(r"(?<=[a-z,] )\w+")
"""A word that does not open its sentence, so that a capital is its own."""
_CODE = re.compile(rf"`(?=([^`\n]{{1,{LONGEST_TERM}}})`)")


@dataclass(frozen=True, slots=True)
class Definition:
    """A sentence of a document that defines a term."""

    term: str
    """As the document writes it, without article and markup; a common noun in small letters."""
    plural: bool
    """The sentence speaks of it in the plural."""
    document: Document
    """Without its text, which is long and would be kept with it."""
    start: int
    end: int
    """Characters of the sentence in the document's text."""
    quote: str
    """The sentence as it stands."""
    blanked: str
    """What defines the term, without markup, with BLANK where the term stood."""
    grammar: str
    """What stands before the term: "a", "the", nothing, or ":" for a label, which fits any term."""


@dataclass(frozen=True, slots=True)
class _Said:
    """The parts of a sentence that may define something."""

    term: str
    says: str
    also: str = ""
    article: str = ""
    verb: str = ""
    """Empty: the term is a label before what is said of it."""
    known: bool = False
    """A glossary or a heading confirms that it is a term."""


class _Spellings:
    """How a text writes terms inside its sentences: counted in one pass, for all terms that are asked for."""

    def __init__(self, text: str, terms: Collection[str]) -> None:
        forms = {*terms, *map(_small, terms)}
        opening = {first.group() for form in forms if (first := re.match(r"\w+", form))}
        self._code = set(_CODE.findall(text))
        self._counts: Counter[str] = Counter()
        for word in _GOING_ON.finditer(text):
            if word.group() in opening:
                ahead = text[word.start() : word.start() + LONGEST_TERM + 1]
                ends = (end.start() for end in re.finditer(r"\b", ahead))
                self._counts.update(form for end in ends if (form := ahead[:end]) in forms)

    def usual(self, term: str) -> str:
        """Return a term that stood at a sentence's start as it is written elsewhere."""
        if term in self._code or not term[:1].isupper() or any(map(str.isupper, term[1:])):
            return term
        return term if self._counts[term] > self._counts[_small(term)] else _small(term)


class Definitions:
    """Finds the definitions of documents, and keeps them until the document changes."""

    def __init__(self) -> None:
        self._kept: dict[Document, list[Definition]] = {}
        """By the document without its text, for which its hash stands."""

    def of(self, document: Document) -> list[Definition]:
        """Return what `definitions` does."""
        key = replace(document, text="")
        found = self._kept.get(key)
        if found is None:
            if len(self._kept) >= DOCUMENTS_KEPT:
                self._kept = {}
            found = self._kept[key] = definitions(document)
        return found


def definitions(document: Document) -> list[Definition]:
    """Return the definitions of a document in reading order; of two of one term the first.

    Strict: a sentence that leans on its context, judges or says little is left out. Of a longer document than
    LONGEST_TEXT the beginning is looked at.
    """
    if len(document.text) > LONGEST_TEXT:
        last = document.text.rfind("\n", document.body_start, LONGEST_TEXT)
        document = replace(document, text=document.text[: last if last > 0 else LONGEST_TEXT])
    found: dict[str, Definition] = {}
    for definition in _all(document):
        found.setdefault(same_term(definition.term), definition)
    return list(found.values())


def shown(markdown: str) -> str:
    """Return text as a reader sees it, on one line: no emphasis, links or tags."""
    text = re.sub(r"\n[ \t]*>[ \t]?", "\n", _REFERENCE.sub(r"\1", markdown))
    children = _INLINE.parseInline(text)[0].children or []
    texts = (" " if "break" in child.type else child.content for child in children if child.type != "image")
    return " ".join("".join(texts).replace("[]", "").split())


def same_term(term: str) -> str:
    """Return what is equal for two ways to write one term: stems, or words where there are none."""
    return " ".join(stems(term)) or " ".join(words(term))


def _all(document: Document) -> Iterator[Definition]:
    found = [(unit, said, _bare(said.term)) for unit, said in _candidates(document)]
    found = [(unit, said, term) for unit, said, term in found if _is_term(term, said.known)]
    spellings = _Spellings(document.text, {term for _, said, term in found if said.verb})
    source = replace(document, text="")
    for unit, said, term in found:
        quote = document.text[unit.start : unit.end]
        yield from _made(source, unit, quote, said, spellings.usual(term) if said.verb else term)


def _candidates(document: Document) -> Iterator[tuple[Sentence, _Said]]:
    parsed = blocks(document.text, document.body_start)
    paths = _headings(parsed)
    head: list[str] = []
    opened: set[int] = set()
    previous_is_heading = False
    for unit in sentences(document.text, document.body_start, parsed):
        quote, path = document.text[unit.start : unit.end], paths[unit.block]
        titles = (document.title, *path)
        in_glossary = any(map(_GLOSSARY.search, titles))
        opens, under_heading = unit.block not in opened, previous_is_heading
        opened.add(unit.block)
        previous_is_heading = unit.kind == "heading"
        said: _Said | None = None
        if unit.kind == "heading":
            head = [shown(cell) for cell in _CELLS.split(quote)]
        elif unit.kind == "table_row":
            said = _in_table(head, [shown(cell) for cell in _CELLS.split(quote)])
        elif unit.kind != "code":
            said = _labelled(quote, in_glossary) if opens else None
            said = said or _stated(shown(quote), titles)
            if said is None and in_glossary and under_heading and path and not _GLOSSARY.search(path[-1]):
                said = _Said(path[-1], shown(quote), known=True)
        if said is not None:
            yield unit, said


def _headings(parsed: Sequence[Block]) -> list[tuple[str, ...]]:
    """Return for each block the titles of the headings above it, outermost first."""
    path: list[Block] = []
    found = []
    for block in parsed:
        if block.kind == "heading":
            path = [*(above for above in path if above.level < block.level), block]
        found.append(tuple(above.title for above in path))
    return found


def _in_table(head: Sequence[str], cells: Sequence[str]) -> _Said | None:
    if len(head) < 2 or len(cells) < 2:
        return None
    if _TERM_COLUMN.fullmatch(head[0]) and _MEANING_COLUMN.fullmatch(head[1]):
        return _Said(cells[0], cells[1], known=True)
    return None


def _labelled(quote: str, in_glossary: bool) -> _Said | None:
    label = _LABEL.match(quote)
    if label is None:
        return None
    term, says = shown(label["term"]), shown(label["says"])
    if meant := _SPELT_OUT.match(says):
        says = says[meant.end() :]
    if not in_glossary and (not _ARTICLE.match(says) or _STATES.match(says)):
        return None
    return _Said(term, says, known=in_glossary)


def _stated(sentence: str, titles: Sequence[str]) -> _Said | None:
    copula = _COPULA.fullmatch(sentence)
    if copula is None:
        return None
    own = set(stems(copula["term"]))
    known = any(own and own <= set(stems(title)) for title in titles)
    article, verb = (copula["article"] or "").lower(), copula["verb"].lower()
    if not known and (article == "the" or verb == "describes"):
        return None
    return _Said(copula["term"], copula["says"], copula["also"], article, verb, known)


def _made(source: Document, unit: Sentence, quote: str, said: _Said, term: str) -> Iterator[Definition]:
    says = said.says if not said.verb else _GOES_ON.sub("", said.says).rstrip(" ,") or said.says
    says = _blanked(says, term, said.also).rstrip(".")
    if not _is_term(term, said.known) or not _defines(term, says) or BLANK in says:
        return
    grammar = said.article.removesuffix("n") if said.verb else ":"
    opening = {"a": f"A(n) {BLANK} {said.verb}", "the": f"The {BLANK} {said.verb}", ":": f"{BLANK}:"}
    sentence = f"{opening.get(grammar, f'{BLANK} {said.verb}')} {says}."
    plural = said.verb == "are" or (not said.verb and _looks_plural(term))
    if SHORTEST <= len(sentence) <= LONGEST:
        yield Definition(term, plural, source, unit.start, unit.end, quote, sentence, grammar)


def _looks_plural(term: str) -> bool:
    return term.endswith("s") and not term.endswith(("ss", "is", "us")) and term[-2:-1].islower()


def _bare(term: str) -> str:
    """Return a term without its article and what surrounds it."""
    return re.sub(r"^(?:an?|the)\s+", "", shown(term).strip(" '\"‘’“”:"), flags=re.I)


def _small(term: str) -> str:
    return term[:1].lower() + term[1:]


def _is_term(term: str, known: bool) -> bool:
    parts = term.split()
    if not 2 <= len(term) <= LONGEST_TERM or not re.fullmatch(_TERM, term) or re.search(r"['’]s\b", term):
        return False
    said = [word.lower() for word in parts]
    if said[0] in STOP_WORDS | NO_TERMS or said[-1] in STOP_WORDS | NO_ENDINGS:
        return False
    return all(word not in STOP_WORDS or (known and word in _INSIDE) for word in said)


def _defines(term: str, says: str) -> bool:
    if _VAGUE.match(says) or _LEANS.search(says):
        return False
    return len(set(stems(says)) - set(stems(term))) >= FEWEST_STEMS and _CUE.search(says) is not None


def _blanked(text: str, term: str, also: str) -> str:
    """Return text with a blank for the term, its plural, its other names and what it abbreviates."""
    others = [*re.findall(r"\(([^()]+)\)", also), *re.findall(r"(?:or|also|often) (?:an? )?([^,]+)", also)]
    names = [term, *(name.strip(" '\"‘’“”") for name in others)]
    for name in sorted(names, key=len, reverse=True):
        for form in filter(None, (rf"{re.escape(name)}(?:e?s)?", _spelt_out(name))):
            text = re.sub(rf"(?<!\w){form}(?!\w)", BLANK, text, flags=re.I)
    return text


def _spelt_out(name: str) -> str:
    """Return a pattern for the words whose initials an abbreviation is made of; empty when it is none."""
    if not re.fullmatch(r"[A-Z]{2,6}s?", name):
        return ""
    return r"[\s-]+".join(rf"{letter}\w+" for letter in name.rstrip("s"))
