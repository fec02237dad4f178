"""Changes of single statements that might close an exposure, the smallest first.

A statement that is about more than sends is only changed where requests without recipients, which
all others are, find the same in it as before: mending mail must not cost or give anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.actions import RECIPIENTS
from auditor.engine.layers import Located
from auditor.explain.words import listing, place, short
from auditor.explain.world import Edit
from auditor.policy.operators import NULL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.explain.world import Raw, World
    from auditor.policy.model import Condition, Statement

SIMULATOR: Final = "*@simulator.amazonses.com"
GUARDED: Final = "ForAnyValue:StringNotLike"
_LIMITED: Final = "ForAllValues:StringLike"


def elsewhere(world: World, denies: Sequence[Located]) -> list[Located]:
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


def edits(
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
    yield from _reworded(on_recipients)
    for one in others:
        if _editable(one) and not one.statement.not_action:
            yield _named(one, actions)
    for one in allows:
        if _editable(one) and sends_only(one.statement):
            yield _limited(one)


def _reworded(on_recipients: Sequence[tuple[Located, Condition]]) -> Iterator[tuple[str, Edit]]:
    """Yield changes of conditions on the recipients: the fewest changed words first."""
    for one, condition in on_recipients:
        for name in _operators(one, condition):
            if _harmless(one, condition, name):
                yield _replaced(one, condition, name, None)
    for one, condition in on_recipients:
        yield _replaced(one, condition, condition.spelled, SIMULATOR)
    for one, condition in on_recipients:
        wanted = _LIMITED if one.statement.allows else GUARDED
        if _harmless(one, condition, wanted):
            yield _replaced(one, condition, wanted, SIMULATOR)
    for one, condition in on_recipients:
        yield from _beside(one, condition)


def _beside(one: Located, condition: Condition) -> Iterator[tuple[str, Edit]]:
    """Yield what also looks at other keys: is the key there, must the other conditions hold."""
    statement = one.statement
    if statement.allows:
        if sends_only(statement):
            for name in _operators(one, condition):
                yield _replaced(one, condition, name, None, present=True)
            yield _replaced(one, condition, _LIMITED, SIMULATOR, present=True)
    elif len(statement.conditions) > 1 and (
        sends_only(statement) or _without_key(condition.spelled) is False
    ):
        yield _alone(one, condition)


def _editable(one: Located) -> bool:
    """Tell whether the account can change a statement's policy, be it shared or not."""
    return one.layer in ("identity", "permissions-boundary") and one.source.kind != "aws-managed"


def sends_only(statement: Statement) -> bool:
    """Tell whether a statement is about send actions alone: SES has no others named ``Send…``.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html
    """
    return not statement.not_action and all(
        name.lower().startswith("ses:send") for name in statement.names
    )


def _harmless(one: Located, condition: Condition, name: str) -> bool:
    """Tell whether another operator changes nothing for requests that aren't sends."""
    if sends_only(one.statement):
        return True
    before = _without_key(condition.spelled)
    return before is not None and before == _without_key(name)


def _without_key(spelled: str) -> bool | None:
    """Return whether an operator holds where its key is absent (None: AWS doesn't say).

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    name = spelled.lower()
    if name.startswith("foranyvalue:"):
        return None if name.endswith("ifexists") else False
    return name.startswith("forallvalues:") or name.endswith("ifexists") or "not" in name


def _shared(one: Located) -> str:
    return "" if one.source.kind == "inline" else ", a managed policy that other roles may share"


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


def _replaced(
    one: Located, condition: Condition, name: str, value: str | None, *, present: bool = False
) -> tuple[str, Edit]:
    def edit(raw: Raw) -> Raw:
        block = raw["Condition"]
        assert isinstance(block, dict)  # noqa: S101 - it was parsed
        values = block[condition.spelled].pop(condition.shown)
        if not block[condition.spelled]:
            del block[condition.spelled]
        block.setdefault(name, {})[condition.shown] = values if value is None else value
        if present:
            block.setdefault("Null", {})[condition.shown] = "false"
        return raw

    changes = []
    if name != condition.spelled:
        changes.append(f"{short(condition.spelled)} to {name}")
    if value is not None:
        changes.append(f"the value of {short(condition.shown)} to {value}")
    demand = f", and demand that {short(condition.shown)} is there" if present else ""
    what = f"In {place(one)}{_shared(one)}, change {listing(changes) or 'nothing'}{demand}"
    return what.replace(" change nothing, and", ""), Edit(one, edit)


def _alone(one: Located, condition: Condition) -> tuple[str, Edit]:
    def edit(raw: Raw) -> Raw:
        block = raw["Condition"]
        assert isinstance(block, dict)  # noqa: S101 - it was parsed
        kept = block[condition.spelled][condition.shown]
        raw["Condition"] = {condition.spelled: {condition.shown: kept}}
        return raw

    return (
        f"In {place(one)}{_shared(one)}, drop the conditions beside the one on the recipients",
        Edit(one, edit),
    )


def _named(one: Located, actions: Sequence[str]) -> tuple[str, Edit]:
    def edit(raw: Raw) -> Raw:
        raw["Action"] = list(dict.fromkeys((*one.statement.names, *actions)))
        return raw

    return f"In {place(one)}{_shared(one)}, name {listing(list(actions))} too", Edit(one, edit)


def _limited(one: Located) -> tuple[str, Edit]:
    def edit(raw: Raw) -> Raw:
        block = raw.setdefault("Condition", {})
        assert isinstance(block, dict)  # noqa: S101 - it was parsed
        block.setdefault(_LIMITED, {})["ses:Recipients"] = SIMULATOR
        block.setdefault("Null", {})["ses:Recipients"] = "false"
        return raw

    return f"In {place(one)}{_shared(one)}, allow the simulator alone: add a condition", Edit(
        one, edit
    )
