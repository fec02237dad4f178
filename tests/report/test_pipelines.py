"""Formats for pipelines, from the command line to who reads them."""

from __future__ import annotations

import csv
import json
from io import StringIO
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring

import boto3
import pytest
from moto import mock_aws

from auditor.cli import main
from auditor.report.asff import asff_findings
from tests import examples

if TYPE_CHECKING:
    from pathlib import Path

ALLOW = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
ROLE = {
    "RoleName": "codebuild-open",
    "Arn": "arn:aws:iam::123456789012:role/codebuild-open",
    "RoleId": "AROAEXAMPLE",
    "AssumeRolePolicyDocument": {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    },
    "RolePolicyList": [
        {
            "PolicyName": "mail",
            "PolicyDocument": {"Version": "2012-10-17", "Statement": ALLOW},
        }
    ],
    "AttachedManagedPolicies": [],
}


def of_csv(text: str) -> str:
    return next(csv.DictReader(StringIO(text, newline="")))["verdict"]


def of_markdown(text: str) -> str:
    return "exposed" if "Yes: 1 role exposed" in text else text


def of_sarif(text: str) -> str:
    return str(json.loads(text)["runs"][0]["results"][0]["properties"]["verdict"])


def of_junit(text: str) -> str:
    suites = fromstring(text)  # noqa: S314 - our own text
    return "exposed" if suites.get("failures") == "1" else text


def of_asff(text: str) -> str:
    return str(json.loads(text)[0]["ProductFields"]["auditor/Verdict"])


VERDICTS = {
    "csv": of_csv,
    "markdown": of_markdown,
    "sarif": of_sarif,
    "junit": of_junit,
    "asff": of_asff,
}


@pytest.fixture
def snapshot(tmp_path: Path) -> str:
    path = tmp_path / "account.json"
    path.write_text(json.dumps({"RoleDetailList": [ROLE], "Policies": []}), "utf-8")
    return str(path)


@pytest.mark.parametrize("name", VERDICTS)
def test_the_command_writes_each_format(
    name: str, snapshot: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``auditor scan --format`` prints each format, writes the same to a file, and exits with 1."""
    out = tmp_path / "out"
    options = ["scan", "--snapshot", snapshot, "--format", name, "--now", "2026-11-23"]
    assert main(options) == 1
    printed = capsys.readouterr().out
    assert main([*options, "--output", str(out)]) == 1
    assert out.read_bytes().decode("utf-8") == printed
    assert VERDICTS[name](printed) == "exposed"


@mock_aws
def test_security_hub_takes_the_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list goes into BatchImportFindings as it is, a second time as well, and comes back."""
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    hub = boto3.client("securityhub", region_name="eu-west-1")
    hub.enable_security_hub()
    findings = asff_findings(examples.full(), region="eu-west-1")
    for _ in range(2):
        answer = hub.batch_import_findings(Findings=findings)  # type: ignore[arg-type]  # plain JSON
        assert (answer["SuccessCount"], answer["FailedCount"]) == (len(findings), 0)
    known = hub.get_findings()["Findings"]
    assert {one["Id"] for one in known} == {one["Id"] for one in findings}
