"""What a channel is, and when a report is worth a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from auditor.findings import Report

if TYPE_CHECKING:
    from auditor.findings import RoleReport

# Tells somebody about a report: returns what the channel calls the message (an id), or None where
# there was nothing to send; raises NotifyError where it could not be handed over. A channel's own
# settings are bound beforehand, e.g. ``partial(sns.publish, client, topic_arn, always=False, …)``.
Channel: TypeAlias = Callable[[Report], str | None]

# How one role is written down for machines. The caller passes it in: notify imports no report.
RoleRenderer: TypeAlias = "Callable[[RoleReport], dict[str, object]]"


class Remedy(NamedTuple):
    """What was planned, or done, about a report's roles: in lines for people, and for machines."""

    lines: tuple[str, ...]
    data: dict[str, Any]


def worth_telling(report: Report) -> bool:
    """Whether somebody must hear of it: an exposure, a role left undecided, an incomplete audit.

    Advice (``low`` and ``info``) alone wakes nobody, as it changes no exit status.
    """
    return not report.complete or report.count("exposed") > 0 or report.count("undetermined") > 0


def worst_first(report: Report) -> list[RoleReport]:
    """Return the roles to tell of: proven exposures, possible ones, then undetermined; by ARN."""
    rank = {("exposed", "proven"): 0, ("exposed", "possible"): 1, ("undetermined", None): 2}
    told = [role for role in report.roles if (role.verdict, role.certainty) in rank]
    return sorted(told, key=lambda role: (rank[role.verdict, role.certainty], role.arn))
