"""What a channel is, what it is told, and which roles stand first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from auditor.errors import NotifyError
from auditor.life import Changes

if TYPE_CHECKING:
    from auditor.findings import Report, RoleReport
    from auditor.life import Known

Occasion = Literal["changes", "all-clear", "digest", "report", "reading", "exceptions"]
"""Why a message is sent: something changed, the last open role closed, a week is over, somebody
asked for the report, or nothing changed but what could be read, or what became of exceptions."""

Reading = Literal["", "incomplete", "complete", "left"]
"""What changed in what could be read: nothing, something can't be read, everything can again, or a
role with open findings isn't CodeBuild's any more, as far as the audited regions show."""

NO_CHANGES = Changes()


class Remedy(NamedTuple):
    """What was planned, or done, about a report's roles: in lines for people, and for machines."""

    lines: tuple[str, ...]
    data: dict[str, Any]


class News(NamedTuple):
    """What a channel is to tell.

    ``changes`` are those that this channel hasn't told yet. ``unseen`` are findings of earlier
    audits that are open still and that this one couldn't look at. ``id`` is the same where the same
    is told again. ``stored`` is where the whole report lies, such as ``s3://bucket/key``.
    ``reading`` is what changed in what could be read, and ``exceptions`` what became of exceptions,
    in a few words. ``changes.still`` is open and told to a bus that was switched on, as events of
    the id ``earlier_id``.
    """

    report: Report
    changes: Changes = NO_CHANGES
    occasion: Occasion = "report"
    remedy: Remedy | None = None
    unseen: tuple[Known, ...] = ()
    id: str = ""
    stored: str | None = None
    reading: Reading = ""
    exceptions: str = ""
    earlier_id: str = ""


# Tells somebody: returns what the channel calls the message (an id); raises NotifyError where it
# could not be handed over. A channel's own settings are bound beforehand, for instance
# ``partial(sns.publish, client, topic_arn, render_role=role_to_dict)``.
Channel: TypeAlias = Callable[[News], str | None]

# How one role is written down for machines. The caller passes it in: notify imports no report.
RoleRenderer: TypeAlias = "Callable[[RoleReport], dict[str, object]]"


class PartlyToldError(NotifyError):
    """Some of a channel's messages were taken, others not. ``taken`` are the findings' ids."""

    def __init__(self, message: str, taken: frozenset[str]) -> None:
        super().__init__(message)
        self.taken = taken


def is_open(report: Report) -> bool:
    """Tell whether a role is exposed and nobody answers for it, or could not be decided."""
    return report.count("exposed") > 0 or report.count("undetermined") > 0


def worst_first(report: Report) -> list[RoleReport]:
    """Return the roles to tell of: proven exposures, possible ones, then undetermined; by ARN.

    Those that somebody answers for are left out: exceptions cover all that exposes them.
    """
    rank = {("exposed", "proven"): 0, ("exposed", "possible"): 1, ("undetermined", None): 2}

    def key(role: RoleReport) -> tuple[str, str | None]:
        return role.verdict, role.open_certainty() if role.verdict == "exposed" else None

    told = [role for role in report.roles if key(role) in rank]
    return sorted(told, key=lambda role: (rank[key(role)], role.arn))
