"""A run, told: whatever AWS's words are, each form stays what it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import get_args
from xml.etree import ElementTree as ET  # the tests' own documents

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.smoke.result import REFUSED, Caller, Outcome, Run
from auditor.smoke.scenarios import OUTSIDE
from auditor.smoke.tell import ADVICE, as_json, junit, summary, text
from auditor.smoke.trouble import Kind, Trouble

HOSTILE = st.text(st.characters(), max_size=30) | st.sampled_from(
    ["<![CDATA[", "]]>", "\x00", "\x1b[2J", "\u202e", "\ud800", "&amp;", "ok    v2  bounce"]
)
KINDS = st.sampled_from(get_args(Kind))


def run_of(*outcomes: Outcome, remark: str = "", role: str = "build") -> Run:
    return Run(
        label="run-7",
        sender="ci@example.com",
        region="eu-west-1",
        caller=Caller("123456789012", "aws", role, "arn:aws:sts::123456789012:assumed-role/x/y"),
        started=datetime(2026, 11, 23, 3, tzinfo=UTC),
        seconds=1.25,
        listened="heard",
        outcomes=outcomes,
        remarks=(remark,) if remark else (),
    )


def outcome(
    says: str = "fine", kind: Kind | None = None, address: str | None = "a@b.co"
) -> Outcome:
    trouble = None if kind is None else Trouble(kind, says)
    return Outcome("bounce", "v2", address, "id" if kind is None else None, (), says, trouble)


@given(HOSTILE, HOSTILE, HOSTILE, KINDS)
def test_every_form_holds_what_others_wrote(says: str, remark: str, role: str, kind: Kind) -> None:
    """Any words give one printable line a check, JSON that reads back, and XML that parses."""
    run = run_of(outcome(says), outcome(says, kind), remark=remark, role=role)
    lines = text(run).splitlines()
    assert all(line.isprintable() for line in lines)
    assert sum(line.startswith(("ok    v2", "FAIL  v2")) for line in lines) == 2
    checks = json.loads(as_json(run))["checks"]
    assert [one["message"] for one in checks] == [says, says]
    assert junit(run).isascii()
    (suite,) = ET.fromstring(junit(run))  # noqa: S314 - our own document
    assert len(list(suite.iter("testcase"))) == 2


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_problem_fails_in_every_form(kind: Kind) -> None:
    """No form shows a problem as harmless: neither passed nor skipped; the advice is told."""
    run = run_of(outcome(), outcome("odd", kind))
    assert not run.passed
    assert ADVICE[kind] in text(run)
    assert json.loads(as_json(run))["passed"] is False
    (suite,) = ET.fromstring(junit(run))  # noqa: S314 - our own document
    assert int(suite.get("failures", "")) + int(suite.get("errors", "")) == 1
    assert list(suite.iter("skipped")) == []


def test_a_run_without_checks_has_not_passed() -> None:
    """Nothing checked is nothing shown."""
    assert not run_of().passed


def test_the_summary_counts_mail_elsewhere() -> None:
    """Mail that AWS took for an address outside is counted apart."""
    taken = Outcome(REFUSED, "v2", OUTSIDE, "id", (), "", Trouble("accepted", ""))
    assert "1 mail went to simulator.amazonses.com, 1 elsewhere" in summary(
        run_of(outcome(), taken)
    )
