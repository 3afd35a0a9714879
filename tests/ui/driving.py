"""Drives the app without a browser."""

from pathlib import Path

from streamlit.testing.v1 import AppTest

FRAME = Path(__file__).parents[2] / "pages" / "frame.py"


def page(**query):
    """Return the app in a new browser session, not yet run."""
    app = AppTest.from_file(FRAME, default_timeout=20)
    for name, value in query.items():
        app.query_params[name] = value
    return app


def ask(app, question="What is a cache?"):
    """Type a question, send it, and wait for the answer."""
    app.chat_input(key="chat_input").set_value(question).run()
    assert not app.exception
    return app


def said(node):
    """Return all texts inside a container, one after the other."""
    texts = []
    for kind in ("markdown", "caption", "warning", "info", "error", "text", "html", "button", "expander"):
        texts += [
            str(getattr(element, "value", None) or getattr(element, "label", ""))
            for element in node.get(kind)
        ]
    return "\n".join(texts)
