"""Random accounts that look like people's: the same seed gives the same accounts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.judge.calls import ACCOUNT, Subject
from tests.judge.roles import random_role

from .world import Actor, World

if TYPE_CHECKING:
    import random

FULL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
NAMES = ("build", "deploy", "mailer", "tests", "admin")
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
TAGS = {"team": ("web", "ops"), "open": ("yes", "no")}
SIMULATOR = "*@simulator.amazonses.com"
SENDERS: tuple[Any, ...] = (
    {"Action": "ses:*"},
    {"Action": ["ses:SendEmail", "ses:SendRawEmail"]},
    {"Action": "ses:SendBulkEmail"},
    {"Action": "ses:SendEmail", "Condition": {"StringLike": {"ses:Recipients": "*@example.com"}}},
    {
        "Action": "ses:Send*",
        "Condition": {"ForAllValues:StringLike": {"ses:Recipients": SIMULATOR}},
    },
)
# What an SES identity's policy, an SCP or a trust policy may ask for.
MAIL_CONDITIONS: tuple[dict[str, Any], ...] = (
    {"ForAllValues:StringLike": {"ses:Recipients": SIMULATOR}},
    {"ForAnyValue:StringNotLike": {"ses:Recipients": SIMULATOR}},
    {"ForAnyValue:StringLike": {"ses:Recipients": SIMULATOR}},
    {"StringLike": {"ses:FromAddress": "*@mail.example.com"}},
    {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
    {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}},
    {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/build"}},
    {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*e*"}},
    {"StringEquals": {"aws:PrincipalTag/team": "web"}},
    {"StringNotEquals": {"aws:PrincipalOrgID": "o-example"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-example"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
)
STEP_CONDITIONS: tuple[dict[str, Any], ...] = (
    {"StringEquals": {"sts:ExternalId": "one"}},
    {"StringLike": {"sts:ExternalId": ["o*", "two"]}},
    {"StringNotEquals": {"sts:ExternalId": "one"}},
    {"Null": {"sts:ExternalId": "true"}},
    {"StringEqualsIfExists": {"sts:ExternalId": "three"}},
    {"StringLike": {"sts:RoleSessionName": "deploy-*"}},
    {"StringNotLike": {"sts:RoleSessionName": "*-*"}},
    {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    {"NotIpAddress": {"aws:SourceIp": "10.1.0.0/16"}},
    {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*e*"}},
    {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/build"}},
    {"StringEquals": {"aws:PrincipalTag/team": "web"}},
    {"StringEquals": {"aws:ResourceTag/open": "yes"}},
    {"StringNotEquals": {"iam:ResourceTag/open": "no"}},
    {"StringEquals": {"aws:PrincipalOrgID": "o-example"}},
    {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}},
    {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
    {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
    {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2031-01-01T00:00:00Z"}},
)


def _principal(rng: random.Random, names: tuple[str, ...]) -> Any:
    one = rng.choice(names)
    choices: tuple[Any, ...] = (
        {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{one}"},
        {"AWS": f"arn:aws:iam::{ACCOUNT}:role/{one}"},
        {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in rng.sample(names, 2)]},
        {"AWS": f"AROA{one.upper()}"},
        {"AWS": ROOT},
        {"AWS": ROOT},
        {"AWS": ACCOUNT},
        {"AWS": "arn:aws:iam::999999999999:root"},
        {"AWS": f"arn:aws:sts::{ACCOUNT}:assumed-role/{one}/AWSCodeBuild-7"},
        {"Service": "ec2.amazonaws.com"},
        "*",
        {"AWS": "*"},
    )
    return rng.choice(choices)


def _statement(rng: random.Random, effect: str, actions: tuple[Any, ...]) -> dict[str, Any]:
    return {"Effect": effect, "Action": rng.choice(actions), "Resource": "*"}


def _conditional(
    rng: random.Random,
    statement: dict[str, Any],
    conditions: tuple[dict[str, Any], ...],
    chance: float,
) -> dict[str, Any]:
    if rng.random() < chance:
        statement["Condition"] = rng.choice(conditions)
    return statement


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _level(rng: random.Random) -> tuple[object, ...]:
    documents: list[object] = [] if rng.random() < 0.05 else [FULL]
    if rng.random() < 0.15:
        allowed = ("ses:*", "ses:SendEmail", ["ses:*", "sts:*"], "s3:*", ["ses:Send*", "sts:*"])
        narrow = _statement(rng, "Allow", allowed)
        documents = [_document(_conditional(rng, narrow, MAIL_CONDITIONS, 0.3))]
    if rng.random() < 0.35:
        denied = ("ses:*", "ses:SendEmail", "ses:SendBulk*", ["ses:SendRawEmail", "ses:SendBounce"])
        deny = _statement(rng, "Deny", denied)
        documents.append(_document(_conditional(rng, deny, MAIL_CONDITIONS, 0.9)))
    if rng.random() < 0.1:
        deny = _statement(rng, "Deny", ("sts:AssumeRole",))
        documents.append(_document(_conditional(rng, deny, STEP_CONDITIONS, 0.9)))
    return tuple(documents)


def _grant(rng: random.Random, names: tuple[str, ...], arn: str) -> dict[str, Any]:
    effect = rng.choice(("Allow", "Allow", "Deny"))
    actions = (
        *("ses:*", "ses:SendEmail", ["ses:SendEmail", "ses:SendRawEmail"], "ses:Send*"),
        *("ses:SendTemplatedEmail", "ses:SendBulkEmail", "ses:SendCustomVerificationEmail"),
    )
    statement = _statement(rng, effect, actions)
    statement["Resource"] = rng.choice((arn, arn, "*", arn.replace("example", "other")))
    if effect == "Deny" and rng.random() < 0.3:
        statement["NotPrincipal"] = _principal(rng, names)
    else:
        statement["Principal"] = _principal(rng, names)
    return _conditional(rng, statement, MAIL_CONDITIONS, 0.4)


def _trust(rng: random.Random, names: tuple[str, ...], *, builds: bool) -> dict[str, Any]:
    statements: list[dict[str, Any]] = []
    if builds:
        service = {"Service": "codebuild.amazonaws.com"}
        statements.append({"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"})
    for _ in range(rng.choice((0, 1, 1) if builds else (1, 1, 2))):
        effect = rng.choice(("Allow", "Allow", "Allow", "Deny"))
        action = rng.choice(("sts:AssumeRole", "sts:AssumeRole", "sts:*", "sts:TagSession"))
        statement = {"Effect": effect, "Principal": _principal(rng, names), "Action": action}
        statements.append(_conditional(rng, statement, STEP_CONDITIONS, 0.5))
    return _document(*statements)


def _step(rng: random.Random, names: tuple[str, ...]) -> dict[str, Any]:
    statement = _statement(rng, rng.choice(("Allow",) * 5 + ("Deny",)), ("sts:AssumeRole", "sts:*"))
    one = f"arn:aws:iam::{ACCOUNT}:role/{rng.choice(names)}"
    statement["Resource"] = rng.choice(("*", one, one, "arn:aws:iam::*:role/*e*"))
    return _conditional(rng, statement, STEP_CONDITIONS, 0.4)


def _actor(rng: random.Random, name: str, names: tuple[str, ...], *, builds: bool) -> Actor:
    policies: list[object] = []
    if rng.random() < 0.15:
        policies += random_role(rng).policies
    elif rng.random() < 0.4:
        policies.append(_document({"Effect": "Allow", "Resource": "*", **rng.choice(SENDERS)}))
    policies += [_document(_step(rng, names)) for _ in range(rng.choice((0, 1, 1, 2)))]
    boundary: object = None
    if rng.random() < 0.2:
        allowed = ("*", "ses:*", "sts:*", ["ses:*", "sts:*"], "s3:*")
        boundary = _document(_statement(rng, "Allow", allowed))
    tags = {key: rng.choice(values) for key, values in TAGS.items() if rng.random() < 0.5}
    subject = Subject(
        tuple(policies),
        boundary,
        arn=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        role_id=f"AROA{name.upper()}",
        tags=tags,
    )
    return Actor(name, subject, _trust(rng, names, builds=builds))


def _without(given: Any, key: str) -> Any:
    """Return documents without conditions on a key."""
    if isinstance(given, (tuple, list)):
        return type(given)(_without(one, key) for one in given)
    if not isinstance(given, dict):
        return given
    return {
        name: _without(value, key)
        for name, value in given.items()
        if not (name == "Condition" and key in str(value))
    }


def _settled_principals(statement: dict[str, Any]) -> dict[str, Any]:
    """Return a statement whose effect on a role AWS's pages leave no doubt of."""
    if "NotPrincipal" in statement:
        return {**statement, "NotPrincipal": {"AWS": "arn:aws:iam::999999999999:root"}}
    if ":assumed-role/" in str(statement["Principal"]) and statement["Effect"] == "Deny":
        return {**statement, "Principal": {"AWS": ROOT}}
    return statement


def _settled(world: World) -> World:
    """Return the account without what AWS's pages leave open.

    Open are: whether a boundary that merely doesn't allow limits a grant to everybody; a Deny with
    NotPrincipal that names a role without its account or session, or meets a boundary; a Deny
    of one session by name; the organization's id where the organization isn't known.
    """

    def certain(documents: Any) -> Any:
        return tuple(
            {**document, "Statement": [_settled_principals(one) for one in document["Statement"]]}
            for document in documents
        )

    grants = {arn: certain(documents) for arn, documents in world.grants.items()}
    trusts = {actor.name: certain([actor.trust])[0] for actor in world.actors}
    told = str([grants, trusts])
    doubtful = ("'Principal': '*'", "'AWS': '*'", "NotPrincipal")
    wide = any(text in told for text in doubtful) or "assumed-role" in str(trusts)
    actors = tuple(
        replace(
            actor,
            trust=trusts[actor.name],
            subject=replace(actor.subject, boundary=None) if wide else actor.subject,
        )
        for actor in world.actors
    )
    if world.levels is None:
        actors, grants = (
            tuple(
                replace(
                    actor,
                    trust=_without(actor.trust, "aws:PrincipalOrgID"),
                    subject=replace(
                        actor.subject,
                        policies=_without(actor.subject.policies, "aws:PrincipalOrgID"),
                    ),
                )
                for actor in actors
            ),
            _without(grants, "aws:PrincipalOrgID"),
        )
    return replace(world, actors=actors, grants=grants)


def random_world(rng: random.Random, *, settled: bool = True) -> World:
    """Return an account of two to five roles, with SCPs and identities' policies as often as not.

    ``settled`` leaves out what AWS's pages leave open.
    """
    names = NAMES[: rng.choice((2, 3, 3, 4, 5))]
    actors = tuple(
        _actor(rng, name, names, builds=at == 0 or rng.random() < 0.3)
        for at, name in enumerate(names)
    )
    levels = None
    if rng.random() < 0.6:
        levels = tuple(_level(rng) for _ in range(rng.choice((1, 2, 3))))
    grants = {}
    for region in rng.sample(("eu-west-1", "us-east-1"), rng.choice((0, 0, 1, 1, 2))):
        arn = f"arn:aws:ses:{region}:{ACCOUNT}:identity/example.com"
        grants[arn] = tuple(
            _document(_grant(rng, names, arn)) for _ in range(rng.choice((1, 1, 2)))
        )
    management = levels is not None and rng.random() < 0.1
    world = World(actors, levels, management, grants)
    return _settled(world) if settled else world
