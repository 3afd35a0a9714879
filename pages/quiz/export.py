"""Offers a quiz as a file: cards for Anki, a table, JSON, a transcript."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from rag.quiz.scorecard import Scorecard
from rag.quiz_types import Session


def draw_export(session: Session, card: Scorecard) -> None:
    """Draw the downloads; a file is made when it is asked for."""
    name = f"viva-quiz-{session.started_at:%Y-%m-%d-%H%M}"
    files = (
        ("Anki", ":material/style:", "apkg", "application/octet-stream", partial(_anki, session, card),
         "One card a question. A later import updates the cards and keeps their schedule."),
        ("CSV", ":material/table:", "csv", "text/csv", partial(_csv, session),
         "One row a question, for Excel and other spreadsheets."),
        ("JSON", ":material/data_object:", "json", "application/json", partial(_json, session),
         "Everything, for programs."),
        ("Markdown", ":material/article:", "md", "text/markdown", partial(_markdown, session),
         "A transcript to read."),
    )  # fmt: skip
    with st.container(key="quiz_export", gap="small"):
        st.header("Take it with you", anchor=False)
        with st.container(horizontal=True, gap="small"):
            for label, icon, ending, mime, made, told in files:
                st.download_button(
                    label,
                    made,
                    f"{name}.{ending}",
                    mime,
                    key=f"quiz_export_{ending}",
                    help=told,
                    icon=icon,
                    on_click="ignore",
                )


def _anki(session: Session, card: Scorecard) -> bytes:
    from rag.quiz.export.anki import anki_package  # genanki costs a quarter of a second

    planned = [item.question for item in session.items if item.follow_up_of is None]
    return anki_package(planned, datetime.now(UTC), weak=card.weak_questions)


def _csv(session: Session) -> bytes:
    from rag.quiz.export.tables import session_csv

    return session_csv(session)


def _json(session: Session) -> str:
    from rag.quiz.export.tables import session_json

    return session_json(session, datetime.now(UTC))


def _markdown(session: Session) -> str:
    from rag.quiz.export.transcript import session_markdown

    return session_markdown(session)
