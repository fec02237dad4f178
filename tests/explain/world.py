"""Roles for explanations, made by hand, with everything that may stand around them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from auditor.account import (
    Account,
    Identity,
    Organization,
    PolicyText,
    Role,
    ScpLevel,
    SesRegion,
)

ACCOUNT = "123456789012"
NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
SIMULATOR = "*@simulator.amazonses.com"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "codebuild.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
OPEN = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
GUARD = {
    "Effect": "Deny",
    "Action": "ses:*",
    "Resource": "*",
    "Condition": {"ForAnyValue:StringNotLike": {"ses:Recipients": SIMULATOR}},
}


def document(*statements: object) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def role(
    *statements: object, name: str = "build", boundary: object = None, **others: object
) -> Role:
    """A role with one inline policy of these statements, and one more for each keyword."""
    base = f"arn:aws:iam::{ACCOUNT}"
    return Role(
        arn=f"{base}:role/{name}",
        name=name,
        role_id="AROAEXAMPLE",
        tags={"team": "web"},
        trust=PolicyText("trust", None, "trust", TRUST),
        inline=(
            PolicyText("mail", None, "inline", document(*statements)),
            *(PolicyText(key, None, "inline", value) for key, value in others.items()),
        ),
        attached=(),
        boundary=None
        if boundary is None
        else PolicyText("limits", f"{base}:policy/limits", "boundary", boundary),
    )


def account(*roles: Role, scps: tuple[object, ...] = (), identity: object = None) -> Account:
    """An account with these roles; each SCP is a level of its own."""
    levels = tuple(
        ScpLevel(f"ou-{n}", f"unit {n}", (PolicyText(f"scp-{n}", f"arn:scp-{n}", "scp", one),))
        for n, one in enumerate(scps)
    )
    arn = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com"
    policies = (
        (PolicyText("sharing", None, "identity-policy", identity),) if identity is not None else ()
    )
    return Account(
        ACCOUNT,
        "aws",
        roles,
        organization=Organization("o-example", False, levels) if levels else None,
        ses=(SesRegion("eu-west-1", True, True, (Identity("example.com", arn, True, policies),)),),
    )
