"""What keeps a safe role safe: each limit is taken away in turn, and the engine is asked again."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.actions import BOUNCE, SEND_ACTIONS
from auditor.engine.layers import Located
from auditor.errors import PolicyError
from auditor.explain.words import condition_words, place, resource_words, short
from auditor.explain.world import EVERYTHING, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.engine.decision import Decision
    from auditor.explain.world import Raw, World
    from auditor.policy.model import Condition

TRIED: Final = 200
"""Limits taken away one by one; a role with more is told so."""
UNCLEAR_MAX: Final = 10
"""Removals that may end undecided; each can cost a whole search, so then no more are tried."""
PAIRED: Final = 16
"""Limits tried two at a time, where none alone matters: up to 120 pairs."""

_SENDS: Final = sum(1 << bit for bit, a in enumerate(SEND_ACTIONS) if a.name != BOUNCE)


class Limit(NamedTuple):
    """Something that may keep a role from sending: part of a statement, or a layer by its index."""

    what: str
    edit: Edit | None = None
    layer: int | None = None


class Removal(NamedTuple):
    """Limits that were taken away together, and the decision on the role without them."""

    limits: tuple[Limit, ...]
    after: Decision


class Keeping(NamedTuple):
    """What keeps a role safe.

    ``matter`` are the removals that expose the role, ``pairs`` those of two limits, tried where no
    single one does. ``idle`` are limits whose removal changes nothing; ``unclear`` ones without
    which the role can't be decided. ``left`` counts limits that weren't tried. ``granted`` is the
    decision on the role if one more policy allowed it everything.
    """

    matter: tuple[Removal, ...]
    pairs: tuple[Removal, ...]
    idle: tuple[Limit, ...]
    unclear: tuple[Removal, ...]
    left: int
    granted: Decision


def keeping(world: World) -> Keeping:
    """Find what keeps a safe role safe."""
    every = list(limits(world))
    tried: list[Limit] = []
    removals: list[Removal] = []
    for limit in every[:TRIED]:
        if sum(one.after.verdict == "undetermined" for one in removals) == UNCLEAR_MAX:
            break
        tried.append(limit)
        removals += [one for one in (_removed(world, (limit,)),) if one is not None]
    matter = tuple(one for one in removals if one.after.verdict == "exposed")
    pairs: tuple[Removal, ...] = ()
    if not matter:
        pairs = tuple(
            one
            for two in combinations(tried[:PAIRED], 2)
            if (one := _removed(world, two)) is not None and one.after.verdict == "exposed"
        )
    return Keeping(
        matter,
        pairs,
        tuple(
            one.limits[0] for one in removals if one.after.verdict in ("no_send", "simulator_only")
        ),
        tuple(one for one in removals if one.after.verdict == "undetermined"),
        len(every) - len(tried),
        world.plus(EVERYTHING).decide(),
    )


def _removed(world: World, taken: Sequence[Limit]) -> Removal | None:
    """Return the decision without some limits; None where IAM wouldn't accept what is left."""
    edits = [limit.edit for limit in taken if limit.edit is not None]
    layers = [limit.layer for limit in taken if limit.layer is not None]
    try:
        return Removal(tuple(taken), world.edited(*edits).without(*layers).decide())
    except PolicyError:
        return None


def limits(world: World) -> Iterator[Limit]:
    """Yield a role's limits: Denies, boundary, SCP levels, then conditions and resources."""
    placed = [
        Located(layer.name, one.source, statement)
        for layer in world.layers
        for one in layer.documents
        for statement in one.document.statements
        if statement.actions & _SENDS
    ]
    placed += [
        Located("identity-policy", one.source, statement)
        for identity in world.identities
        for one in identity.documents
        for statement in one.document.statements
        if statement.actions & _SENDS and not statement.allows
    ]
    for one in placed:
        if not one.statement.allows:
            yield _deny(one)
    for index, (name, layer) in enumerate(zip(world.names, world.layers, strict=True)):
        if layer.name != "identity":
            yield Limit(short(name), layer=index)
    for one in placed:
        if one.statement.allows:
            for condition in one.statement.conditions:
                yield _condition(one, condition)
            if one.statement.not_resource or "*" not in one.statement.resources:
                yield _resource(one)


def _deny(one: Located) -> Limit:
    def gone(raw: Raw) -> Raw:
        # emptied rather than dropped: the places of the statements after it stay
        return {key: value for key, value in raw.items() if key != "NotAction"} | {"Action": []}

    return Limit(place(one), Edit(one, gone))


def _condition(one: Located, condition: Condition) -> Limit:
    def lifted(raw: Raw) -> Raw:
        block = raw["Condition"]
        assert isinstance(block, dict)  # noqa: S101 - it was parsed
        block[condition.spelled].pop(condition.shown, None)
        return raw

    what = f"the condition {condition_words(condition)} in {place(one)}"
    return Limit(what, Edit(one, lifted))


def _resource(one: Located) -> Limit:
    def widened(raw: Raw) -> Raw:
        return {key: value for key, value in raw.items() if key != "NotResource"} | {
            "Resource": "*"
        }

    what = f"the limit to {short(resource_words(one))} in {place(one)}"
    return Limit(what, Edit(one, widened))
