"""Packages for Anki, imported by Anki's own library."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from anki.collection import Collection, ImportAnkiPackageOptions, ImportAnkiPackageRequest
from anki.latex import ExtractedLatexOutput

from rag.quiz.export.anki import FIELDS, anki_package
from tests.quizzed import ALL, CHOICE, OPEN

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "Tom & Jerry &lt;b&gt; &amp;",
    "{{c1::hidden}} and {{Answer}} and {{{Source}}}",
    "[sound:evil.mp3] [anki:play:q:0] [anki:tts lang=en_US]speak[/anki:tts]",
    "[latex]\\input{/etc/passwd}[/latex] [$]x[/$] [$$]y[/$$]",
    "\\(x^2\\) and \\[y\\] and $z$",
    "[[type:Answer]] [%audio%]",
    "<!-- comment --> ]]> <%Answer%>",
    "two\nlines\r\nand\ta tab",
    "a separator \x1f a zero \x00 half a sign \ud800",
    "C:\\Users\\me\\[notes] {{}",
)
OUR_TAGS = {
    *(f'<div class="{name}">' for name in ("question", "options", "answer", "explanation", "source")),
    *("</div>", '<ol class="options-list" type="A">', "</ol>", "<li>", "</li>", "<b>", "</b>", "<br>"),
    *("<span>", "</span>", '<hr id="answer">'),
}


@pytest.fixture
def collection(tmp_path):
    """A new, empty collection."""
    opened = Collection(str(tmp_path / "collection.anki2"))
    yield opened
    opened.close()


def imported(collection, tmp_path, questions, now=NOW, **more):
    """Import the questions as somebody does who opens the file in Anki; return what it says."""
    path = tmp_path / "viva.apkg"
    path.write_bytes(anki_package(questions, now, **more))
    options = ImportAnkiPackageOptions()  # what the dialog proposes: update what is newer, no schedules
    return collection.import_anki_package(
        ImportAnkiPackageRequest(package_path=str(path), options=options)
    ).log


def card_of(collection, question_text):
    """Return the card whose question is this text."""
    cards = [collection.get_card(number) for number in collection.find_cards("")]
    return next(card for card in cards if question_text in card.question())


def text_of(html):
    """Return what somebody reads."""
    return unescape(re.sub("<[^>]+>", "", re.sub("<br>|<style>.*?</style>", " ", html, flags=re.DOTALL)))


def test_every_question_becomes_one_note_with_a_card(collection, tmp_path):
    log = imported(collection, tmp_path, [item.question for item in ALL.items])
    assert (len(log.new), collection.note_count(), collection.card_count()) == (6, 6, 6)
    assert [deck.name for deck in collection.decks.all_names_and_ids()] == ["Default", "Viva"]


def test_a_card_shows_the_question_and_then_the_key_the_reasons_and_the_source(collection, tmp_path):
    imported(collection, tmp_path, [CHOICE])
    card = card_of(collection, "What does a <code>cache</code> do")
    assert re.findall(r"<li>(.*?)</li>", card.question()) == list(CHOICE.options)
    assert CHOICE.whys[1] not in card.question()
    shown = text_of(card.answer())
    assert "B. It keeps them" in shown and "A: Sending is a queue." in shown
    assert "Caching: “A cache keeps results for later.”" in shown


def test_an_open_question_shows_its_model_answer_and_its_points(collection, tmp_path):
    imported(collection, tmp_path, [OPEN])
    card = card_of(collection, OPEN.prompt)
    assert "<ol" not in card.question()
    assert OPEN.model_answer in card.answer()
    assert "Says that a cache keeps results. (must-have)" in card.answer()


def test_tags_name_topic_level_kind_origin_and_what_was_weak(collection, tmp_path):
    imported(collection, tmp_path, [replace(CHOICE, topic="System design / caches")], weak=[CHOICE.id])
    (number,) = collection.find_notes("tag:viva::weak")
    assert collection.get_note(number).tags == [
        "viva::kind::mcq",
        "viva::level::junior",
        "viva::origin::bank",
        "viva::topic::system-design-caches",
        "viva::weak",
    ]


def test_a_second_import_adds_nothing(collection, tmp_path):
    imported(collection, tmp_path, [CHOICE, OPEN])
    log = imported(collection, tmp_path, [CHOICE, OPEN, CHOICE], NOW + timedelta(days=1))
    assert (len(log.new), collection.note_count(), collection.card_count()) == (0, 2, 2)


def test_a_changed_explanation_reaches_the_note_and_leaves_its_schedule(collection, tmp_path):
    imported(collection, tmp_path, [CHOICE])
    collection.decks.select(collection.decks.id("Viva"))
    card = collection.sched.getCard()
    collection.sched.answerCard(card, 4)
    known = collection.get_card(card.id)
    changed = replace(CHOICE, whys=("Sending is what a queue does.", *CHOICE.whys[1:]))
    log = imported(collection, tmp_path, [changed], NOW + timedelta(minutes=5))
    after = collection.get_card(card.id)
    assert (len(log.new), len(log.updated)) == (0, 1)
    assert "Sending is what a queue does." in text_of(after.answer())
    assert (after.reps, after.due, after.ivl) == (known.reps, known.due, known.ivl) and after.reps == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_acts_in_a_card(collection, tmp_path, text):
    hostile = replace(
        CHOICE,
        prompt=f"Why {text}?",
        topic=text,
        options=(text, "b", "c", "d"),
        answer=0,
        whys=(text, "", "", ""),
        evidence=replace(CHOICE.evidence, title=text, quote=text),
    )
    imported(collection, tmp_path, [hostile], deck=f"Viva {text}")
    (number,) = collection.find_cards("")
    card = collection.get_card(number)
    output = card.render_output()
    html = output.question_text + output.answer_text
    assert output.question_av_tags == output.answer_av_tags == []
    assert set(re.findall("<[^>]*>", html)) <= OUR_TAGS
    assert "[[type:" not in html
    found = collection._backend.extract_latex(text=html, svg=False, expand_clozes=False)
    assert ExtractedLatexOutput.from_proto(found).latex == []
    assert collection.get_note(card.nid).keys() == list(FIELDS)
    shown = " ".join(text_of(output.question_text).split())
    clean = re.sub("[\x00\x1f]", "", text).replace("\ud800", "?")
    assert f"Why {' '.join(clean.split())}?" in shown
    assert collection.media.check().missing == []
