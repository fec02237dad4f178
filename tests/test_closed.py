"""What is said to close a role does: roles with everything else taken away are audited anew."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import pytest

from auditor.account import PolicyText
from auditor.audit import audit
from auditor.closed import TRIED
from auditor.policy.parse import load
from auditor.report.words import closed_words, limits_words
from tests.corpus_runner.cases import CORPUS, account_of, read
from tests.explain.test_laws import role_of
from tests.explain.world import GUARD, OPEN, SIMULATOR, account, document, role
from tests.organizations import compare as comparing
from tests.organizations.cases import CODEBUILD
from tests.organizations.randoms import random_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.account import Account, Identity, Role
    from auditor.findings import Limit, RoleReport

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
SAFE = ("simulator_only", "no_send")
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
MOOT = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}
"""Takes a Deny's place: the statements after it keep their index."""
SIM_ONLY = {**OPEN, "Condition": {"ForAllValues:StringLike": {"ses:Recipients": SIMULATOR}}}


class Kept(NamedTuple):
    """Limits that stay: Denies by policy and index, and layers by what is said of them."""

    denies: frozenset[tuple[str, str, str | None, int]]
    layers: frozenset[str]


def kept(limits: Sequence[Limit]) -> Kept:
    refs = [one.statement for one in limits if one.statement is not None]
    return Kept(
        frozenset((ref.kind, ref.policy, ref.policy_arn, ref.index) for ref in refs),
        frozenset(one.what for one in limits if one.what is not None),
    )


def _stripped(source: PolicyText, keep: Kept, *, opened: bool = False) -> PolicyText:
    """A policy without its Denies that aren't kept; ``opened``: it allows everything besides."""
    top = json.loads(json.dumps(load(source.document)))
    found = top["Statement"] if isinstance(top["Statement"], list) else [top["Statement"]]
    name = source.kind, source.name, source.arn
    left: list[object] = [
        MOOT if one["Effect"] == "Deny" and (*name, index) not in keep.denies else one
        for index, one in enumerate(found)
    ]
    return PolicyText(*name[1:], name[0], {**top, "Statement": [*left, ALL] if opened else left})


def _layer(sources: Sequence[PolicyText], start: str, keep: Kept) -> tuple[PolicyText, ...]:
    """A layer's policies, which allow everything besides unless the layer is kept."""
    opened = not any(what.startswith(start) for what in keep.layers)
    left = tuple(_stripped(source, keep, opened=opened) for source in sources)
    return left or ((PolicyText("full", None, "scp", {"Statement": ALL}),) if opened else ())


def _with(found: Account, one: Role, keep: Kept) -> Account:
    """The account in which just the limits that are kept bind the role."""
    bound = one.boundary and _layer((one.boundary,), "the permissions boundary ", keep)[0]
    stripped = replace(
        one,
        inline=tuple(_stripped(source, keep) for source in one.inline),
        attached=tuple(_stripped(source, keep) for source in one.attached),
        boundary=bound,
    )
    organization = found.organization
    if organization is not None:
        start = "the service control policies of"
        levels = tuple(
            each._replace(
                policies=_layer(each.policies, f"{start} {each.name} ({each.target}):", keep)
            )
            for each in organization.levels
        )
        organization = organization._replace(levels=levels)
    ses = tuple(
        region._replace(identities=tuple(_identity(each, keep) for each in region.identities))
        for region in found.ses
    )
    return replace(found, roles=(stripped,), organization=organization, ses=ses)


def _identity(one: Identity, keep: Kept) -> Identity:
    return one._replace(policies=tuple(_stripped(source, keep) for source in one.policies))


def _verdict(found: Account, one: Role, limits: Sequence[Limit], now: datetime) -> str:
    (report,) = audit(_with(found, one, kept(limits)), now=now).roles
    return report.verdict


def check(found: Account, one: Role, report: RoleReport, now: datetime = NOW) -> None:
    """Hold what is said of a role against audits of the role with less around it."""
    closed = report.closed
    assert (closed is not None) == (report.verdict in SAFE)
    if closed is None:
        return
    fit = SAFE if report.verdict == "simulator_only" else ("no_send",)
    if closed.how in ("no_allow", "own_allows"):
        assert _verdict(found, one, (), now) in fit
        assert all(x.statement is not None and x.statement.effect == "Allow" for x in closed.by)
        assert bool(closed.by) == (closed.how == "own_allows")
        return
    assert closed.by
    assert _verdict(found, one, (), now) not in fit
    if closed.how == "each":
        for limit in closed.by:
            assert _verdict(found, one, (limit,), now) in fit, limit
    else:
        assert _verdict(found, one, closed.by, now) in fit
        for limit in closed.by:
            fewer = [other for other in closed.by if other is not limit]
            assert _verdict(found, one, fewer, now) not in fit, limit


@pytest.mark.parametrize("theme", sorted(path.stem for path in CORPUS.glob("*.json")))
def test_every_safe_case_of_the_corpus(theme: str) -> None:
    """Each safe case is told what closes it, and that closes it; no other case is told anything."""
    for case in read(CORPUS / f"{theme}.json"):
        found = account_of(case.role)
        (report,) = audit(found, now=case.now).roles
        check(found, case.role, report, case.now)


@pytest.mark.parametrize("start", range(0, 200, 50))
def test_random_roles(start: int) -> None:
    """The same of roles that nobody thought of."""
    for seed in range(start, start + 50):
        one = role_of(seed)
        (report,) = audit(account_of(one), now=NOW).roles
        check(account_of(one), one, report)


@pytest.mark.parametrize("number", range(0, 120, 20))
def test_random_accounts(number: int) -> None:
    """The same with boundaries, service control policies and identities' policies about."""
    for each in range(number, number + 20):
        world = random_world(random.Random(f"closed/{each}"))  # noqa: S311 - the same every time
        for actor in world.actors:
            one = comparing.role_of(actor, CODEBUILD)
            found = comparing.account_of(world, [one])
            (report,) = audit(found, now=NOW).roles
            check(found, one, report)


def test_the_laws_are_not_held_by_silence() -> None:
    """Among the random accounts, most ways to be closed occur, and limits of every layer."""
    ways, layers = set(), set()
    for each in range(120):
        world = random_world(random.Random(f"closed/{each}"))  # noqa: S311 - the same every time
        for actor in world.actors:
            one = comparing.role_of(actor, CODEBUILD)
            (report,) = audit(comparing.account_of(world, [one]), now=NOW).roles
            if report.closed is not None:
                ways.add(report.closed.how)
                layers |= {(limit.layer, limit.what is None) for limit in report.closed.by}
    assert ways == {"no_allow", "own_allows", "each"}
    assert layers >= {
        ("identity", True),
        ("permissions-boundary", False),
        ("scp", False),
        ("scp", True),
    }


BOUNCE_DENIED = {"Effect": "Deny", "Action": "ses:SendBounce", "Resource": "*"}
ELSEWHERE = {**OPEN, "Condition": {"StringEquals": {"s3:prefix": "mail"}}}
NEAR = {"Effect": "Deny", "Action": "ses:*", "Resource": "*",
        "Condition": {"StringLike": {"aws:RequestedRegion": "eu-*"}}}  # fmt: skip
FAR = {**NEAR, "Condition": {"StringNotLike": {"aws:RequestedRegion": "eu-*"}}}
SES_ONLY = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
OPEN_LEVEL = document(ALL)
NO_RESOURCE = {"Effect": "Allow", "Action": "*"}


NO_ALLOW = "No statement allows a send to an address of its choosing"


class Case(NamedTuple):
    """A role, its surroundings, and what closes it."""

    one: Role
    how: str
    by: tuple[str, ...]
    words: str
    scps: tuple[object, ...] = ()
    identity: object = None


BOUNDARY = "permissions boundary limits (arn:aws:iam::123456789012:policy/limits)"
LEVEL = "the service control policies of unit 1 (ou-1): scp-1"
CASES: dict[str, Case] = {
    "nothing allows": Case(role(NEAR), "no_allow", (), NO_ALLOW),
    "a guard without an Allow": Case(role(GUARD), "no_allow", (), NO_ALLOW),
    "an answer is no send": Case(
        role({**BOUNCE_DENIED, "Effect": "Allow"}), "no_allow", (), NO_ALLOW
    ),
    "the Allow itself": Case(
        role(SIM_ONLY),
        "own_allows",
        ("Allow in statement 0 of inline policy mail",),
        "The Allows reach the simulator alone",
    ),
    "no send fits": Case(
        role(ELSEWHERE),
        "own_allows",
        ("Allow in statement 0 of inline policy mail",),
        "No send fits the Allows",
    ),
    "a Deny of something else says nothing": Case(
        role(OPEN, GUARD, BOUNCE_DENIED),
        "each",
        ("Deny in statement 1 of inline policy mail",),
        "This keeps its sends within the simulator",
    ),
    "two guards": Case(
        role(OPEN, GUARD, other=document(GUARD)),
        "each",
        ("Deny in statement 1 of inline policy mail", "Deny in statement 0 of inline policy other"),
        "Each of these alone keeps its sends within the simulator",
    ),
    "two halves": Case(
        role(OPEN, NEAR, FAR),
        "together",
        ("Deny in statement 1 of inline policy mail", "Deny in statement 2 of inline policy mail"),
        "Together these end its sends",
    ),
    "a boundary": Case(
        role(OPEN, boundary=SES_ONLY),
        "each",
        (f"what isn't allowed by the {BOUNDARY}",),
        "This ends its sends",
    ),
    "half a Deny, half a boundary": Case(
        role(OPEN, NEAR, boundary=document(ALL, FAR)),
        "together",
        (
            "Deny in statement 1 of inline policy mail",
            f"Deny in statement 1 of {BOUNDARY}",
        ),
        "Together these end its sends",
    ),
    "Denies say more than what a boundary leaves out": Case(
        role(OPEN, NEAR, FAR, boundary=document({**NEAR, "Effect": "Allow"})),
        "together",
        ("Deny in statement 1 of inline policy mail", "Deny in statement 2 of inline policy mail"),
        "Together these end its sends",
    ),
    "a level that allows no resource of SES": Case(
        role(OPEN),
        "each",
        (f"what isn't allowed by {LEVEL}",),
        "This ends its sends",
        scps=(OPEN_LEVEL, document({**NO_RESOURCE, "NotResource": "arn:aws:ses:*:*:*"})),
    ),
    "a level that denies and allows nothing": Case(
        role(OPEN),
        "each",
        (
            f"what isn't allowed by {LEVEL}",
            "Deny in statement 0 of scp scp-1 (arn:scp-1)",
        ),
        "Each of these alone ends its sends",
        scps=(OPEN_LEVEL, document({"Effect": "Deny", "Action": "*", "Resource": "*"})),
    ),
    "one level of three": Case(
        role(OPEN),
        "each",
        (f"what isn't allowed by {LEVEL}",),
        "This ends its sends",
        scps=(OPEN_LEVEL, SES_ONLY, OPEN_LEVEL),
    ),
    "a level's Deny": Case(
        role(OPEN),
        "each",
        ("Deny in statement 1 of scp scp-0 (arn:scp-0)",),
        "This keeps its sends within the simulator",
        scps=(document(ALL, GUARD),),
    ),
    "what ends the mail to the simulator": Case(
        role(SIM_ONLY, {"Effect": "Deny", "Action": "ses:*", "Resource": "*"}),
        "each",
        ("Deny in statement 1 of inline policy mail",),
        "This ends its sends",
    ),
    "a boundary without mail around the right policy": Case(
        role(SIM_ONLY, boundary=SES_ONLY),
        "each",
        (f"what isn't allowed by the {BOUNDARY}",),
        "This ends its sends",
    ),
    "a boundary for another send": Case(
        role({**OPEN, "Action": "ses:SendRawEmail"}, boundary=document(OPEN)),
        "each",
        (f"what isn't allowed by the {BOUNDARY}",),
        "This ends its sends",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_closes(case: Case) -> None:
    """Of each kind of limit, the one that closes is named, and nothing beside it."""
    (report,) = audit(account(case.one, scps=case.scps), now=NOW).roles
    assert report.closed is not None
    assert (report.closed.how, tuple(limits_words(report.closed))) == (case.how, case.by)
    assert closed_words(report) == case.words


def test_an_identitys_deny_counts_with_the_others() -> None:
    """What an SES identity lets the role send, and its Denies, are part of the answer."""
    whom = {"Principal": {"AWS": "arn:aws:iam::123456789012:role/build"}}
    found = account(role(SIM_ONLY), identity=document({**SIM_ONLY, **whom}))
    (report,) = audit(found, now=NOW).roles
    assert report.closed is not None
    assert limits_words(report.closed) == [
        "Allow in statement 0 of inline policy mail",
        "Allow in statement 0 of identity-policy sharing",
    ]


def test_roles_that_are_alike_name_their_own_policies() -> None:
    """Two roles that are decided as one are each told of the policies that they have."""
    one, other = role(OPEN, GUARD, name="one"), role(name="other", post=document(OPEN, GUARD))
    reports = audit(account(one, other), now=NOW).roles
    told = [limits_words(report.closed) for report in reports if report.closed is not None]
    assert told == [
        ["Deny in statement 1 of inline policy mail"],
        ["Deny in statement 1 of inline policy post"],
    ]


@pytest.mark.parametrize(("limits", "said"), [(TRIED, True), (TRIED + 1, False)])
def test_too_many_limits_are_not_guessed_at(limits: int, said: bool) -> None:
    """A role with more limits than are tried is told nothing rather than something untrue."""
    regions = [
        {**NEAR, "Condition": {"StringEquals": {"aws:RequestedRegion": f"eu-west-{n}"}}}
        for n in range(limits - 1)
    ]
    (report,) = audit(account(role(OPEN, GUARD, *regions)), now=NOW).roles
    assert report.verdict == "simulator_only"
    assert (report.closed is not None) == (closed_words(report) is not None) == said


def test_many_allows_are_counted() -> None:
    """Twenty Allows are named, the rest is counted."""
    (report,) = audit(account(role(*[SIM_ONLY] * 23)), now=NOW).roles
    assert report.closed is not None
    assert limits_words(report.closed)[-1] == "and 3 more"
    assert len(report.closed.by) == 20


def test_exposed_and_undetermined_roles_have_none() -> None:
    """A role that may become an exposed one isn't closed, whatever its own policies do."""
    step = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    other = replace(
        role(OPEN, name="other"), trust=PolicyText("trust", None, "trust", document(trust))
    )
    (report,) = audit(account(role(step), other), now=NOW).roles
    assert (report.verdict, report.closed) == ("exposed", None)
