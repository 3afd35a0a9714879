"""Turns questions into an Anki package: one note each, with stable ids, all text escaped.

A note is known by its question, so that a second import updates it and keeps its schedule. Anki reads
signs inside fields, too: sounds, formulas, typed answers. No text of a question can be one of those.
"""

from __future__ import annotations

import io
import re
import sqlite3
import zipfile
from collections.abc import Collection, Sequence
from contextlib import closing
from datetime import datetime
from html import escape
from itertools import count
from string import ascii_uppercase

import genanki  # type: ignore[import-untyped]

from rag.quiz_types import AskedQuestion, Evidence
from rag.text.escaping import encodable

MODEL_ID, DECK_ID = 1_384_920_517, 1_902_774_633
"""Chosen once: Anki tells the kind of our notes and our deck by them for ever."""
DECK = "Viva"
FIELDS = ("Question", "Options", "Answer", "Explanation", "Source")

_FRONT = (
    '<div class="question">{{Question}}</div>{{#Options}}<div class="options">{{Options}}</div>{{/Options}}'
)
_BACK = """{{FrontSide}}<hr id="answer"><div class="answer">{{Answer}}</div>
{{#Explanation}}<div class="explanation">{{Explanation}}</div>{{/Explanation}}
{{#Source}}<div class="source">{{Source}}</div>{{/Source}}"""
_CSS = """.card {
  font: 18px/1.55 sans-serif; text-align: left; max-width: 42rem; margin: 0 auto; padding: 0 1rem;
}
.question { font-weight: 600; }
.options, .explanation, .source { margin-top: 0.9rem; }
.source { font-size: 0.85em; opacity: 0.8; }
ol.options-list { list-style: upper-alpha; }
code { font-size: 0.9em; }
pre { overflow-x: auto; }"""
_CODE = re.compile(
    r"```[^\n`]*\n(?P<block>.*?)\n?```"
    r"|(?<!`)(?P<ticks>`{1,8})(?!`)(?P<inline>[^\n]+?)(?<!`)(?P=ticks)(?!`)",
    re.DOTALL,
)
"""Whole runs of backticks only: to try every part of a long run takes seconds."""
_ACTING = re.compile(r"[\[\\]|\{(?=\{)")
"""What begins a sound, a typed answer, a formula or a cloze; an element around it ends that."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Anki parts the fields of a note by one of them."""
LONGEST = 20_000
"""Characters of one text that are written."""
_NO_TAG = re.compile(r"[^\w-]+")


def anki_package(
    questions: Sequence[AskedQuestion], now: datetime, *, weak: Collection[str] = (), deck: str = DECK
) -> bytes:
    """Return a file for Anki's import with one note for each question, a question that comes twice once.

    now: with time zone; Anki updates a note that it has when this is later than what it knows.
    weak: ids of the questions that get the tag "weak".
    """
    model = _model()
    notes = genanki.Deck(DECK_ID, _words(deck) or DECK)
    for question in {question.id: question for question in questions}.values():
        tags = _tags(question, question.id in weak)
        guid = genanki.guid_for(encodable(question.id))  # by it Anki knows the note again
        notes.add_note(genanki.Note(model, _fields(question), tags=tags, guid=guid))
    return _zipped(_database(genanki.Package(notes), now.timestamp()))


def as_html(text: str) -> str:
    """Return text as HTML that Anki shows as it is; code between backticks is set as code."""
    clean = _CONTROLS.sub("", encodable(text[:LONGEST]).replace("\r\n", "\n").replace("\r", "\n")).strip()
    written, at = [], 0
    for found in _CODE.finditer(clean):
        before = clean[at : found.start()]
        if found["block"] is None:
            written += [_escaped(before), f"<code>{_inert(found['inline'].strip())}</code>"]
        else:
            written += [_escaped(before.rstrip("\n")), f"<pre><code>{_inert(found['block'])}</code></pre>"]
        at = found.end()
    return "".join([*written, _escaped(clean[at:])])


def _escaped(text: str) -> str:
    return _inert(text).replace("\n", "<br>")


def _inert(text: str) -> str:
    return _ACTING.sub(r"<span>\g<0></span>", escape(text))


def _fields(question: AskedQuestion) -> list[str]:
    return [
        as_html(question.prompt),
        _options(question),
        _answer(question),
        _explanation(question),
        _source(question),
    ]


def _options(question: AskedQuestion) -> str:
    items = "".join(f"<li>{as_html(option)}</li>" for option in question.options)
    return f'<ol class="options-list" type="A">{items}</ol>' if items else ""


def _answer(question: AskedQuestion) -> str:
    if question.answer is None:
        return as_html(question.model_answer)
    return f"<b>{ascii_uppercase[question.answer]}. {as_html(question.options[question.answer])}</b>"


def _explanation(question: AskedQuestion) -> str:
    """Return why each option is right or wrong, or the points that an answer should make."""
    if question.answer is not None:
        lines = [
            f"{ascii_uppercase[place]}: {as_html(why)}" for place, why in enumerate(question.whys) if why
        ]
        return "<br>".join(lines)
    items = "".join(
        f"<li>{as_html(point.claim)}{' (must-have)' if point.must_have else ''}</li>"
        for point in question.points
    )
    return f"<ul>{items}</ul>" if items else ""


def _source(question: AskedQuestion) -> str:
    found = dict.fromkeys(filter(None, [question.evidence, *(point.evidence for point in question.points)]))
    return "<br>".join(_cited(evidence) for evidence in found)


def _cited(evidence: Evidence) -> str:
    return f"<b>{as_html(evidence.title)}</b>: “{as_html(evidence.quote)}”"


def _tags(question: AskedQuestion, is_weak: bool) -> list[str]:
    tags = [f"viva::topic::{_tag(question.topic)}", f"viva::level::{_tag(question.level)}"]
    tags += [f"viva::kind::{question.kind}", f"viva::origin::{question.origin}"]
    return [*tags, "viva::weak"] if is_weak else tags


def _tag(name: str) -> str:
    return _NO_TAG.sub("-", encodable(name)).strip("-").lower() or "other"


def _words(name: str) -> str:
    return " ".join(_CONTROLS.sub("", encodable(name)).replace('"', "").split())


def _model() -> genanki.Model:
    return genanki.Model(
        MODEL_ID,
        "Viva question",
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Card", "qfmt": _FRONT, "afmt": _BACK}],
        css=_CSS,
    )


def _database(package: genanki.Package, timestamp: float) -> bytes:
    """Return Anki's collection. genanki itself would leave its database in the folder for temporary files."""
    with closing(sqlite3.connect(":memory:")) as connection:
        package.write_to_db(connection.cursor(), timestamp, count(int(timestamp * 1000)))
        connection.commit()
        return connection.serialize()


def _zipped(collection: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in (("collection.anki2", collection), ("media", b"{}")):
            packed.writestr(zipfile.ZipInfo(name, date_time=(2020, 1, 1, 0, 0, 0)), content)
    return buffer.getvalue()
