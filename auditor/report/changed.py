"""What an audit changes, and what it could say nothing about, as lists for people have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.findings import SEVERITIES
from auditor.life import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.findings import Report, Severity
    from auditor.lasting import Known


class Missed(NamedTuple):
    """Findings that are open as before. ``word`` is for counts, ``heading`` for lists.

    ``whose`` says of which audits they are, where ``word`` doesn't.
    """

    word: str
    whose: str
    heading: str
    findings: tuple[Known, ...]


def missed(report: Report) -> list[Missed]:
    """Return the findings that an audit could say nothing about; no kind that there is none of."""
    looked = {plain(role.arn) for role in report.roles}
    unseen = report.unseen or ()
    found = [
        Missed(
            "not decided",
            "of earlier audits ",
            "Not decided: these roles were looked at, but not all about them could be decided",
            tuple(one for one in unseen if one.role_arn in looked),
        ),
        Missed(
            "not looked at",
            "of earlier audits ",
            "Not looked at: found by earlier audits, and open as before",
            tuple(one for one in unseen if one.role_arn not in looked),
        ),
        Missed(
            "known of a later audit alone",
            "",
            "Found by a later audit than this one, and open as before",
            report.known_later,
        ),
    ]
    return [one for one in found if one.findings]


def all_new(report: Report) -> bool:
    """Tell whether nothing that was found was known before: a list of what is new says nothing."""
    if report.resolved is None or report.resolved or missed(report):
        return False
    lives = {
        one.life.status
        for role in report.roles
        for one in (*role.findings, *(each.finding for each in role.suppressed))
        if one.life is not None
    }
    return lives <= {"new", "suppressed"}


class RuleChange(NamedTuple):
    """Roles with findings of one rule that changed alike, each once."""

    word: str
    severity: str
    rule: str
    roles: tuple[str, ...]


def arrived_by_rule(report: Report) -> list[RuleChange]:
    """Return what is new, reopened or worse, by rule: the gravest first, by role's name."""
    return _grouped(
        (one.life.status, one.severity, one.rule, role.name)
        for role in report.roles
        for one in (*role.findings, *(each.finding for each in role.suppressed))
        if one.life is not None and one.life.status not in ("open", "suppressed")
    )


def gone_by_rule(report: Report) -> list[RuleChange]:
    """Return what was resolved, by rule, by role's ARN: the role may be gone as well."""
    return _grouped(
        ("resolved", one.severity, one.rule, one.role_arn) for one in report.resolved or ()
    )


def _grouped(found: Iterable[tuple[str, Severity, str, str]]) -> list[RuleChange]:
    groups: dict[tuple[str, Severity, str], dict[str, None]] = {}
    for word, severity, rule, role in found:
        groups.setdefault((word, severity, rule), {})[role] = None
    ordered = sorted(groups.items(), key=lambda one: SEVERITIES.index(one[0][1]))
    return [RuleChange(*key, tuple(roles)) for key, roles in ordered]
