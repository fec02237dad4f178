"""News made by hand: one of everything, very many, and changes with every kind of text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from auditor.findings import Suppressed
from auditor.lasting import RoleException
from auditor.life import Changes, Known
from auditor.notify.interface import News
from tests import examples

if TYPE_CHECKING:
    from auditor.findings import Finding, Report, RoleReport


def known(role: RoleReport, finding: Finding) -> Known:
    """Return a finding of a role as the history has it."""
    return Known(
        finding.id,
        role.arn,
        finding.rule,
        finding.witness.action if finding.witness else "",
        finding.severity,
        finding.title[:500],
        examples.NOW,
        examples.NOW,
        "open",
    )


NEW = known(examples.WEB, examples.OPEN)
REOPENED = known(examples.BATCH, examples.BULK)
GONE = replace(NEW, id="0123456789abcdef", role_arn=examples.role_arn("codebuild-gone"))
ADVICE = known(examples.TESTS, examples.LINT)
CHANGES = Changes(new=(NEW,), reopened=(REOPENED,), resolved=(GONE,), suppressed=(ADVICE,))


EXCEPTION = RoleException(
    examples.WEB.name, "*", "known", "team@example.com", date(2026, 11, 22), "exceptions.yaml:2"
)
ACCEPTED = replace(
    examples.WEB,
    findings=(),
    suppressed=tuple(Suppressed(one, EXCEPTION) for one in examples.WEB.findings),
)
"""A role that somebody answers for."""


def full() -> News:
    """One of everything, changes of each kind included."""
    return News(examples.full(), CHANGES, "changes", unseen=(GONE,), id="news-1", stored="s3://b/k")


def many(number: int) -> News:
    """So many exposed roles, each of them new."""
    roles = []
    for n in range(number):
        finding = replace(examples.OPEN, id=f"{n:016x}")
        name = f"codebuild-{n:05}"
        roles.append(
            replace(examples.WEB, name=name, arn=examples.role_arn(name), findings=(finding,))
        )
    new = tuple(known(role, role.findings[0]) for role in roles)
    return News(examples.report(*roles), Changes(new=new), "changes", id="many")


def of(report: Report) -> News:
    """Every finding of a report, as if it were new."""
    new = tuple(known(role, finding) for role in report.roles for finding in role.findings)
    return News(report, Changes(new=new), "changes", unseen=new[:3], id="all")
