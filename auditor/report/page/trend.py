"""The trend over past audits: bars of exposed roles, drawn only where there is a past."""

from __future__ import annotations

from datetime import UTC, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from auditor.life import Day

WINDOW: Final = timedelta(days=90)
"""How far back the drawing reaches from the report's audit; what is earlier is left out."""
HEIGHT: Final = 96  # of the tallest bar, in the drawing's units
WIDTH: Final = 640  # of the whole drawing: 90 days of 7, each with a bar that can be seen
STEP: Final = 20  # of a day at most: few days would make broad bars
BAR: Final = 14  # of a bar at most
_SHARE: Final = 0.7  # of the room from one bar to the next


class Part(NamedTuple):
    """A part of a bar: ``proven``, ``possible`` or ``excepted`` roles, from its top down."""

    kind: str
    y: int
    height: int


class Bar(NamedTuple):
    """A day's last audit, drawn: places and sizes in the drawing's units, from its top left."""

    day: date
    counts: Day
    x: float
    top: int
    parts: tuple[Part, ...]


class Trend(NamedTuple):
    """The drawing: its bars in the order of time, and how many roles the tallest stands for.

    ``bar`` is the width of each. ``gaps``: whether there are days without an audit between them.
    ``incomplete`` and ``excepted``: whether there is any such bar, or part of one.
    """

    bars: tuple[Bar, ...]
    width: float
    bar: float
    top: int
    gaps: bool
    incomplete: bool
    excepted: bool


def trend(history: Sequence[Day], now: Day) -> Trend | None:
    """Return the drawing of past audits and this one; None where there is no past to show.

    A day has one bar, its last audit's; what came after the report's audit is left out. Bars stand
    as far apart as their days.
    """
    days = {
        one.at.astimezone(UTC).date(): one
        for one in sorted(history, key=lambda one: one.at)
        if now.at - WINDOW < one.at <= now.at
    }
    days[now.at.astimezone(UTC).date()] = now
    if len(days) < 2:
        return None
    dates = sorted(days)
    apart = [(after - before).days for before, after in pairwise(dates)]
    step = min(STEP, (WIDTH - BAR) / sum(apart))
    bar = round(min(BAR, min(apart) * step * _SHARE), 2)
    top = max(1, *(_roles(one) for one in days.values()))
    bars = [
        _bar(day, days[day], round((day - dates[0]).days * step, 2), top / HEIGHT) for day in dates
    ]
    return Trend(
        tuple(bars),
        bars[-1].x + bar,
        bar,
        top,
        gaps=max(apart) > 1,
        incomplete=not all(one.complete for one in days.values()),
        excepted=any(one.excepted for one in days.values()),
    )


def _bar(day: date, counts: Day, x: float, scale: float) -> Bar:
    """Return the bar of a day. ``scale`` is how many roles a unit of height stands for."""
    parts: list[Part] = []
    below = roles = 0
    for kind, number in (
        ("proven", counts.proven),
        ("possible", counts.possible),
        ("excepted", counts.excepted),
    ):
        roles += number
        height = round(roles / scale)  # of all so far, so that the parts add up
        if number:
            parts.append(Part(kind, HEIGHT - height, height - below))
        below = height
    return Bar(day, counts, x, HEIGHT - below, tuple(parts))


def _roles(one: Day) -> int:
    return one.proven + one.possible + one.excepted
