"""Holds the auditor's report on a random account against the evaluator of this folder."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from auditor.account import Account, PolicyText, Role
from auditor.audit import audit
from tests.judge.calls import SENDS, Call, Subject, flaws, reaches, succeeds
from tests.judge.concrete import Reading, Request
from tests.judge.sampling import sample
from tests.judge.verdicts import RANK, call_of

from .cases import CODEBUILD, make_organization, make_regions
from .chains import becomes, edges
from .world import Actor, World, facts, sends, sessions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.findings import Report, RoleReport

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)


class Complaint(NamedTuple):
    """A disagreement: about which role, what, and on which call."""

    role: str
    what: str
    call: Call | None = None


def role_of(actor: Actor, trust: object) -> Role:
    """Return the auditor's value for a role, with this trust policy."""
    subject = actor.subject
    bound = subject.boundary
    return Role(
        arn=subject.arn,
        name=actor.name,
        role_id=subject.role_id,
        tags=subject.tags,
        trust=PolicyText("trust", None, "trust", trust),
        inline=tuple(
            PolicyText(f"policy-{at}", None, "inline", one)
            for at, one in enumerate(subject.policies)
        ),
        attached=(),
        boundary=None if bound is None else PolicyText("boundary", None, "boundary", bound),
    )


def account_of(world: World, roles: list[Role]) -> Account:
    """Return the auditor's value for an account with these roles."""
    organization = None
    if world.levels is not None:
        levels = () if world.management else world.levels
        organization = make_organization(levels, management=world.management)
    number = world.actors[0].subject.arn.split(":")[4]
    return Account(number, "aws", roles, organization=organization, ses=make_regions(world.grants))


def report_on(world: World) -> Report:
    """Return the auditor's report on a whole account."""
    return audit(account_of(world, [role_of(a, a.trust) for a in world.actors]), now=NOW)


def alone(world: World, actor: Actor) -> RoleReport:
    """Return the auditor's report on a role as if it were CodeBuild's, and the only one."""
    (report,) = audit(account_of(world, [role_of(actor, CODEBUILD)]), now=NOW).roles
    return report


def level(report: RoleReport) -> str:
    """Return a verdict as one word: the certainty of an exposure, else the verdict."""
    return report.certainty or report.verdict


def allowed(world: World, actor: Actor, call: Call, reading: Reading) -> bool:
    """Whether some session of a role could make a call."""
    grants = [document for documents in world.grants.values() for document in documents]
    stated = {key.lower(): str(value) for key, value in call.context.items()}.get("aws:userid")
    names = [stated.partition(":")[2]] if stated else sessions(actor, grants)

    def go(session: str) -> bool:
        def check(_subject: Subject, request: Request) -> bool:
            return sends(world, actor, session, request, reading)

        return succeeds(actor.subject, call, reading, check)

    return any(go(session) for session in dict.fromkeys(names))


def _witnesses(world: World, report: RoleReport) -> Iterator[Complaint]:
    """Yield what is wrong with the witnesses of a role by itself, or of where its chain ends."""
    actors = {actor.subject.arn: actor for actor in world.actors}
    for finding in report.findings:
        if finding.witness is None or finding.witness.action not in SENDS:
            continue
        call = call_of(finding.witness)
        ends = [actors[report.arn]]
        if finding.rule == "assumable-sender":
            ends = [actor for actor in world.actors if actor.subject.arn != report.arn]
        reading = Reading.LEAST if finding.certainty == "proven" else Reading.MOST
        good = []
        for actor in ends:
            broken = flaws(actor.subject, call, now=NOW.timestamp())
            context = {key.lower(): value for key, value in call.context.items()}
            known = facts(world)
            broken += [
                f"{key} is known" for key in known if context.get(key, known[key]) != known[key]
            ]
            # A possible exposure may lack an identity that fits the sender, or the chain's own
            # step may be what is only possible.
            tied = not broken or (
                finding.certainty == "possible" and broken == ["the identity isn't the sender's"]
            )
            good.append(tied and allowed(world, actor, call, reading))
        if report.verdict == "exposed" and reaches(call) != "real":
            yield Complaint(report.name, f"{finding.rule}: the witness reaches nobody real", call)
        if not any(good):
            yield Complaint(report.name, f"{finding.rule}: {finding.certainty} isn't allowed", call)


def _sampled(world: World, actor: Actor, count: int, seed: int) -> Iterator[tuple[int, Call]]:
    """Yield (rank of the verdict that a call proves at least, the call), better and better."""
    rng = random.Random(seed)  # noqa: S311 - samples, not secrets: the same ones every time
    best = 0
    documents = world.documents(actor)
    for call in sample(actor.subject, documents, NOW.timestamp(), count, rng):
        if not allowed(world, actor, call, Reading.MOST):
            continue
        rank = 1
        if reaches(call) == "real":
            rank = 3 if allowed(world, actor, call, Reading.LEAST) else 2
        if rank > best:
            best = rank
            yield rank, call
        if best == 3:
            return


def compare(world: World, count: int, seed: int) -> tuple[Report, list[Complaint]]:
    """Return the auditor's report on an account, and every disagreement with it.

    ``count`` requests are tried on each role that isn't called exposed for certain.
    """
    report = report_on(world)
    found: list[Complaint] = []
    own = {actor.name: alone(world, actor) for actor in world.actors}
    for actor in world.actors:
        said = level(own[actor.name])
        found += _witnesses(world, own[actor.name])
        if said == "undetermined":
            found.append(Complaint(actor.name, f"undetermined: {own[actor.name].reason}"))
        elif said != "proven":
            for rank, call in _sampled(world, actor, count, seed):
                if rank > RANK.index(said):
                    found.append(Complaint(actor.name, f"{said}, but {RANK[rank]}", call))
    steps = edges(world, int(NOW.timestamp()))
    ends = {name: level(one) for name, one in own.items()}
    expected = {actor.name for actor in world.actors if actor.builds}
    if {role.name for role in report.roles} != expected:
        found.append(Complaint("*", f"reported {[r.name for r in report.roles]}, not {expected}"))
    for role in report.roles:
        found += _witnesses(world, role)
        wanted = becomes(role.name, steps, ends)
        if level(role) != wanted:
            what = f"{level(role)} ({role.reason}), but {wanted} by {steps} and {ends}"
            found.append(Complaint(role.name, what))
    return report, found
