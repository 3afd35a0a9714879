"""Turns an HTML page into the Markdown of what a reader sees in it, without menus, forms and pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable

import html_to_markdown
from lxml import html
from lxml.etree import ParserError
from lxml.html import HtmlElement

from rag.ingestion.parsing.reasons import Unreadable

DEEPEST = 500
"""Elements inside each other. No page that people write has 100; what converts them stops at 1024."""
_MOST_OF_IT = 0.5
"""Share of a page's text from which on its main part, or a form, stands for the page."""
_LONGEST_CELL = 1000
"""Characters; a cell with more is not one of a table of facts but of a page's layout."""
_NEVER_READ = """script style template noscript nav footer iframe object embed svg canvas audio video img
    picture map input select textarea button datalist dialog""".split()
_ROLES = frozenset("navigation search contentinfo complementary dialog alertdialog menu menubar".split())
_NAMES = frozenset(  # whole names only: a word inside a longer name says too little
    """toc table-of-contents breadcrumb breadcrumbs sidebar cookie-banner mw-editsection navbox noprint
    skip-link""".split()
)
_HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|(?:font-size|opacity)\s*:\s*0(?!\.?\d)", re.I
)
_ANCHOR_SIGNS = frozenset("¶ # § 🔗 edit [edit]".split())
_REFERENCE = re.compile(r"\s*\[?\s*(?:note\s*)?\w{1,3}\s*\]?\s*")
_RAISED = str.maketrans("0123456789+-n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ")
_LOWERED = str.maketrans("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋")
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_TAG_SIGN = "\ue000"
"""Stands for a < that could begin a tag in Markdown, until the text is written."""
_TAG_ON_TOP = re.compile(rf"^((?:[ \t]|[-*+>]|#{{1,6}}|\d+[.)])*){_TAG_SIGN}", re.MULTILINE)
_RULE_ON_TOP = re.compile(r"\A(?:(?:---|\*\*\*)\s+)+")
_OPTIONS = html_to_markdown.ConversionOptions(
    extract_metadata=False,
    bullets="-",
    skip_images=True,
    autolinks=False,
    highlight_style="none",
    compact_tables=True,
    include_blockquote_citations=False,
    expand_abbreviations=False,
)


def read(text: str) -> tuple[str, str]:
    """Return the Markdown of a page and its title; either may be empty.

    Raises Unreadable when the page is nested too deeply.
    """
    parser = html.HTMLParser(encoding="utf-8", huge_tree=True, remove_comments=True, remove_pis=True)
    content = _NOT_IN_XML.sub(" ", text.replace(_TAG_SIGN, "")).encode(errors="replace")
    try:
        page = html.document_fromstring(content, parser=parser)
    except ParserError:  # there is nothing in it
        return "", ""
    if any(entry.type_name == "ERR_RESOURCE_LIMIT" for entry in parser.error_log) or _is_too_deep(page):
        raise Unreadable("too_nested", limit=DEEPEST)
    title = " ".join((page.findtext(".//title") or "").split())
    body = page.find("body")
    if body is None:
        return "", title
    _drop_unseen(body)
    part = _main_part(body)
    _simplify(part)
    source = html.tostring(part, encoding="unicode", with_tail=False)
    written = html_to_markdown.convert(source, _OPTIONS).content or ""
    written = _TAG_ON_TOP.sub(r"\1\<", _RULE_ON_TOP.sub("", written.strip()))
    return written.replace(_TAG_SIGN, "<"), title


def _is_too_deep(page: HtmlElement) -> bool:
    level = [page]
    for _ in range(DEEPEST):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True


def _drop_unseen(body: HtmlElement) -> None:
    """Remove what is hidden, and what serves to get around in the site rather than to be read."""
    whole = _length(body)
    for form in list(body.iter("form")):
        if _length(form) > whole * _MOST_OF_IT:
            form.tag = "div"  # some systems put the whole page into a form
    _remove(list(body.iter("form", *_NEVER_READ)))
    _remove([element for element in body.iter("*") if _is_unseen(element)])
    # formulas come twice, as MathML and as what it was made from
    for formula in list(body.iter("math")):
        source = formula.findtext(".//annotation") or formula.text_content()
        formula.clear(keep_tail=True)
        formula.tag, formula.text = "span", " ".join(source.split())


def _is_unseen(element: HtmlElement) -> bool:
    found = element.attrib
    return (
        "hidden" in found
        or found.get("aria-hidden") == "true"
        or found.get("role", "") in _ROLES
        or bool(_HIDING.search(found.get("style", "")))
        or found.get("id", "").lower() in _NAMES
        or not _NAMES.isdisjoint(found.get("class", "").lower().split())
    )


def _main_part(body: HtmlElement) -> HtmlElement:
    """Return the element that says it holds the content, if it holds most of the text, else the body."""
    least = _length(body) * _MOST_OF_IT
    for path in (".//main", ".//*[@role='main']", ".//article"):
        largest = max(body.iterfind(path), key=_length, default=None)
        if largest is not None and _length(largest) > least:
            return largest
    return body


def _simplify(part: HtmlElement) -> None:
    """Make of links their words, of footnote marks nothing, of layout tables what is in them."""
    for link in list(part.iter("a")):
        if link.text_content().strip().lower() in _ANCHOR_SIGNS:
            link.drop_tree()
    for raised in list(part.iter("sup")):
        if raised.find(".//a") is not None and _REFERENCE.fullmatch(raised.text_content()):
            raised.drop_tree()
        elif raised.text and not len(raised):
            raised.text = raised.text.translate(_RAISED)
    for lowered in part.iter("sub"):
        if lowered.text and not len(lowered):
            lowered.text = lowered.text.translate(_LOWERED)
    for link in list(part.iter("a")):
        link.drop_tag()
    for table in list(part.iter("table")):
        if _is_layout(table):
            for element in [table, *table.iter("tbody", "thead", "tfoot", "tr", "td", "th", "caption")]:
                element.tag = "div"
    _keep_tag_signs(part)


def _is_layout(table: HtmlElement) -> bool:
    cells = list(table.iter("td", "th"))
    return (
        table.get("role") == "presentation"
        or len(cells) < 2
        or next(table.iterdescendants("table", "h1", "h2", "h3", "h4"), None) is not None
        or any(_length(cell) > _LONGEST_CELL for cell in cells)
    )


def _keep_tag_signs(part: HtmlElement) -> None:
    """Mark what reads like a tag in running text, but not in code, where it means nothing else."""
    code = {inner for outer in part.iter("pre", "code", "samp", "kbd") for inner in outer.iter()}
    for element in part.iter():
        if element.text and element not in code:
            element.text = _TAG.sub(_TAG_SIGN, element.text)
        if element.tail and element is not part and element.getparent() not in code:
            element.tail = _TAG.sub(_TAG_SIGN, element.tail)


def _remove(elements: Iterable[HtmlElement]) -> None:
    for element in elements:
        if element.getparent() is not None:
            element.drop_tree()


def _length(element: HtmlElement) -> int:
    """Return how many characters of text an element holds, runs of white space counted as one."""
    return len(" ".join(element.text_content().split()))
