"""Examples of files with own questions, to download and to fill in."""

from __future__ import annotations

import csv
import io

_ROWS: tuple[dict[str, str], ...] = (
    {
        "question": "What does a load balancer do with a server that fails its health checks?",
        "kind": "mcq",
        "option_a": "it sends it no further requests",
        "option_b": "it restarts its process at once",
        "option_c": "it doubles its time limit",
        "option_d": "it moves its database away",
        "correct": "A",
        "explanation": "A server that fails is sent no requests until its checks pass again.",
        "topic": "operations",
        "level": "junior",
    },
    {
        "question": "Why does a team keep a runbook for its on-call engineers?",
        "kind": "open",
        "points": "*It says what to do, so that a tired person need not think it up|"
        "*It makes the time until recovery shorter|It spreads what only some people know",
        "model_answer": "A runbook is a list of steps for one kind of alert. At three in the morning "
        "nobody should have to think up a plan, so the page says what to look at, what to try and whom to "
        "call. That makes the time until recovery shorter, and it spreads what two people would keep.",
        "topic": "operations",
        "level": "mid",
    },
)
_COLUMNS = (
    *("question", "kind", "option_a", "option_b", "option_c", "option_d", "correct", "explanation"),
    *("points", "model_answer", "topic", "level", "document", "quote"),
)


def _table() -> str:
    written = io.StringIO(newline="")
    writer = csv.DictWriter(written, _COLUMNS)
    writer.writeheader()
    writer.writerows(_ROWS)
    return written.getvalue()


CSV_TEMPLATE = _table()
YAML_TEMPLATE = """\
# Own questions for Viva. Everything marked as optional may be left out.
topic: operations
multiple_choice:
- id: health-checks            # optional; a corrected question with the same id replaces the old one
  level: junior                # optional: junior, mid or senior; mid if it is left out
  question: What does a load balancer do with a server that fails its health checks?
  options:                     # three to five, about equally long; the order here is not the order shown
  - text: it sends it no further requests
    correct: true
    why: A server that fails is sent no requests until its checks pass again.
  - text: it restarts its process at once
    why: Restarting is the task of a supervisor on that machine, not of the balancer.
  - text: it doubles its time limit
    why: A longer limit would make users wait for a server that is known to be broken.
  - text: it moves its database away
    why: A balancer spreads requests over servers and knows nothing of where their data lies.
  # document: id or title of a document in the library         (optional, together with the quote)
  # quote: a sentence of it, word for word, that makes the key right
open:
- question: Why does a team keep a runbook for its on-call engineers?
  points:                      # three to six; what an answer should say
  - claim: It says what to do, so that a tired person need not think it up.
    must_have: true            # optional: true if it is left out
    weight: 3                  # optional: 1 to 3; 2 if it is left out
  - claim: It makes the time until recovery shorter.
    must_have: true
  - claim: It spreads what only some people know.
    must_have: false
  model_answer: >-             # 40 to 170 words, as one would say it
    A runbook is a list of steps for one kind of alert. At three in the morning nobody should have to think up
    a plan, so the page says what to look at, what to try and whom to call. That makes the time until recovery
    shorter, and it spreads knowledge that would otherwise sit with two people.
  follow_ups:                  # optional
  - How would you find out that a runbook is out of date?
"""
