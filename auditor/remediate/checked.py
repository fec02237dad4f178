"""Is this what may be carried out here: this account's, and of policies that are ours?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.corrective.names import policy_arn
from auditor.errors import InputError
from auditor.remediate.model import sha256_of
from auditor.remediate.trouble import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.remediate.model import Plan


def check_plan(plan: Plan, document: Mapping[str, object], who: str) -> None:
    """Refuse a plan that was tampered with, or is for another account or another version.

    :raises InputError: one line.
    """
    same_account(who, plan.account_id, one_line(plan.id))
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


def same_account(who: str, account_id: str, what: str) -> None:
    """Refuse to work in another account than the one that ``what`` is about.

    :raises InputError: one line.
    """
    mine = who.split(":")[4] if who.count(":") >= 5 else ""
    if mine != account_id:
        raise InputError(
            f"{what} is about account {one_line(account_id, 50)}, and these credentials"
            f" ({one_line(who)}) are another's: use those of that account"
        )
