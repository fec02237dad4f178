"""The whole audit of an account: who is in it, in which order, and what one bad document costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from auditor.account import Account, Failure, PolicyText, Project, Role
from auditor.audit import audit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.findings import Report, RoleReport

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
ACCOUNT = "123456789012"
OPEN = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
MAILS = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "ses:*", "Resource": "*"},
}
CLOSED = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
}
TRUST = PolicyText(
    "trust",
    None,
    "trust",
    {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    },
)


def role(name: str, *documents: object, **fields: Any) -> Role:
    inline = tuple(
        PolicyText(f"policy-{at}", None, "inline", document)
        for at, document in enumerate(documents)
    )
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    return Role(arn, name, "AROAEXAMPLE", {}, TRUST, **{"inline": inline, "attached": (), **fields})


def run(*roles: Role, **options: Any) -> Report:
    return audit(Account(ACCOUNT, "aws", roles), now=NOW, **options)


def only(*documents: object, **fields: Any) -> RoleReport:
    return run(role("build", *documents, **fields)).roles[0]


def test_an_account_without_roles_is_an_empty_report() -> None:
    """No role, no finding, and still a report."""
    report = run()
    assert report.roles == []
    assert report.summary() == {
        "roles": 0,
        "exposed": 0,
        "simulator_only": 0,
        "no_send": 0,
        "undetermined": 0,
        "suppressed": 0,
    }
    assert report.complete


def test_roles_stand_in_the_order_of_their_arns_however_they_came() -> None:
    """Two audits of the same roles are equal, and the order of roles is that of ARNs."""
    roles = [role(name, MAILS) for name in ("web", "api", "Zoo", "path/api")]
    report = run(*roles)
    arns = [one.arn for one in report.roles]
    assert arns == sorted(arns)
    assert report == run(*roles[::-1])


def test_roles_may_come_one_by_one() -> None:
    """An account's roles may be a generator, passed over once."""

    def stream() -> Iterator[Role]:
        for at in range(20):
            yield role(f"build-{at}", OPEN if at % 2 else CLOSED)

    report = audit(Account(ACCOUNT, "aws", stream()), now=NOW)
    assert report.summary()["roles"] == 20
    assert report.summary()["exposed"] == 10


@pytest.mark.parametrize(
    ("globs", "names"),
    [
        ((), ["api", "team/web", "web"]),
        (("web",), ["team/web", "web"]),
        (("w*", "api"), ["api", "team/web", "web"]),
        (("*:role/team/*",), ["team/web"]),
        (("WEB",), []),
        (("",), []),
        (("???",), ["api", "team/web", "web"]),
    ],
)
def test_role_globs_are_on_name_or_arn(globs: tuple[str, ...], names: list[str]) -> None:
    """A role is audited where some glob matches its name or its ARN; no glob means all."""
    roles = [role(name, OPEN) for name in ("web", "api")]
    deep = role("team/web", OPEN)
    deep.name = "web"
    found = run(*roles, deep, role_globs=globs).roles
    assert [one.arn.partition(":role/")[2] for one in found] == names


def test_ids_hang_on_role_rule_and_action_alone() -> None:
    """A finding keeps its id when time passes, policies are renamed or other roles come."""
    first = run(role("web", OPEN))
    renamed = role("web", CLOSED, OPEN)
    later = audit(
        Account(ACCOUNT, "aws", [role("api", OPEN), renamed]),
        now=datetime(2027, 1, 1, tzinfo=UTC),
    )
    ids = [finding.id for finding in first.roles[0].findings]
    assert ids == [finding.id for finding in later.roles[1].findings]
    assert len(set(ids)) == len(ids)
    others = {finding.id for finding in later.roles[0].findings}
    assert not others & set(ids)


def test_findings_are_ordered_by_severity_rule_and_action() -> None:
    """Worst first; equals by rule, then by action."""
    findings = only(OPEN).findings
    severities = ("high", "medium", "low", "info")
    keys = [
        (severities.index(f.severity), f.rule, f.witness.action if f.witness else "")
        for f in findings
    ]
    assert keys == sorted(keys)
    assert {f.severity for f in findings} == {"high", "medium", "low"}


def test_a_shared_managed_policy_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy attached to many roles is read once for sends and once for other powers."""
    from auditor.policy.parse import parse

    seen: list[object] = []

    def counting(document: object, **options: Any) -> object:
        seen.append(document)
        return parse(document, **options)

    modules = [sys.modules[name] for name in list(sys.modules) if name.startswith("auditor")]
    for module in modules:
        if getattr(module, "parse", None) is parse:
            monkeypatch.setattr(module, "parse", counting)
    shared = PolicyText("shared", "arn:aws:iam::aws:policy/shared", "aws-managed", OPEN)
    broken = PolicyText("broken", "arn:aws:iam::aws:policy/broken", "aws-managed", "{")
    run(*(role(f"build-{at}", attached=(shared, broken)) for at in range(50)))
    assert 1 <= seen.count(OPEN) <= 2
    assert 1 <= seen.count("{") <= 2


BAD: tuple[object, ...] = (
    None,
    "",
    "{",
    7,
    [],
    {},
    {"Statement": [{"Effect": "Allow"}]},
    {"Statement": {"Effect": "Allow", "Action": "*:*", "Resource": "*"}},
    "[" * 10_000,
)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: str(bad)[:12])
def test_a_bad_document_costs_its_role_only(bad: object) -> None:
    """The role that carries it is undetermined, with the document and the place; others aren't."""
    report = run(role("bad", CLOSED, bad), role("good", CLOSED))
    broken, good = report.roles
    assert broken.verdict == "undetermined"
    assert broken.reason is not None
    assert "policy-1" in broken.reason
    assert good.verdict == "no_send"
    assert report.complete  # about collecting: nothing was left unread there


def test_a_missing_document_says_why() -> None:
    """A policy that could not be fetched leaves its role undetermined with that reason."""
    missing = PolicyText("gone", None, "inline", None, missing="AccessDenied")
    found = run(role("build", inline=(missing,))).roles[0]
    assert found.verdict == "undetermined"
    assert found.reason is not None
    assert "AccessDenied" in found.reason


def test_what_a_bad_document_leaves_exposed_is_possible() -> None:
    """Beside an open policy a bad one might deny: exposed, but never proven."""
    found = only(OPEN, "{")
    assert (found.verdict, found.certainty) == ("exposed", "possible")
    assert all(finding.severity != "high" for finding in found.findings)


def test_a_boundary_bounds_and_its_failing_is_told() -> None:
    """A boundary takes access away; one that can't be read leaves what it might."""

    def limit(document: object) -> PolicyText:
        return PolicyText("limit", f"arn:aws:iam::{ACCOUNT}:policy/limit", "boundary", document)

    assert only(OPEN, boundary=limit(CLOSED)).verdict == "no_send"
    assert only(OPEN, boundary=limit(OPEN)).certainty == "proven"
    assert only(OPEN, boundary=limit("{")).certainty == "possible"
    assert only(CLOSED, boundary=limit("{")).verdict == "undetermined"


def test_what_was_collected_is_carried_over() -> None:
    """Failures make a report incomplete; projects, notes and counts pass through."""
    project = Project("web", "eu-west-1", "arn:aws:codebuild:eu-west-1:123456789012:project/web")
    failure = Failure("codebuild:ListProjects ap-south-1", "AccessDeniedException")
    account = Account(
        ACCOUNT,
        "aws",
        [role("web", OPEN, projects=(project,))],
        not_evaluated=("scps",),
        failures=(failure,),
        api_calls={"iam:GetAccountAuthorizationDetails": 1},
    )
    report = audit(account, now=NOW)
    assert not report.complete
    assert report.errors == (failure,)
    assert report.not_evaluated == ("scps",)
    assert report.roles[0].projects == (project,)
    assert report.api_calls == {"iam:GetAccountAuthorizationDetails": 1}


@pytest.mark.parametrize("name", ["\ud800", "\u202e", "{role}", "%s", "x" * 5_000, "", "a\nb"])
def test_odd_names_are_carried_as_they_are(name: str) -> None:
    """A name or ARN of any text gets its report; formatting it never fails."""
    found = only(OPEN)
    odd = run(role(name, OPEN)).roles[0]
    assert odd.name == name
    assert [f.rule for f in odd.findings] == [f.rule for f in found.findings]


PRINT = """
import json, sys
from tests.test_audit import seeds
print(json.dumps(seeds()))
"""


def seeds() -> list[object]:
    """Return what an audit of a varied account says, as JSON."""
    condition = {
        "ForAllValues:StringLike": {"ses:Recipients": [f"u{at}*@example.com" for at in range(9)]},
        "StringNotLike": {"aws:UserAgent": [f"*{char}*" for char in "example"]},
        "NumericLessThan": {"aws:n": ["1", "2.5"]},
        "StringLike": {"ses:FromAddress": ["*@b.example.com", "*@example.org"]},
    }
    entry = {"Effect": "Allow", "Action": "ses:*", "Condition": condition}
    documents = [
        {"Version": "2012-10-17", "Statement": {**entry, "Resource": resource}}
        for resource in ("*", ["arn:aws:ses:eu-*:*:identity/*", "arn:aws:ses:*:*:template/a*"])
    ]
    report = run(*(role(f"build-{at}", document) for at, document in enumerate(documents)))
    return [
        [one.verdict, one.certainty, [[f.id, f.rule, f.witness] for f in one.findings]]
        for one in report.roles
    ]


def test_hashing_has_no_say() -> None:
    """Verdicts, findings and witnesses are the same bytes in every process."""
    shown = {
        subprocess.run(  # noqa: S603 - this interpreter, on a program of ours
            [sys.executable, "-c", PRINT],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }
    assert len(shown) == 1
    assert json.loads(shown.pop())
