"""Recognises what needs no search: greetings, thanks, goodbyes, and input without a question in it."""

from __future__ import annotations

import re

from rag.text.words import words

_GREETING = frozenset(
    "hi hello hey hiya howdy greetings good morning afternoon evening day there viva everyone".split()
)
_THANKS = frozenset(
    """
    thanks thank you thx ty cheers great cool nice perfect ok okay awesome helpful so much very a lot
    that was very really appreciate it got understood wonderful good job well done
    """.split()
)
_GOODBYE = frozenset("bye goodbye see you later ciao cu good night have a nice day".split())
_ABOUT_VIVA = re.compile(
    r"^\W*(?:(?:who|what|how) are you|what can you do|help(?: me)?|how do (?:you work|i use you))\W*$",
    re.IGNORECASE,
)

GREETING_REPLY = (
    "Hello. Ask me anything that the documents in the library may say: I answer from them and show the "
    "sentences my answer rests on."
)
THANKS_REPLY = "You are welcome. Ask the next question whenever you like."
GOODBYE_REPLY = (
    "Goodbye, and good luck with the interview. This conversation is kept in the list on the left."
)
ABOUT_REPLY = (
    "I answer questions from the documents in the library. Every answer cites the sentences it rests on, "
    "and when the library does not say something, I say so instead of guessing."
)
EMPTY_REPLY = "I found no words in this that I could search for. Please ask a question in words."


def small_talk(text: str) -> str | None:
    """Return the reply to a message that needs no sources; None when it is to be searched."""
    if _ABOUT_VIVA.match(text):
        return ABOUT_REPLY
    said = words(text)
    if not said:
        return EMPTY_REPLY
    if len(said) > 8 or "?" in text:
        return None
    used = set(said)
    if used <= _GREETING and used & {"hi", "hello", "hey", "hiya", "howdy", "greetings", "good"}:
        return GREETING_REPLY
    if used <= _THANKS and used & {"thanks", "thank", "thx", "ty", "cheers", "appreciate"}:
        return THANKS_REPLY
    if used <= {
        "great",
        "cool",
        "nice",
        "perfect",
        "ok",
        "okay",
        "awesome",
        "wonderful",
        "good",
        "got",
        "it",
        "understood",
    }:
        return THANKS_REPLY
    if used <= _GOODBYE and used & {"bye", "goodbye", "later", "ciao", "cu", "night"}:
        return GOODBYE_REPLY
    return None
