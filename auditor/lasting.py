"""What outlasts one audit, as plain values: the lives of findings, and exceptions from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from datetime import date, datetime

    from auditor.findings import Severity

LifeStatus = Literal["new", "open", "reopened", "suppressed"]
Status = Literal["open", "suppressed", "resolved"]


class Life(NamedTuple):
    """What earlier audits knew of a finding. Times are UTC; ``last_seen`` is this audit's."""

    status: LifeStatus
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """One finding as audits knew it so far. Times are UTC, whole seconds.

    ``status`` is what the latest audit made of it that looked. ``resolved_at`` is that audit's time
    where it is resolved, else None. ``mail_regions`` are the regions of the SES identities whose
    policies it rests on.
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


ExceptionState = Literal["used", "unused", "expired"]


class ExceptionUse(NamedTuple):
    """What an exception did in one audit: covered a finding, covered none, or had run out."""

    exception: RoleException
    state: ExceptionState
