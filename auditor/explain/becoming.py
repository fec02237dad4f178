"""A role that may become another which is exposed: each step of the way, and what would end it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.account import PolicyText
from auditor.audit import audit
from auditor.chains import Chains
from auditor.engine.powers import ASSUME_ROLE, Powers, facts_of
from auditor.errors import Undecidable
from auditor.explain.closing import Closing, guarded
from auditor.explain.words import listing, short
from auditor.explain.world import world_of
from auditor.judging import Judge
from auditor.rules.classify import rule_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from auditor.account import Account, Role
    from auditor.chains import Chain
    from auditor.engine.decision import Exposure
    from auditor.engine.powers import Call
    from auditor.explain.world import Raw
    from auditor.findings import Verdict
    from auditor.standing import Standing

WAYS_DENIED: Final = 4
"""Roles that a suggested Deny names, one for each further way found: each costs an audit."""


class Step(NamedTuple):
    """``role`` may assume ``target``: ``call`` has the statements, of both sides, that allow it."""

    role: Role
    target: Role
    call: Call


class Becoming(NamedTuple):
    """The way to a role that can mail real people, and the request at its end.

    ``rule`` is what the end role's exposure falls under.
    """

    steps: tuple[Step, ...]
    end: Role
    exposure: Exposure
    rule: str
    closings: tuple[Closing, ...]


def becoming(account: Account, standing: Standing, role: Role, now: datetime) -> Becoming | None:
    """Return the way that a scan reports of a role, or None where there is none."""
    chain = _chain(account, standing, role)
    if chain is None:
        return None
    end = chain.roles[-1]
    # as the scan's finding: the surest of its exposures
    worst = min(chain.end.exposures, key=lambda one: (one.certainty != "proven", not one.plain))
    rule = rule_of(worst, standing.layers(end))
    steps = tuple(_steps(standing, (role, *chain.roles)))
    closings = tuple(_closings(account, standing, role, chain, now))
    return Becoming(steps, end, worst, rule, closings)


def _chain(account: Account, standing: Standing, role: Role) -> Chain | None:
    roles = list(account.roles)
    chains = Chains(standing, Judge(standing).decide)
    chains.follow([role], roles)
    chain = chains.found.get(role.arn)
    return None if chain is None or chain.level == "undetermined" else chain


def _steps(standing: Standing, way: tuple[Role, ...]) -> Iterator[Step]:
    for role, target in pairwise(way):
        powers = Powers(standing.caller(role), standing.layers(role, whole=True))
        try:
            call = powers.assume(target.arn, standing.trust(target), facts_of(target))
        except Undecidable:  # the chain found it decided; with less memory it might not be
            continue
        if call is not None:
            yield Step(role, target, call)


def _closings(
    account: Account, standing: Standing, role: Role, chain: Chain, now: datetime
) -> Iterator[Closing]:
    end = chain.roles[-1]
    guard = guarded(world_of(standing, end))
    if guard is not None and guard.document is not None:
        changed = _with(account, end, guard.document)
        verdict = _verdict(changed, role, now)
        yield Closing(f"Add this policy to {short(end.name)}", verdict, guard.document)
    denied: list[Role] = []
    found: Chain | None = chain
    while found is not None and len(denied) < WAYS_DENIED:
        denied.append(found.roles[0])
        document = _denying([one.arn for one in denied])
        changed = _with(account, role, document)
        after = next(one for one in changed.roles if one.arn == role.arn)
        found = _chain(changed, type(standing)(changed, standing.now), after)
    on = listing([short(one.name) for one in denied])
    what = f"Add a policy to {short(role.name)} that takes away {ASSUME_ROLE} on {on}"
    yield Closing(what, _verdict(changed, role, now), document)


def _denying(arns: list[str]) -> Raw:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "NoSender", "Effect": "Deny", "Action": ASSUME_ROLE, "Resource": list(arns)}
        ],
    }


def _with(account: Account, role: Role, document: Raw) -> Account:
    """Return the account where a role has one more inline policy."""
    more = replace(role, inline=(*role.inline, PolicyText("added", None, "inline", document)))
    return replace(
        account, roles=tuple(more if one.arn == role.arn else one for one in account.roles)
    )


def _verdict(account: Account, role: Role, now: datetime) -> Verdict:
    reports = audit(account, now=now, role_globs=[role.arn]).roles
    return next(one.verdict for one in reports if one.arn == role.arn)
