"""The CSV report: whole, readable by any reader, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from auditor.account import Failure, UnresolvedProject
from auditor.findings import Confirmation, Witness
from auditor.report.csv import COLUMNS, render
from auditor.report.json import role_to_dict
from auditor.text import visible
from tests import examples
from tests.report import big
from tests.strategies import reports

if TYPE_CHECKING:
    from auditor.findings import Report

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FORMULA = re.compile(r"[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20]")
DOCUMENT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")


def rows_of(report: Report) -> list[dict[str, str]]:
    """Read the report as a strict reader does: exact columns, header first."""
    lines = list(csv.reader(StringIO(render(report), newline=""), strict=True))
    assert tuple(lines[0]) == COLUMNS
    return [dict(zip(COLUMNS, line, strict=True)) for line in lines[1:]]


@LAW
@given(reports())
def test_every_finding_role_and_gap_is_one_line(report: Report) -> None:
    """Nothing is lost: each finding, role without one and gap is a line of its own."""
    records = [row["record"] for row in rows_of(report)]
    findings = sum(len(role.findings) for role in report.roles)
    assert records.count("finding") == findings
    assert records.count("role") == sum(not role.findings for role in report.roles)
    assert records.count("error") == len(report.errors)
    assert records.count("unresolved_project") == len(report.unresolved_projects)
    assert records.count("not_evaluated") == len(report.not_evaluated)
    text = render(report)
    assert text.count("\r\n") == text.count("\n") == len(records) + 1


@LAW
@given(reports())
def test_no_cell_is_a_formula(report: Report) -> None:
    """No spreadsheet takes a cell for a formula, not even one that parts cells at semicolons."""
    for row in rows_of(report):
        for value in row.values():
            assert value.isprintable()
            for part in value.split(";"):
                assert not FORMULA.match(part) or part.startswith("'")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1", "' =1"),
        ('"=1', "'\"=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"),
        ("a; =1;b", "a;' =1;b"),
        ("\t=1", "\\t=1"),
        ("\r=1", "\\r=1"),
        ("a\n=1", "a\\n=1"),
        ("a=1", "a=1"),
        ("codebuild-web", "codebuild-web"),
    ],
)
def test_formulas_are_disarmed(name: str, shown: str) -> None:
    """What starts a formula gets an apostrophe; other text stays as it is.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    [row] = rows_of(examples.report(replace(examples.LINTER, name=name)))
    assert row["role_name"] == shown


def test_a_finding_line() -> None:
    """A finding's line has its role, the request and what let it through."""
    said = Confirmation("agrees", "allowed", "every policy was read")
    role = replace(examples.WEB, findings=(replace(examples.OPEN, confirmation=said),))
    [row] = rows_of(examples.report(role))
    assert row == dict.fromkeys(COLUMNS, "") | {
        "record": "finding",
        "account_id": "123456789012",
        "generated_at": "2026-11-23T03:00:00Z",
        "complete": "true",
        "role_arn": "arn:aws:iam::123456789012:role/service-role/codebuild-web",
        "role_name": "codebuild-web",
        "projects": "web (eu-west-1)",
        "verdict": "exposed",
        "certainty": "proven",
        "finding_id": "5c1f0e9d",
        "rule": "unrestricted-send",
        "severity": "high",
        "finding_certainty": "proven",
        "title": "The role may send mail to any address",
        "action": "ses:SendEmail",
        "resources": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "recipients": "someone@example.com",
        "witness": row["witness"],
        "statements": 'Allow in statement 0 "Mail" of inline policy deploy',
        "remediation": "Limit the recipients to the simulator: docs/rules/unrestricted-send.md",
        "confirmation": "agrees: every policy was read",
    }


@LAW
@given(reports())
def test_the_witness_is_the_json_reports(report: Report) -> None:
    """The column ``witness`` is JSON, and the same request as in the JSON report."""
    rows = [row for row in rows_of(report) if row["record"] == "finding"]
    findings: list[object] = []
    for role in report.roles:
        values = role_to_dict(role)["findings"]
        assert isinstance(values, list)
        findings += [each["witness"] for each in values]
    assert [json.loads(row["witness"]) if row["witness"] else None for row in rows] == findings


def test_a_witness_with_a_formula_stays_exact() -> None:
    """A formula inside the witness is disarmed without changing the request."""
    witness = Witness(
        "ses:SendEmail", ("r",), {"aws:UserAgent": "a;=1+1", "ses:Recipients": "x@y.zz"}
    )
    role = replace(examples.WEB, findings=(replace(examples.OPEN, witness=witness),))
    [row] = rows_of(examples.report(role))
    assert ";" not in row["witness"]
    assert json.loads(row["witness"])["context"]["aws:UserAgent"] == "a;=1+1"


def test_an_incomplete_audit_says_so_on_every_line() -> None:
    """Who filters the lines still sees that the audit is incomplete, and what could not be read."""
    failed = Failure("iam:ListRoles", "AccessDenied: no")
    lost = UnresolvedProject(examples.project("orphan"), "arn:gone", "the account has no such role")
    report = examples.report(examples.LINTER, errors=(failed,), unresolved=(lost,))
    rows = rows_of(report)
    assert [row["complete"] for row in rows] == ["false"] * 3
    assert (rows[1]["title"], rows[1]["reason"]) == failed
    assert (rows[2]["role_arn"], rows[2]["reason"]) == ("arn:gone", "the account has no such role")
    assert rows[2]["projects"] == "orphan (eu-west-1)"


def test_many_findings() -> None:
    """Five thousand findings are five thousand lines."""
    rows = rows_of(big.exposed())
    assert len({row["finding_id"] for row in rows}) == len(rows) == big.ROLES


def test_the_documented_columns_are_the_reports() -> None:
    """docs/formats.md has every column, in order."""
    section = DOCUMENT.partition("\n## csv\n")[2].partition("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == COLUMNS


def test_the_documented_example_is_a_report() -> None:
    """The example in docs/formats.md is what the format prints."""
    example = re.search(r"```csv\n(.*?)```", DOCUMENT, re.DOTALL)
    assert example
    assert render(examples.report(examples.LINTER)).replace("\r\n", "\n") == example[1]
    assert visible(example[1].replace("\n", "")) == example[1].replace("\n", "")
