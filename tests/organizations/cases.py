"""Reads ``cases/*.json``: accounts of a few roles, and what is expected of each role.

A file names documents once (``documents``), and its cases use the names. In an account, a role
without ``trust`` is CodeBuild's, ``null`` is a document that could not be read, and an account with
``levels`` (SCPs from the root down) belongs to the organization ``o-example``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.account import (
    Account,
    Identity,
    Organization,
    PolicyKind,
    PolicyText,
    Role,
    ScpLevel,
    SesRegion,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.findings import Report, RoleReport

FOLDER = Path(__file__).parent / "cases"
ACCOUNT = "123456789012"
ORGANIZATION = "o-example"
CODEBUILD = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "codebuild.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}
EXPECTED = {
    *("verdict", "certainty", "rules", "not_rules", "via", "region", "resource", "action"),
    "severity",
}


class Case(NamedTuple):
    """One case: an account, and by role's name what its report should say."""

    id: str
    account: Account
    expect: dict[str, dict[str, Any]]


def text(name: str, kind: PolicyKind, document: object, arn: str | None = None) -> PolicyText:
    """Return a policy; a document that is None could not be read."""
    missing = "it could not be read" if document is None else None
    return PolicyText(name, arn, kind, document, missing)


def make_role(name: str, given: Mapping[str, Any]) -> Role:
    """Return a role from its JSON form, documents put in for their names."""
    path = given.get("path", "/")
    bound = given.get("boundary")
    return Role(
        arn=f"arn:aws:iam::{ACCOUNT}:role{path}{name}",
        name=name,
        role_id=f"AROA{name.upper()}",
        tags=given.get("tags", {}),
        trust=text("trust", "trust", given.get("trust", CODEBUILD)),
        inline=tuple(
            text(f"policy-{at}", "inline", document)
            for at, document in enumerate(given.get("policies", ()))
        ),
        attached=tuple(
            text(
                arn.rpartition("/")[2],
                "aws-managed" if "::aws:" in arn else "managed",
                document,
                arn,
            )
            for arn, document in given.get("attached", {}).items()
        ),
        boundary=None
        if bound is None
        else text("boundary", "boundary", bound, f"arn:aws:iam::{ACCOUNT}:policy/boundary"),
    )


def make_organization(levels: Iterable[Iterable[object]], *, management: bool) -> Organization:
    """Return an organization; ``levels`` hold documents, from the root down."""
    return Organization(
        ORGANIZATION,
        management,
        tuple(
            ScpLevel(
                f"level-{depth}",
                f"level {depth}",
                tuple(text(f"scp-{depth}-{at}", "scp", doc) for at, doc in enumerate(documents)),
            )
            for depth, documents in enumerate(levels)
        ),
    )


def make_regions(identities: Mapping[str, Iterable[object]]) -> tuple[SesRegion, ...]:
    """Return SES's regions from the identities' ARNs and their documents."""
    found: dict[str, list[Identity]] = {}
    for arn, documents in identities.items():
        name = arn.partition("identity/")[2]
        policies = tuple(
            text(f"grant-{at}", "identity-policy", document)
            for at, document in enumerate(documents)
        )
        found.setdefault(arn.split(":")[3], []).append(Identity(name, arn, True, policies))
    return tuple(SesRegion(name, True, True, tuple(held)) for name, held in found.items())


def make_account(given: Mapping[str, Any]) -> Account:
    """Return an account from its JSON form."""
    levels = given.get("levels")
    return Account(
        ACCOUNT,
        "aws",
        [make_role(name, role) for name, role in given["roles"].items()],
        organization=None
        if levels is None
        else make_organization(levels, management=given.get("management", False)),
        ses=make_regions(given.get("identities", {})),
    )


def _filled(value: Any, documents: Mapping[str, object]) -> Any:
    """Return an account's JSON with the named documents in their places."""
    if isinstance(value, str):
        return documents.get(value, value)
    if isinstance(value, list):
        return [_filled(item, documents) for item in value]
    if isinstance(value, dict) and "Statement" not in value:
        return {key: _filled(item, documents) for key, item in value.items()}
    return value


def read(path: Path) -> list[Case]:
    """Return a file's cases. Raises ValueError where a case lacks a part or has a part too many."""
    content = json.loads(path.read_text("utf-8"))
    found = []
    for case in content["cases"]:
        where = f"{path.stem}/{case['name']}"
        if set(case) != {"name", "why", "source", "account", "expect"}:
            raise ValueError(f"{where}: parts {sorted(case)}")
        if not case["why"] or not case["source"].startswith("https://docs.aws.amazon.com/"):
            raise ValueError(f"{where}: give a reason, and the page that says it")
        strange = {key for expected in case["expect"].values() for key in expected} - EXPECTED
        if strange:
            raise ValueError(f"{where}: nobody knows {sorted(strange)}")
        account = make_account(_filled(case["account"], content["documents"]))
        found.append(Case(where, account, case["expect"]))
    return found


def every() -> list[Case]:
    """Return the cases of all files."""
    return [case for path in sorted(FOLDER.glob("*.json")) for case in read(path)]


def _role_differs(report: RoleReport, expect: Mapping[str, Any]) -> Iterable[str]:
    rules = {finding.rule for finding in report.findings}
    for key in ("verdict", "certainty"):
        if key in expect and getattr(report, key) != expect[key]:
            yield f"{key} is {getattr(report, key)}, expected {expect[key]} ({report.reason})"
    for rule in expect.get("rules", ()):
        if rule not in rules:
            yield f"{rule} isn't among {sorted(rules)}"
    for rule in expect.get("not_rules", ()):
        if rule in rules:
            yield f"{rule} shouldn't be there"
    named = {"via", "region", "resource", "action", "severity"} & set(expect)
    worst = report.worst()
    if named and (worst is None or worst.witness is None):
        yield "no witness"
    elif named and worst is not None and worst.witness is not None:
        seen = {
            "via": [name for name in expect.get("via", ()) if name in worst.title],
            "region": worst.witness.resources[0].split(":")[3],
            "resource": worst.witness.resources[0],
            "action": worst.witness.action,
            "severity": worst.severity,
        }
        for key in sorted(named):
            if seen[key] != expect[key]:
                yield f"{key} is {seen[key]}, expected {expect[key]}: {worst.title}"


def differences(report: Report, expect: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what a report says otherwise than expected, one line each."""
    roles = {role.name: role for role in report.roles}
    found = [f"{name} isn't reported" for name in expect if name not in roles]
    for name in expect:
        if name in roles:
            found += [f"{name}: {line}" for line in _role_differs(roles[name], expect[name])]
    return found
