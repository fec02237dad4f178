"""Security Hub's findings: as AWS's own service model and documented limits want them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from hypothesis import HealthCheck, given, settings

from auditor.account import Failure, Project, UnresolvedProject
from auditor.findings import Confirmation, Witness
from auditor.report.asff import HOME_REGIONS, asff_findings, render
from tests import examples
from tests.report import big
from tests.strategies import reports

if TYPE_CHECKING:
    from auditor.findings import Report, RoleReport

LAW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DOCUMENT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
REGION = "eu-west-1"
BATCH = 100  # findings a call takes


@cache
def shape() -> Any:
    model = ServiceModel(Loader().load_service_model("securityhub", "service-2"))
    return model.operation_model("BatchImportFindings").input_shape


def found(report: Report, archived: Any = ()) -> list[Any]:
    return list(asff_findings(report, region=REGION, archived=archived))


def accepted(findings: list[Any]) -> None:
    """Hold the service model and the documented limits of each finding.

    https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html
    """
    for start in range(0, len(findings), BATCH):
        batch = {"Findings": findings[start : start + BATCH]}
        assert not ParamValidator().validate(batch, shape()).has_errors()
    enums = {
        "RecordState": {"ACTIVE", "ARCHIVED"},
        "Severity": {"INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"},
        "Compliance": {"PASSED", "WARNING", "FAILED", "NOT_AVAILABLE"},
    }
    for one in findings:
        assert len(json.dumps(one).encode()) <= 240_000
        assert one["SchemaVersion"] == "2018-10-08"
        assert 0 < len(one["Id"]) <= 512
        assert 0 < len(one["GeneratorId"]) <= 512
        assert 0 < len(one["Title"]) <= 256
        assert 0 < len(one["Description"]) <= 1024
        recommendation = one["Remediation"]["Recommendation"]
        assert 0 < len(recommendation["Text"]) <= 512
        assert recommendation["Url"].startswith("https://docs.aws.amazon.com/")
        assert len(one["ProductFields"]) <= 50
        for key, value in one["ProductFields"].items():
            assert 0 < len(key) <= 128
            assert not key.startswith("aws/")
            assert 0 < len(value) <= 2048
        assert 1 <= len(one["Resources"]) <= 32
        for resource in one["Resources"]:
            assert resource["Partition"] in HOME_REGIONS
            assert 0 < len(resource.get("Region", REGION)) <= 16
        assert re.fullmatch(r"(Software and Configuration Checks)/[\w ]+", *one["Types"])
        assert one["RecordState"] in enums["RecordState"]
        assert one["Severity"]["Label"] in enums["Severity"]
        assert one["Severity"] == one["FindingProviderFields"]["Severity"]
        assert one["Compliance"]["Status"] in enums["Compliance"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["UpdatedAt"])
        no_blank(one)


def no_blank(value: object) -> None:
    """Security Hub refuses texts without a visible character."""
    if isinstance(value, dict):
        for each in value.values():
            no_blank(each)
    elif isinstance(value, list):
        for each in value:
            no_blank(each)
    elif isinstance(value, str):
        assert value.strip()


@LAW
@given(reports())
def test_every_finding_is_accepted(report: Report) -> None:
    """Whatever an audit finds, each finding fits AWS's model and limits."""
    accepted(found(report))
    assert json.loads(render(report)) == asff_findings(report, region=HOME_REGIONS["aws"])
    assert render(report).isascii()


@LAW
@given(reports())
def test_nothing_is_silent(report: Report) -> None:
    """Findings, undetermined roles, unaudited projects and an incomplete audit are all findings."""
    rules = [one["GeneratorId"].removeprefix("auditor/") for one in found(report)]
    assert rules.count("undetermined-role") == report.count("undetermined")
    assert rules.count("unaudited-project") == len(report.unresolved_projects)
    assert rules.count("incomplete-audit") == (not report.complete)
    own = report.count("undetermined") + len(report.unresolved_projects) + (not report.complete)
    assert len(rules) - own == sum(len(role.findings) for role in report.roles)
    gaps = [one["ProductFields"].get("auditor/NotEvaluated") for one in found(report)]
    assert all(gaps) or not any(text.strip() for text in report.not_evaluated)


def test_many_findings() -> None:
    """Five thousand findings are accepted, each with an id of its own."""
    many = found(big.exposed())
    accepted(many)
    assert len({one["Id"] for one in many}) == len(many) == big.ROLES


def test_the_longest_finding_fits() -> None:
    """Texts of any length, of characters that take most bytes, stay under 240 KB."""
    long = "\U0001f4e7" * 20_000
    finding = replace(
        examples.OPEN,
        title=long,
        remediation=long,
        statements=(replace(examples.OPEN.statements[0], policy=long),) * 50,
        witness=Witness(long, (long,) * 5, {"ses:Recipients": (long,) * 50, long: long}),
        confirmation=Confirmation("agrees", "allowed", long),
    )
    role = replace(
        examples.WEB,
        name=long,
        arn=f"arn:aws:iam::123456789012:role/{long}",
        projects=tuple(Project(long, long, f"{long}{n}") for n in range(100)),
        findings=(finding,),
        notes=(long,) * 9,
    )
    [one] = found(examples.report(role, not_evaluated=(long,) * 9))
    accepted([one])
    assert one["Title"].endswith(" [cut]")
    assert len(one["Resources"]) == 10
    assert one["ProductFields"]["auditor/Projects"] == "100"


def test_an_exposure() -> None:
    """An exposed role's finding fails its check, with the request and the fix."""
    [one] = found(examples.report(replace(examples.WEB, findings=(examples.OPEN,))))
    assert one["Id"] == "auditor/123456789012/5c1f0e9d"
    product = "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default"
    assert one["ProductArn"] == product
    assert one["GeneratorId"] == "auditor/unrestricted-send"
    assert one["Severity"] == {"Label": "HIGH", "Original": "high"}
    assert one["Compliance"] == {"Status": "FAILED"}
    assert "ses:SendEmail from arn:aws:ses:eu-west-1" in one["Description"]
    assert "to someone@example.com" in one["Description"]
    role, project = one["Resources"]
    assert (role["Type"], role["Id"]) == ("AwsIamRole", examples.WEB.arn)
    assert role["Details"] == {"AwsIamRole": {"RoleName": "codebuild-web"}}
    assert (project["Type"], project["Region"]) == ("AwsCodeBuildProject", "eu-west-1")
    assert one["CreatedAt"] == one["UpdatedAt"] == "2026-11-23T03:00:00Z"
    assert (one["Workflow"], one["RecordState"]) == ({"Status": "NEW"}, "ACTIVE")


@pytest.mark.parametrize(
    ("role", "label", "status"),
    [
        (replace(examples.WEB, findings=(examples.OPEN,)), "HIGH", "FAILED"),
        (examples.BATCH, "MEDIUM", "FAILED"),
        (replace(examples.LINTER, findings=(examples.BOUNCE,)), "LOW", "WARNING"),
        (examples.TESTS, "INFORMATIONAL", "WARNING"),
        (examples.ODD, "MEDIUM", "WARNING"),
    ],
    ids=["high", "medium", "low", "info", "undetermined"],
)
def test_severities(role: RoleReport, label: str, status: str) -> None:
    """Each severity has its label; only an exposure fails, and nothing undecided passes."""
    [one] = found(examples.report(role))
    assert (one["Severity"]["Label"], one["Compliance"]["Status"]) == (label, status)


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "us-east-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")],
)
def test_the_command_line_names_the_partitions_home(partition: str, region: str) -> None:
    """Without a region to import to, the product's ARN names the one where IAM is at home."""
    arn = f"arn:{partition}:iam::123456789012:role/x"
    [one] = json.loads(render(examples.report(replace(examples.ODD, arn=arn))))
    start = f"arn:{partition}:securityhub:{region}:123456789012:"
    assert one["ProductArn"].startswith(start)
    assert one["Resources"][0]["Partition"] == partition


def later(*roles: RoleReport, **more: Any) -> Report:
    report = examples.report(*roles, **more)
    return replace(report, generated_at=examples.NOW + timedelta(days=1))


CLOSED = replace(examples.WEB, verdict="no_send", certainty=None, findings=())
HIDDEN = {
    "the audit is incomplete": later(CLOSED, errors=(Failure("a", "b"),)),
    "identity policies weren't read": later(CLOSED, not_evaluated=("identity-policies",)),
    "projects weren't read": later(not_evaluated=("projects",)),
    "the role is undetermined": later(replace(examples.ODD, arn=examples.WEB.arn)),
    "something of the role wasn't read": later(
        replace(examples.WEB, findings=(examples.BULK,), notes=("policy x could not be read",))
    ),
}
OVER = {
    "the role is closed": later(CLOSED),
    "the role is closed, SCPs could only close more": later(CLOSED, not_evaluated=("scps",)),
    "the role is gone": later(),
    "another finding is left": later(replace(examples.WEB, findings=(examples.BULK,))),
}


@pytest.mark.parametrize("report", OVER.values(), ids=OVER.keys())
def test_what_is_over_is_archived(report: Report) -> None:
    """A finding that a later, complete audit refutes comes back archived, otherwise as it was."""
    [before] = found(examples.report(replace(examples.WEB, findings=(examples.OPEN,))))
    archived = [one for one in found(report, [before]) if one["RecordState"] == "ARCHIVED"]
    assert archived == [before | {"RecordState": "ARCHIVED", "UpdatedAt": "2026-11-24T03:00:00Z"}]
    accepted(archived)


@pytest.mark.parametrize("report", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_may_be_hidden_is_not_archived(report: Report) -> None:
    """A finding stays active where the later audit may only not have seen it."""
    before = found(examples.report(replace(examples.WEB, findings=(examples.OPEN,))))
    assert all(one["RecordState"] == "ACTIVE" for one in found(report, before))


def test_gaps_that_closed_are_archived() -> None:
    """An incomplete audit and an unaudited project are over when a complete one lacks them."""
    lost = UnresolvedProject(examples.project("orphan"), "arn:gone", "the account has no such role")
    before = found(examples.report(examples.ODD, errors=(Failure("a", "b"),), unresolved=(lost,)))
    same = found(later(examples.ODD, errors=(Failure("a", "b"),), unresolved=(lost,)), before)
    assert [one["RecordState"] for one in same] == ["ACTIVE"] * 3
    decided = replace(examples.LINTER, arn=examples.ODD.arn)
    assert [one["RecordState"] for one in found(later(decided), before)] == ["ARCHIVED"] * 3


def test_the_documented_example_is_a_report() -> None:
    """The example in docs/formats.md is what the format prints."""
    section = DOCUMENT.partition("\n## asff\n")[2].partition("\n## ")[0]
    example = re.search(r"```json\n(.*?)```", section, re.DOTALL)
    assert example
    assert json.loads(example[1]) == json.loads(render(examples.report(examples.ODD)))
