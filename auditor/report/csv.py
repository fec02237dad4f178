"""The report as comma-separated values: a line a finding, for spreadsheets and databases.

RFC 4180 (https://www.rfc-editor.org/rfc/rfc4180): a header, CRLF after every line, quotes where
they are needed, UTF-8. docs/formats.md has the columns.
"""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import TYPE_CHECKING, Final

from auditor.report.facts import (
    findings_with_values,
    joined,
    not_evaluated_words,
    recipients,
    statements_words,
    witness_json,
)
from auditor.report.interface import PLAIN
from auditor.report.json import timestamp
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.account import Project
    from auditor.findings import Finding, Report, RoleReport
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
            # in JSON a semicolon can be written so that no spreadsheet parts a cell there
            witness = witness_json(values).replace(";", "\\u003b")
            yield {"record": "finding"} | about | _finding(finding, witness)
        if not role.findings:
            yield {"record": "role"} | about
    for error in report.errors:
        yield {"record": "error", "title": error.where, "reason": error.message}
    for unresolved in report.unresolved_projects:
        yield {
            "record": "unresolved_project",
            "role_arn": unresolved.role_arn,
            "projects": _projects([unresolved.project]),
            "reason": unresolved.reason,
        }
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
    }


def _projects(projects: Iterable[Project]) -> str:
    return joined((f"{project.name} ({project.region})" for project in projects), _JOINT)


def _finding(finding: Finding, witness: str) -> dict[str, str]:
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
            "witness": witness,
        }
    if finding.confirmation is not None:
        found["confirmation"] = f"{finding.confirmation.outcome}: {finding.confirmation.message}"
    return found
