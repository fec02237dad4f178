"""What ``remediate`` replies: counts whole, lists as long as they fit, what matters most first."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from auditor.remediate.known import plans_of
from chalicelib.reply import size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.remediate.interface import Journal
    from auditor.remediate.model import Left, Plan, Result, Value

KEPT_BYTES: Final = 200_000
"""Of a reply that is kept for the second time that its request comes (``once``). An item has at
most 400 KB, and what isn't ASCII takes less in it than here.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"""
PLAN_BYTES: Final = 5_000_000
"""Of a plan's changes in a reply: Lambda carries 6 MB (see ``reply``), and the rest needs room."""
LEFT_BYTES: Final = 100_000
PLANS: Final = 500  # told of in one reply, the newest
LINES: Final = 20  # of what could not be read, or of troubles with the journal

NOT_REACHED: Final = frozenset(("limit", "stopped"))
"""Outcomes of roles that a run didn't come to: running the plan again does."""
_WELL: Final = frozenset(("attached", "already", "detached", "absent"))
_LOUD: Final = frozenset(("exposed", "undetermined"))


def planned(made: Plan) -> dict[str, Any]:
    """Return a plan for a reply. ``changes_left_out`` counts the changes that didn't fit."""
    shown, missing = _fitting(made.changes, PLAN_BYTES)
    plan = made.model_dump(mode="json", exclude={"left", "changes"})
    return {"plan": {**plan, "changes": shown}, "changes_left_out": missing}


def left(made: Plan) -> dict[str, Any]:
    """Return why roles have no change: the exposed and the undetermined ones first."""
    ordered = sorted(made.left, key=_quiet)
    shown, missing = _fitting(ordered, LEFT_BYTES)
    return {"complete": made.complete, "left": shown, "left_out": missing}


def results(found: Sequence[Result]) -> dict[str, Any]:
    """Return what became of each role that a run came to, what went wrong first.

    ``outcomes`` counts all roles, those that it didn't come to included; ``results_left_out``
    counts the ones whose line didn't fit.
    """
    reached = [one for one in found if one.outcome not in NOT_REACHED]
    ordered = sorted(reached, key=_fine)
    shown, missing = _fitting(ordered, KEPT_BYTES)
    return {
        "outcomes": dict(Counter(one.outcome for one in found)),
        "results": shown,
        "results_left_out": missing,
    }


def plans(journal: Journal) -> dict[str, Any]:
    """Return the plans that a journal knows, the newest first."""
    known = sorted(plans_of(journal), key=lambda one: (one.at, one.plan_id), reverse=True)
    shown = [{**one._asdict(), "at": one.at.isoformat()} for one in known[:PLANS]]
    return {"plans": shown, "plans_left_out": len(known) - len(shown)}


def first(lines: Sequence[str]) -> list[str]:
    """Return the first lines, and how many there are more."""
    more = len(lines) - LINES
    return [*lines[:LINES], *([f"and {more:,} more"] if more > 0 else [])]


def _quiet(one: Left) -> bool:
    return one.standing is None or one.standing.verdict not in _LOUD


def _fine(one: Result) -> bool:
    return one.outcome in _WELL and not (one.standing and one.standing.verdict in _LOUD)


def _fitting(values: Iterable[Value], room: int) -> tuple[list[dict[str, Any]], int]:
    """Return the values that fit into so many bytes, in order, and how many didn't."""
    shown: list[dict[str, Any]] = []
    missing = 0
    for one in values:
        entry = one.model_dump(mode="json")
        needed = size(entry) + len(", ")
        if missing or needed > room:
            missing += 1
            continue
        room -= needed
        shown.append(entry)
    return shown, missing
