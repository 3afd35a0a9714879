"""Quizzes as tables, JSON, Markdown and packages for Anki."""

import csv
import io
import json
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.quiz.export.anki import anki_package, as_html
from rag.quiz.export.tables import session_csv, session_json
from rag.quiz.export.transcript import session_markdown
from rag.quiz_types import ASKED, GRADE, RESPONSE
from tests.quizzed import ALL, CHOICE, OPEN, STARTED, judged, right, session

LATER = STARTED + timedelta(hours=1)


def rows(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_same_questions_at_the_same_moment_are_the_same_bytes():
    assert anki_package([CHOICE, OPEN], STARTED) == anki_package([CHOICE, OPEN], STARTED)


def test_a_package_leaves_no_file_behind_and_can_be_made_in_many_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: anki_package([CHOICE, OPEN], STARTED), range(24)))
    assert len(set(made)) == 1
    assert list(tmp_path.iterdir()) == []
    assert zipfile.ZipFile(io.BytesIO(made[0])).namelist() == ["collection.anki2", "media"]


def test_code_is_set_as_code_and_everything_else_as_text():
    text = "Why `a[0] < b`?\n\n```python\nif x < 1:\n    `y`\n```\nSay [why]."
    assert as_html(text) == (
        "Why <code>a<span>[</span>0] &lt; b</code>?<pre><code>if x &lt; 1:\n    `y`</code></pre>"
        "<br>Say <span>[</span>why]."
    )


@pytest.mark.parametrize("text", ["`" * 20_000, "`a``b" * 4_000, "```\n" * 5_000, "a " + "`x " * 6_667])
def test_many_backticks_are_written_without_delay(text):
    started = time.monotonic()
    as_html(text)
    assert time.monotonic() - started < 1


def test_a_table_has_one_row_for_each_question_and_follow_up():
    found = rows(session_csv(ALL))
    assert [row["number"] for row in found] == list("123456")
    assert [row["follow_up_of"] for row in found] == ["", "", "2", "", "", ""]
    assert found[1]["points_met"], found[1]["points_possible"] == ("1", "3")
    assert (found[0]["right"], found[3]["right"], found[4]["right"]) == ("yes", "no", "")
    assert (found[4]["self_rating"], found[5]["outcome"]) == ("again", "not_answered")
    assert found[0]["your_answer"] == "B. It keeps them"
    assert found[1]["cost_usd"] == "0.0009"


def test_a_table_opens_in_excel_as_unicode():
    content = session_csv(session(right(question=replace(CHOICE, prompt="Größe — 大小?"))))
    assert content.startswith(b"\xef\xbb\xbf")
    assert rows(content)[0]["question"] == "Größe — 大小?"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1", "＝1", "\r\n=1"])
def test_no_cell_is_a_formula(text):
    row = rows(session_csv(session(judged(text=text, question=replace(OPEN, topic=text, prompt=text)))))[0]
    assert row["your_answer"][0] == row["topic"][0] == row["question"][0] == "'"


def test_json_reads_back_as_what_was_asked_answered_and_graded():
    read = json.loads(session_json(ALL, LATER))
    assert (read["format"], read["version"]) == ("viva-quiz", 1)
    for written, item in zip(read["quiz"]["items"], ALL.items, strict=True):
        assert ASKED.validate_python(written["question"]) == item.question
        assert GRADE.validate_python(written["grade"]) == item.grade
        assert RESPONSE.validate_python(written["response"]) == item.response


def test_a_transcript_tells_each_question_its_answer_and_its_result():
    text = session_markdown(ALL)
    assert text.startswith("# Practice quiz of 2026-11-03 09:30 UTC\n")
    assert "**Result: 1 of 3 points met**" in text
    assert "**Contradicts the source** (must-have): Names a stale entry as the price. They do." in text
    assert "> entries never get stale" in text
    assert "### Follow-up to question 2" in text
    assert "- B. It keeps them **(key)**" in text
    assert "You rated it: I did not know it." in text
    assert "**Result: Not answered**" in text
    assert "Model: gpt-test · Tokens: 1,830 in, 212 out · Cost: 0.0009 USD" in text


@given(
    st.text(max_size=60) | st.sampled_from(["# x", "```", "<!--", "[a]: b", "---", "> x", "1. x", "\r# y"])
)
def test_no_text_acts_in_a_transcript(text):
    question = replace(OPEN, prompt=text, topic=text, model_answer=text)
    graded = replace(ALL.items[1].grade, model=text, note=text)
    quiz = session(
        judged(question=question, text=text, grade=graded, disagreement=text, report=text), right(1)
    )
    tokens = MarkdownIt("commonmark").parse(session_markdown(quiz))
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h1", "h2", "h2"]
    assert not {"html_block", "fence", "code_block", "hr"} & {token.type for token in tokens}
    inside = {child.type for token in tokens for child in token.children or ()}
    assert inside <= {
        "text",
        "text_special",
        "softbreak",
        "hardbreak",
        "strong_open",
        "strong_close",
        "em_open",
        "em_close",
    }


def test_exporting_works_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert anki_package([CHOICE], STARTED)
    assert list(Path.cwd().iterdir()) == []
