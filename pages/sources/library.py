"""The library: every document with what it holds, found by topic, title or words of its text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from pages.shared import links, people, sanitise, wording
from pages.shared.failures import draw_kept
from pages.sources import choosing, jobs, removing
from rag.services import Services
from rag.storage.finding import documents_with, first_place
from rag.storage.library import DocumentSummary

SHOWN = 100
"""Documents that are listed at first."""
SHOWN_BY_TEXT = 30
"""Documents found by their text that are listed, with the words around."""
AROUND = 70
"""Characters shown on each side of the words that were found."""
NO_BREAK = "\N{NO-BREAK SPACE}"


def draw(ready: Services) -> None:
    """Draw the documents that the reader may see, and those that can be brought back."""
    reader = people.reader()
    documents = [summary for summary in ready.library.summaries() if summary.owner in ("", reader)]
    with st.container(key="sources_library"):
        draw_kept(removing.FAILURE)
        if documents:
            _draw_totals(ready, documents)
            _draw_documents(ready, reader, documents, choosing.draw(documents))
        else:
            _draw_empty(ready)
        removing.draw_removed(ready, reader)
    removing.draw_undo(ready, reader)


def _draw_empty(ready: Services) -> None:
    folder = sanitise.label(ready.settings.knowledge_dir.name)
    st.header("The library is empty", anchor=False)
    st.markdown(
        "Answers are made of the documents that lie here. Drop files into the field above and they can be "
        "asked about a few seconds later."
    )
    st.caption(
        f"Files in the knowledge folder ({folder}) are read when Viva starts; "
        "`python -m rag ingest FOLDER` adds a whole folder at once."
    )


def _draw_totals(ready: Services, documents: Sequence[DocumentSummary]) -> None:
    changed = max(document.updated_at for document in documents)
    told = [
        wording.count(len(documents), "document"),
        wording.count(sum(document.chunks for document in documents), "chunk"),
        wording.count(sum(document.tokens for document in documents), "token"),
        f"last change {_day(changed)}",
    ]
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.markdown(f"**{told[0]}** · {' · '.join(told[1:])}", width="content")
        jobs.draw_rebuild(ready, documents)


def _draw_documents(
    ready: Services, reader: str, documents: Sequence[DocumentSummary], choice: choosing.Choice
) -> None:
    allowed = sorted(filter(choice.allows, documents), key=choosing.SORTS[choice.sort])
    named = [document for document in allowed if choice.names(document)]
    by_text = _with_text(ready, reader, allowed, named, choice.search)
    if not named and not by_text:
        st.markdown("No document fits.")
        st.button("Show all documents", key="sources_show_all", on_click=choosing.show_all)
        return
    shown = named if st.session_state.get("sources_everything") else named[:SHOWN]
    if choice.sort == choosing.BY_TOPIC and not choice.search:
        for topic, group in _by_topic(shown).items():
            st.header(sanitise.label(wording.topic(topic)), anchor=False)
            _draw_rows(ready, reader, group)
    else:
        _draw_rows(ready, reader, shown)
    if len(shown) < len(named):
        st.button(
            f"Show all {len(named):,} documents",
            key="sources_more",
            on_click=lambda: st.session_state.update(sources_everything=True),
        )
    if by_text:
        also = "Also found" if named else "Found"
        st.header(f"{also} in the text of {wording.count(len(by_text), 'document')}", anchor=False)
        _draw_rows(ready, reader, by_text[:SHOWN_BY_TEXT], choice.search)
        if len(by_text) > SHOWN_BY_TEXT:
            st.caption(f"The first {SHOWN_BY_TEXT} are listed. More words find fewer documents.")


def _with_text(
    ready: Services,
    reader: str,
    allowed: Sequence[DocumentSummary],
    named: Sequence[DocumentSummary],
    search: str,
) -> list[DocumentSummary]:
    """Return the documents that have the words in their text but not in their name."""
    if not search:
        return []
    having = set(documents_with(ready.database, search, {"", reader}))
    found_already = {document.id for document in named}
    return [document for document in allowed if document.id in having - found_already]


def _by_topic(documents: Sequence[DocumentSummary]) -> dict[str, list[DocumentSummary]]:
    topics: dict[str, list[DocumentSummary]] = {}
    for document in documents:
        topics.setdefault(document.topic, []).append(document)
    return topics


def _draw_rows(ready: Services, reader: str, documents: Sequence[DocumentSummary], search: str = "") -> None:
    with st.grid(2, min_column_width=400, gap=("small", "large")):
        for document in documents:
            with st.container(horizontal=True, gap="small"):
                with st.container(gap=None):
                    _draw_row(ready, document, search)
                if document.owner == reader:  # whoever logged in removes only what is their own
                    removing.draw_menu(ready, document)


def _draw_row(ready: Services, document: DocumentSummary, search: str) -> None:
    query, excerpt = {"doc": document.id}, ""
    if search:
        query, excerpt = _found(ready, document.id, search)
    st.button(
        sanitise.label(document.title) or "Untitled",
        key=f"sources_open_{document.id}",
        type="tertiary",
        on_click=st.query_params.from_dict,
        args=(query,),
    )
    if excerpt:
        st.markdown(excerpt)
    st.caption(_told(document))


def _found(ready: Services, document_id: str, search: str) -> tuple[dict[str, str], str]:
    """Return the query that opens a document at the words, and the words with what stands around them."""
    document = ready.document(document_id)
    place = first_place(document, search) if document else None
    if document is None or place is None:
        return {"doc": document_id}, ""
    text = document.text
    words = text[place.start : place.end]
    before = text[document.body_start : place.start].rpartition("\n")[2]
    after = text[place.end :].partition("\n")[0]
    if len(before) > AROUND:
        before = "… " + before[-AROUND:].partition(" ")[2]
    if len(after) > AROUND:
        after = after[:AROUND].rpartition(" ")[0] + " …"
    excerpt = f":small[{_words(before)}**{sanitise.label(words)}**{_words(after)}]"
    return links.source_params(document_id, place.start, place.end, words), excerpt


def _words(text: str) -> str:
    """Return a piece of Markdown as its words; a space at an end stays one."""
    words = sanitise.label(sanitise.plain(text.strip()))
    return f"{' ' if text[:1].isspace() else ''}{words}{' ' if text[-1:].isspace() else ''}"


def _told(document: DocumentSummary) -> str:
    """Return one line of what a document is and holds; it breaks between its parts only."""
    cited = {0: "", 1: "cited once"}.get(document.cited, f"cited {document.cited:,} times")
    parts = [
        wording.FORMATS[document.format],
        document.level or "",
        wording.count(document.chunks, "chunk"),
        wording.count(document.tokens, "token"),
        wording.size(document.bytes),
        f"changed {_day(document.updated_at)}",
        cited,
        "only you can read it" if document.owner else "",
    ]
    return " · ".join(part.replace(" ", NO_BREAK) for part in parts if part)


def _day(moment: datetime) -> str:
    """Return the day of a moment where the reader is."""
    try:
        return wording.day(moment.astimezone(ZoneInfo(st.context.timezone or "UTC")))
    except (ZoneInfoNotFoundError, ValueError):
        return wording.day(moment)
