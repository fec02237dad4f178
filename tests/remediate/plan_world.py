"""Accounts for planning, made by hand: short to write, and what is in them is easy to see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from auditor.account import Account, PolicyText, Project, Role
from auditor.corrective.names import policy_arn
from auditor.remediate.plan import PlanRequest, plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.remediate.model import Left, Plan

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
ACCOUNT = "123456789012"
GUARD_ARN = policy_arn("aws", ACCOUNT, "guard")
SENDER_ARN = policy_arn("aws", ACCOUNT, "sender")
PERSON = "someone@example.com"


def arn_of(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def allow(*actions: str, on: Any = "*", where: Any = None) -> dict[str, Any]:
    """An Allow of these actions."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return statement if where is None else {**statement, "Condition": where}


def deny(*actions: str, on: Any = "*", where: Any = None) -> dict[str, Any]:
    """A Deny of these actions."""
    return {**allow(*actions, on=on, where=where), "Effect": "Deny"}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


MAIL = allow("ses:SendEmail", "ses:SendRawEmail")
TO_SIMULATOR = allow(
    "ses:SendEmail",
    where={
        "ForAllValues:StringLike": {"ses:Recipients": "*@simulator.amazonses.com"},
        "Null": {"ses:Recipients": "false"},
    },
)
NOTHING = allow("s3:GetObject")


def trust(*aws: str, service: str | None = "codebuild.amazonaws.com") -> dict[str, Any]:
    """A trust policy that lets a service in (CodeBuild), and these AWS principals."""
    who: dict[str, Any] = {}
    if service:
        who["Service"] = service
    if aws:
        who["AWS"] = list(aws)
    return document({"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"})


def role(
    name: str,
    *statements: dict[str, Any],
    let_in: dict[str, Any] | None = None,
    tags: Mapping[str, str] | None = None,
    attached: tuple[PolicyText, ...] = (),
    inline: tuple[PolicyText, ...] = (),
    boundary: dict[str, Any] | None = None,
    arn: str | None = None,
) -> Role:
    """A role with one inline policy; CodeBuild's unless its trust policy says otherwise."""
    own = PolicyText("own", None, "inline", document(*statements))
    return Role(
        arn=arn or arn_of(name),
        name=name,
        role_id=f"AROA{name.upper()}",
        tags=tags or {},
        trust=PolicyText("trust", None, "trust", let_in or trust()),
        inline=(*((own,) if statements else ()), *inline),
        attached=attached,
        boundary=None
        if boundary is None
        else PolicyText("edge", f"arn:aws:iam::{ACCOUNT}:policy/edge", "boundary", boundary),
        projects=(Project(f"{name}-project", "eu-west-1", f"arn:{name}"),),
    )


def other(name: str, *statements: dict[str, Any], let_in: dict[str, Any]) -> Role:
    """A role that isn't CodeBuild's."""
    found = role(name, *statements, let_in=let_in)
    found.projects = ()
    return found


def managed(name: str, *statements: dict[str, Any], arn: str | None = None) -> PolicyText:
    where = arn or f"arn:aws:iam::{ACCOUNT}:policy/{name}"
    return PolicyText(name, where, "managed", document(*(statements or (NOTHING,))))


def account(*roles: Role, **more: Any) -> Account:
    return Account(ACCOUNT, "aws", roles, **more)


def plan_of(*roles: Role, **asked: Any) -> Plan:
    """A plan for an account of these roles, asked for like this."""
    return plan(account(*roles), PlanRequest(**asked), now=NOW)


def changed(plan: Plan) -> list[str]:
    """The names of the roles that a plan changes."""
    return [one.role_name for one in plan.changes]


def left_of(plan: Plan) -> dict[str, Left]:
    """What a plan leaves, by role name."""
    return {one.role_name: one for one in plan.left}
