"""The trend over past audits: bars of exposed roles, drawn only where there is a past."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.report.json import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

BARS_MAX: Final = 30
"""Audits drawn, the latest; earlier ones are left out."""
HEIGHT: Final = 96  # of the tallest bar, in the drawing's units
STEP: Final = 20  # from one bar to the next


class Past(NamedTuple):
    """What one audit of the account found. ``at`` is aware; the rest counts roles."""

    at: datetime
    roles: int
    proven: int
    possible: int
    undetermined: int


class Bar(NamedTuple):
    """One audit, drawn: places and heights in the drawing's units, from its top left corner."""

    day: str
    past: Past
    x: int
    proven_y: int
    proven: int
    possible_y: int
    possible: int


class Trend(NamedTuple):
    """The drawing: its bars in the order of time, its width, and the number its top stands for."""

    bars: tuple[Bar, ...]
    width: int
    top: int


def trend(history: Sequence[Past], now: Past) -> Trend | None:
    """Return the drawing of past audits and this one; None where there is no past."""
    if not history:
        return None
    audits = sorted({past.at: past for past in (*history, now)}.values(), key=lambda one: one.at)
    audits = audits[-BARS_MAX:]
    top = max(1, *(one.proven + one.possible for one in audits))
    bars = []
    for number, one in enumerate(audits):
        proven, both = (round(n / top * HEIGHT) for n in (one.proven, one.proven + one.possible))
        bars.append(
            Bar(
                timestamp(one.at)[:10],
                one,
                number * STEP,
                HEIGHT - proven,
                proven,
                HEIGHT - both,
                both - proven,
            )
        )
    return Trend(tuple(bars), len(bars) * STEP, top)
