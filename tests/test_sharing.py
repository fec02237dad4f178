"""What roles share is what each would be told alone: answers are remembered, never mixed up."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from auditor.account import Account, Organization, PolicyText, Role, ScpLevel
from auditor.chains import Chains
from auditor.judging import Judge
from auditor.rules.selfgranting import Exposed
from auditor.selfgrants import SelfGrants
from auditor.standing import Standing

NOW = int(datetime(2026, 11, 23, 3, tzinfo=UTC).timestamp())
ACCOUNT = "123456789012"
ACTIONS: tuple[Any, ...] = (
    *("*", "iam:*", "iam:Put*", "iam:PutRolePolicy", "iam:PassRole", "iam:UpdateAssumeRolePolicy"),
    *("iam:CreatePolicyVersion", "iam:DeleteRolePermissionsBoundary", "ses:*", "ses:SendEmail"),
    *("ses:PutIdentityPolicy", "s3:*", "lambda:*", ["lambda:CreateFunction", "iam:PassRole"]),
)
RESOURCES: tuple[Any, ...] = (
    *("*",) * 20,
    *(f"arn:aws:iam::{ACCOUNT}:role/*", f"arn:aws:iam::{ACCOUNT}:role/r1"),
    *(f"arn:aws:iam::{ACCOUNT}:policy/m1", "arn:aws:iam::*:role/${aws:PrincipalTag/team}"),
    *("arn:aws:ses:*:*:identity/*", "arn:aws:s3:::bucket/*", "arn:aws:iam", "a*"),
)
CONDITIONS: tuple[Any, ...] = (
    *(None,) * 40,
    {"StringEquals": {"aws:PrincipalTag/team": "web"}},
    {"StringEquals": {"aws:ResourceTag/team": "web"}},
    {"StringEquals": {"iam:ResourceTag/team": "${aws:PrincipalTag/team}"}},
    {"ArnLike": {"aws:PrincipalArn": "*:role/r1"}},
    {"StringLike": {"aws:userid": "AROA1:*"}},
    {"StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/bound1"}},
    {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"ForAnyValue:StringLike": {"ses:Recipients": "*@example.com"}},
)
OPEN = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def statement(rng: random.Random) -> dict[str, Any]:
    found = {
        "Sid": f"S{rng.randrange(5)}",
        "Effect": rng.choice(("Allow", "Allow", "Allow", "Allow", "Deny")),
        rng.choice(("Action",) * 9 + ("NotAction",)): rng.choice(ACTIONS),
        rng.choice(("Resource",) * 9 + ("NotResource",)): rng.choice(RESOURCES),
    }
    condition = rng.choice(CONDITIONS)
    return found if condition is None else {**found, "Condition": condition}


def document(rng: random.Random) -> dict[str, Any]:
    statements = [statement(rng) for _ in range(rng.choice((1, 1, 2, 3)))]
    return {"Version": "2012-10-17", "Statement": statements}


def account(number: int) -> Account:
    """Return an account of roles that have much in common; the same one for the same number."""
    rng = random.Random(f"sharing/{number}")  # noqa: S311 - examples, the same ones every time
    inline = [document(rng) for _ in range(rng.choice((1, 2)))]
    alike = rng.random() < 0.7  # each role has the same inline policies, and half the time no more
    managed = [
        PolicyText(
            f"m{at}",
            f"arn:aws:iam::{rng.choice((ACCOUNT, ACCOUNT, 'aws'))}:policy/m{at}",
            "managed",
            document(rng),
        )
        for at in range(3)
    ]
    bounds = [
        PolicyText(f"bound{at}", f"arn:aws:iam::{ACCOUNT}:policy/bound{at}", "boundary", one)
        for at, one in enumerate((OPEN, rng.choice((OPEN, document(rng)))))
    ]
    services = ["codebuild.amazonaws.com", "lambda.amazonaws.com"]
    roles = [
        Role(
            arn=f"arn:aws:iam::{ACCOUNT}:role/r{at}",
            name=f"r{at}",
            role_id=f"AROA{at}",
            tags=rng.choice(({}, {"team": "web"}, {"team": "r1"})),
            trust=PolicyText(
                "trust",
                None,
                "trust",
                {
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": rng.choice((services, services[:1]))},
                        "Action": "sts:AssumeRole",
                    }
                },
            ),
            # equal texts in separate objects, as a snapshot's inline policies are
            inline=tuple(
                PolicyText(
                    rng.choice(("build", "build", "other")),
                    None,
                    "inline",
                    json.loads(json.dumps(rng.choice(inline))),
                )
                for _ in range(1 if alike else rng.choice((0, 1, 1, 2)))
            ),
            attached=tuple(rng.sample(managed, rng.choice((0, 0, 0, 1) if alike else (0, 1, 2)))),
            boundary=rng.choice((None, None, None, None, *bounds)),
        )
        for at in range(rng.choice((4, 8, 16)))
    ]
    levels = (ScpLevel("r-1", "root", (PolicyText("scp", None, "scp", OPEN),)),)
    organization = rng.choice((None, Organization("o-example", False, levels)))
    return Account(ACCOUNT, "aws", roles, organization=organization)


def told(given: Account, *, shared: bool) -> list[object]:
    """Return what each role is told of itself; by one memory, or by a new one for each role."""
    roles = list(given.roles)
    standing = Standing(given, NOW)
    judge = Judge(standing)

    def grants() -> SelfGrants:
        mailers = [role for role in roles if judge.decide(role).verdict == "exposed"]
        return SelfGrants(Chains(standing, judge.decide), Exposed(lambda: mailers))

    one = grants()
    found: list[object] = []
    for role in roles:
        draft = (one if shared else grants()).of(role)
        found.append(None if draft is None else draft.about(role))
    return found


@pytest.mark.parametrize("start", range(0, 300, 30))
def test_roles_that_say_the_same_are_told_what_each_would_be_told_alone(start: int) -> None:
    """A role's self-granting finding is its own, whichever roles were asked about before it."""
    for number in range(start, start + 30):
        assert told(account(number), shared=True) == told(account(number), shared=False), number


def test_the_accounts_share_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many roles are told without being asked: else the comparison would compare nothing."""
    asked = {True: 0, False: 0}
    ask = SelfGrants._asked
    for shared in asked:

        def counted(grants: SelfGrants, role: Role, among: Any, which: bool = shared) -> Any:
            asked[which] += 1
            return ask(grants, role, among)

        monkeypatch.setattr(SelfGrants, "_asked", counted)
        for number in range(60):
            told(account(number), shared=shared)

    assert asked[True] < 0.9 * asked[False], asked


def _pair(action: str, resource: str, **condition: Any) -> Account:
    """Return an account of two roles with equal policies, of which a managed one is their own.

    With a condition, that one is their boundary.
    """
    text = {"Effect": "Allow", "Action": action, "Resource": resource, **condition}

    def build(name: str) -> Role:
        arn = f"arn:aws:iam::{ACCOUNT}:policy/{name}"
        own = PolicyText(name, arn, "boundary" if condition else "managed", OPEN)
        if not condition:
            own.document = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
        return Role(
            f"arn:aws:iam::{ACCOUNT}:role/{name}",
            name,
            f"AROA{name}",
            {},
            PolicyText("trust", None, "trust", OPEN),
            (PolicyText("build", None, "inline", {"Statement": text}),),
            () if condition else (own,),
            own if condition else None,
        )

    return Account(ACCOUNT, "aws", [build("r1"), build("r2")])


@pytest.mark.parametrize("asked", [("r1", "r2"), ("r2", "r1")])
@pytest.mark.parametrize(
    "given",
    [
        _pair("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/r1"),
        _pair("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/r1"),
        _pair(
            "iam:PutRolePolicy",
            "*",
            Condition={
                "ArnEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/r1"}
            },
        ),
    ],
)
def test_what_is_allowed_to_one_role_is_not_told_of_another(
    given: Account, asked: tuple[str, str]
) -> None:
    """A pattern or a boundary that names one of two roles tells them apart, whoever comes first."""
    given.roles = sorted(given.roles, key=lambda role: asked.index(role.name))

    assert [one is not None for one in told(given, shared=True)] == [name == "r1" for name in asked]
