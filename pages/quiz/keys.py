"""Lets the keys of a question act while an option or a tick has the focus, which keeps keys to itself."""

from __future__ import annotations

import streamlit as st

_keys = st.components.v2.component(
    "viva_keys",
    js="""
let listens = false;
const press = (event) => {
  const { target, key, ctrlKey, metaKey, altKey } = event;
  if (!["radio", "checkbox"].includes(target.type) || !target.closest(".st-key-quiz_question")) return;
  const isPlain = !(ctrlKey || metaKey || altKey);
  let name = "";
  if (key === "Enter" && (ctrlKey || metaKey)) name = "quiz_submit";
  else if (isPlain && /^[1-9]$/.test(key)) name = `quiz_key_${key}`;
  const button = name && document.querySelector(`.st-key-${name} button`);
  if (!button) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  button.click();
};
export default function () {
  if (listens) return;
  listens = true;
  document.addEventListener("keydown", press, true);
}
""",
)


def hear() -> None:
    """Press Submit at Ctrl+Enter, and the button of an option at its number."""
    _keys(key="quiz_keys_heard", height=1)
