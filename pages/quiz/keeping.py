"""Keeps what is being typed: a text area reports what it holds when it is left, here at every pause, too."""

from __future__ import annotations

import streamlit as st

_keeper = st.components.v2.component(
    "viva_keeper",
    js="""
const watched = new WeakSet();
export default function ({ data }) {
  let tries = 0;
  const look = () => {
    const area = document.querySelector(`.st-key-${data.key} textarea`);
    if (!area) { if (tries++ < 50) setTimeout(look, 100); return; }
    if (watched.has(area)) return;
    watched.add(area);
    let pause;
    area.addEventListener("input", () => {
      clearTimeout(pause);
      pause = setTimeout(() => {
        if (document.activeElement !== area) return;
        // What leaving the field does, without leaving it.
        area.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
        area.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
      }, data.pause);
    });
  };
  look();
}
""",
)
PAUSE_MS = 1200


def keep_typed(key: str) -> None:
    """Let the text area with this key report what is in it whenever its writer pauses."""
    _keeper(key=f"{key}_keeper", data={"key": key, "pause": PAUSE_MS}, height=1)
