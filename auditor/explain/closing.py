"""What would close an exposure: changes as small as can be, each tried out by the engine.

A change is offered only where the engine, asked about the changed role, finds no request left that
the exposure's actions would carry out, and no exposed action that wasn't before. A policy that
can't be read is taken to allow everything, so what it holds can't undo the change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.actions import SEND_ACTIONS
from auditor.errors import PolicyError
from auditor.explain.edits import GUARDED, SIMULATOR, edits, elsewhere
from auditor.explain.words import listing
from auditor.explain.world import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.engine.decision import Decision, Exposure
    from auditor.engine.layers import Located
    from auditor.explain.world import Raw, World
    from auditor.findings import Verdict

OFFERED: Final = 2
"""Changes of statements offered for one exposure, beside the guard."""
TRIED: Final = 60
"""Changes tried for one exposure; a policy of thousands of conditions ends here."""

_CARRYING: Final = tuple(a.name for a in SEND_ACTIONS if a.carries_recipients)


class Closing(NamedTuple):
    """A change that closes the exposures of some actions. ``what`` is a sentence.

    ``document`` is a policy to add, or None; ``statement`` what stands in ``place`` afterwards.
    ``verdict`` is the role's with the change (``exposed``, where something else still is).
    ``opens`` are the actions that the change exposes, or makes surer: offered for want of better.
    """

    what: str
    verdict: Verdict
    document: Raw | None = None
    place: Located | None = None
    statement: Raw | None = None
    opens: tuple[str, ...] = ()


def guard(actions: Sequence[str]) -> Raw:
    """Return a policy that denies these actions to everyone outside the mailbox simulator.

    Of an action whose requests carry no recipients, nothing can be told apart: it is denied.
    """
    keyed = [name for name in actions if name in _CARRYING]
    others = [name for name in actions if name not in _CARRYING]
    statements: list[object] = []
    if keyed:
        statements.append({
            "Sid": "MailTheSimulatorOnly",
            "Effect": "Deny",
            "Action": keyed,
            "Resource": "*",
            "Condition": {GUARDED: {"ses:Recipients": SIMULATOR}},
        })  # fmt: skip
    if others:
        statements.append(
            {"Sid": "NoUncheckedMail", "Effect": "Deny", "Action": others, "Resource": "*"}
        )
    return {"Version": "2012-10-17", "Statement": statements}


def closings(
    world: World, ways: Sequence[Exposure], denies: Sequence[Located]
) -> tuple[Closing, ...]:
    """Return changes that close exposures that are alike, the smallest first, the guard last.

    ``denies`` are the Denies that bear on their actions and miss them.
    """
    actions = [one.action.name for one in ways]
    sure = world.generous()
    before = sure.decide()
    found: list[Closing] = []
    opening: list[Closing] = []
    others = elsewhere(world, denies)
    for number, (what, edit) in enumerate(edits(ways[0].allows, denies, others, actions)):
        if number == TRIED or len(found) == OFFERED:
            break
        try:
            after = sure.edited(edit).decide()
        except PolicyError:
            continue
        verdict = closed(after, actions)
        # what ends mail to the simulator too is no small change: the guard below does better
        if verdict is not None and verdict != "no_send":
            changed = edit.change(written(edit.located))
            if not any(_told(one, edit.located, changed) for one in found):
                opens = opened(before, after)
                (opening if opens else found).append(
                    Closing(what, verdict, None, edit.located, changed, opens)
                )
    document = guard(actions)
    verdict = closed(sure.plus(document).decide(), actions)
    if verdict is not None:
        keyed = any(name in _CARRYING for name in actions)
        beyond = " to all but the simulator" if keyed else ""
        what = f"Add a policy that denies {listing(actions)}{beyond}"
        found.append(Closing(what, verdict, document))
    return tuple(found or opening[:OFFERED])


def _told(one: Closing, place: Located, changed: Raw) -> bool:
    """Tell whether a change, but for a demand that a key is there, is offered already."""
    return one.place == place and _but_null(one.statement or {}) == _but_null(changed)


def _but_null(statement: Raw) -> Raw:
    block = statement.get("Condition")
    if not isinstance(block, dict):
        return statement
    return {**statement, "Condition": {name: of for name, of in block.items() if name != "Null"}}


def opened(before: Decision, after: Decision) -> tuple[str, ...]:
    """Return the actions that are exposed after a change and weren't before, or less surely."""
    had = {(one.action.name, one.certainty) for one in before.exposures}
    known = {name for name, certainty in had if certainty == "proven"}
    return tuple(
        dict.fromkeys(
            name
            for one in after.exposures
            for name in (one.action.name,)
            if name not in known and (name, one.certainty) not in had
        )
    )


def guarded(world: World) -> Closing | None:
    """Return the guard on all send actions that can reach a person, where that closes the role."""
    names = [action.name for action in SEND_ACTIONS if action.name != "ses:SendBounce"]
    document = guard(names)
    after = world.generous().plus(document).decide()
    if after.verdict in ("exposed", "undetermined"):
        return None
    return Closing("Add this policy to the role", after.verdict, document)


def closed(after: Decision, actions: Sequence[str]) -> Verdict | None:
    """Return the verdict if none of the actions is exposed any more, and that could be decided."""
    if after.verdict == "undetermined" or any(e.action.name in actions for e in after.exposures):
        return None
    noted = any(note.startswith(f"{name}:") for name in actions for note in after.notes)
    return None if noted else after.verdict
