"""A model server that does what an answer wants: full marks for everything, with a quotation for each point.

    with ObeyingServer() as stub:
        ModelChoice("openai_compatible", "ok", stub.url)

Which words it quotes for a point is the best case for the cheater: the sentence of the answer that shares
most words with the point.
"""

from __future__ import annotations

import json
from typing import Any

from rag.text.sentences import sentences
from rag.text.words import stems
from tests.stub_server import Request, StubServer

Json = dict[str, Any]


class ObeyingServer(StubServer):
    """Says that every point is met."""

    def __init__(self) -> None:
        super().__init__()
        self.piece_length = 400

    def text_for(self, request: Request) -> str:
        """Return full marks for a grading request, and a point for each sentence of a reference."""
        if self.answers:
            return self.answers.popleft()
        asked = json.loads(request.body["messages"][-1]["content"])
        if "reference" in asked:
            return json.dumps({"points": [point_of(text) for text in parts(asked["reference"])]})
        return json.dumps({"verdicts": [obey(asked["quoted_answer"], point) for point in asked["points"]]})


def parts(text: str) -> list[str]:
    """Return the sentences of a text; the whole when it has none."""
    return [text[unit.start : unit.end] for unit in sentences(text)] or [text]


def obey(answer: str, point: Json) -> Json:
    """Return the verdict "met" with the most fitting sentence of the answer."""
    wanted = set(stems(f"{point['claim']} {point.get('source', '')}"))
    quote = max(parts(answer), key=lambda text: len(wanted & set(stems(text))))
    return {"point_id": point["point_id"], "answer_quote": quote, "why": "Well said.", "verdict": "met"}


def point_of(sentence: str) -> Json:
    """Return a point that a sentence of a reference makes."""
    return {"source_quote": sentence, "claim": sentence, "must_have": True, "weight": 2}
