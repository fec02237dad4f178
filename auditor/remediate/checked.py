"""Is this what may be carried out here: in this account, of policies that are ours, on builds?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.corrective.names import policy_arn
from auditor.errors import InputError
from auditor.remediate.model import sha256_of
from auditor.remediate.trouble import one_line
from auditor.scope import in_scope, is_service_linked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from auditor.account import Role
    from auditor.remediate.interface import Decider
    from auditor.remediate.model import Plan

OLD_DAYS: Final = 30
"""Days after which a plan's age is told."""


def check_plan(plan: Plan, document: Mapping[str, object], who: str) -> None:
    """Refuse a plan that was tampered with, or is for another account or another version.

    :raises InputError: one line.
    """
    same_account(who, plan.account_id, one_line(plan.id), plan.partition)
    if plan.policy_arn != policy_arn(plan.partition, plan.account_id, plan.policy):
        raise InputError(f"{one_line(plan.id)}: {one_line(plan.policy_arn)} isn't ours to attach")
    if plan.policy_sha256 != sha256_of(document):
        raise InputError(
            f"{one_line(plan.id)}: it was made for another text of the {plan.policy} than this"
            " version of the auditor attaches: make the plan anew"
        )
    roles = f"arn:{plan.partition}:iam::{plan.account_id}:role/"
    for change in plan.changes:
        if not change.role_arn.startswith(roles):
            raise InputError(
                f"{one_line(plan.id)}: {one_line(change.role_arn)} isn't its account's"
            )


def same_account(who: str, account_id: str, what: str, partition: str | None = None) -> None:
    """Refuse to work in another account (or partition) than the one that ``what`` is about.

    :raises InputError: one line.
    """
    mine = who.split(":")[4] if who.count(":") >= 5 else ""
    theirs = who.split(":")[1] if mine else ""
    if mine == account_id and partition not in (None, theirs):
        raise InputError(
            f"{what} is about the partition {one_line(partition or '', 50)}, and these credentials"
            f" ({one_line(who)}) are of another: use those of that partition"
        )
    if mine != account_id:
        raise InputError(
            f"{what} is about account {one_line(account_id, 50)}, and these credentials"
            f" ({one_line(who)}) are another's: use those of that account"
        )


def age_of(plan: Plan, now: datetime) -> str:
    """Return a sentence on a plan that was made long ago (or is yet to be made), or ""."""
    days = (now - plan.created_at).days
    if days < 0:
        return "it is dated in the future: is this machine's clock right?"
    if days < OLD_DAYS:
        return ""
    return (
        f"it was made {days:,} days ago: roles that have changed since are left alone, and new ones"
        " aren't in it"
    )


def never(role: Role, decide: Decider) -> str:
    """Return why a role is never changed, whatever a plan says, or "".

    Raises ``AuditorError`` where that can't be told.
    """
    if is_service_linked(role):
        return "it is a service-linked role: AWS's own, and never changed"
    if in_scope(role):  # by its trust policy; what was read now holds no projects
        return ""
    standing = decide([role]).get(role.arn)
    if standing is None or standing.verdict == "undetermined":
        return "it isn't known to be a CodeBuild role, and only those are changed"
    return ""
