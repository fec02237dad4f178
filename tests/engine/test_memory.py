"""Laws of memory: what is remembered, or put together from single Allows, changes no decision."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from auditor.domains import is_mailbox
from auditor.engine.decide import decide
from auditor.engine.evaluate import evaluate
from auditor.engine.memory import Memory
from auditor.standing import Standing
from tests.engine.cases import NOW
from tests.judge.calls import Subject, real
from tests.judge.roles import random_role
from tests.organizations.compare import account_of, role_of
from tests.organizations.randoms import random_world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.account import Account, PolicyText, Role
    from auditor.engine.caller import Caller
    from auditor.engine.decision import Decision, Exposure
    from auditor.engine.layers import IdentityPolicies, Layer
    from tests.organizations.world import Actor

ACCOUNTS = 900
BLOCK = 150
TO = "ses:Recipients"
UNREAD = 0.06
"""How often a document can't be read."""


class Decided(NamedTuple):
    """A role, what memory says of it, and what deciding it as a whole says."""

    caller: Caller
    layers: tuple[Layer, ...]
    identities: tuple[IdentityPolicies, ...]
    found: Decision
    direct: Decision


def _kept(pick: random.Random, document: object) -> object:
    return None if pick.random() < UNREAD else document


def _mixed(pick: random.Random, actor: Actor, pool: list[object]) -> Actor:
    """Return a role with policies that other roles have too: one to four of a pool."""
    policies = tuple(pick.sample(pool, pick.choice((1, 1, 2, 2, 3, 4))))
    boundary = pick.choice((None, None, None, *pool))
    given: Subject = replace(actor.subject, policies=policies, boundary=boundary)
    return replace(actor, subject=given)


def _missing(role: Role) -> Role:
    """Return a role whose policies without a document are such that could not be read."""

    def read(one: PolicyText) -> PolicyText:
        return replace(one, missing="it could not be read") if one.document is None else one

    return replace(role, inline=tuple(map(read, role.inline)))


def account(number: int) -> Account:
    """Return an account whose roles, but every fifth account's, share policies.

    SCPs, policies of identities, boundaries and Denies as often as not; now and then one that could
    not be read. The same account for the same number.
    """
    pick = random.Random(f"memory/{number}")  # noqa: S311 - examples, the same ones every time
    world = random_world(pick, settled=False)
    pool = [policy for _ in range(4) for policy in random_role(pick).policies][:6]
    actors = world.actors if number % 5 == 0 else tuple(_mixed(pick, a, pool) for a in world.actors)
    if number % 2:
        world = replace(world, grants={})
    world = replace(
        world,
        levels=world.levels
        and tuple(tuple(_kept(pick, one) for one in level) for level in world.levels),
        grants={
            arn: tuple(_kept(pick, one) for one in documents)
            for arn, documents in world.grants.items()
        },
        actors=tuple(
            replace(
                actor,
                subject=replace(
                    actor.subject,
                    policies=tuple(_kept(pick, one) for one in actor.subject.policies),
                ),
            )
            for actor in actors
        ),
    )
    return account_of(world, [_missing(role_of(actor, actor.trust)) for actor in world.actors])


@lru_cache(maxsize=ACCOUNTS)
def decided(number: int) -> tuple[Decided, ...]:
    """Decide an account's roles by one memory, and each as a whole with nothing remembered."""
    given = account(number)
    standing = Standing(given, NOW)
    memory = Memory(standing.identities)

    def both() -> Iterator[Decided]:
        for role in given.roles:
            caller, layers = standing.caller(role), standing.layers(role)
            found = memory.decide(caller, layers)
            direct = decide(caller, layers, standing.identities)
            yield Decided(caller, layers, standing.identities, found, direct)

    return tuple(both())


def _ways(decision: Decision) -> dict[str, Exposure]:
    ways = [*decision.exposures, *filter(None, [decision.bounce])]
    assert len({one.action.name for one in ways}) == len(ways), "one way an action"
    return {one.action.name: one for one in ways}


blocks = pytest.mark.parametrize("start", range(0, ACCOUNTS, BLOCK))


@blocks
def test_memory_decides_as_if_it_knew_nothing(start: int) -> None:
    """Verdict, certainty, whether there is a reason or a note, and each action's certainty."""
    for number in range(start, start + BLOCK):
        for at, one in enumerate(decided(number)):
            for told in (
                lambda decision: (decision.verdict, decision.certainty),
                lambda decision: (decision.reason, decision.notes),
                lambda decision: {name: way.certainty for name, way in _ways(decision).items()},
                lambda decision: decision.simulator is None,
            ):
                assert told(one.found) == told(one.direct), (number, at)


@blocks
def test_a_remembered_way_is_as_plain_as_a_searched_one(start: int) -> None:
    """What needs nothing special when the role is decided as a whole doesn't by memory either."""
    for number in range(start, start + BLOCK):
        for at, one in enumerate(decided(number)):
            found = _ways(one.found)
            for name, way in _ways(one.direct).items():
                assert found[name].plain >= way.plain, (number, at, name)


@blocks
def test_every_request_told_from_memory_is_this_role_s(start: int) -> None:
    """``evaluate`` allows it on the whole role, by the very Allows that it is told to rest on.

    What is proven is allowed under the reading of least access, and rests on documents that were
    all read.
    """
    for number in range(start, start + BLOCK):
        for at, one in enumerate(decided(number)):
            for way in (*_ways(one.found).values(), *filter(None, [one.found.simulator])):
                least = way.question.setting.least
                judged = evaluate(way.request, one.caller, one.layers, one.identities, least=least)
                assert judged.allowed, (number, at, way.request)
                assert set(way.allows) <= set(judged.allowing), (number, at, way.allows)
                assert way.action.name == way.request.action
                if way.certainty == "proven":
                    assert least
                    assert not any(layer.unread for layer in one.layers)


@blocks
def test_whom_a_request_told_from_memory_reaches(start: int) -> None:
    """An exposure's request has a real recipient; the simulator's has none, and it is for it."""
    for number in range(start, start + BLOCK):
        for one in decided(number):
            for way in one.found.exposures:
                assert not way.question.simulator
                if way.action.carries_recipients:
                    assert any(map(real, way.request.context[TO]))
            assert (one.found.simulator is None) == (one.found.verdict != "simulator_only")
            if one.found.simulator is not None:
                to = one.found.simulator.request.context[TO]
                assert all(is_mailbox(address) and not real(address) for address in to)


def test_the_roles_are_varied_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws above compare something: every verdict, and every way to a decision."""
    ways: Counter[str] = Counter()
    united, alone = Memory._united, Memory._alone

    def counted(memory: Memory, caller: Caller, layers: tuple[Layer, ...]) -> Decision | None:
        found = united(memory, caller, layers)
        ways["put together" if found else "as a whole"] += 1
        if found is not None:
            ways["beside Denies"] += any(
                not statement.allows
                for layer in layers
                for placed in layer.documents
                for statement in placed.document.statements
            )
            ways["within limits"] += len(layers) > 1
        return found

    def by_itself(memory: Memory, caller: Caller, layers: tuple[Layer, ...]) -> Decision:
        ways["alone"] += 1
        return alone(memory, caller, layers)

    monkeypatch.setattr(Memory, "_united", counted)
    monkeypatch.setattr(Memory, "_alone", by_itself)
    decided.cache_clear()
    every = [one for number in range(0, ACCOUNTS, 3) for one in decided(number)]
    ways.update(one.found.certainty or one.found.verdict for one in every)
    ways["exposed with notes"] = sum(1 for one in every if one.found.notes)
    ways["identities' policies"] = sum(1 for one in every if one.identities)
    ways["bounce"] = sum(1 for one in every if one.found.bounce is not None)
    assert {name: count for name, count in ways.items() if count < 10} == {}
    assert set(ways) == {
        *("put together", "as a whole", "alone", "beside Denies", "within limits"),
        *("proven", "possible", "simulator_only", "no_send", "undetermined"),
        *("exposed with notes", "identities' policies", "bounce"),
    }, ways
