"""Reads the file in which somebody keeps questions: YAML in the form of the shipped bank, or a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from rag.errors import InvalidInput
from rag.ingestion.parsing.decoding import text_of
from rag.quiz.own_items import Draft, draft
from rag.quiz.own_tables import drafts_of_table

MOST_BYTES, MOST_ITEMS = 1_000_000, 500
"""Of one file; checking so many items, most of it embedding their options, takes up to a minute."""
YAML, TABLES = ("yaml", "yml"), ("csv", "tsv")
_DEEPEST, _MOST_EVENTS = 12, 200_000
_HINT = "The template shows the form."


def read_drafts(content: bytes, name: str) -> list[Draft]:
    """Return the items of a file in their order. Raises InvalidInput, with the line, when it holds none."""
    if len(content) > MOST_BYTES:
        raise InvalidInput(
            f"{name} is larger than {MOST_BYTES:,} bytes.", hint="Split it into several files."
        )
    ending = name.rpartition(".")[2].lower()
    if ending not in (*YAML, *TABLES):
        raise InvalidInput(f"{name} is neither YAML nor CSV.", hint="Its name has to end in .yaml or .csv.")
    text = text_of(content)
    if text is None:
        raise InvalidInput(
            f"{name} is not a text file.", hint="Save the table as CSV, or write YAML with a text editor."
        )
    drafts = [*(_drafts_of_yaml(text, name) if ending in YAML else drafts_of_table(text, name))]
    if not drafts:
        raise InvalidInput(f"{name} holds no question.", hint=_HINT)
    if len(drafts) > MOST_ITEMS:
        raise InvalidInput(
            f"{name} holds {len(drafts):,} questions, more than {MOST_ITEMS}.",
            hint="Split it into several files.",
        )
    return drafts


def _drafts_of_yaml(text: str, name: str) -> Iterator[Draft]:
    """Yield the items of one topic or of a list of topics."""
    root = _composed(text, name)
    for bank in root.value if isinstance(root, yaml.SequenceNode) else [root]:
        if not isinstance(bank, yaml.MappingNode):
            raise _misplaced(name, bank, "a topic with `open` or `multiple_choice` is expected here")
        parts = {_key(key): node for key, node in bank.value}
        if len(parts) < len(bank.value):
            raise _misplaced(name, bank, "this topic has two fields of the same name")
        topic = parts.pop("topic", None)
        shared = {"topic": topic.value} if isinstance(topic, yaml.ScalarNode) else {}
        for part, node in parts.items():
            if part not in ("open", "multiple_choice"):
                raise _misplaced(name, node, f"`{part[:40]}` is not known here")
            if isinstance(node, yaml.ScalarNode) and not node.value:
                continue
            if not isinstance(node, yaml.SequenceNode):
                raise _misplaced(name, node, f"`{part}` has to be a list of questions")
            for item in node.value:
                value = _value(item)
                fields = shared | value if isinstance(value, dict) else value
                yield draft(f"line {_line(item.start_mark)}", fields, is_open=part == "open")


def _composed(text: str, name: str) -> yaml.Node:
    """Return the nodes of a YAML text, which may have no aliases: a few of them make billions of items."""
    depth = 0
    try:
        for number, event in enumerate(yaml.parse(text, yaml.CBaseLoader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            is_alias = isinstance(event, yaml.AliasEvent)
            if is_alias or depth > _DEEPEST or number > _MOST_EVENTS:
                what = "uses an alias" if is_alias else "is nested too deeply or too long"
                raise InvalidInput(
                    f"{name}, line {_line(event.start_mark)} {what}.", hint="Write each question out."
                )
        root = yaml.compose(text, yaml.CBaseLoader)
    except yaml.YAMLError as error:
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        raise InvalidInput(
            f"{name}, line {_line(mark)} is not valid YAML: {problem or 'wrong form'}.",
            hint="A text with a colon or a quotation mark needs quotation marks around it.",
        ) from None
    if root is None:
        raise InvalidInput(f"{name} holds no question.", hint=_HINT)
    return root


def _line(mark: Any) -> int:
    """Return the 1-based line of a place in a YAML text; the first where there is none."""
    return mark.line + 1 if mark else 1


def _key(node: yaml.Node) -> str:
    return node.value if isinstance(node, yaml.ScalarNode) else ""


def _value(node: yaml.Node) -> Any:
    """Return what a node holds; each scalar is a text, so that `no` and `404` stay what they look like."""
    if isinstance(node, yaml.MappingNode):
        return {_key(key): _value(value) for key, value in node.value}
    return [_value(one) for one in node.value] if isinstance(node, yaml.SequenceNode) else node.value


def _misplaced(name: str, node: yaml.Node, problem: str) -> InvalidInput:
    return InvalidInput(f"{name}, line {_line(node.start_mark)}: {problem}.", hint=_HINT)
