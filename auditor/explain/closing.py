"""What would close an exposure: changes as small as can be, each tried out by the engine.

A change is offered only where the engine, asked about the changed role, finds no request left that
the exposure's actions would carry out. A policy that can't be read is taken to allow everything, so
what it holds can't undo the change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.actions import RECIPIENTS, SEND_ACTIONS
from auditor.engine.layers import Located
from auditor.errors import PolicyError
from auditor.explain.words import listing, place, short
from auditor.explain.world import Edit, written
from auditor.policy.operators import NULL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.engine.decide import Decision, Exposure
    from auditor.explain.world import Raw, World
    from auditor.findings import Verdict
    from auditor.policy.model import Condition

SIMULATOR: Final = "*@simulator.amazonses.com"
OFFERED: Final = 2
"""Changes of statements offered for one exposure, beside the guard."""
TRIED: Final = 60
"""Changes tried for one exposure; a policy of thousands of conditions ends here."""

_CARRYING: Final = tuple(a.name for a in SEND_ACTIONS if a.carries_recipients)
_GUARDED: Final = "ForAnyValue:StringNotLike"
_LIMITED: Final = "ForAllValues:StringLike"


class Closing(NamedTuple):
    """A change that closes the exposures of some actions. ``what`` is a sentence.

    ``document`` is a policy to add, or None; ``statement`` what stands in ``place`` afterwards.
    ``verdict`` is the role's with the change (``exposed``, where something else still is).
    """

    what: str
    verdict: Verdict
    document: Raw | None = None
    place: Located | None = None
    statement: Raw | None = None


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
            "Condition": {_GUARDED: {"ses:Recipients": SIMULATOR}},
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
    found: list[Closing] = []
    others = _elsewhere(world, denies)
    for number, (what, edit) in enumerate(_edits(ways[0].allows, denies, others, actions)):
        if number == TRIED or len(found) == OFFERED:
            break
        try:
            after = sure.edited(edit)
        except PolicyError:
            continue
        verdict = closed(after.decide(), actions)
        # what ends mail to the simulator too is no small change: the guard below does better
        if verdict is not None and verdict != "no_send":
            changed = edit.change(written(edit.located))
            if all((one.place, one.statement) != (edit.located, changed) for one in found):
                found.append(Closing(what, verdict, None, edit.located, changed))
    document = guard(actions)
    verdict = closed(sure.plus(document).decide(), actions)
    if verdict is not None:
        keyed = any(name in _CARRYING for name in actions)
        beyond = " to all but the simulator" if keyed else ""
        what = f"Add a policy that denies {listing(actions)}{beyond}"
        found.append(Closing(what, verdict, document))
    return tuple(found)


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


def _elsewhere(world: World, denies: Sequence[Located]) -> list[Located]:
    """Return the Denies by recipients that don't name the actions."""
    return [
        one
        for layer in world.layers
        for placed in layer.documents
        for statement in placed.document.statements
        if not statement.allows and any(c.key == RECIPIENTS for c in statement.conditions)
        for one in (Located(layer.name, placed.source, statement),)
        if one not in denies
    ]


def _edits(
    allows: Sequence[Located],
    denies: Sequence[Located],
    others: Sequence[Located],
    actions: Sequence[str],
) -> Iterator[tuple[str, Edit]]:
    """Yield changes of single statements: an operator, then a pattern, then both, then more."""
    mine = [one for one in (*allows, *denies) if _editable(one)]
    on_recipients = [
        (one, condition)
        for one in mine
        for condition in one.statement.conditions
        if condition.key == RECIPIENTS and condition.operator is not NULL
    ]
    for one, condition in on_recipients:
        for name in _operators(one, condition):
            yield _replaced(one, condition, name, None)
    for one, condition in on_recipients:
        yield _replaced(one, condition, condition.spelled, SIMULATOR)
    for one, condition in on_recipients:
        wanted = _LIMITED if one.statement.allows else _GUARDED
        yield _replaced(one, condition, wanted, SIMULATOR)
    for one, condition in on_recipients:
        if not one.statement.allows and len(one.statement.conditions) > 1:
            yield _alone(one, condition)
    for one in others:
        if _editable(one) and not one.statement.not_action:
            yield _named(one, actions)
    for one in allows:
        if _editable(one):
            yield _limited(one)


def _editable(one: Located) -> bool:
    """Tell whether the account can change a statement's policy for its roles alone."""
    return one.layer in ("identity", "permissions-boundary") and one.source.kind != "aws-managed"


def _operators(one: Located, condition: Condition) -> Iterator[str]:
    """Yield operators that differ in one thing from a condition's: its set operator, its not."""
    base = condition.operator.name + ("IfExists" if condition.if_exists else "")
    wanted = "ForAllValues" if one.statement.allows else "ForAnyValue"
    if condition.quantifier != ("all" if one.statement.allows else "any"):
        yield f"{wanted}:{base}"
    if condition.operator.family == "string":
        name = condition.operator.name
        turned = (
            name.replace("Not", "") if "Not" in name else name.replace("String", "StringNot", 1)
        )
        yield condition.spelled.replace(name, turned)
        yield f"{wanted}:{turned}"


def _replaced(one: Located, condition: Condition, name: str, value: str | None) -> tuple[str, Edit]:
    def edit(raw: Raw) -> Raw:
        block = raw["Condition"]
        assert isinstance(block, dict)  # noqa: S101 - it was parsed
        values = block[condition.spelled].pop(condition.shown)
        if not block[condition.spelled]:
            del block[condition.spelled]
        block.setdefault(name, {})[condition.shown] = values if value is None else value
        return raw

    changes = []
    if name != condition.spelled:
        changes.append(f"{short(condition.spelled)} to {name}")
    if value is not None:
        changes.append(f"the value of {short(condition.shown)} to {value}")
    return f"In {place(one)}, change {listing(changes)}", Edit(one, edit)


def _alone(one: Located, condition: Condition) -> tuple[str, Edit]:
    def edit(raw: Raw) -> Raw:
        block = raw["Condition"]
        assert isinstance(block, dict)  # noqa: S101 - it was parsed
        kept = block[condition.spelled][condition.shown]
        raw["Condition"] = {condition.spelled: {condition.shown: kept}}
        return raw

    return f"In {place(one)}, drop the conditions beside the one on the recipients", Edit(one, edit)


def _named(one: Located, actions: Sequence[str]) -> tuple[str, Edit]:
    def edit(raw: Raw) -> Raw:
        raw["Action"] = list(dict.fromkeys((*one.statement.names, *actions)))
        return raw

    return f"In {place(one)}, name {listing(list(actions))} too", Edit(one, edit)


def _limited(one: Located) -> tuple[str, Edit]:
    def edit(raw: Raw) -> Raw:
        block = raw.setdefault("Condition", {})
        assert isinstance(block, dict)  # noqa: S101 - it was parsed
        block.setdefault(_LIMITED, {})["ses:Recipients"] = SIMULATOR
        block.setdefault("Null", {})["ses:Recipients"] = "false"
        return raw

    return f"In {place(one)}, allow the simulator alone: add a condition", Edit(one, edit)
