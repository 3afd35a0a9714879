"""What the chat shows and stores."""

import json

import pytest

from rag.answering.export import conversation_json
from rag.errors import BudgetExceeded, ProviderUnavailable
from rag.providers.choice import ModelChoice
from tests.ui import samples
from tests.ui.driving import ask, page, said


def only_conversation(services):
    return services.conversations.list()[0]


def turns(services):
    return services.conversations.turns(only_conversation(services).id)


def test_an_empty_chat_offers_four_questions_and_says_that_it_works_offline(chat):
    assert [chat.button(key=f"chat_suggestion_{n}").label for n in range(4)] == [
        "What is a cache?",
        "When do agents fail?",
        "Why RAG?",
        "What is ASGI?",
    ]
    assert "works offline" in said(chat.main)


def test_an_empty_library_leads_to_where_documents_are_added(services):
    for summary in services.library.summaries():
        services.library.remove(summary.id)
    app = page().run()
    assert "The library is empty" in said(app.main)
    assert not app.exception


def test_nothing_is_said_about_working_offline_where_a_model_answers(chat, services):
    chat_settings = services.settings.chat.model_copy(update={"provider": "openai"})
    services.settings = services.settings.model_copy(update={"chat": chat_settings})
    chat.run()
    assert "2 documents" in said(chat.main)
    assert "offline" not in said(chat.main)


def test_a_suggested_question_is_asked(chat, services):
    chat.button(key="chat_suggestion_1").click().run()
    assert [turn.question for turn in turns(services)] == ["When do agents fail?"]


def test_an_answer_has_every_part_of_the_contract(chat):
    ask(chat)
    for key in ("answer", "citations", "hits", "usage", "regenerate", "feedback", "searched_for"):
        assert chat.get_by_key(f"chat_{key}_1") is not None
    assert chat.get_by_key("chat_export") is not None


def test_a_marker_is_a_link_to_its_sentence_that_shows_it(chat):
    ask(chat)
    start, end = samples.place(samples.QUOTE)
    text = chat.container(key="chat_answer_1").markdown[0].value
    assert f"(/sources?doc=caching&start={start}&end={end}&check=" in text
    assert f'"{samples.QUOTE}")'.replace(".", "\\.") in text


def test_the_line_under_an_answer_counts_its_claims(chat):
    ask(chat)
    assert "2 claims, 2 cited, 2 supported" in said(chat.container(key="chat_answer_1"))


def test_quoted_answers_say_that_they_quote(chat):
    ask(chat)
    assert "word for word, not generated" in said(chat.container(key="chat_answer_1"))


def test_a_claim_without_support_is_named_in_words(chat, services):
    services.script = samples.DOUBTED
    ask(chat)
    told = said(chat.container(key="chat_answer_1"))
    assert "3 claims, 2 cited, 1 supported" in told
    assert "Not supported by its source] “Caches never grow old.” The sentence says the opposite." in told


def test_an_unknown_price_is_called_unknown(chat, services):
    services.script = samples.DOUBTED
    ask(chat)
    label = chat.expander(key="chat_usage_1").label
    assert label == "2,914 tokens in (1,024 cached), 212 out · price unknown · 38 ms"


def test_a_known_price_is_shown(chat, services):
    services.script = samples.PRICED
    ask(chat)
    assert "$0.0007" in chat.expander(key="chat_usage_1").label


def test_an_answer_without_a_model_is_free(chat):
    ask(chat)
    assert chat.expander(key="chat_usage_1").label == "no tokens · free · 38 ms"


def test_ranks_are_told_in_words(chat):
    ask(chat)
    told = said(chat.expander(key="chat_hits_1"))
    assert "rank 1 by meaning, 3 by words · shared words: cach" in told
    assert "beyond the top 1" in told


def test_a_greeting_has_no_evidence(chat, services):
    services.script = samples.GREETING
    ask(chat, "hello")
    with pytest.raises(KeyError):
        chat.expander(key="chat_hits_1")


def test_a_partial_answer_says_what_is_missing(chat, services):
    services.script = samples.PARTIAL
    ask(chat)
    assert "Missing: the price of a cache" in chat.info[0].value


def test_a_refusal_offers_the_nearest_topics(chat, services):
    services.script = samples.REFUSED
    ask(chat, "How do I bake bread?")
    chat.button(key="chat_topic_1_0").click().run()
    assert turns(services)[1].question == "What should I know about when agents fail?"


def test_a_refusal_without_a_model_offers_no_general_knowledge(chat, services):
    services.script = samples.REFUSED
    ask(chat)
    with pytest.raises(KeyError):
        chat.button(key="chat_general_1")


def test_general_knowledge_is_asked_for_by_hand_and_marked(open_services):
    services = open_services(
        chat={"provider": "openai_compatible", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
    )
    services.script = samples.REFUSED
    app = ask(page().run())
    services.script = samples.FROM_MEMORY
    app.button(key="chat_general_1").click().run()
    assert services.asked[-1][0].general_knowledge
    assert "rests on no source" in app.warning[0].value


def test_an_interrupted_answer_is_labelled_and_can_be_tried_again(chat, services):
    services.script = samples.CUT
    ask(chat)
    assert "Not finished" in chat.warning[0].value
    assert "trace0000000005" in chat.warning[0].value
    services.script = samples.ANSWER
    chat.button(key="chat_retry_1").click().run()
    assert not chat.warning
    assert [stored.answer.outcome for stored in turns(services)[0].answers] == ["interrupted", "answered"]


@pytest.mark.parametrize(
    "error",
    [
        ProviderUnavailable("The model did not answer in time.", hint="Try again in a minute."),
        BudgetExceeded("Today's budget is used up.", limit=1, spent=1, hint="Choose the quotes."),
    ],
)
def test_a_failure_says_what_happened_what_to_do_and_its_trace_id(chat, services, error):
    services.script = error
    ask(chat)
    told = chat.warning[0].value
    assert str(error).rstrip(".") in told
    assert error.hint.rstrip(".") in told
    assert turns(services)[0].answers[0].answer.trace_id in told
    assert turns(services)[0].question == "What is a cache?"


def test_an_unexpected_error_shows_none_of_its_text(chat, services):
    services.script = ValueError("prompt: my secret question")
    ask(chat)
    assert "secret" not in said(chat.main)
    assert "Something went wrong" in chat.warning[0].value


def test_a_question_that_is_too_long_goes_back_into_the_input(chat, services):
    chat.chat_input(key="chat_input").set_value("x" * 4001).run()
    assert "4,001 characters" in chat.error[0].value
    assert services.conversations.list() == []
    assert chat.chat_input(key="chat_input").proto.value == "x" * 4001


def test_a_conversation_is_shown_again_in_a_new_session(chat, services):
    ask(chat)
    again = page(c=only_conversation(services).id).run()
    assert said(again.container(key="chat_answer_1")) == said(chat.container(key="chat_answer_1"))


def test_a_conversation_that_is_gone_is_said_to_be_gone(services):
    app = page(c="nonsense").run()
    assert "no longer there" in app.info[0].value


def test_a_follow_up_carries_the_earlier_turns(chat, services):
    ask(chat)
    ask(chat, "And why?")
    assert [turn.question for turn in services.asked[-1][0].history] == ["What is a cache?"]
    assert chat.container(key="chat_answer_2") is not None


def test_answering_again_keeps_both_answers_and_shows_the_new_one(chat, services):
    ask(chat)
    services.script = samples.PARTIAL
    chat.button(key="chat_regenerate_1").click().run()
    assert [stored.answer.outcome for stored in turns(services)[0].answers] == ["answered", "partial"]
    assert chat.info
    chat.button(key="chat_variant_before_1").click().run()
    assert not chat.info
    assert turns(services)[0].shown == 0


def test_another_text_can_be_searched_for(chat, services):
    ask(chat)
    asked = len(services.asked)
    chat.text_input(key="chat_search_text_1").set_value("caches in general")
    chat.button(key="chat_search_again_1").click().run()
    assert len(services.asked) == asked + 1
    assert services.asked[-1][0].searched_for == "caches in general"
    assert services.asked[-1][0].question == "What is a cache?"


def test_a_rating_and_its_reason_are_stored_with_the_answer(chat, services):
    ask(chat)
    chat.feedback(key="chat_feedback_1").set_value(0).run()
    chat.text_input(key="chat_feedback_reason_1").set_value("too short").run()
    stored = turns(services)[0].answers[0]
    assert (stored.feedback.rating, stored.feedback.reason) == ("down", "too short")
    exported = json.loads(conversation_json(only_conversation(services), turns(services)))
    assert "too short" in json.dumps(exported)


def test_a_rating_belongs_to_its_conversation_alone(chat, services):
    ask(chat)
    chat.feedback(key="chat_feedback_1").set_value(1).run()
    chat.button(key="chat_new").click().run()
    ask(chat, "Another question?")
    assert chat.feedback(key="chat_feedback_1").value is None


def test_conversations_are_listed_and_searched(chat, services):
    ask(chat)
    chat.button(key="chat_new").click().run()
    services.script = samples.GREETING
    ask(chat, "Nothing about it")
    listed = [button.label.strip("*") for button in chat.container(key="chat_history").button]
    assert listed == ["Nothing about it", "What is a cache?"]
    chat.text_input(key="chat_search").set_value("STALE").run()
    assert [b.label.strip("*") for b in chat.container(key="chat_history").button] == ["What is a cache?"]


def test_a_new_chat_is_empty(chat):
    ask(chat)
    chat.button(key="chat_new").click().run()
    assert chat.button(key="chat_suggestion_0") is not None


def test_a_hostile_title_is_only_text(chat, services):
    ask(chat, "![x](https://evil.example/a.png) :red[y]")
    label = chat.container(key="chat_history").button[0].label
    assert label == "**\\!\\[x\\](`https://evil.example/a.png`) \\:red\\[y\\]**"


def test_the_key_of_a_user_is_in_no_file(chat, services, tmp_path):
    chat.selectbox(key="model_picker").select("own_openai").run()
    chat.text_input(key="model_api_key").set_value("sk-canary-4711").run()
    ask(chat)
    assert services.asked[-1][1].api_key.get_secret_value() == "sk-canary-4711"
    assert [p for p in tmp_path.rglob("*") if p.is_file() and b"sk-canary-4711" in p.read_bytes()] == []


def test_a_model_without_its_key_keeps_the_question(chat, services):
    chat.selectbox(key="model_picker").select("own_openai").run()
    ask(chat)
    assert "API key" in chat.error[0].value
    assert services.asked == []
    assert chat.chat_input(key="chat_input").proto.value == "What is a cache?"


def test_own_keys_can_be_switched_off(open_services):
    open_services(chat={"allow_own_key": False})
    assert page().run().selectbox(key="model_picker").options == ["Quotes from the sources"]


def test_a_question_goes_to_the_chosen_model(chat, services):
    chat.selectbox(key="model_picker").select("own_compatible").run()
    chat.text_input(key="model_base_url").set_value("http://127.0.0.1:9/v1").run()
    chat.text_input(key="model_name").set_value("llama").run()
    ask(chat)
    assert services.asked[-1][1] == ModelChoice("openai_compatible", "llama", "http://127.0.0.1:9/v1")


def test_long_conversations_show_their_last_turns_first(chat, services):
    conversation = services.conversations.create("long")
    for number in range(25):
        turn = services.conversations.add_turn(conversation.id, f"Question {number}")
        answer = services.conversations.begin_answer(turn, "embedded", "", "t")
        services.conversations.complete(answer, samples.GREETING)
    app = page(c=conversation.id).run()
    assert len(app.text) == 20
    app.button(key="chat_earlier").click().run()
    assert len(app.text) == 25
    app.feedback(key="chat_feedback_1").set_value(0).run()
    assert len(app.text) == 25
