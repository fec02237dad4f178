"""The report as comma-separated values: a line a finding, for spreadsheets and databases.

RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180): a header, CRLF after every line, quotes where
they are needed, UTF-8. docs/formats.md has the columns.
"""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import TYPE_CHECKING, Final

from auditor.report.changed import missed
from auditor.report.facts import (
    findings_with_values,
    joined,
    not_evaluated_words,
    recipients,
    statements_words,
    suppressed_with_values,
    witness_json,
)
from auditor.report.interface import PLAIN
from auditor.report.json import timestamp
from auditor.report.past import idle_uses, idle_why
from auditor.report.words import limits_words
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.account import Project
    from auditor.findings import Finding, Report, RoleReport
    from auditor.lasting import Resolved, RoleException
    from auditor.life import Known
    from auditor.report.interface import Look

COLUMNS: Final = (
    "record",
    "account_id",
    "generated_at",
    "complete",
    "role_arn",
    "role_name",
    "projects",
    "verdict",
    "certainty",
    "reason",
    "notes",
    "finding_id",
    "rule",
    "severity",
    "finding_certainty",
    "title",
    "action",
    "resources",
    "recipients",
    "witness",
    "statements",
    "remediation",
    "confirmation",
    "status",
    "first_seen",
    "last_seen",
    "exception_reason",
    "exception_owner",
    "exception_expires",
    "closed",
    "closed_by",
)
"""The columns in their order. New ones are added at the end; none is taken away or renamed."""

# A spreadsheet takes a cell that starts so for a formula, even a quoted one:
# https://owasp.org/www-community/attacks/CSV_Injection. Where the decimal point is a comma,
# spreadsheets part cells at semicolons, inside our quotes too: so what follows one counts as a
# cell's start. The wide forms are =, +, - and @ to some of them.
_FORMULA: Final = re.compile(r"(^|;)(?=[\s\"']*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20])")
_JOINT: Final = "; "


def render(report: Report, look: Look = PLAIN) -> str:  # noqa: ARG001 - every format takes a look
    """Return the report as CSV: a line a finding, one for a role without, and one for each gap."""
    text = StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    same = {
        "account_id": report.account_id,
        "generated_at": timestamp(report.generated_at),
        "complete": "true" if report.complete else "false",
    }
    for row in _rows(report):
        writer.writerow({key: _cell(value) for key, value in (same | row).items()})
    return text.getvalue()


def _cell(text: str) -> str:
    """Return a text on one line that no spreadsheet obeys: formulas get an apostrophe before."""
    return _FORMULA.sub(r"\1'", visible(text))


def _rows(report: Report) -> Iterator[dict[str, str]]:
    for role in report.roles:
        about = _role(role)
        for finding, values in findings_with_values(role):
            yield {"record": "finding"} | about | _finding(finding, values)
        for one, values in suppressed_with_values(role):
            covered = about | _finding(one.finding, values) | _exception(one.exception)
            yield {"record": "suppressed", "status": "suppressed"} | covered
        if not role.findings and not role.suppressed:
            yield {"record": "role"} | about
    for gone in report.resolved or ():
        yield {"record": "resolved", "status": "resolved"} | _earlier(gone)
    for kind in missed(report):
        for known in kind.findings:
            yield {"record": kind.name, "status": known.status} | _earlier(known)
    for use in idle_uses(report):
        told = {"record": "exception", "status": use.state, "title": idle_why(use)}
        which = {"role_name": use.exception.role, "rule": use.exception.rule}
        yield told | which | _exception(use.exception)
    yield from _gaps(report)


def _gaps(report: Report) -> Iterator[dict[str, str]]:
    """Yield what was not audited."""
    for error in report.errors:
        yield {"record": "error", "title": error.where, "reason": error.message}
    for unresolved in report.unresolved_projects:
        yield {
            "record": "unresolved_project",
            "role_arn": unresolved.role_arn,
            "projects": _projects([unresolved.project]),
            "reason": unresolved.reason,
        }
    for kind, values in () if report.limits is None else report.limits._asdict().items():
        for value in values:
            yield {"record": "limit", "title": kind, "reason": value}
    for gap, words in zip(report.not_evaluated, not_evaluated_words(report), strict=True):
        yield {"record": "not_evaluated", "title": gap, "reason": words}


def _role(role: RoleReport) -> dict[str, str]:
    return {
        "role_arn": role.arn,
        "role_name": role.name,
        "projects": _projects(role.projects),
        "verdict": role.verdict,
        "certainty": role.certainty or "",
        "reason": role.reason or "",
        "notes": joined(role.notes, _JOINT),
        "closed": "" if role.closed is None else role.closed.how,
        "closed_by": "" if role.closed is None else joined(limits_words(role.closed), _JOINT),
    }


def _projects(projects: Iterable[Project]) -> str:
    return joined((f"{project.name} ({project.region})" for project in projects), _JOINT)


def _exception(one: RoleException) -> dict[str, str]:
    return {
        "exception_reason": one.reason,
        "exception_owner": one.owner,
        "exception_expires": one.expires.isoformat(),
    }


def _earlier(one: Resolved | Known) -> dict[str, str]:
    """Return a finding of earlier audits that this one doesn't have."""
    return {
        "role_arn": one.role_arn,
        "finding_id": one.id,
        "rule": one.rule,
        "severity": one.severity,
        "title": one.title,
        "action": one.action,
        "first_seen": timestamp(one.first_seen),
        "last_seen": timestamp(one.last_seen),
    }


def _finding(finding: Finding, values: Mapping[str, object]) -> dict[str, str]:
    found = {
        "finding_id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity,
        "finding_certainty": finding.certainty,
        "title": finding.title,
        "statements": statements_words(finding),
        "remediation": finding.remediation,
    }
    if finding.witness is not None:
        found |= {
            "action": finding.witness.action,
            "resources": joined(finding.witness.resources, _JOINT),
            "recipients": joined(recipients(finding.witness), _JOINT),
            # in JSON a semicolon can be written so that no spreadsheet parts a cell there
            "witness": witness_json(values).replace(";", "\\u003b"),
        }
    if finding.confirmation is not None:
        found["confirmation"] = f"{finding.confirmation.outcome}: {finding.confirmation.message}"
    if finding.life is not None:
        found |= {
            "status": finding.life.status,
            "first_seen": timestamp(finding.life.first_seen),
            "last_seen": timestamp(finding.life.last_seen),
        }
    return found
