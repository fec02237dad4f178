"""Reads the case files of ``tests/corpus`` and says in one line what is wrong with a bad one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from auditor.account import Account, PolicyText, Role
from auditor.findings import SEVERITIES, RoleReport

CORPUS = Path(__file__).parent.parent / "corpus"
ACCOUNT = "123456789012"
ROLE_ID = "AROACASEEXAMPLE000000"
DEFAULT_ARN = f"arn:aws:iam::{ACCOUNT}:role/service-role/codebuild-case"
DEFAULT_NOW = "2026-11-23T03:00:00Z"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
VERDICTS = ("exposed", "simulator_only", "no_send", "undetermined")
# Element -> its type; a star marks what may be missing.
CASE = {"name": str, "why": str, "source": str, "role": dict, "now*": str, "expect": dict}
ROLE = {"tags": dict, "boundary": object, "policies": list, "arn*": str, "missing_policies*": list}
EXPECT = {
    "verdict": str,
    "certainty": object,
    "rules*": list,
    "not_rules*": list,
    "severity*": str,
}


class CaseError(Exception):
    """A case that can't be run; the message names the file, the case and what is wrong."""


class Case(NamedTuple):
    """One case. ``theme`` is its file's name without ``.json``."""

    theme: str
    name: str
    now: datetime
    role: Role
    expect: dict[str, Any]


def _check(where: str, value: object, shape: dict[str, Any]) -> None:
    if not isinstance(value, dict):
        raise CaseError(f"{where}: should be an object")
    known = {name.rstrip("*") for name in shape}
    for name in value:
        if name not in known:
            raise CaseError(f"{where}: nobody knows {name!r}; known are {', '.join(sorted(known))}")
    for name, kind in shape.items():
        bare = name.rstrip("*")
        if bare not in value:
            if not name.endswith("*"):
                raise CaseError(f"{where}: {bare!r} is missing")
        elif not isinstance(value[bare], kind):
            raise CaseError(f"{where}: {bare!r} should be of JSON's kind for {kind.__name__}")


def _check_expect(where: str, expect: dict[str, Any]) -> None:
    if expect["verdict"] not in VERDICTS:
        raise CaseError(f"{where}: the verdict should be one of {', '.join(VERDICTS)}")
    wanted = ("proven", "possible") if expect["verdict"] == "exposed" else (None,)
    if expect["certainty"] not in wanted:
        raise CaseError(f"{where}: with this verdict the certainty should be one of {wanted}")
    if expect.get("severity", "info") not in SEVERITIES:
        raise CaseError(f"{where}: the severity should be one of {', '.join(SEVERITIES)}")


def _text(name: str, document: object, kind: Any = "inline") -> PolicyText:
    return PolicyText(name, None, kind, document)


def _role(given: dict[str, Any]) -> Role:
    arn = given.get("arn", DEFAULT_ARN)
    missing = given.get("missing_policies", [])
    return Role(
        arn=arn,
        name=arn.rsplit("/", 1)[-1],
        role_id=ROLE_ID,
        tags=given["tags"],
        trust=_text("trust", TRUST, "trust"),
        inline=tuple(_text(f"policy-{n}", doc) for n, doc in enumerate(given["policies"])),
        attached=tuple(
            PolicyText(a.rsplit("/", 1)[-1], a, "managed", None, "it could not be read")
            for a in missing
        ),
        boundary=None
        if given["boundary"] is None
        else PolicyText(
            "boundary",
            f"{arn.rpartition(':role/')[0]}:policy/boundary",
            "boundary",
            given["boundary"],
        ),
    )


def read(path: Path) -> list[Case]:
    """Return a file's cases. Raises CaseError, which names the file and the case."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CaseError(f"{path.name}: not JSON: {error}") from error
    _check(path.name, content, {"theme": str, "cases": list})
    if content["theme"] != path.stem:
        raise CaseError(f"{path.name}: the theme should be the file's name, {path.stem!r}")
    found: dict[str, Case] = {}
    for number, given in enumerate(content["cases"]):
        name = given.get("name") if isinstance(given, dict) else None
        where = f"{path.name}: case {name or number}"
        _check(where, given, CASE)
        _check(f"{where}: role", given["role"], ROLE)
        _check(f"{where}: expect", given["expect"], EXPECT)
        _check_expect(where, given["expect"])
        if given["name"] in found:
            raise CaseError(f"{where}: there are two cases of this name")
        if not given["why"].strip() or not given["source"].startswith(("https://", "semantics: ")):
            raise CaseError(f"{where}: give a reason, and a source (https://… or 'semantics: …')")
        try:
            now = datetime.fromisoformat(given.get("now", DEFAULT_NOW))
        except ValueError as error:
            raise CaseError(f"{where}: 'now' should be an ISO 8601 time: {error}") from error
        if now.tzinfo is None:
            raise CaseError(f"{where}: 'now' should name its time zone, such as Z")
        found[given["name"]] = Case(
            content["theme"], given["name"], now, _role(given["role"]), given["expect"]
        )
    return list(found.values())


def account_of(role: Role) -> Account:
    """Return an account that has this one role."""
    return Account(role.arn.split(":")[4], role.arn.split(":")[1], (role,))


def disagreements(report: RoleReport, expect: dict[str, Any]) -> list[str]:
    """Return what a report says other than the case expects, one line each."""
    rules = sorted({finding.rule for finding in report.findings})
    severities = {finding.severity for finding in report.findings}
    worst = next((level for level in SEVERITIES if level in severities), None)
    found = []
    if (report.verdict, report.certainty) != (expect["verdict"], expect["certainty"]):
        found.append(
            f"expected {expect['verdict']} ({expect['certainty']}), "
            f"got {report.verdict} ({report.certainty}; {report.reason})"
        )
    found += [
        f"rule {r} is missing from {rules}" for r in expect.get("rules", []) if r not in rules
    ]
    found += [f"rule {r} shouldn't be there" for r in expect.get("not_rules", []) if r in rules]
    if expect.get("severity", worst) != worst:
        found.append(f"expected {expect['severity']} as the worst severity, got {worst}")
    return found
