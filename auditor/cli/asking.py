"""Asking whoever is at the terminal before anything is changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import typer

from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.remediate.model import Entry, Plan

NAMED: Final = 10
"""Roles that a question names; the others are counted."""


def check_somebody(*, yes: bool) -> None:
    """Raise InputError where nobody can be asked: before anything is read for the question."""
    if not (yes or (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty())):
        raise InputError("nobody can be asked here: give --yes to go on without a question")


def ask(question: str, *, yes: bool) -> None:
    """Ask. Raises InputError where the answer is no, or none (Ctrl-C, Ctrl-D)."""
    if yes:
        return
    from auditor.text import visible

    try:
        agreed = typer.confirm(visible(question) + "?", err=True)
    except typer.Abort:
        sys.stderr.write("\n")  # the question's line has no end yet
        agreed = False
    if not agreed:
        raise InputError("nothing was changed")


def about_plan(made: Plan) -> str:
    """Return what is asked before a plan is carried out."""
    from auditor.corrective.names import MANAGED
    from auditor.remediate.warn import closing

    warned = sum(bool(one.warnings) for one in made.changes)
    has = "has a warning" if warned == 1 else "have warnings"
    heed = f"; {count(warned)} of them {has}, which the plan tells" if warned else ""
    overruled = closing(made)
    verb = "closes" if overruled == 1 else "close"
    heed += f"; {overruled:,} {verb} what an exception covers" if overruled else ""
    inline = sum(one.way == "inline" for one in made.changes)
    how = f" ({inline:,} of them inline)" if inline else ""
    named = names([one.role_name for one in made.changes])
    return (
        f"{made.id}, made {made.created_at:%Y-%m-%d}: put the {made.policy} {MANAGED[made.policy]}"
        f" on {count(len(made.changes))}{how} of account {made.account_id}: {named}{heed}. Go on"
    )


def about_undo(plan_id: str, entries: Sequence[Entry], roles: Sequence[str]) -> str:
    """Return what is asked before a plan is taken back: from the roles named, or from all."""
    from auditor.remediate.history import history

    by_role: dict[tuple[str, str], list[Entry]] = {}
    for one in entries:
        if not roles or one.role_name in roles or one.role_arn in roles:
            by_role.setdefault((one.role_arn, one.role_id), []).append(one)
    found = sorted(
        some[0].role_name for (_, id_), some in by_role.items() if history(some, id_).ours
    )
    if not found:
        return f"{plan_id}: nothing of it is on any of these roles, as the journal has it. Go on"
    return (
        f"{plan_id}: take back what it put on {count(len(found))} of account"
        f" {entries[0].account_id}:"
        f" {names(found)}. Go on"
    )


def count(number: int) -> str:
    """Return how many roles, in words."""
    return f"{number:,} role" if number == 1 else f"{number:,} roles"


def names(roles: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = len(roles) - NAMED
    return ", ".join(roles[:NAMED]) + (f" and {more:,} more" if more > 0 else "")
