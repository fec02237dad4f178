"""What a plan was asked for, held against the account: exceptions, and globs that meet nobody.

An exception comes from whoever runs the auditor, never from the account (``auditor.exceptions``).
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, NamedTuple

from auditor.audit import audit
from auditor.exceptions import EVERY_RULE, suppress
from auditor.globs import like
from auditor.remediate.choose import CHAIN
from auditor.remediate.model import Left
from auditor.remediate.plan import id_of
from auditor.remediate.tell import named
from auditor.remediate.warn import CLOSES
from auditor.remediate.wording import listed, remark, sound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from auditor.account import Account
    from auditor.findings import Report
    from auditor.lasting import RoleException
    from auditor.remediate.model import Change, Plan, Remark


class Excepted(NamedTuple):
    """The roles that exceptions keep as they are.

    ``globs`` is what ``PlanRequest.except_globs`` takes, ``why`` a sentence for each role by ARN.
    ``report`` is the audit that they were held against, None where there were no exceptions: an
    exception that covers a part of what exposes a role keeps nothing as it is.
    """

    globs: tuple[str, ...] = ()
    why: Mapping[str, str] = {}
    report: Report | None = None

    def told(self, plan: Plan) -> Plan:
        """Return the plan with each exception's reason in the place of the glob.

        A change that closes what an exception covers has a warning for each such exception.
        """
        left = tuple(
            one.model_copy(update={"why": remark("excepted", self.why[one.role_arn])})
            if one.why.code == "excepted" and one.role_arn in self.why
            else one
            for one in plan.left
        )
        covered = _covered(self.report) if plan.policy == "guard" else {}
        changes = tuple(
            one.model_copy(update={"warnings": (*_closed(one, covered), *one.warnings)})
            if one.role_arn in covered
            else one
            for one in plan.changes
        )
        if (left, changes) == (plan.left, plan.changes):
            return plan
        changed = plan.model_copy(update={"left": left, "changes": changes})
        return changed.model_copy(update={"id": id_of(changed)})


def unattended(plan: Plan) -> Plan:
    """Return the plan for a run that nobody looks at before it is applied.

    What closes something that somebody answers for is left to a person: it could end mail that is
    meant to be sent.
    """
    asks = {
        one.role_arn: one for one in plan.changes if any(w.code == CLOSES for w in one.warnings)
    }
    if not asks:
        return plan
    left = tuple(
        Left(
            role_arn=one.role_arn,
            role_name=one.role_name,
            standing=one.before,
            why=remark(
                "excepted",
                "left to a person: " + next(w.text for w in one.warnings if w.code == CLOSES),
            ),
        )
        for one in asks.values()
    )
    changed = plan.model_copy(
        update={
            "changes": tuple(one for one in plan.changes if one.role_arn not in asks),
            "left": tuple(
                sorted((*plan.left, *left), key=lambda one: (one.role_arn, one.why.code))
            ),
        }
    )
    return changed.model_copy(update={"id": id_of(changed)})


class _Covered(NamedTuple):
    """What an exception covers and one role's requests do: its own sends, or another role's.

    ``through`` are the names of the roles that send by becoming this one.
    """

    actions: dict[str, None]
    through: dict[str, None]


def _covered(report: Report | None) -> Mapping[str, Mapping[RoleException, _Covered]]:
    """Return what exceptions cover, by the ARN of the role that sends."""
    found: dict[str, dict[RoleException, _Covered]] = {}
    for role in () if report is None else report.roles:
        for finding, exception in role.suppressed:
            chained = finding.rule == CHAIN and finding.roles
            arn = finding.roles[-1].arn if chained else role.arn
            by = found.setdefault(sound(arn), {}).setdefault(exception, _Covered({}, {}))
            if chained:
                by.through[role.name] = None
            elif finding.witness is not None:
                by.actions[finding.witness.action] = None
    return found


def _closed(
    change: Change, covered: Mapping[str, Mapping[RoleException, _Covered]]
) -> Iterator[Remark]:
    """Yield what a change closes though somebody answers for it."""
    refused = {one.action for one in change.proofs if one.allowed_before and not one.allowed_after}
    for exception, by in covered[change.role_arn].items():
        what = []
        if actions := [action for action in by.actions if action in refused]:
            what.append(f"its sends by {listed(actions)}")
        if by.through:
            what.append(f"the sends of {named(tuple(by.through))}, which may become it")
        if what:
            text = f"it closes what somebody answers for: {', and '.join(what)}, excepted"
            yield remark(CLOSES, f"{text} {_said(exception)}. Ask them before you apply this.")


def excepted(account: Account, exceptions: Sequence[RoleException], now: datetime) -> Excepted:
    """Return the roles that nothing is to be planned for.

    Those are the roles that an exception for every rule names, whatever their verdict, and the
    exposed ones of which every finding that exposes them has its exception. One that ran out
    excepts nothing.

    :param account: its roles are gone through, and must not be a one-pass iterable.
    :param now: aware; the time of the plan.
    """
    if not exceptions:
        return Excepted()
    report = suppress(audit(account, now=now, closings=False), exceptions, now)
    today = now.astimezone(UTC).date()
    whole = [one for one in exceptions if one.rule == EVERY_RULE and one.expires >= today]
    globs = [(like(one.role), one) for one in whole]
    why: dict[str, str] = {}
    arns = []
    for role in report.roles:
        by = [one for glob, one in globs if glob.matches(role.name) or glob.matches(role.arn)][:1]
        if not by and role.accepted():
            by = list(dict.fromkeys(one.exception for one in role.suppressed))
            arns.append(role.arn)
        if by:
            why[role.arn] = f"it is excepted {listed(map(_said, by))}."
    return Excepted((*(one.role for one in whole), *arns), why, report)


def _said(one: RoleException) -> str:
    rule = "" if one.rule == EVERY_RULE else f" from {one.rule}"
    where = f", {one.where}" if one.where else ""
    return f"until {one.expires}{rule} ({one.reason}; owner: {one.owner}{where})"


def unmatched(plan: Plan, globs: Sequence[str]) -> tuple[str, ...]:
    """Return the globs (or names) that no CodeBuild role of the plan's account matches.

    The plan must have been asked for these globs.
    """
    strange = ("no-such-role", "not-codebuild")
    met = [(one.role_name, one.role_arn) for one in plan.changes]
    met += [(one.role_name, one.role_arn) for one in plan.left if one.why.code not in strange]
    return tuple(
        text
        for text in dict.fromkeys(globs)
        if not any(like(text).matches(name) or like(text).matches(arn) for name, arn in met)
    )
