"""What earlier audits and exceptions have to say about a report, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.report.changed import missed
from auditor.report.role_json import timestamp
from auditor.report.words import count
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Finding, Report, RoleReport
    from auditor.lasting import ExceptionUse, LifeStatus, RoleException

SHOWN: Final = 50
"""Entries of a list; the JSON report has all."""


def changes_words(report: Report) -> str | None:
    """Return how the findings stand against earlier audits; None where these weren't looked up."""
    counts = change_counts(report)
    return None if counts is None else f"Since earlier audits: {counts}."


def change_counts(report: Report) -> str | None:
    """Return ``2 new, 0 reopened, …``; None where earlier audits weren't looked up."""
    if report.resolved is None:
        return None
    lives = [finding.life.status for role in report.roles for finding in _all(role) if finding.life]
    kinds: tuple[LifeStatus, ...] = ("new", "reopened", "worse", "open")
    new, reopened, worse, still = map(lives.count, kinds)
    parts = [
        f"{new:,} new",
        f"{reopened:,} reopened",
        *([f"{worse:,} worse"] if worse else []),
        f"{len(report.resolved):,} resolved",
        f"{still:,} still open",
    ]
    if covered := sum(len(role.suppressed) for role in report.roles):
        parts.append(f"{covered:,} suppressed")
    parts += [f"{len(one.findings):,} {one.word}" for one in missed(report)]
    return ", ".join(parts)


def arrived(report: Report) -> list[tuple[str, list[str]]]:
    """Return what is new or reopened, or got worse, by role's name."""
    told: dict[LifeStatus, str] = {
        "new": "new",
        "reopened": "reopened, first seen {}",
        "worse": "worse than before, first seen {}",
    }
    found = []
    for role in report.roles:
        lines = [
            f"{told[one.life.status].format(timestamp(one.life.first_seen))}: {_short(one)}"
            for one in _all(role)
            if one.life and one.life.status in told
        ]
        if lines:
            found.append((role.name, lines))
    return _some(found, "role")


def left(report: Report) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Return what an audit could say nothing about: under a heading each, by role's ARN."""
    lists = []
    for one in missed(report):
        found: dict[str, list[str]] = {}
        for known in one.findings:
            found.setdefault(known.role_arn, []).append(
                f"{known.severity} {known.rule}: {known.title}"
            )
        lists.append((one.heading, _some(list(found.items()), "role")))
    return lists


def gone(report: Report) -> list[tuple[str, list[str]]]:
    """Return what was resolved, by role's ARN: the role may be gone as well."""
    found: dict[str, list[str]] = {}
    for one in report.resolved or ():
        since = f"first seen {timestamp(one.first_seen)}"
        found.setdefault(one.role_arn, []).append(
            f"{one.severity} {one.rule}: {one.title} ({since})"
        )
    return _some(list(found.items()), "role")


def excepted(report: Report) -> list[tuple[str, list[str]]]:
    """Return what exceptions cover, by role's name."""
    found = []
    for role in report.roles:
        by_exception: dict[RoleException, list[Finding]] = {}
        for one in role.suppressed:
            by_exception.setdefault(one.exception, []).append(one.finding)
        if by_exception:
            lines = [
                f"{', '.join(dict.fromkeys(map(_short, findings)))} ({because(exception)})"
                for exception, findings in by_exception.items()
            ]
            found.append((role.name, lines))
    return _some(found, "role")


def idle(report: Report) -> list[tuple[str, list[str]]]:
    """Return the exceptions that cover nothing, and why."""
    return _some([(idle_place(use), [idle_why(use)]) for use in idle_uses(report)], "exception")


def idle_uses(report: Report) -> list[ExceptionUse]:
    """Return the exceptions that are expired or unused, and known to be."""
    return [use for use in report.exceptions or () if use.state in ("expired", "unused")]


def covering(role: RoleReport) -> list[RoleException]:
    """Return the exceptions that cover findings of a role, each once."""
    return list(dict.fromkeys(one.exception for one in role.suppressed))


def idle_place(use: ExceptionUse) -> str:
    """Return the role and the rule that an exception is about."""
    return f"{use.exception.role}, {use.exception.rule}"


def idle_why(use: ExceptionUse) -> str:
    """Return why an exception covers nothing."""
    if use.state == "expired":
        return f"expired: {because(use.exception)}"
    return f"unused: it covers nothing that this audit found ({because(use.exception)})"


def excepted_by(exception: RoleException) -> str:
    """Return ``excepted by OWNER until DATE: REASON``."""
    return f"excepted by {exception.owner} until {exception.expires}: {exception.reason}"


def because(exception: RoleException) -> str:
    """Return ``until DATE, OWNER: REASON``."""
    return f"until {exception.expires}, {exception.owner}: {exception.reason}"


def _all(role: RoleReport) -> list[Finding]:
    """Return what was found on a role, covered by exceptions or not."""
    return [*role.findings, *(one.finding for one in role.suppressed)]


def _short(finding: Finding) -> str:
    what = finding.witness.action if finding.witness else finding.title
    return f"{finding.severity} {finding.rule}: {what}"


def _some(entries: Sequence[tuple[str, list[str]]], noun: str) -> list[tuple[str, list[str]]]:
    shown = [(visible(name), list(map(visible, lines))) for name, lines in entries[:SHOWN]]
    rest = len(entries) - SHOWN
    return (
        [*shown, (f"and {count(rest, 'more ' + noun)}: see --format json", [])]
        if rest > 0
        else shown
    )
