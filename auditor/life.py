"""Findings with a life: what one audit changes in what earlier ones knew. Pure.

A finding is known by its id, so by role, rule and action. It is resolved only by an audit that
looked where it was found (``Looked``) and didn't find it: what couldn't be read resolves nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.findings import EXPOSING, SEVERITIES
from auditor.lasting import Changes, Day, Kind, Known, Life, Resolved, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

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


class _Seen(NamedTuple):
    """A finding of a report, as if it were new.

    ``covered``: an exception covers it, and that counts. ``sure``: all that it rests on was read,
    so that it may be taken to be less grave than it was.
    """

    known: Known
    covered: bool
    sure: bool


def live(
    known: Mapping[str, Known], report: Report, looked: Looked, *, latest: datetime | None = None
) -> tuple[dict[str, Known], Changes]:
    """Return what is known after an audit, and what the audit changes.

    The audit's time is ``report.generated_at``. An audit that is older than what is known of a
    finding doesn't change it, so audits that end out of order leave what the latest saw; of two
    with the same time, the one that comes last is right. The same report once more changes nothing.

    :param latest: when the latest audit of everything ended, if that is known: what an older one
        found, and that one doesn't know, was resolved by then.
    """
    now = whole(report.generated_at)
    after = dict(known)
    kinds: dict[str, Kind] = {}
    present: set[str] = set()
    for seen in _found(report, now):
        found = seen.known
        if found.id in present:
            continue  # two statements may be the subject of one advice
        present.add(found.id)
        before = known.get(found.id)
        if before is None and latest is not None and now < latest:
            after[found.id] = replace(found, status="resolved", resolved_at=latest)
            continue
        after[found.id], kind = _seen(before, seen, now)
        if kind is not None:
            kinds[found.id] = kind
    roles = {plain(role.arn): role for role in report.roles}
    for one in known.values():
        gone = one.id not in present and one.status != "resolved" and one.last_seen <= now
        if gone and looked.at(one, roles.get(one.role_arn)):
            covered = one.status == "suppressed"
            after[one.id] = replace(one, status="resolved", resolved_at=now, excepted=covered)
            kinds[one.id] = "resolved"
    graded = {
        id_: replace(after[id_], was=known[id_].grade())
        for id_, kind in kinds.items()
        if kind in ("worse", "eased")
    }
    return after, changes(after | graded, kinds)


def changes(known: Mapping[str, Known], kinds: Mapping[str, Kind]) -> Changes:
    """Return changes by kind, in order; ``kinds`` are by id."""
    found: dict[Kind, list[Known]] = {}
    for one in sorted((known[id_] for id_ in kinds), key=_order):
        found.setdefault(kinds[one.id], []).append(one)
    return Changes(**{kind: tuple(ones) for kind, ones in found.items()})


def annotated(report: Report, after: Mapping[str, Known], changed: Changes) -> Report:
    """Return the report with each finding's life, and what it resolved."""
    now = whole(report.generated_at)
    told: dict[str, LifeStatus] = dict.fromkeys((one.id for one in changed.worse), "worse")
    told.update(dict.fromkeys((one.id for one in changed.new), "new"))
    told.update(dict.fromkeys((one.id for one in changed.reopened), "reopened"))

    def alive(finding: Finding, otherwise: LifeStatus) -> Finding:
        first = after[plain(finding.id)].first_seen
        return replace(finding, life=Life(told.get(plain(finding.id), otherwise), first, now))

    def role_of(role: RoleReport) -> RoleReport:
        excepted = [(one, _counts_covered(role, one.finding)) for one in role.suppressed]
        return replace(
            role,
            findings=tuple(alive(one, "open") for one in role.findings),
            suppressed=tuple(
                one._replace(finding=alive(one.finding, "suppressed" if covered else "open"))
                for one, covered in excepted
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
    excepted = sum(role.accepted() for role in report.roles)
    roles = len(report.roles)
    return Day(at, roles, proven, possible, undetermined, report.complete, excepted)


def whole(moment: datetime) -> datetime:
    """Return a time in UTC and whole seconds, as all times here are."""
    return moment.astimezone(UTC).replace(microsecond=0)


def plain(text: str) -> str:
    """Return a text that every store can keep: a lone surrogate, which has no UTF-8, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _found(report: Report, now: datetime) -> Iterable[_Seen]:
    """Yield each finding of a report."""
    for role in report.roles:
        # What couldn't be read may be what makes it look less grave.
        sure = report.complete and not role.notes
        for finding in role.findings:
            yield _Seen(_as_new(role, finding, now), covered=False, sure=sure)
        for one in role.suppressed:
            covered = _counts_covered(role, one.finding)
            yield _Seen(_as_new(role, one.finding, now), covered, sure)


def _counts_covered(role: RoleReport, finding: Finding) -> bool:
    """Tell whether an exception keeps a finding that it covers from counting.

    Not where all that exposes a role is covered, and the role counts as exposed all the same: there
    something about it could not be read or decided (see ``RoleReport.accepted``).
    """
    return not (
        finding.severity in EXPOSING
        and role.verdict == "exposed"
        and bool(role.notes)
        and not any(one.severity in EXPOSING for one in role.findings)
    )


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
        finding.certainty,
    )


_IDENTITY: Final = "identity-policy"


def region_of(arn: str) -> str:
    """Return the region of an ARN, "" where it names none."""
    parts = arn.split(":", 4)
    return parts[3] if len(parts) > 4 else ""


def _seen(before: Known | None, seen: _Seen, now: datetime) -> tuple[Known, Kind | None]:
    """Return what is known of a finding that an audit found, and what that is; None: nothing new.

    A finding that was covered before and still is, is no change and isn't open either.
    """
    found, covered, _ = seen
    status: Status = "suppressed" if covered else "open"
    if before is None:
        return replace(found, status=status), "suppressed" if covered else "new"
    first = min(before.first_seen, now)
    if now < before.ends():  # a later audit has spoken
        kind: Kind | None = None if covered else "still"
        return replace(before, first_seen=first), kind
    after = replace(found, first_seen=first, status=status)
    eased = before.grade().graver(after.grade())
    if eased and not seen.sure and before.status != "resolved":
        after = replace(after, severity=before.severity, certainty=before.certainty)
        eased = False
    if before.status != status:
        return after, "suppressed" if covered else "reopened"
    if eased:
        return after, "eased"
    if after.grade().graver(before.grade()):
        return after, "worse"
    return after, None if covered else "still"


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
