"""Random roles that look like people's: the same seed gives the same roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .calls import ACCOUNT, Subject

if TYPE_CHECKING:
    import random

SIM = "*@simulator.amazonses.com"
ACTIONS: tuple[Any, ...] = (
    "*",
    "ses:*",
    "ses:Send*",
    "ses:send*email",
    "ses:SendEmail",
    "ses:SendRawEmail",
    ["ses:SendEmail", "ses:SendRawEmail"],
    ["ses:SendTemplatedEmail", "ses:SendBulkTemplatedEmail"],
    "ses:SendBulkEmail",
    "ses:SendCustomVerificationEmail",
    ["ses:Send?mail", "ses:Get*"],
    "ses:SendBounce",
    ["s3:GetObject", "logs:*"],
    [],
)
RESOURCES: tuple[Any, ...] = (
    "*",
    "*",
    "*",
    "arn:aws:ses:*:*:identity/*",
    "arn:aws:ses:eu-west-1:*:identity/example.com",
    "arn:aws:ses:*:*:*",
    ["arn:aws:ses:*:*:identity/example.com", "arn:aws:ses:*:*:template/*"],
    "arn:aws:ses:*:*:template/*",
    "arn:aws:ses:us-east-1",
    f"arn:aws:ses:*:{ACCOUNT}:identity/*",
    "arn:aws:ses:*:999999999999:identity/*",
    "arn:aws:ses:*:*:identity/${aws:PrincipalTag/domain}",
    "arn:aws:s3:::bucket/*",
)
RECIPIENTS: tuple[Any, ...] = (
    SIM,
    SIM,
    SIM,
    "*simulator.amazonses.com",
    "*@simulator.amazonses.com*",
    "*@simulator?amazonses.com",
    "*@*.amazonses.com",
    "success@*",
    "*@example.com",
    [SIM, "*@example.com"],
    ["success@simulator.amazonses.com", "bounce@simulator.amazonses.com"],
    "success@simulator.amazonses.com",
    "*",
    "*@localhost",
    "*@SIMULATOR.amazonses.com",
)
STRINGS = (
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLike",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
)
SETS = ("ForAllValues:", "ForAnyValue:")
KEYS: dict[str, tuple[tuple[str, ...], tuple[Any, ...]]] = {
    "aws:RequestedRegion": (STRINGS, ("eu-west-1", "us-*", ["eu-west-1", "us-east-1"], "*-1")),
    "ses:FromAddress": (
        STRINGS,
        ("build@example.com", "*@example.com", "*@mail.example.com", ["a@example.com", "b*"]),
    ),
    "ses:FeedbackAddress": (STRINGS, ("bounces@example.com", "*@example.com")),
    "ses:TenantName": (STRINGS, ("one", "t*")),
    "aws:SourceIp": (
        ("IpAddress", "NotIpAddress"),
        ("10.0.0.0/8", "10.1.0.0/16", ["10.0.0.0/9", "10.128.0.0/9"], "2001:db8::/32", "0.0.0.0/0"),
    ),
    "aws:SourceVpce": (STRINGS, ("vpce-1", ["vpce-1", "vpce-2"], "vpce-*")),
    "aws:SecureTransport": (("Bool",), ("true", "false")),
    "aws:ViaAWSService": (("Bool",), ("true", "false", False)),
    "aws:CurrentTime": (
        (
            "DateLessThan",
            "DateGreaterThan",
            "DateLessThanEquals",
            "DateGreaterThanEquals",
            "DateEquals",
            "DateNotEquals",
        ),
        (
            "2020-01-01T00:00:00Z",
            "2026-11-23T03:00:00Z",
            "2026-11-23T03:00:01Z",
            "2030-06-01T00:00:00Z",
            "2031-01-01T00:00:00Z",
        ),
    ),
    "aws:EpochTime": (
        ("NumericLessThan", "NumericGreaterThan", "NumericGreaterThanEquals"),
        ("1577836800", "1795402800", "1906502400"),
    ),
    "aws:PrincipalTag/team": (STRINGS, ("web", "w*", "ops", "${aws:PrincipalTag/owner}")),
    "aws:PrincipalTag/level": (
        ("NumericLessThan", "NumericEquals", "NumericNotEquals"),
        ("3", "5"),
    ),
    "aws:PrincipalArn": (
        ("ArnLike", "ArnNotLike", "ArnEquals", "ArnNotEquals", "StringLike"),
        ("arn:aws:iam::*:role/service-role/*", "arn:aws:iam::*:user/*", "arn:aws:iam::*:role/x"),
    ),
    "aws:PrincipalAccount": (STRINGS[:2], (ACCOUNT, "999999999999")),
    "aws:ResourceAccount": (STRINGS[:2], (ACCOUNT, "999999999999")),
    "aws:TagKeys": (tuple(s + o for s in SETS for o in STRINGS[:4]), ("x", ["x", "y"])),
    "s3:prefix": (STRINGS, ("x", "*")),
    "aws:MultiFactorAuthPresent": (("Bool",), ("true", "false")),
}


def _condition(rng: random.Random) -> dict[str, Any]:
    block: dict[str, Any] = {}
    if rng.random() < 0.75:
        prefix = rng.choice((*SETS, *SETS, *SETS, *SETS, ""))
        suffix = "IfExists" if rng.random() < 0.1 else ""
        operator = rng.choice((*STRINGS, "StringLike", "StringNotLike", "StringLike"))
        block[prefix + operator + suffix] = {"ses:Recipients": rng.choice(RECIPIENTS)}
    if rng.random() < 0.25:
        key = rng.choice(("ses:Recipients", *KEYS))
        block["Null"] = {key: rng.choice(("true", "false"))}
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        key = rng.choice(list(KEYS))
        operators, values = KEYS[key]
        suffix = "IfExists" if rng.random() < 0.2 else ""
        block.setdefault(rng.choice(operators) + suffix, {})[key] = rng.choice(values)
    return block


def _statement(rng: random.Random, effect: str) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": effect}
    turned = rng.random() < 0.12
    action = rng.choice(ACTIONS)
    statement["NotAction" if turned else "Action"] = action
    turned = rng.random() < 0.1
    statement["NotResource" if turned else "Resource"] = rng.choice(RESOURCES)
    if rng.random() < 0.7:
        statement["Condition"] = _condition(rng)
    return statement


def _careful(rng: random.Random) -> list[dict[str, Any]]:
    """Return the statements of somebody who meant to let the simulator through alone."""
    actions = rng.choice(("ses:Send*", "ses:*", ACTIONS[6], ACTIONS[6], ACTIONS[6], ACTIONS[7]))
    resource = rng.choice(("*", "*", "arn:aws:ses:*:*:*", RESOURCES[6]))
    pattern = rng.choice(RECIPIENTS[:8])
    condition: dict[str, Any] = {"ForAllValues:StringLike": {"ses:Recipients": pattern}}
    if rng.random() < 0.5:
        condition["Null"] = {"ses:Recipients": "false"}
    allow = {"Effect": "Allow", "Action": actions, "Resource": resource}
    if rng.random() < 0.6:
        return [{**allow, "Condition": condition}]
    closing = {"ForAnyValue:StringNotLike": {"ses:Recipients": pattern}}
    deny = {"Effect": "Deny", "Action": rng.choice(("*", actions)), "Resource": "*"}
    return [allow, {**deny, "Condition": closing}]


def _document(rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.3:
        statements = _careful(rng)
        if rng.random() < 0.4:
            statements.append(_statement(rng, rng.choice(("Deny", "Deny", "Allow"))))
        return {"Version": "2012-10-17", "Statement": statements}
    effects = rng.choice(
        (("Allow",), ("Allow",), ("Allow", "Deny"), ("Allow", "Deny", "Deny"), ("Allow", "Allow"))
    )
    statements = [_statement(rng, effect) for effect in effects]
    rng.shuffle(statements)
    document: dict[str, Any] = {"Statement": statements if len(statements) > 1 else statements[0]}
    version = rng.choice(("2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", None))
    return document if version is None else {"Version": version, **document}


def random_role(rng: random.Random) -> Subject:
    """Return a role with one to three documents, tags, and now and then a boundary."""
    policies = tuple(_document(rng) for _ in range(rng.choice((1, 1, 1, 2, 3))))
    boundary = _document(rng) if rng.random() < 0.2 else None
    tags = {
        name: rng.choice(values)
        for name, values in {
            "team": ("web", "ops"),
            "owner": ("web", "ops"),
            "level": ("3", "4", "7"),
            "domain": ("example.com", "example.org"),
        }.items()
        if rng.random() < 0.5
    }
    return Subject(policies, boundary, tags=tags)
