"""What the history watches: findings, and roles that could not be decided, as if these were some.

So an undetermined role is told once, and told to be over once it is decided. No exception covers
one: nobody answers for the unknown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.findings import EXPOSING, Finding
from auditor.report.facts import stable_id
from auditor.report.rulebook import RULEBOOK, UNDETERMINED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.findings import Report, RoleReport
    from auditor.life import Known


def watched(report: Report) -> Report:
    """Return the report with a finding on each undetermined role, of the id Security Hub has."""
    return replace(report, roles=[_watched(role) for role in report.roles])


def unseen(known: Iterable[Known], report: Report) -> tuple[Known, ...]:
    """Return the findings of earlier audits that are open still, and that the report lacks.

    :param report: as ``watched`` returned it.
    """
    present = {
        finding.id
        for role in report.roles
        # Of a role that counts as exposed all the same, what an exception covers is open too.
        for finding in (*role.findings, *(one.finding for one in role.suppressed))
    }
    return tuple(
        one
        for one in known
        if one.status == "open" and one.severity in EXPOSING and one.id not in present
    )


def _watched(role: RoleReport) -> RoleReport:
    if role.verdict != "undetermined":
        return role
    told = RULEBOOK[UNDETERMINED]
    one = Finding(
        id=stable_id(role.arn, UNDETERMINED),
        rule=UNDETERMINED,
        severity=told.severity,
        certainty="possible",
        title=f"{role.name} could not be decided",
        witness=None,
        statements=(),
        remediation=told.remedy,
    )
    return replace(role, findings=(*role.findings, one))
