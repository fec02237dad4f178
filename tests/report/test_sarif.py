"""The SARIF report: valid, accepted by GitHub's code scanning, and never silent about gaps."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft4Validator

from auditor.account import Failure
from auditor.report import sarif_results
from auditor.report.rulebook import RULEBOOK
from auditor.report.sarif import render
from auditor.report.sarif_results import message
from auditor.rules.catalogue import RULES
from tests import examples
from tests.report import big
from tests.strategies import reports

if TYPE_CHECKING:
    from auditor.findings import Report

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "formats.md").read_text("utf-8")
SCHEMA = json.loads((Path(__file__).parent / "schemas" / "sarif-2.1.0.json").read_text("utf-8"))
VALIDATOR = Draft4Validator(SCHEMA)
SEVERITIES = ("high", "medium", "low", "info")


def run_of(report: Report) -> dict[str, Any]:
    text = render(report)
    assert text.isascii()
    log = json.loads(text)
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    assert isinstance(run, dict)
    return run


def accepted(run: dict[str, Any]) -> None:
    """Hold what GitHub requires beyond the schema, and its limits.

    https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
    """
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) <= 25_000
    for rule in rules:
        assert 0 < len(rule["name"]) <= 255
        for part in ("shortDescription", "fullDescription"):
            assert 0 < len(rule[part]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert len(rule["properties"]["tags"]) <= 10
        assert "security" in rule["properties"]["tags"]
        assert 0.0 < float(rule["properties"]["security-severity"]) <= 10.0
        assert rule["properties"]["precision"] in ("very-high", "high", "medium", "low")
        assert rule["helpUri"].startswith("https://")
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"].strip()
        [location] = result["locations"]
        physical = location["physicalLocation"]
        path = physical["artifactLocation"]["uri"]
        assert urlsplit(path) == ("", "", path, "", "")
        assert not path.startswith("/")
        assert not {"", ".", ".."} & set(map(unquote, path.split("/")))
        assert set(physical["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert re.fullmatch(
            r"[0-9a-f]+:1", result["partialFingerprints"]["primaryLocationLineHash"]
        )


@LAW
@given(reports())
def test_every_report_is_valid(report: Report) -> None:
    """Whatever an audit finds, the log keeps to OASIS's schema and to GitHub's rules."""
    VALIDATOR.validate(json.loads(render(report)))
    accepted(run_of(report))
    assert render(report) == render(report)


@LAW
@given(reports())
def test_nothing_is_silent(report: Report) -> None:
    """Every finding, undetermined role and unaudited project is a result, and so is a gap.

    Code scanning shows results alone: a clean page must not come from what nobody looked at.
    """
    run = run_of(report)
    told = [result["ruleId"] for result in run["results"]]
    assert told.count("undetermined-role") == report.count("undetermined")
    assert told.count("unaudited-project") == len(report.unresolved_projects)
    assert told.count("incomplete-audit") == (not report.complete)
    own = ("undetermined-role", "unaudited-project", "incomplete-audit")
    findings = sorted(finding.rule for role in report.roles for finding in role.findings)
    assert sorted(rule for rule in told if rule not in own) == findings
    [invocation] = run["invocations"]
    assert invocation["executionSuccessful"] is report.complete
    gaps = len(report.errors) + len(report.unresolved_projects) + len(report.not_evaluated)
    assert len(invocation["toolExecutionNotifications"]) == gaps


def test_many_findings() -> None:
    """Five thousand findings are valid, apart from each other, and small enough to upload."""
    text = render(big.exposed())
    run = json.loads(text)["runs"][0]
    accepted(run)
    few = {"runs": [run | {"results": run["results"][::50]}], "version": "2.1.0"}
    VALIDATOR.validate(few)
    result = Draft4Validator(
        {**SCHEMA["definitions"]["result"], "definitions": SCHEMA["definitions"]}
    )
    for one in run["results"]:
        assert result.is_valid(one)
    prints = {one["partialFingerprints"]["primaryLocationLineHash"] for one in run["results"]}
    assert len(prints) == len(run["results"]) == big.ROLES
    assert len(gzip.compress(text.encode())) < 10_000_000


def test_more_than_github_takes_is_cut_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more results than GitHub takes the gravest are kept, and one says how many are missing."""
    assert sarif_results.MOST == 25_000
    most = 250  # what is cut is the same, sooner
    monkeypatch.setattr(sarif_results, "MOST", most)
    lint = replace(examples.LINT, title="advice")
    advised = replace(examples.LINTER, findings=(lint,) * most)
    run = run_of(examples.report(advised, examples.WEB, errors=(Failure("a", "b"),)))
    assert len(run["results"]) == most
    assert [one["level"] for one in run["results"][:2]] == ["error", "warning"]
    last = run["results"][-1]
    assert last["ruleId"] == "incomplete-audit"
    # of two more findings and the incomplete audit all but the last place is kept
    assert last["message"]["text"].startswith("4 results are left out of this file")


@pytest.mark.parametrize(
    ("arn", "path"),
    [
        ("arn:aws:iam::123456789012:role/web", "iam/123456789012/role/web"),
        ("arn:aws:iam::123456789012:role/a/b/web", "iam/123456789012/role/a/b/web"),
        (
            "arn:aws-cn:iam::123456789012:role/a+b=c,d.e@f-g_h",
            "iam/123456789012/role/a+b=c,d.e@f-g_h",
        ),
        ("arn:aws:iam::123456789012:role/../../x", "iam/123456789012/role/_../_../x"),
        ("arn:aws:iam::123456789012:role//x?y#z %", "iam/123456789012/role/x%3Fy%23z%20%25"),
        ("no arn: at/all", "iam/no%20arn%3A%20at%2Fall"),
    ],
)
def test_where_a_role_stands(arn: str, path: str) -> None:
    """A role's path is made of its ARN: the same in every scan, and inside the repository."""
    [result] = run_of(examples.report(replace(examples.ODD, arn=arn)))["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == path
    assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == arn


def test_a_result_has_the_proof() -> None:
    """A result names the request and the statements, and carries both as values."""
    [result] = run_of(examples.report(replace(examples.WEB, findings=(examples.OPEN,))))["results"]
    text = result["message"]["text"]
    assert text.startswith(
        "The role may send mail to any address. The request: ses:SendEmail from "
    )
    assert 'Allow in statement 0 "Mail" of inline policy deploy' in text
    assert result["level"] == "error"
    assert result["properties"]["certainty"] == "proven"
    assert result["properties"]["witness"]["context"]["ses:Recipients"] == ["someone@example.com"]
    assert result["properties"]["statements"][0]["policy"] == "deploy"
    assert result["partialFingerprints"]["auditorFindingId/v1"] == examples.OPEN.id


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see [here](https://evil.example)", "see [here] (https://evil.example)"),
        ("[a](1)[b](2)", "[a] (1)[b] (2)"),
        ("{0} and {12}", "{ 0} and { 12}"),
        ('{"Null": {"ses:Recipients": "false"}}', '{"Null": {"ses:Recipients": "false"}}'),
        ("a\nb", "a\\nb"),
        ("", "(empty)"),
    ],
)
def test_messages_are_read_as_text(text: str, shown: str) -> None:
    """A message of others is neither a link nor a placeholder: sections 3.11.5 and 3.11.6."""
    assert message(text) == shown


def test_the_rulebook_is_the_catalogue_and_the_pages() -> None:
    """Each rule of the catalogue is told, with the worst severity and a source of its own page."""
    assert [rule for rule in RULEBOOK if rule in RULES] == list(RULES)
    for told in RULEBOOK.values():
        page = (ROOT / told.page).read_text("utf-8")
        if told.id in RULES:
            assert told.url in page.partition("\n## Sources\n")[2]
            named = re.search(r"Severity: `(\w+)`", page)
            assert named
            assert told.severity == named[1]
            assert told.title in (ROOT / "docs" / "rules" / "README.md").read_text("utf-8")


def test_scores_are_in_the_band_of_their_severity() -> None:
    """GitHub's words for the scores (from 7.0 high, from 4.0 medium) are the rules' own."""
    rules = {rule["id"]: rule for rule in run_of(examples.report())["tool"]["driver"]["rules"]}
    bands = {"high": (7.0, 8.9), "medium": (4.0, 6.9), "low": (0.1, 3.9), "info": (0.1, 3.9)}
    for told in RULEBOOK.values():
        low, high = bands[told.severity]
        assert low <= float(rules[told.id]["properties"]["security-severity"]) <= high


def test_accounts_are_categories_of_their_own() -> None:
    """Two accounts uploaded for one commit don't overwrite each other's results."""
    assert run_of(examples.full())["automationDetails"]["id"] == "auditor/123456789012/"


def test_the_documented_example_is_a_report() -> None:
    """The example in docs/formats.md is a part of what the format prints."""
    section = DOCUMENT.partition("\n## sarif\n")[2].partition("\n## ")[0]
    example = re.search(r"```json\n(.*?)```", section, re.DOTALL)
    assert example
    [result] = run_of(examples.report(examples.ODD))["results"]
    assert json.loads(example[1]) == result
