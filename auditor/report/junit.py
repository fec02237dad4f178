"""The report as JUnit's XML, for CodeBuild's test reports and other pipelines: a test a role.

https://docs.aws.amazon.com/codebuild/latest/userguide/test-report-prepare.html. Nobody published
a schema; the elements are those that both Jenkins's and Maven Surefire's know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from auditor import __version__
from auditor.report.facts import not_evaluated_words, request_rows
from auditor.report.interface import PLAIN
from auditor.report.json import timestamp
from auditor.report.past import (
    change_counts,
    covering,
    excepted_by,
    idle_place,
    idle_uses,
    idle_why,
)
from auditor.report.words import badness, confirmed_words, limited_words, statement_words
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.findings import Finding, Report, RoleReport
    from auditor.report.interface import Look

_HEADER: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_SECONDS: Final = "0"  # what one role took isn't measured, but readers want the attribute
_FAILED, _UNREAD, _UNDETERMINED, _SKIPPED, _PASSED = range(5)  # the order of the test cases


def render(report: Report, look: Look = PLAIN) -> str:  # noqa: ARG001 - every format takes a look
    """Return the report as XML in ASCII: one suite, worst first.

    CodeBuild keeps 500 test cases of a report, and drops others than failures first:
    https://docs.aws.amazon.com/codebuild/latest/userguide/test-report.html
    """
    suite = _suite(report)
    suites = Element("testsuites", name="auditor", time=_SECONDS)
    for name in ("tests", "failures", "errors"):
        suites.set(name, suite.get(name, ""))
    suites.append(suite)
    indent(suites)
    return f"{_HEADER}{tostring(suites, 'us-ascii', xml_declaration=False).decode('ascii')}\n"


def _suite(report: Report) -> Element:
    account = visible(report.account_id)
    cases = [case for case, _ in sorted(_cases(report, account), key=lambda pair: pair[1])]

    def number(kind: str) -> str:
        return str(sum(case.find(kind) is not None for case in cases))

    suite = Element(
        "testsuite",
        name=f"auditor {account}",
        tests=str(len(cases)),
        failures=number("failure"),
        errors=number("error"),
        skipped=number("skipped"),
        time=_SECONDS,
        timestamp=timestamp(report.generated_at).removesuffix("Z"),
    )
    properties = SubElement(suite, "properties")
    for name, value in _properties(report):
        SubElement(properties, "property", name=name, value=value)
    suite.extend(cases)
    return suite


def _properties(report: Report) -> Iterator[tuple[str, str]]:
    yield "auditor.version", __version__
    yield "account_id", visible(report.account_id)
    yield "generated_at", timestamp(report.generated_at)
    yield "complete", "true" if report.complete else "false"
    for name, number in report.summary().items():
        yield name, str(number)
    if report.limits is not None:
        yield "limits", "; ".join(limited_words(report))
    yield "not_evaluated", ", ".join(map(visible, report.not_evaluated))
    changes = change_counts(report)
    if changes is not None:
        yield "since_baseline", changes
        yield (
            "resolved",
            ", ".join(dict.fromkeys(visible(r.role_arn) for r in report.resolved or ())),
        )
    reach = report.reach()
    if reach is not None:
        yield "reach", visible(reach)


def _cases(report: Report, account: str) -> Iterator[tuple[Element, int]]:
    """Yield the test cases, each with its rank."""
    for role in sorted(report.roles, key=badness):
        case = _case(f"auditor.{account}.roles", role.name)
        yield case, _judge(case, role)
    for error in report.errors:
        case = _case(f"auditor.{account}.reads", error.where)
        if report.complete:
            SubElement(case, "skipped", message=visible(error.message))
        else:
            SubElement(case, "error", type="unread", message=visible(error.message))
        yield case, _SKIPPED if report.complete else _UNREAD
    for one in report.unresolved_projects:
        name = f"{one.project.name} ({one.project.region})"
        case = _case(f"auditor.{account}.projects", name)
        text = f"role not audited: {one.role_arn}: {one.reason}"
        SubElement(case, "skipped", message=visible(text))
        yield case, _SKIPPED
    for use in idle_uses(report):
        case = _case(f"auditor.{account}.exceptions", idle_place(use))
        SubElement(case, "skipped", message=visible(idle_why(use)))
        yield case, _SKIPPED
    for words in limited_words(report):
        case = _case(f"auditor.{account}.limits", words)
        SubElement(case, "skipped", message=f"the rest of the account was not audited: {words}")
        yield case, _SKIPPED
    for gap, words in zip(report.not_evaluated, not_evaluated_words(report), strict=True):
        case = _case(f"auditor.{account}.not_evaluated", gap)
        SubElement(case, "skipped", message=f"not evaluated: {words}")
        yield case, _SKIPPED


def _case(group: str, name: str) -> Element:
    return Element("testcase", classname=group, name=visible(name), time=_SECONDS)


def _judge(case: Element, role: RoleReport) -> int:
    """Write a role's verdict into its test case; return its rank."""
    details = list(_details(role))
    if role.accepted():
        why = "; ".join(map(excepted_by, covering(role)))
        SubElement(case, "skipped", message=visible(why))
        SubElement(case, "system-out").text = _lines([f"verdict     {role.verdict}", *details])
        return _SKIPPED
    if role.verdict == "exposed":
        worst = role.worst()
        message = worst.title if worst else "exposed"
        certainty = role.open_certainty()
        kind = f"{certainty} {worst.rule}" if worst else str(certainty)
        failure = SubElement(case, "failure", type=visible(kind), message=visible(message))
        failure.text = _lines(details)
        return _FAILED
    if role.verdict == "undetermined":
        reason = visible(role.reason or "")
        error = SubElement(case, "error", type="undetermined", message=reason)
        error.text = _lines([f"must not count as safe: {reason}", *details])
        return _UNDETERMINED
    SubElement(case, "system-out").text = _lines([f"verdict     {role.verdict}", *details])
    return _PASSED


def _details(role: RoleReport) -> Iterator[str]:
    yield f"role        {visible(role.arn)}"
    for project in role.projects:
        yield f"project     {visible(project.name)} ({visible(project.region)})"
    for finding in role.findings:
        yield from _finding(finding)
    for one in role.suppressed:
        yield f"excepted    {visible(excepted_by(one.exception))}"
        yield from _finding(one.finding)
    for line, _ in confirmed_words(role):
        yield f"AWS says    {line}"
    for note in role.notes:
        yield f"note        {visible(note)}"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"finding     {finding.severity} {visible(finding.rule)}: {visible(finding.title)}"
    if finding.life is not None:
        yield f"  status    {finding.life.status}, first seen {timestamp(finding.life.first_seen)}"
    if finding.witness is not None:
        for label, text in request_rows(finding.witness):
            yield f"  {label:10}{text}"
    for ref in finding.statements:
        yield f"  opened by {statement_words(ref)}"
    yield f"  fix       {visible(finding.remediation)}"


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines)
