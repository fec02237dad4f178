"""docs/deploy.md says what is so: its tables are the template's, its events are accepted."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chalice.package import YAMLTemplateSerializer

from auditor.exceptionfile import parse
from chalicelib.request import AuditRequest

if TYPE_CHECKING:
    from chalice.test import Client

ROOT = Path(__file__).resolve().parents[2]
DOC = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
TEMPLATE: dict[str, Any] = YAMLTemplateSerializer().load_template(
    (ROOT / ".chalice" / "resources.yaml").read_text(encoding="utf-8"), "resources.yaml"
)


def table_after(heading: str) -> dict[str, str]:
    """Return first column -> second column of the first table under a heading."""
    section = DOC.split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE)
    return {name: second.strip().strip("`") for name, second in rows}


def payloads() -> list[dict[str, Any]]:
    """Return the events of the commands, in the order of the page."""
    return [json.loads(text) for text in re.findall(r"--payload '(\{.*?\})' \w", DOC, re.DOTALL)]


def test_every_parameter_is_told() -> None:
    """The page lists exactly the template's parameters, with their defaults."""
    told = table_after("### Parameters")

    assert set(told) == set(TEMPLATE["Parameters"])
    assert told["AlwaysNotify"] == TEMPLATE["Parameters"]["AlwaysNotify"]["Default"]
    assert told["DigestDay"] == TEMPLATE["Parameters"]["DigestDay"]["Default"]
    assert told["SecurityHub"] == TEMPLATE["Parameters"]["SecurityHub"]["Default"]
    assert told["LogRetentionDays"] == str(TEMPLATE["Parameters"]["LogRetentionDays"]["Default"])


def test_every_alarm_is_told() -> None:
    """The page explains exactly the template's alarms."""
    alarms = {
        name
        for name, resource in TEMPLATE["Resources"].items()
        if resource.get("Type") == "AWS::CloudWatch::Alarm"
    }

    assert set(table_after("## When an alarm rings")) == alarms


def test_every_output_named_exists() -> None:
    """The commands read only outputs that the stack has."""
    named = set(re.findall(r"\$\(output (\w+)\)", DOC))

    assert named
    assert named <= set(TEMPLATE["Outputs"])


def test_every_key_of_the_event_is_told() -> None:
    """The page lists exactly the keys that audit_now accepts."""
    assert set(table_after("## Audit now")) == set(AuditRequest.model_fields)


def test_the_exceptions_on_the_page_are_exceptions() -> None:
    """The file on the page can be used as it stands there."""
    (text,) = re.findall(r"```yaml\n(exceptions:.*?)```", DOC, re.DOTALL)

    (one,) = parse(text.encode(), "docs/deploy.md")
    assert one.role == "codebuild-newsletter"


@pytest.mark.usefixtures("world")
def test_the_events_on_the_page_are_accepted(client: Client) -> None:
    """Both commands' events work as they stand there."""
    now, nightly = payloads()

    assert "roles" in client.lambda_.invoke("audit_now", now).payload
    assert "summary" in client.lambda_.invoke("audit_nightly", nightly).payload
