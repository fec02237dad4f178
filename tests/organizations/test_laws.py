"""Laws of whole accounts: what more of something may and may not change."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.account import ScpLevel
from auditor.audit import audit
from tests.judge.concrete import as_list, load

from .cases import CODEBUILD, every, text
from .compare import NOW, account_of, level, report_on, role_of
from .randoms import random_world

if TYPE_CHECKING:
    from auditor.findings import Report

    from .world import World

# From the safest to the gravest.
ORDER = ("no_send", "simulator_only", "possible", "proven")
NUMBERS = range(80)


def _world(number: int) -> World:
    # Pseudo-random on purpose: the same accounts in every run, the open questions included.
    return random_world(random.Random(f"laws/{number}"), settled=False)  # noqa: S311


def _ranks(report: Report) -> dict[str, int]:
    return {role.name: ORDER.index(level(role)) for role in report.roles}


def _no_more(after: Report, before: Report) -> bool:
    then, now = _ranks(before), _ranks(after)
    return all(now[name] <= then[name] for name in then)


@pytest.mark.parametrize("number", NUMBERS)
def test_one_more_scp_level_never_adds_access(number: int) -> None:
    """A further level of SCPs, whatever it says, leaves no role graver than it was."""
    world = replace(_world(number), management=False)
    world = world if world.levels is not None else replace(world, levels=())
    other = _world(number + 10_000)
    level_more = (other.levels or ((),))[0]

    more = replace(world, levels=(*(world.levels or ()), level_more))
    assert _no_more(report_on(more), report_on(world))


@pytest.mark.parametrize("number", NUMBERS)
def test_one_more_deny_in_an_scp_never_adds_access(number: int) -> None:
    """A further Deny at any level leaves no role graver than it was."""
    world = replace(_world(number), management=False)
    if not world.levels:
        world = replace(world, levels=(({"Statement": {**OPEN, "Effect": "Allow"}},),))
    deny = {"Statement": {**OPEN, "Effect": "Deny", "Action": "ses:SendEmail"}}
    assert world.levels
    more = replace(world, levels=((*world.levels[0], deny), *world.levels[1:]))
    assert _no_more(report_on(more), report_on(world))


OPEN = {"Action": "*", "Resource": "*"}


def _without_denies(document: Any) -> dict[str, Any]:
    statements = as_list(load(document)["Statement"])
    return {**load(document), "Statement": [s for s in statements if s["Effect"] == "Allow"]}


@pytest.mark.parametrize("number", NUMBERS)
def test_an_identitys_policy_without_its_denies_never_takes_access(number: int) -> None:
    """Taking the Denies out of identities' policies leaves no role safer than it was."""
    world = _world(number)
    grants = {arn: tuple(map(_without_denies, docs)) for arn, docs in world.grants.items()}
    assert _no_more(report_on(world), report_on(replace(world, grants=grants)))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_trust_policy_without_its_denies_never_takes_access(number: int) -> None:
    """Taking the Denies of AWS principals out of trust policies leaves no role safer."""
    world = _world(number)
    before = report_on(world)
    actors = tuple(replace(actor, trust=_without_denies(actor.trust)) for actor in world.actors)
    after = _ranks(report_on(replace(world, actors=actors)))
    assert all(after[role.name] >= _ranks(before)[role.name] for role in before.roles)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_chain_is_as_grave_as_its_end(number: int) -> None:
    """A role that any role may become for certain leaves no role of the account safer than it."""
    world = _world(number)
    if world.levels is not None:
        world = replace(world, levels=(({"Statement": {**OPEN, "Effect": "Allow"}},),))
    end = world.actors[-1]
    trust = {
        "Statement": [
            *as_list(load(CODEBUILD)["Statement"]),
            *(
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": actor.subject.arn},
                    "Action": "sts:AssumeRole",
                }
                for actor in world.actors
            ),
        ]
    }
    actors = tuple(
        replace(
            actor,
            trust=trust if actor is end else CODEBUILD,
            subject=replace(actor.subject, boundary=None, policies=_mail_alone(actor.subject)),
        )
        for actor in world.actors
    )
    ranks = _ranks(report_on(replace(world, actors=actors)))
    assert all(ranks[name] >= ranks[end.name] for name in ranks if ranks[end.name] >= 2)


def _mail_alone(subject: Any) -> tuple[object, ...]:
    """Return a role's policies without what they say of sts."""
    return tuple(document for document in subject.policies if "sts:" not in str(document))


@pytest.mark.parametrize("number", NUMBERS)
def test_the_order_of_roles_changes_nothing(number: int) -> None:
    """The report is the same in whichever order the account's roles came."""
    world = _world(number)
    shuffled = list(world.actors)
    random.Random(number).shuffle(shuffled)  # noqa: S311 - the same order in every run
    assert report_on(replace(world, actors=tuple(shuffled))).roles == report_on(world).roles


@pytest.mark.parametrize("number", NUMBERS)
def test_globs_choose_roles_and_change_no_report(number: int) -> None:
    """A role that a glob chooses is told as it is told among all, chains and all."""
    world = _world(number)
    whole = {role.name: role for role in report_on(world).roles}
    for name, told in whole.items():
        roles = [role_of(actor, actor.trust) for actor in world.actors]
        (chosen,) = audit(account_of(world, roles), now=NOW, role_globs=[name]).roles
        assert chosen == told


@pytest.mark.parametrize("case", every(), ids=lambda case: case.id)
def test_levels_that_allow_everything_change_no_verdict(case: Any) -> None:
    """FullAWSAccess at one more level is as no level at all, in every hand-written account."""
    if case.account.organization is None or case.account.organization.management:
        return
    before = audit(case.account, now=NOW)
    organization = case.account.organization
    full = text("full", "scp", {"Statement": {**OPEN, "Effect": "Allow"}})
    levels = (*organization.levels, ScpLevel("x", "x", (full,)))
    case.account.organization = organization._replace(levels=levels)
    after = audit(case.account, now=NOW)
    case.account.organization = organization

    assert [level(role) for role in after.roles] == [level(role) for role in before.roles]
