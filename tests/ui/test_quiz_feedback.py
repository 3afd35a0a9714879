"""What the quiz page says about an answer, and about a whole quiz."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from pages.quiz.checked import gate_words
from rag.errors import ProviderUnavailable
from rag.quiz_types import Grade, PointVerdict, QuizRequest, Response
from rag.types import Usage
from tests.ui.driving import page, said

OPEN, CHOICE = "caching-open-01", "caching-mcq-01"
TEXT = "I would never let an entry grow old.\n\n<b>And</b> [a link](https://evil.example)."
USAGE = Usage(1830, 0, 212, Decimal("0.0009"))


def quiz_of(services, *question_ids, mode="review"):
    """Start a quiz of exactly these questions; return its id."""
    request = QuizRequest(n=len(question_ids), mode=mode, question_ids=question_ids, follow_ups=False)
    return services.study.sessions.start(request, "")


def answer(services, quiz_id, text="", option=None, guessed=False, script=None):
    """Answer the current question; an open one is graded as the script says."""
    sessions = services.study.sessions
    position = sessions.get(quiz_id, "").position
    sessions.submit(quiz_id, "", position, Response(option, text, guessed, seconds=20.0))
    if option is None:
        services.study.script = script
        sessions.grade(quiz_id, "", position, services.study)


def opened(quiz_id):
    """Return the page of a quiz."""
    app = page().run()
    app.query_params["s"] = quiz_id
    app.switch_page("quiz/page.py").run()
    assert not app.exception
    return app


def feedback(app):
    return said(app.main)


def judge(*verdicts, outcome="graded", note=""):
    """Return a script that gives the points of a question these verdicts in turn."""

    def script(question, text):
        found = tuple(
            PointVerdict(
                point.claim,
                name,
                point.must_have,
                point.weight,
                "" if name == "missing" else "never let an entry grow old",
                point.evidence,
                f"Why {name}.",
                denied="The quotation does not stand in your answer." if name == "missing" else "",
            )
            for point, name in zip(question.points, verdicts, strict=True)
        )
        return Grade("llm", outcome, verdicts=found, score=0.4, model="gpt-test", usage=USAGE, note=note)

    return script


def hint(*missing):
    """Return a script that finds the points at these places not mentioned."""
    return lambda question, text: Grade(
        "coverage_hint", "ungraded", not_mentioned=tuple(question.points[place].claim for place in missing)
    )


def key_of(services, question_id):
    return services.study.pool.get("", question_id).answer


def wrong_of(services, question_id):
    return next(place for place in range(4) if place != key_of(services, question_id))


def links(app):
    return [(link.proto.label, link.proto.query_string) for link in app.get("page_link")]


def test_a_right_choice_says_why_and_shows_the_quote_in_its_passage(services):
    quiz_id = quiz_of(services, CHOICE)
    answer(services, quiz_id, option=key_of(services, CHOICE))
    app = opened(quiz_id)
    told = feedback(app)
    assert app.subheader[0].value.endswith(" Right")
    assert "It keeps them for later" in told and "That is what a cache is for." in told
    assert "Not right" not in told
    assert any(
        '<mark class="viva-cited">A cache keeps results for later.</mark>' in h.value for h in app.html
    )
    assert any(label == "Open in sources" and "doc=caching" in query for label, query in links(app))


def test_a_wrong_choice_says_why_that_option_is_wrong_and_why_the_key_is_right(services):
    quiz_id, chosen = quiz_of(services, CHOICE), wrong_of(services, CHOICE)
    answer(services, quiz_id, option=chosen)
    app = opened(quiz_id)
    question = services.study.pool.get("", CHOICE)
    told = feedback(app)
    assert "Not right" in app.subheader[0].value
    captions = [one.value for one in app.caption]
    assert captions.index("Your choice") < captions.index("The key")
    assert question.whys[chosen] in told and question.whys[question.answer] in told
    assert "Checked key" in told


def test_a_right_guess_is_called_that(services):
    quiz_id = quiz_of(services, CHOICE)
    answer(services, quiz_id, option=key_of(services, CHOICE), guessed=True)
    app = opened(quiz_id)
    assert "You said that you were guessing" in feedback(app)
    assert not [button for button in app.button if button.label == "It was easy"]


def test_a_model_s_grade_shows_both_sides_of_each_point_and_the_contradiction_first(services):
    quiz_id = quiz_of(services, OPEN)
    answer(services, quiz_id, TEXT, script=judge("met", "contradicted", "missing"))
    app = opened(quiz_id)
    told = feedback(app)
    assert "1 of 3 points met" in app.subheader[0].value
    assert told.index("**Contradicts the source** · must-have") < told.index("**Met** · must-have")
    assert "“never let an entry grow old”" in told and "“Set a time to live.”" in told
    assert "A check changed the model’s verdict. The quotation does not stand in your answer." in told
    assert "1 of 2 must-have points met." in told
    assert "Graded by gpt-test point by point" in told
    assert re.search(r"Grading: 1,830 tokens in, 212 out · \$0\.0009 · .* ms", told)
    assert "I would set a time to live." in told
    assert "0.4" not in told and "40" not in told


def test_what_somebody_wrote_is_shown_as_text(services):
    quiz_id = quiz_of(services, OPEN)
    answer(services, quiz_id, TEXT, script=judge("met", "met", "met"))
    told = feedback(opened(quiz_id))
    assert "(https://evil.example)" not in told
    assert "\\<b>And" in told


def test_without_a_model_there_is_a_hint_and_no_judgement(services):
    quiz_id = quiz_of(services, OPEN)
    answer(services, quiz_id, TEXT, script=hint(1, 2))
    app = opened(quiz_id)
    told = feedback(app)
    assert "Coverage hint, not a grade" in told
    assert "These points were not mentioned" in told and "“A stale entry is the price.”" in told
    assert told.index("not mentioned") < told.index("Model answer")
    assert not any(word in told for word in ("correct", "Right", "points met", "score"))
    assert not [button for button in app.button if button.label == "I disagree"]


def test_a_hint_that_misses_nothing_is_no_praise(services):
    quiz_id = quiz_of(services, OPEN)
    answer(services, quiz_id, TEXT, script=hint())
    told = feedback(opened(quiz_id))
    assert "Whether what you said of it is right, only you can tell." in told


def test_a_self_rating_is_stored_and_schedules_the_question(services):
    quiz_id = quiz_of(services, OPEN)
    answer(services, quiz_id, TEXT, script=hint(1))
    app = opened(quiz_id)
    assert services.study.scheduling.forecast("", date(2030, 1, 1)) == []
    app.pills(key="quiz_rate_0").set_value("hard").run()
    assert services.study.sessions.get(quiz_id, "").items[0].self_rating == "hard"
    assert [one.topic for one in services.study.scheduling.forecast("", date(2030, 1, 1))] == [
        "system-design"
    ]
    assert app.pills(key="quiz_rate_0").value == "hard"
    assert "Noted." in feedback(app)


def test_what_was_known_can_be_called_easy(services):
    quiz_id = quiz_of(services, CHOICE)
    answer(services, quiz_id, option=key_of(services, CHOICE))
    app = opened(quiz_id)
    app.button(key="quiz_rate_easy_0").click().run()
    assert services.study.sessions.get(quiz_id, "").items[0].self_rating == "easy"
    assert "You rated: It was easy." in feedback(app)


def test_a_skipped_question_is_neither_right_nor_wrong(services):
    quiz_id = quiz_of(services, CHOICE)
    services.study.sessions.skip(quiz_id, "", 0)
    app = opened(quiz_id)
    told = feedback(app)
    assert "Not answered" in app.subheader[0].value
    assert "not the same as wrong" in told and "It keeps them for later" in told
    assert "Not right" not in told


def test_an_answer_of_a_few_words_is_shown_and_called_not_answered(services):
    quiz_id = quiz_of(services, OPEN)
    note = "There is no answer to grade: fewer than five words."
    answer(services, quiz_id, "Time.", script=lambda question, text: Grade("llm", "not_answered", note=note))
    told = feedback(opened(quiz_id))
    assert f"not the same as wrong. {note}" in told
    assert "Time." in told and "points met" not in told


def test_an_answer_off_the_question_is_called_that(services):
    quiz_id = quiz_of(services, OPEN)
    answer(services, quiz_id, TEXT, script=judge("missing", "missing", "missing", outcome="off_topic"))
    app = opened(quiz_id)
    assert "Off the question" in app.subheader[0].value


def test_a_failed_grading_shows_the_answer_and_no_verdict(services):
    def fails(question, text):
        raise ProviderUnavailable("The model did not answer.", hint="Try again.")

    quiz_id = quiz_of(services, OPEN)
    answer(services, quiz_id, "I would set a time to live.", script=fails)
    told = feedback(opened(quiz_id))
    assert "There is no grade for this answer yet." in told and "I would set a time to live." in told
    assert "Model answer" not in told


def test_disagreement_is_noted_beside_the_grade(services):
    quiz_id = quiz_of(services, OPEN)
    answer(services, quiz_id, TEXT, script=judge("met", "missing", "missing"))
    app = opened(quiz_id)
    app.text_area(key="quiz_disagree_0_text").set_value("I did *say* that.").run()
    app.button(key="quiz_disagree_0_note").click().run()
    assert services.study.sessions.get(quiz_id, "").items[0].disagreement == "I did *say* that."
    assert "“I did \\*say\\* that.” The grade stays as it is" in feedback(app)
    assert "1 of 3 points met" in app.subheader[0].value


def test_a_reported_question_is_not_asked_again(services):
    quiz_id = quiz_of(services, CHOICE)
    answer(services, quiz_id, option=0)
    app = opened(quiz_id)
    app.radio(key="quiz_report_0_fault").set_value("It is unclear").run()
    app.text_area(key="quiz_report_0_text").set_value("Which results?").run()
    app.button(key="quiz_report_0_send").click().run()
    assert "“It is unclear: Which results?” You will not be asked this question again." in feedback(app)
    assert services.study.pool.get("", CHOICE) is None


def test_the_checks_of_a_question_and_its_origin_are_told(services):
    quiz_id = quiz_of(services, CHOICE)
    answer(services, quiz_id, option=0)
    told = feedback(opened(quiz_id))
    assert "This question is from the checked bank." in told
    assert "- Its quote stands in the source, word for word." in told


def test_the_checks_of_an_open_question_speak_of_its_points(services):
    question = replace(services.study.pool.get("", OPEN), checks=("form", "blind_solved", "unique"))
    assert gate_words(question).splitlines() == [
        "- Its form: the question stands alone, no point repeats another, the answer takes about a minute.",
        "- Solved from the source alone: the answer mentioned every must-have point.",
        "- It is no duplicate of another question.",
    ]


def test_a_source_that_is_gone_leaves_its_quote(services):
    quiz_id = quiz_of(services, CHOICE)
    answer(services, quiz_id, option=0)
    services.remove("caching")
    told = feedback(opened(quiz_id))
    assert "“A cache keeps results for later.”" in told
    assert "The document has changed since, or is gone" in told


@pytest.fixture
def finished(services):
    """Return a finished quiz with one answer of each kind."""
    quiz_id = quiz_of(services, CHOICE, OPEN, "agents-mcq-01", "caching-open-02", "agents-open-01")
    for question_id in (CHOICE, OPEN, "agents-mcq-01", "caching-open-02", "agents-open-01"):
        if question_id == CHOICE:
            answer(services, quiz_id, option=key_of(services, CHOICE))
        elif question_id == OPEN:
            answer(services, quiz_id, TEXT, script=judge("met", "contradicted", "partial"))
        elif question_id == "agents-mcq-01":
            answer(services, quiz_id, option=wrong_of(services, question_id))
        elif question_id == "caching-open-02":
            answer(services, quiz_id, TEXT, script=hint(0))
        else:
            services.study.sessions.skip(quiz_id, "", 4)
        services.study.sessions.next(quiz_id, "")
    return quiz_id


def test_the_result_counts_each_kind_by_itself_has_no_score_and_can_be_taken_along(services, finished):
    app = opened(finished)
    told = feedback(app)
    assert "**Multiple choice:** 1 of 2 right" in told
    assert "**Graded by a model:** 1 of 3 points met, 1 partly, in 1 answer" in told
    assert "**Not answered:** 1 question" in told
    assert "not enough evidence" in told
    assert not any(word in told.lower() for word in ("hire", "%", "score", "/100"))
    labels = [button.proto.label for button in app.get("download_button")]
    assert labels == ["Anki", "CSV", "JSON", "Markdown"]


def test_an_answer_without_a_grade_can_be_rated_below_the_result(services, finished):
    app = opened(finished)
    assert "Nobody graded your answer to question 4." in feedback(app)
    app.pills(key="quiz_shown_item").set_value(3).run()
    app.pills(key="quiz_rate_3").set_value("again").run()
    assert "**Rated by yourself:** “I did not know it” 1 time" in feedback(app)
    assert "Nobody graded" not in feedback(app)


def test_the_weakest_points_lead_to_their_passage_the_chat_and_the_reviews(services, finished):
    app = opened(finished)
    told = feedback(app)
    assert told.index("Contradicts the source") < told.index("Not right")
    shown = dict(reversed(links(app)))
    assert shown["Open the passage"].startswith("doc=caching&start=")
    assert "In your reviews" in shown
    app.button(key="quiz_ask_0").click().run()
    assert not app.exception
    assert app.chat_input(key="chat_input").value == services.study.pool.get("", OPEN).prompt


def test_the_next_quiz_begins_with_the_weak_topics(services, finished):
    app = opened(finished)
    app.button(key="quiz_practise_weak").click().run()
    assert not app.exception
    assert "s" not in app.query_params
    assert app.multiselect(key="quiz_topics").value == ["system-design", "agents"]
