"""A small account whose roles can be mended, broken, renamed and deleted between two audits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from auditor.account import Account, Failure, Identity, PolicyText, Role, SesRegion
from auditor.audit import audit
from auditor.life import live
from auditor.looked import looked_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.findings import Report
    from auditor.life import Changes, Known
    from auditor.looked import Looked

ACCOUNT = "123456789012"
START = datetime(2026, 11, 23, 3, tzinfo=UTC)
SIMULATOR = "*@simulator.amazonses.com"

OPEN: dict[str, Any] = {"Action": "ses:SendEmail", "Resource": "*"}
CLOSED: dict[str, Any] = {
    "Action": "ses:SendEmail",
    "Resource": "*",
    "Condition": {
        "ForAllValues:StringLike": {"ses:Recipients": SIMULATOR},
        "Null": {"ses:Recipients": "false"},
    },
}
LOOSE: dict[str, Any] = {
    "Action": "ses:SendEmail",
    "Resource": "*",
    "Condition": {"ForAllValues:StringLike": {"ses:Recipients": SIMULATOR}},
}
ODD: dict[str, Any] = {
    "Action": "ses:*",
    "Resource": "*",
    "Condition": {"StringLikes": {"ses:Recipients": "*"}},
}
NOTHING: dict[str, Any] = {"Action": "s3:GetObject", "Resource": "*"}


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def document(**statement: object) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


def role(name: str, *statements: Mapping[str, Any], trusts: bool = True) -> Role:
    """A role; where it ``trusts`` CodeBuild, it is in scope without any project."""
    service = "codebuild.amazonaws.com" if trusts else "ec2.amazonaws.com"
    trust = document(Principal={"Service": service}, Action="sts:AssumeRole")
    inline = tuple(
        PolicyText(f"p{n}", None, "inline", document(**one)) for n, one in enumerate(statements)
    )
    return Role(
        arn(name),
        name,
        f"AROA{name.upper()}",
        {},
        PolicyText("t", None, "trust", trust),
        inline,
        (),
    )


def account(*roles: Role, failures: tuple[str, ...] = (), **more: Any) -> Account:
    """An account; ``failures`` are calls that failed."""
    failed = tuple(Failure(where, "AccessDeniedException: no") for where in failures)
    return Account(ACCOUNT, "aws", list(roles), failures=failed, **more)


def mail(region: str, granted: str | None = None) -> SesRegion:
    """SES in a region; where a role is named, an identity's policy lets it send."""
    identity = f"arn:aws:ses:{region}:{ACCOUNT}:identity/example.com"
    policies: tuple[PolicyText, ...] = ()
    if granted is not None:
        text = document(Principal={"AWS": arn(granted)}, Action="ses:SendEmail", Resource=identity)
        policies = (PolicyText("grant", identity, "identity-policy", text),)
    return SesRegion(region, True, True, (Identity("example.com", identity, True, policies),))


class Audits:
    """One audit a day, each held against what those before knew."""

    def __init__(self) -> None:
        self.known: dict[str, Known] = {}
        self.now = START

    def next(
        self, one: Account, *, globs: tuple[str, ...] = (), everywhere: bool = True
    ) -> tuple[Report, Changes]:
        report, looked = self.look(one, globs=globs, everywhere=everywhere)
        self.known, changes = live(self.known, report, looked)
        return report, changes

    def look(
        self, one: Account, *, globs: tuple[str, ...] = (), everywhere: bool = True
    ) -> tuple[Report, Looked]:
        self.now += timedelta(days=1)
        report = audit(one, now=self.now, role_globs=globs)
        return report, looked_at(one, globs=globs, everywhere=everywhere)


def names(changes: Changes) -> dict[str, list[str]]:
    """Return the changes as ``role: rule`` texts, by kind; kinds without any are left out."""
    return {
        kind: [f"{one.role_arn.rpartition('/')[2]}: {one.rule}" for one in ones]
        for kind, ones in changes._asdict().items()
        if ones
    }
