"""Tells days and moments as the reader's clock shows them."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from zoneinfo import ZoneInfo

import streamlit as st

from rag.quiz.scheduling import zone_of


def zone() -> ZoneInfo:
    """Return the reader's time zone; UTC when the browser does not tell a known one."""
    return zone_of(st.context.timezone or "UTC")


def now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


def today(zone: tzinfo) -> date:
    """Return the day it is for the reader."""
    return now().astimezone(zone).date()


def day(day: date) -> str:
    """Return e.g. "7 Dec"; with the year when it is another one."""
    year = "" if day.year == now().year else f" {day.year}"
    return f"{day.day} {day:%b}{year}"


def moment(at: datetime, zone: tzinfo) -> str:
    """Return e.g. "7 Dec, 18:26"."""
    local = at.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M}"


def left(days: int) -> str:
    """Return how far a day is away: "today", "tomorrow" or "in 12 days"."""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days:,} days")
