"""Findings with a life: what one audit changes in what earlier ones knew. Pure.

A finding is known by its id, so by role, rule and action. It is resolved only by an audit that
looked where it was found (``Looked``) and didn't find it: what couldn't be read resolves nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from auditor.findings import SEVERITIES
from auditor.lasting import Known, Life, Resolved, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.findings import Finding, Report, RoleReport
    from auditor.lasting import LifeStatus
    from auditor.looked import Looked

__all__ = [
    "TITLE_LIMIT",
    "Changes",
    "Day",
    "Kind",
    "Known",
    "Status",
    "annotated",
    "changes",
    "day_of",
    "live",
    "plain",
    "region_of",
    "whole",
]

TITLE_LIMIT: Final = 500
"""Characters kept of a title: a chain of roles may name many."""


class Changes(NamedTuple):
    """What an audit changes. Each is ordered by severity, role, rule and action.

    ``new``, ``reopened`` (it was resolved, or an exception covered it), ``resolved`` and
    ``suppressed`` (an exception covers it from now on) are changes; ``still`` are those that were
    open before and are now.
    """

    new: tuple[Known, ...] = ()
    still: tuple[Known, ...] = ()
    reopened: tuple[Known, ...] = ()
    resolved: tuple[Known, ...] = ()
    suppressed: tuple[Known, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything changed."""
        return bool(self.new or self.reopened or self.resolved or self.suppressed)


Kind = Literal["new", "still", "reopened", "resolved", "suppressed"]


class Day(NamedTuple):
    """What the last whole audit of a UTC day counted, for a trend. ``at`` is its time, aware.

    ``proven`` and ``possible`` are exposed roles that no exception covers. ``complete`` is the
    report's.
    """

    at: datetime
    roles: int
    proven: int
    possible: int
    undetermined: int
    complete: bool


def live(
    known: Mapping[str, Known], report: Report, looked: Looked
) -> tuple[dict[str, Known], Changes]:
    """Return what is known after an audit, and what the audit changes.

    The audit's time is ``report.generated_at``. An audit that is older than what is known of a
    finding doesn't change it, so audits that end out of order leave what the latest saw; of two
    with the same time, the one that comes last is right. The same report once more changes nothing.
    """
    now = whole(report.generated_at)
    after = dict(known)
    kinds: dict[str, Kind] = {}
    present: set[str] = set()
    for found, covered in _found(report.roles, now):
        if found.id in present:
            continue  # two statements may be the subject of one advice
        present.add(found.id)
        after[found.id], kind = _seen(known.get(found.id), found, now, covered=covered)
        if kind is not None:
            kinds[found.id] = kind
    roles = {plain(role.arn): role for role in report.roles}
    for one in known.values():
        gone = one.id not in present and one.status != "resolved" and one.last_seen <= now
        if gone and looked.at(one, roles.get(one.role_arn)):
            after[one.id] = replace(one, status="resolved", resolved_at=now)
            kinds[one.id] = "resolved"
    return after, changes(after, kinds)


def changes(known: Mapping[str, Known], kinds: Mapping[str, Kind]) -> Changes:
    """Return changes by kind, in order; ``kinds`` are by id."""
    found: dict[Kind, list[Known]] = {}
    for one in sorted((known[id_] for id_ in kinds), key=_order):
        found.setdefault(kinds[one.id], []).append(one)
    return Changes(**{kind: tuple(ones) for kind, ones in found.items()})


def annotated(report: Report, after: Mapping[str, Known], changed: Changes) -> Report:
    """Return the report with each finding's life, and what it resolved."""
    now = whole(report.generated_at)
    told: dict[str, LifeStatus] = dict.fromkeys((one.id for one in changed.new), "new")
    told.update(dict.fromkeys((one.id for one in changed.reopened), "reopened"))

    def alive(finding: Finding, status: LifeStatus) -> Finding:
        first = after[plain(finding.id)].first_seen
        return replace(finding, life=Life(status, first, now))

    def role_of(role: RoleReport) -> RoleReport:
        return replace(
            role,
            findings=tuple(alive(one, told.get(plain(one.id), "open")) for one in role.findings),
            suppressed=tuple(
                one._replace(finding=alive(one.finding, "suppressed")) for one in role.suppressed
            ),
        )

    return replace(
        report,
        roles=[
            role_of(role) if role.findings or role.suppressed else role for role in report.roles
        ],
        resolved=tuple(_resolved(one, now) for one in changed.resolved),
    )


def day_of(report: Report) -> Day:
    """Return what the report counts, for a trend."""
    proven, possible = (report.count("exposed", sure) for sure in ("proven", "possible"))
    undetermined = report.count("undetermined")
    at = whole(report.generated_at)
    return Day(at, len(report.roles), proven, possible, undetermined, report.complete)


def whole(moment: datetime) -> datetime:
    """Return a time in UTC and whole seconds, as all times here are."""
    return moment.astimezone(UTC).replace(microsecond=0)


def plain(text: str) -> str:
    """Return a text that every store can keep: a lone surrogate, which has no UTF-8, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _found(roles: Iterable[RoleReport], now: datetime) -> Iterable[tuple[Known, bool]]:
    """Yield each finding as if it were new, and whether an exception covers it."""
    for role in roles:
        for finding in role.findings:
            yield _as_new(role, finding, now), False
        for one in role.suppressed:
            yield _as_new(role, one.finding, now), True


def _as_new(role: RoleReport, finding: Finding, now: datetime) -> Known:
    identities = (ref.policy_arn or "" for ref in finding.statements if ref.layer == _IDENTITY)
    regions = sorted({plain(region_of(arn)) for arn in identities})
    return Known(
        plain(finding.id),
        plain(role.arn),
        plain(finding.rule),
        plain(finding.witness.action) if finding.witness else "",
        finding.severity,
        plain(finding.title[:TITLE_LIMIT]),
        now,
        now,
        "open",
        None,
        tuple(regions),
    )


_IDENTITY: Final = "identity-policy"


def region_of(arn: str) -> str:
    """Return the region of an ARN, "" where it names none."""
    parts = arn.split(":", 4)
    return parts[3] if len(parts) > 4 else ""


def _seen(
    before: Known | None, found: Known, now: datetime, *, covered: bool
) -> tuple[Known, Kind | None]:
    """Return what is known of a finding that an audit found, and what that is; None: nothing new.

    A finding that was covered before and still is, is no change and isn't open either.
    """
    status: Status = "suppressed" if covered else "open"
    if before is None:
        return replace(found, status=status), "suppressed" if covered else "new"
    first = min(before.first_seen, now)
    if now < (before.resolved_at or before.last_seen):  # a later audit has spoken
        kind: Kind | None = None if covered else "still"
        return replace(before, first_seen=first), kind
    after = replace(found, first_seen=first, status=status)
    if covered:
        return after, None if before.status == "suppressed" else "suppressed"
    return after, "still" if before.status == "open" else "reopened"


def _resolved(one: Known, now: datetime) -> Resolved:
    return Resolved(
        one.id,
        one.role_arn,
        one.rule,
        one.action,
        one.severity,
        one.title,
        one.first_seen,
        one.last_seen,
        one.resolved_at or now,
    )


def _order(one: Known) -> tuple[int, str, str, str, str]:
    return SEVERITIES.index(one.severity), one.role_arn, one.rule, one.action, one.id
