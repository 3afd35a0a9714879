"""Scrolls the page to an element: the one thing here that needs JavaScript."""

from __future__ import annotations

from typing import Literal

import streamlit as st

_scroller = st.components.v2.component(
    "viva_scroller",
    js="""
const seen = new WeakMap();
export default function ({ data, parentElement }) {
  if (seen.get(parentElement) === data.occasion) return;
  seen.set(parentElement, data.occasion);
  let tries = 0;
  let stop = false;
  const leave = () => { stop = true; };
  for (const used of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    window.addEventListener(used, leave, { once: true, passive: true });
  }
  let seenHeight = -1;
  const look = () => {
    if (stop) return;
    const element = document.querySelector(data.selector);
    const height = element?.closest("[data-testid=stMain]")?.scrollHeight ?? 0;
    if (element && height !== seenHeight) element.scrollIntoView({ block: data.block });
    if (element) seenHeight = height;
    if (tries++ < 80) setTimeout(look, 120);
  };
  look();
}
""",
)


def scroll_to(selector: str, occasion: str, block: Literal["start", "center"] = "start") -> None:
    """Bring the first element that matches into view, once per `occasion`.

    The page grows while it is drawn, so this is repeated whenever its height has changed, for ten seconds or
    until the reader does something.
    """
    data = {"selector": selector, "occasion": occasion, "block": block}
    _scroller(key="scroller", data=data, height=1)
