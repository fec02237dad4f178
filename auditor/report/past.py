"""What earlier audits and exceptions have to say about a report, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.report.changed import (
    ARRIVED,
    about,
    about_known,
    all_new,
    by_role,
    every,
    missed,
    rules_words,
)
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
    lives = [
        finding.life.status for role in report.roles for finding in every(role) if finding.life
    ]
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


class Arrived(NamedTuple):
    """Roles that changed alike, the gravest first, by name. ``number`` counts them all.

    Of many not all are entries: the last one says how many more there are.
    """

    status: LifeStatus
    entries: list[tuple[str, list[str]]]
    number: int


def arrived(report: Report) -> list[Arrived]:
    """Return what got worse, is reopened or new: each for itself, so that none hides another.

    Nothing where all is new: a list of it would name each role a second time.
    """
    if all_new(report):
        return []
    names = {role.arn: role.name for role in report.roles}
    lists = []
    for status in ARRIVED:
        found = by_role(
            about(role, one, "" if status == "new" else timestamp(one.life.first_seen))
            for role in report.roles
            for one in every(role)
            if one.life and one.life.status == status
        )
        entries = [
            (names[arn], [f"{_told(status, since)}: {words}" for since, words in lines])
            for arn, lines in found
        ]
        if entries:
            lists.append(Arrived(status, _some(entries, "role"), len(entries)))
    return lists


def _told(status: LifeStatus, since: str) -> str:
    told = "worse than before" if status == "worse" else status
    return f"{told}, first seen {since}" if since else told


def left(report: Report) -> list[tuple[str, list[tuple[str, list[str]]]]]:
    """Return what an audit could say nothing about: under a heading each, by role's ARN."""
    lists = []
    for one in missed(report):
        lines = [
            (arn, [words for _, words in found])
            for arn, found in by_role(map(about_known, one.findings))
        ]
        lists.append((one.heading, _some(lines, "role")))
    return lists


def gone(report: Report) -> list[tuple[str, list[str]]]:
    """Return what was resolved, by role's ARN: the role may be gone as well."""
    found = by_role(about_known(one, timestamp(one.first_seen)) for one in report.resolved or ())
    return _some(
        [(arn, [f"{words} (first seen {since})" for since, words in ones]) for arn, ones in found],
        "role",
    )


def excepted(report: Report) -> list[tuple[str, list[str]]]:
    """Return what exceptions cover, by role's name."""
    found = []
    for role in report.roles:
        by_exception: dict[RoleException, list[Finding]] = {}
        for one in role.suppressed:
            by_exception.setdefault(one.exception, []).append(one.finding)
        if by_exception:
            lines = [
                f"{rules_words(about(role, one) for one in findings)} ({because(exception)})"
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


def _some(entries: Sequence[tuple[str, list[str]]], noun: str) -> list[tuple[str, list[str]]]:
    shown = [(visible(name), list(map(visible, lines))) for name, lines in entries[:SHOWN]]
    rest = len(entries) - SHOWN
    return (
        [*shown, (f"and {count(rest, 'more ' + noun)}: see --format json", [])]
        if rest > 0
        else shown
    )
