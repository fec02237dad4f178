"""What outlasts one audit, as plain values: the lives of findings, and exceptions from them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from auditor.findings import SEVERITIES

if TYPE_CHECKING:
    from datetime import date, datetime

    from auditor.findings import Certainty, Severity

Status = Literal["open", "suppressed", "resolved"]
Kind = Literal["new", "still", "reopened", "resolved", "suppressed", "worse", "eased"]
LifeStatus = Literal["new", "open", "reopened", "suppressed", "worse"]

AHEAD: Final = timedelta(days=1)
"""A time that is further ahead of a clock than this is another clock's mistake."""


class Grade(NamedTuple):
    """How grave a finding was at a time."""

    severity: Severity
    certainty: Certainty | None

    def graver(self, other: Grade) -> bool:
        """Tell whether it is worse than another."""
        ranks = [SEVERITIES.index(each.severity) for each in (self, other)]
        if ranks[0] != ranks[1]:
            return ranks[0] < ranks[1]
        return (self.certainty, other.certainty) == ("proven", "possible")


@dataclass(frozen=True, slots=True)
class Known:
    """One finding as audits knew it so far. Times are UTC, whole seconds.

    ``status`` is what the latest audit made of it that looked. ``resolved_at`` is that audit's time
    where it is resolved, else None, and ``excepted`` whether an exception covered it until then.
    ``mail_regions`` are the regions of the SES identities whose policies it rests on. ``certainty``
    is None where an earlier version of the auditor took it down. ``was`` is how grave it was before
    it got worse or less grave: a change has it, and what is kept of a finding doesn't.
    """

    id: str
    role_arn: str
    rule: str
    action: str
    severity: Severity
    title: str
    first_seen: datetime
    last_seen: datetime
    status: Status
    resolved_at: datetime | None = None
    mail_regions: tuple[str, ...] = ()
    certainty: Certainty | None = None
    excepted: bool = False
    was: Grade | None = None

    def grade(self) -> Grade:
        """Return how grave it is."""
        return Grade(self.severity, self.certainty)

    def ends(self) -> datetime:
        """Return the time of the latest audit that said something about it."""
        return self.resolved_at or self.last_seen

    def no_later(self, moment: datetime) -> Known:
        """Return the finding with times that are at most ``moment`` (UTC, whole seconds)."""
        return replace(
            self,
            first_seen=min(self.first_seen, moment),
            last_seen=min(self.last_seen, moment),
            resolved_at=self.resolved_at and min(self.resolved_at, moment),
        )


class Changes(NamedTuple):
    """What an audit changes. Each is ordered by severity, role, rule and action.

    ``new``, ``reopened`` (it was resolved, or an exception covered it), ``resolved``,
    ``suppressed`` (an exception covers it from now on) and ``worse`` (its severity rose, or
    possible became proven, whether or not an exception covers it) and ``eased`` (the opposite) are
    changes; ``still`` are those that were open before and are now.
    """

    new: tuple[Known, ...] = ()
    still: tuple[Known, ...] = ()
    reopened: tuple[Known, ...] = ()
    resolved: tuple[Known, ...] = ()
    suppressed: tuple[Known, ...] = ()
    worse: tuple[Known, ...] = ()
    eased: tuple[Known, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether anything changed."""
        return any(self._replace(still=()))


class Day(NamedTuple):
    """What the last whole audit of a UTC day counted, for a trend. ``at`` is its time, aware.

    ``proven`` and ``possible`` are exposed roles that no exception covers, ``excepted`` those whose
    exposure exceptions cover. ``complete`` is the report's.
    """

    at: datetime
    roles: int
    proven: int
    possible: int
    undetermined: int
    complete: bool
    excepted: int = 0


class Life(NamedTuple):
    """What earlier audits knew of a finding. Times are UTC; ``last_seen`` is this audit's.

    ``worse``: it was open or suppressed before, and less grave.
    """

    status: LifeStatus
    first_seen: datetime
    last_seen: datetime


class Resolved(NamedTuple):
    """A finding of earlier audits that this one looked for and didn't find."""

    id: str
    role_arn: str
    rule: str
    action: str
    severity: Severity
    title: str
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime


class RoleException(NamedTuple):
    """Findings that somebody answers for, for a while.

    ``role`` is a glob on a role's name or ARN, ``rule`` a rule's id or ``*``. ``expires`` is the
    last day, in UTC, on which it holds. ``where`` is the file and line it stands in.
    """

    role: str
    rule: str
    reason: str
    owner: str
    expires: date
    where: str = ""


ExceptionState = Literal["used", "unused", "expired", "unknown"]


class ExceptionUse(NamedTuple):
    """What an exception did in one audit: covered a finding, covered none, or had run out.

    ``unknown``: it covered none, but not all that it could be about was looked at and decided.
    """

    exception: RoleException
    state: ExceptionState
