"""Exceptions applied to a report: what they cover is listed apart, and what they don't, too.

An exception comes from whoever runs the audit (``auditor.exceptionfile``), never from the account:
a tag on a role, or a word in its policy, excepts nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Final

from auditor.findings import Suppressed
from auditor.globs import like
from auditor.lasting import ExceptionState, ExceptionUse, RoleException
from auditor.life import plain
from auditor.rules.making import order_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from auditor.findings import Report, RoleReport
    from auditor.looked import Looked

EVERY_RULE: Final = "*"


def suppress(
    report: Report,
    exceptions: Sequence[RoleException],
    now: datetime,
    looked: Looked | None = None,
) -> Report:
    """Return the report with the findings that an exception covers moved to ``suppressed``.

    Verdicts stay. An exception holds to the end of its last day, in UTC; where several cover a
    finding, the first is named. ``Report.exceptions`` tells what became of each, in their order:
    ``used`` are all that cover a finding, named or not; ``unused`` are only those of which all that
    they could be about was looked at and decided, and the rest is ``unknown``, whatever the day, if
    it names another account: a file may be shared. Exceptions of an earlier call are undone.

    :param now: aware; the time of the audit.
    :param looked: what the audit looked at. Without it an audit of a part of the account knows of
        no exception that it is unused.
    """
    today = now.astimezone(UTC).date()
    valid = [one for one in exceptions if one.expires >= today]
    used: set[int] = set()
    roles = [_covered(role, valid, used) for role in report.roles]

    def state(one: RoleException) -> ExceptionState:
        if id(one) in used:
            return "used"
        if _is_elsewhere(one, report):
            return "unknown"
        if one.expires < today:
            return "expired"
        return "unused" if _decided(one, report, looked) else "unknown"

    uses = tuple(ExceptionUse(one, state(one)) for one in exceptions)
    return replace(report, roles=roles, exceptions=uses)


def covers(exception: RoleException, role: RoleReport, rule: str) -> bool:
    """Tell whether an exception is about a rule on a role, whatever the day."""
    return exception.rule in (EVERY_RULE, rule) and _names(exception, role)


def _names(exception: RoleException, role: RoleReport) -> bool:
    glob = like(exception.role)
    return glob.matches(role.name) or glob.matches(role.arn)


def _is_elsewhere(exception: RoleException, report: Report) -> bool:
    """Tell whether an exception is about roles of another account alone."""
    if not report.account_id or not exception.role.startswith("arn:"):
        return False
    named = exception.role.split(":", 5)[: _ACCOUNT + 1]
    if any(sign in part for sign in "*?" for part in named):
        return False
    return len(named) > _ACCOUNT and named[_ACCOUNT] != report.account_id


def _decided(exception: RoleException, report: Report, looked: Looked | None) -> bool:
    """Tell whether all that an exception could be about was looked at and decided."""
    if not report.complete or (looked is None and report.limits is not None):
        return False
    named = exception.role.split(":")
    if len(named) > _ACCOUNT and named[_ACCOUNT] != report.account_id:
        return False  # another account's, or several accounts': a file may be shared
    about = [role for role in report.roles if _names(exception, role)]
    if any(role.verdict == "undetermined" or role.notes for role in about):
        return False
    if about and _IDENTITIES in report.not_evaluated and exception.rule in (EVERY_RULE, _GRANT):
        return False
    if looked is None:
        return True
    glob, told = like(exception.role), {plain(role.arn) for role in about}
    return looked.roles is not None and not any(
        looked.left_out(arn)
        for arn in looked.roles
        if (glob.matches(arn) or glob.matches(arn.rpartition("/")[2])) and arn not in told
    )


_ACCOUNT: Final = 4  # where an ARN names its account
_IDENTITIES: Final = "identity-policies"
_GRANT: Final = "identity-policy-grant"


def _covered(role: RoleReport, valid: Sequence[RoleException], used: set[int]) -> RoleReport:
    """Return a role's report with its covered findings apart; ``used`` gets the ids of objects."""
    findings = role.findings
    if role.suppressed:
        before = (one.finding for one in role.suppressed)
        findings = tuple(sorted((*findings, *before), key=order_of))
    about = [one for one in valid if _names(one, role)] if findings else []
    if not about:
        return replace(role, findings=findings, suppressed=()) if role.suppressed else role
    open_, apart = [], []
    for finding in findings:
        covering = [one for one in about if one.rule in (EVERY_RULE, finding.rule)]
        used.update(map(id, covering))
        if covering:
            apart.append(Suppressed(finding, covering[0]))
        else:
            open_.append(finding)
    return replace(role, findings=tuple(open_), suppressed=tuple(apart))
