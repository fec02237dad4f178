"""What a role's policies say of a refused call, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.denial.why import REAL, SIMULATED
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.denial.why import Examined, Near
    from auditor.engine.layers import Located

SHOWN: Final = 20
"""Things of one kind that are told; the rest are counted."""
LONGEST: Final = 300
"""Characters of other people's text in one place."""


def short(text: str) -> str:
    """Return other people's text made visible, and cut."""
    shown = visible(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def asked_words(asked: Examined) -> Iterator[str]:
    """Yield what the role's policies say of a call."""
    if asked.simulated == "allowed":
        yield f"The role may make this call to {SIMULATED}, by its policies as they are."
        if asked.real == "not decided":
            yield f"Whether it may to {REAL} can't be decided."
        elif asked.real == "not allowed":
            yield (
                f"To {REAL} it may not: the mail was for somebody outside the simulator, or the"
                " policies have changed since. Change the recipients, copies included."
            )
        else:
            yield (
                f"To {REAL} it may as well, so the role mails real people; what was refused had"
                " something else in it, or the policies have changed since."
            )
        return
    if asked.simulated == "not decided":
        yield f"Whether the role may make this call to {SIMULATED} can't be decided."
        yield from (f"Not read: {short(text)}." for text in asked.unread)
    for one in asked.denies:
        yield f"{_place(one)} denies it, to the simulator too. No Allow gets past it."
    for name in asked.silent:
        yield f"Nothing in {short(name)} allows it."
    for near in asked.near[:SHOWN]:
        yield _nearly(near)
    if asked.mended == "allowed":
        yield f"With the policy below the role may make this call to {SIMULATED}."
    elif asked.mended is not None and asked.simulated == "not allowed":
        yield "The policy below is not enough: what is named here has to change as well."


def _nearly(near: Near) -> str:
    why = []
    if near.elsewhere:
        statement = near.located.statement
        told = short(", ".join(statement.resources[:SHOWN]))
        why.append(f"it is about {'all but ' if statement.not_resource else ''}{told}")
    why += (
        f"its condition {short(one.spelled)} {short(one.shown)} {short(', '.join(one.values))}"
        " doesn't hold"
        for one in near.failed
    )
    return f"{_place(near.located)} names the action, but {' and '.join(why)}."


def _place(one: Located) -> str:
    statement = one.statement
    sid = f' "{short(statement.sid)}"' if statement.sid else ""
    effect = "Allow" if statement.allows else "Deny"
    kind = {"scp": "service control policy", "boundary": "permissions boundary"}.get(
        one.source.kind, f"{one.source.kind} policy"
    )
    return f"The {effect} in statement {statement.index}{sid} of {kind} {short(one.source.name)}"
