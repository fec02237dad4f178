"""The JSON report: its schema, its order, its bytes."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import auditor.report
from auditor.findings import Confirmation, Witness
from auditor.report import role_json
from auditor.report.json import render, role_to_dict, timestamp, to_dict
from tests import examples
from tests.strategies import reports

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.findings import Report

SCHEMA = json.loads((Path(auditor.report.__file__).parent / "report-1.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA)
LAW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_schema_is_a_schema() -> None:
    """The published schema is itself valid JSON Schema 2020-12."""
    Draft202012Validator.check_schema(SCHEMA)


@LAW
@given(reports())
def test_every_report_is_valid(report: Report) -> None:
    """Whatever an audit finds, however odd its names, the JSON report keeps to the schema."""
    VALIDATOR.validate(json.loads(render(report)))


@LAW
@given(reports())
def test_text_and_values_agree(report: Report) -> None:
    """The text is the values, nothing added, lost or reordered, and twice the same bytes."""
    text = render(report)
    assert text.isascii()
    assert json.loads(text) == to_dict(report)
    assert list(json.loads(text)) == list(to_dict(report))
    assert render(deepcopy(report)) == text


@LAW
@given(st.data())
def test_roles_are_written_as_the_library_writes_them(data: st.DataObject) -> None:
    """A role's line is what ``json.dumps`` makes of its values, whatever it shares with others."""
    report = data.draw(reports())
    parts = [one for role in report.roles for one in role.findings]
    shared = [
        replace(
            role,
            findings=tuple(
                replace(
                    data.draw(st.sampled_from(parts)),
                    title=one.title,
                    confirmation=data.draw(
                        st.sampled_from((None, Confirmation("agrees", "allowed", one.title)))
                    ),
                )
                for one in role.findings
            ),
        )
        for role in report.roles
    ]
    lines = render(replace(report, roles=shared)).splitlines()

    for role in shared:
        line = f"    {json.dumps(role_to_dict(role))}"
        assert line in lines or f"{line}," in lines


def test_more_parts_than_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgetting what was written before changes nothing."""
    whole = render(examples.full())
    monkeypatch.setattr(role_json, "REMEMBERED", 1)

    assert render(examples.full()) == whole


def test_shape_is_the_documented_one() -> None:
    """Field names and their order are what scripts rely on."""
    document: Any = to_dict(examples.full())
    assert list(document) == [
        "schema_version",
        "generated_at",
        "account_id",
        "complete",
        "summary",
        "roles",
        "not_evaluated",
        "errors",
        "unresolved_projects",
        "ses",
    ]
    assert document["generated_at"] == "2026-11-23T03:00:00Z"
    assert document["summary"] == {
        "roles": 5,
        "exposed": 2,
        "simulator_only": 1,
        "no_send": 1,
        "undetermined": 1,
        "suppressed": 0,
    }
    assert list(document["summary"])[:3] == ["roles", "exposed", "simulator_only"]
    assert document["not_evaluated"] == ["scps", "identity-policies"]
    web = next(role for role in document["roles"] if role["name"] == "codebuild-web")
    assert list(web) == [
        "arn", "name", "projects", "verdict", "certainty", "reason", "notes", "findings",
        "suppressed", "closed",
    ]  # fmt: skip
    finding = web["findings"][0]
    assert list(finding) == [
        "id",
        "rule",
        "severity",
        "certainty",
        "title",
        "witness",
        "statements",
        "remediation",
    ]
    assert finding["witness"] == {
        "action": "ses:SendEmail",
        "resource": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "context": {"ses:Recipients": ["someone@example.com"], "aws:RequestedRegion": "eu-west-1"},
    }
    assert finding["statements"] == [
        {
            "layer": "identity",
            "policy": "deploy",
            "policy_arn": None,
            "kind": "inline",
            "sid": "Mail",
            "index": 0,
            "effect": "Allow",
        }
    ]


def test_several_resources_are_all_listed() -> None:
    """A call that is checked on several resources names them all; one resource isn't repeated."""
    shown: Any = role_to_dict(examples.BATCH)
    witness = shown["findings"][0]["witness"]
    assert witness["resource"] == witness["resources"][0]
    assert len(witness["resources"]) == 2


def test_recipients_are_always_a_list_and_come_first() -> None:
    """``ses:Recipients`` is a list even where the witness holds a single string."""
    witness = Witness(
        "ses:SendEmail", ("r",), {"aws:A": "1", "ses:Recipients": "someone@example.com"}
    )
    role = replace(examples.WEB, findings=(replace(examples.OPEN, witness=witness),))
    shown: Any = role_to_dict(role)
    context = shown["findings"][0]["witness"]["context"]
    assert list(context.items()) == [("ses:Recipients", ["someone@example.com"]), ("aws:A", "1")]


def test_context_order_does_not_depend_on_the_scan() -> None:
    """The same context in another order prints the same bytes."""
    context: dict[str, str | tuple[str, ...]] = {
        "aws:B": "2",
        "aws:A": "1",
        "ses:Recipients": ("someone@example.com",),
    }

    def rendered(order: list[str]) -> str:
        witness = Witness("ses:SendEmail", ("r",), {key: context[key] for key in order})
        finding = replace(examples.OPEN, witness=witness)
        return render(examples.report(replace(examples.WEB, findings=(finding,))))

    assert rendered(list(context)) == rendered(list(reversed(context)))


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        (examples.NOW, "2026-11-23T03:00:00Z"),
        (examples.NOW + timedelta(microseconds=999_999), "2026-11-23T03:00:00Z"),
        (datetime(2026, 11, 23, 4, tzinfo=timezone(timedelta(hours=1))), "2026-11-23T03:00:00Z"),
        (datetime(7, 1, 2, tzinfo=timezone.utc), "0007-01-02T00:00:00Z"),  # noqa: UP017 - beside one with an offset
    ],
)
def test_times_are_utc_in_whole_seconds(moment: datetime, shown: str) -> None:
    """Times are always written one way, whatever zone and precision they came in."""
    assert timestamp(moment) == shown


def _set(*path: str | int, to: object) -> Callable[[Any], None]:
    def change(document: Any) -> None:
        *parents, last = path
        for step in parents:
            document = document[step]
        document[last] = to

    return change


WEB = ("roles", 4)
WRONG = {
    "exposed without certainty": _set(*WEB, "certainty", to=None),
    "exposed possibly, but a finding proves it": _set(*WEB, "certainty", to="possible"),
    "exposed without a finding": _set(*WEB, "findings", to=[]),
    "safe with a certainty": _set("roles", 1, "certainty", to="proven"),
    "safe with an exposure": _set(*WEB, "verdict", to="no_send"),
    "safe with a reason": _set("roles", 1, "reason", to="?"),
    "undetermined without a reason": _set("roles", 3, "reason", to=None),
    "undetermined with a certainty": _set("roles", 3, "certainty", to="possible"),
    "proven by possible findings": _set("roles", 0, "certainty", to="proven"),
    "another verdict": _set(*WEB, "verdict", to="fine"),
    "another severity": _set(*WEB, "findings", 0, "severity", to="critical"),
    "an exposure without a witness": _set(*WEB, "findings", 0, "witness", to=None),
    "high but possible": _set("roles", 0, "findings", 0, "severity", to="high"),
    "a witness to the simulator alone": _set(
        *(*WEB, "findings", 0, "witness", "context", "ses:Recipients"),
        to=["success@Simulator.AmazonSES.com"],
    ),
    "recipients as a string": _set(
        *WEB, "findings", 0, "witness", "context", "ses:Recipients", to="someone@example.com"
    ),
    "no recipients where the call carries them": _set(
        *WEB, "findings", 0, "witness", "context", to={}
    ),
    "recipients where the call carries none": _set(
        *WEB, "findings", 1, "witness", "context", to={"ses:Recipients": ["someone@example.com"]}
    ),
    "incomplete without an error": _set("errors", to=[]),
    "a field nobody documented": _set("extra", to=1),
    "a local time": _set("generated_at", to="2026-11-23T03:00:00+01:00"),
    "another version": _set("schema_version", to="2"),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG.keys())
def test_schema_refuses(change: Callable[[Any], None]) -> None:
    """The schema is strict: a report that contradicts itself is not valid."""
    document = json.loads(render(examples.full()))
    VALIDATOR.validate(document)
    change(document)
    assert not VALIDATOR.is_valid(document)
