"""The texts that are sent to models, one Markdown file each; no other module holds any."""

from functools import cache
from importlib.resources import files


@cache
def prompt(name: str) -> str:
    """Return the text of rag/prompts/`name`.md, without white space around it."""
    return files(__name__).joinpath(f"{name}.md").read_text(encoding="utf-8").strip()
