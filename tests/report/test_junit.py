"""The JUnit report: XML whatever the names, a test for all that was or wasn't looked at."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import HealthCheck, given, settings

from auditor.account import Failure
from auditor.report.junit import render
from auditor.text import visible
from tests import examples
from tests.report import big
from tests.strategies import NASTY, reports

if TYPE_CHECKING:
    from auditor.findings import Report

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DOCUMENT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")

# Element: attributes it must have, attributes it may have, children. What the schemas of both
# Jenkins's xunit plugin (junit-10.xsd) and Maven Surefire (surefire-test-report.xsd) allow; the
# element ``testsuites`` around a suite is Jenkins's alone.
STRUCTURE: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "skipped"},
        {"time", "timestamp"},
        {"properties", "testcase"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": ({"name", "time"}, {"classname"}, {"failure", "error", "skipped", "system-out"}),
    "failure": ({"type"}, {"message"}, set()),
    "error": ({"type"}, {"message"}, set()),
    "skipped": (set(), {"message"}, set()),
    "system-out": (set(), set(), set()),
}
OUTCOMES = ("failure", "error", "skipped")


def suite_of(report: Report) -> Element:
    text = render(report)
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n')
    assert text.isascii()
    root = fromstring(text)  # noqa: S314 - our own text
    assert root.tag == "testsuites"
    check(root)
    [suite] = root
    return suite


def check(element: Element) -> None:
    must, may, children = STRUCTURE[element.tag]
    assert must <= set(element.keys()) <= must | may, element.tag
    for child in element:
        assert child.tag in children, child.tag
        check(child)


@LAW
@given(reports())
def test_every_report_is_valid_xml(report: Report) -> None:
    """Control characters, surrogates and markup in names never break the XML or its structure."""
    suite = suite_of(report)
    counted = {
        "tests": len(suite.findall("testcase")),
        **{
            kind: len(suite.findall(f"testcase/{tag}"))
            for kind, tag in zip(("failures", "errors", "skipped"), OUTCOMES, strict=True)
        },
    }
    assert {kind: int(suite.get(kind, "")) for kind in counted} == counted
    assert render(report) == render(report)


@LAW
@given(reports())
def test_every_role_is_a_test(report: Report) -> None:
    """Exposed roles fail, undetermined ones are errors, and all others have passed."""
    suite = suite_of(report)
    cases = [
        case for case in suite.findall("testcase") if case.get("classname", "").endswith(".roles")
    ]
    told = sorted((case.get("name"), outcome(case)) for case in cases)
    expected = {"exposed": "failure", "undetermined": "error"}
    assert told == sorted(
        (visible(role.name), expected.get(role.verdict, "passed")) for role in report.roles
    )


def outcome(case: Element) -> str:
    found = [tag for tag in OUTCOMES if case.find(tag) is not None]
    assert len(found) <= 1
    return found[0] if found else "passed"


@LAW
@given(reports())
def test_gaps_are_never_passed(report: Report) -> None:
    """What could not be read is an error where it makes the audit incomplete, else skipped."""
    outcomes = [outcome(case) for case in suite_of(report).findall("testcase")]
    undetermined = report.count("undetermined")
    unread = 0 if report.complete else len(report.errors)
    assert outcomes.count("error") == undetermined + unread
    skipped = len(report.unresolved_projects) + len(report.not_evaluated)
    assert outcomes.count("skipped") == skipped + len(report.errors) - unread


@LAW
@given(reports())
def test_the_gravest_come_first(report: Report) -> None:
    """CodeBuild keeps 500 test cases: failures first, then errors, skipped and passed."""
    order = ("failure", "error", "skipped", "passed")
    ranks = [order.index(outcome(case)) for case in suite_of(report).findall("testcase")]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize("name", [*NASTY, "<&>\"'", "]]>", "\ufffe", "\U0001f4e7"], ids=ascii)
def test_names_are_shown_whole(name: str) -> None:
    """A name comes out as it is everywhere else: printable, not read as XML."""
    suite = suite_of(examples.report(replace(examples.WEB, name=name)))
    [case] = suite.findall("testcase")
    assert case.get("name") == visible(name)


def test_a_failure_has_the_request() -> None:
    """A failed test says what the role may do, and how."""
    case = suite_of(examples.report(examples.WEB)).find("testcase")
    assert case is not None
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == examples.OPEN.title
    assert failure.get("type") == "proven unrestricted-send"
    for line in (
        "  call      ses:SendEmail",
        "  from      arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "  to        someone@example.com",
        "  with      aws:RequestedRegion = eu-west-1",
        '  opened by Allow in statement 0 "Mail" of inline policy deploy',
    ):
        assert line in (failure.text or "").splitlines()


def test_a_read_that_failed_stands_before_undetermined_roles() -> None:
    """An incomplete audit is told before 500 undetermined roles could crowd it out."""
    cases = suite_of(examples.report(examples.ODD, errors=(Failure("iam", "no"),))).findall(
        "testcase"
    )
    assert [case.get("name") for case in cases] == ["iam", "codebuild-odd"]


def test_many_findings() -> None:
    """Five thousand exposed roles are five thousand failures."""
    assert suite_of(big.exposed()).get("failures") == "5000"


def test_the_documented_example_is_a_report() -> None:
    """The example in docs/formats.md is a part of what the format prints."""
    example = re.search(r"```xml\n(.*?)```", DOCUMENT, re.DOTALL)
    assert example
    assert example[1] in render(examples.report(examples.WEB, examples.LINTER))
