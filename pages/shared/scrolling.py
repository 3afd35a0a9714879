"""Scrolls the page to an element: the one thing here that needs JavaScript."""

from __future__ import annotations

from typing import Literal

import streamlit as st

_scroller = st.components.v2.component(
    "viva_scroller",
    js="""
const seen = new WeakMap();
export default function ({ data, parentElement }) {
  if (!data.selector || seen.get(parentElement) === data.occasion) return;
  seen.set(parentElement, data.occasion);
  window.vivaScroll?.abort();  // two that go on side by side would pull the page to and fro
  const over = (window.vivaScroll = new AbortController());
  const { signal } = over;
  for (const used of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    // Captured: some fields, e.g. options, keep their keys to themselves.
    window.addEventListener(used, () => over.abort(), { passive: true, capture: true, signal });
  }
  setTimeout(() => over.abort(), 10_000);
  let left = { height: -1, top: 0 };
  const look = () => {
    if (signal.aborted) return;
    const element = document.querySelector(data.selector);
    const now = () => ({
      height: element.closest("[data-testid=stMain]")?.scrollHeight ?? 0,
      top: element.getBoundingClientRect().top,
    });
    if (element && (now().height !== left.height || Math.abs(now().top - left.top) > 1)) {
      element.scrollIntoView({ block: data.block });
      left = now();
    }
    setTimeout(look, 120);
  };
  look();
}
""",
)


def scroll_to(selector: str, occasion: str, block: Literal["start", "center"] = "start") -> None:
    """Bring the first element that matches into view, once per `occasion`.

    The page grows while it is drawn, and Streamlit scrolls by itself, e.g. to the top of a new page. So this
    is repeated whenever the height has changed or the element has moved: for ten seconds, or until the reader
    does something or something else is scrolled to.
    """
    data = {"selector": selector, "occasion": occasion, "block": block}
    _scroller(key="scroller", data=data, height=1)


def be_ready() -> None:
    """Load the scroller before there is anything to scroll to: loading it takes a slow browser seconds."""
    _scroller(key="scroller", data={"selector": ""}, height=1)
