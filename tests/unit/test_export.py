"""A conversation leaves as Markdown that no text in it can break, and as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.answering.export import conversation_json, conversation_markdown
from rag.storage.conversations import Conversation, Feedback, StoredAnswer, StoredTurn
from rag.storage.serialising import contract_answer
from rag.types import FREE, Answer, Citation, Claim, Usage

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CONVERSATION = Conversation("c1", "What is RAG?", NOON, NOON)
ANSWER = Answer(
    "answered",
    "Chunks overlap [1].\n\n- by design [2]",
    "passages",
    citations=(
        Citation(1, "rag-1", "rag", "Retrieval", 8, 26, "Chunks überlappen."),
        Citation(2, "top_k-1", "top_k", "Top *k*", 0, 17, "if k > 5:\n    cut()"),
    ),
    usage=Usage(1900, 100, 20, Decimal("0.00012300")),
    timings_ms={"total": 900.5},
    provider="openai",
    model="gpt-5-mini",
    trace_id="t1",
)


def turn(question: str, *answers: Answer, position: int = 0, shown: int = 0) -> StoredTurn:
    stored = tuple(StoredAnswer(f"a{n}", answer, None, NOON) for n, answer in enumerate(answers))
    return StoredTurn(f"t{position}", position, question, NOON, stored, shown)


def exported(question: str = "Why?", answer: Answer = ANSWER) -> str:
    return conversation_markdown(CONVERSATION, [turn(question, answer)])


def test_a_conversation_reads_as_questions_answers_and_numbered_sources() -> None:
    assert conversation_markdown(CONVERSATION, [turn("Why?", ANSWER), turn("And?", position=1)]) == (
        "# What is RAG?\n"
        "\n"
        "Started on 2026-11-23 12:00 UTC, exported from Viva.\n"
        "\n"
        "## Question 1\n"
        "\n"
        "> Why?\n"
        "\n"
        "Chunks overlap [1].\n"
        "\n"
        "- by design [2]\n"
        "\n"
        "**Sources**\n"
        "\n"
        "\\[1\\] **Retrieval** (rag, characters 8 to 26)\n"
        "\n"
        "> Chunks überlappen.\n"
        "\n"
        "\\[2\\] **Top \\*k\\*** (top\\_k, characters 0 to 17)\n"
        "\n"
        "> if k \\> 5:\\\n"
        "> \u00a0\u00a0\u00a0\u00a0cut()\n"
        "\n"
        "Model: openai gpt-5-mini · Tokens: 1,900 in (100 cached), 20 out · Cost: 0.000123 USD"
        " · Time: 0.90 s · Trace: t1\n"
        "\n"
        "## Question 2\n"
        "\n"
        "> And?\n"
        "\n"
        "*No answer.*\n"
    )


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(cost_usd=None), "Cost: price unknown"),
        (FREE, "Cost: free"),
        (Usage(cost_usd=Decimal("12")), "Cost: 12 USD"),
        (Usage(5, 0, 6, Decimal("1E-7"), True), "5 in, 6 out, estimated · Cost: 0.0000001 USD"),
    ],
)
def test_the_price_is_said_in_words(usage: Usage, words: str) -> None:
    assert words in exported(answer=replace(ANSWER, usage=usage))


def test_the_answer_that_is_shown_is_the_one_exported() -> None:
    other = replace(ANSWER, text="Another answer.")
    text = conversation_markdown(CONVERSATION, [turn("Why?", ANSWER, other, shown=1)])
    assert "Another answer." in text
    assert "Chunks overlap" not in text


def test_what_the_reader_must_know_is_exported_too() -> None:
    answer = replace(
        ANSWER,
        missing="How far they overlap.",
        note="Stopped.",
        claims=(
            Claim("It is so.", (1,), "supported"),
            Claim("It is red.", (1,), "unsupported", "The source says blue."),
        ),
    )
    text = exported(answer=answer)
    assert "*How far they overlap.*" in text
    assert "*Stopped.*" in text
    assert "*Support unsupported: “It is red.” The source says blue.*" in text
    assert "It is so." not in text


def test_a_question_shows_as_it_was_typed() -> None:
    question = "# Title\n1. one\n- two\n\n    code `x` <b> [1]: y\n---"
    assert exported(question).split("\n\n")[3] == (
        "> \\# Title\\\n"
        "> 1\\. one\\\n"
        "> \\- two\n"
        ">\n"
        "> \u00a0\u00a0\u00a0\u00a0code \\`x\\` \\<b\\> \\[1\\]: y\\\n"
        "> \\---"
    )


def test_headings_of_an_answer_stand_below_the_question() -> None:
    text = exported(answer=replace(ANSWER, text="# One\n\nTwo\n===\n\n### Three ###"))
    assert "### One\n\n### Two\n\n\n##### Three ###" in text


def test_an_open_code_fence_ends_with_its_answer() -> None:
    text = exported(answer=replace(ANSWER, outcome="interrupted", text="Like so:\n\n````py\nx = 1\n```"))
    assert "````py\nx = 1\n```\n````\n\n**Sources**" in text


def test_a_complete_code_fence_stays_as_it_is() -> None:
    text = exported(answer=replace(ANSWER, text="```py\n# x\n```"))
    assert "\n\n```py\n# x\n```\n\n**Sources**" in text


def test_html_in_an_answer_shows_as_text() -> None:
    assert "\\<!-- hidden" in exported(answer=replace(ANSWER, text="<!-- hidden"))


def test_an_answer_cannot_turn_its_markers_into_links() -> None:
    text = exported(answer=replace(ANSWER, text="So [1].\n\n[1]: https://example.com\n"))
    assert "<a " not in MarkdownIt("commonmark").render(text)


def test_an_empty_conversation_has_a_title_all_the_same() -> None:
    assert conversation_markdown(replace(CONVERSATION, title=" "), []) == (
        "# Untitled conversation\n\nStarted on 2026-11-23 12:00 UTC, exported from Viva.\n"
    )


tricky = st.lists(
    st.sampled_from(
        [
            "# a",
            "## b ##",
            "---",
            "===",
            "> c",
            "- d",
            "1. e",
            "```",
            "~~~~ f",
            "<!-- g",
            "<div>",
            "<script>",
            "[1]: h",
            '[i]: j "k',
            "[1]",
            "    l",
            "\tm",
            "",
            " ",
            "n  ",
            "o\\",
            "*p",
            "`q",
            "| r |",
            "\r",
            "\x0b",
            "\ud800",
            "\x00",
            "&copy;",
        ]
    )
    | st.text(max_size=5),
    max_size=6,
).map("\n".join)


@given(tricky, tricky, tricky, tricky)
@example("", "- a\n\n      # b", "", "")
@example("", "> ```\n[1]: x", "", "")
def test_no_text_can_break_the_structure(title: str, text: str, question: str, quote: str) -> None:
    citation = Citation(1, "c", title, title, 0, 1, quote)
    answer = replace(ANSWER, text=text, citations=(citation,), note=quote, missing=title)
    conversation = replace(CONVERSATION, title=title or "x")
    markdown = conversation_markdown(conversation, [turn(question, answer), turn(quote, position=1)])
    found: dict[str, object] = {}
    tokens = MarkdownIt("commonmark").parse(markdown, found)
    sections = [token for token in tokens if token.type == "heading_open" and token.level == 0]
    assert [token.tag for token in sections if token.tag in ("h1", "h2")] == ["h1", "h2", "h2"]
    assert [tokens[tokens.index(section) + 1].content for section in sections][-1] == "Question 2"
    assert not found
    sources = [token for token in tokens if token.level == 1 and token.content == "**Sources**"]
    assert len(sources) == 1
    assert not [token for token in tokens if token.type == "html_block" and token.level == 0]
    markdown.encode()


@given(tricky)
def test_a_question_and_a_quote_render_as_plain_text(text: str) -> None:
    answer = Answer("answered", "", "quotes", citations=(Citation(1, "c", "d", "T", 0, 1, text),))
    tokens = MarkdownIt("commonmark").parse(exported(text, answer))
    kinds = {child.type for token in tokens if token.level == 2 for child in token.children or ()}
    assert kinds <= {"text", "text_special", "hardbreak", "softbreak"}


def test_the_json_holds_every_answer_with_its_feedback() -> None:
    rated = StoredAnswer("a1", ANSWER, Feedback("down", "wrong", NOON), NOON)
    plain = StoredAnswer("a2", ANSWER, None, NOON)
    asked = StoredTurn("t1", 0, "Why \ud800?", NOON, (rated, plain), 1)
    assert json.loads(conversation_json(CONVERSATION, [asked])) == {
        "id": "c1",
        "title": "What is RAG?",
        "created_at": "2026-11-23T12:00:00+00:00",
        "updated_at": "2026-11-23T12:00:00+00:00",
        "turns": [
            {
                "id": "t1",
                "position": 0,
                "question": "Why ??",
                "created_at": "2026-11-23T12:00:00+00:00",
                "shown": 1,
                "answers": [
                    {
                        "id": "a1",
                        "created_at": "2026-11-23T12:00:00+00:00",
                        "feedback": {
                            "rating": "down",
                            "reason": "wrong",
                            "created_at": "2026-11-23T12:00:00+00:00",
                        },
                        **contract_answer(ANSWER),
                    },
                    {
                        "id": "a2",
                        "created_at": "2026-11-23T12:00:00+00:00",
                        "feedback": None,
                        **contract_answer(ANSWER),
                    },
                ],
            }
        ],
    }
