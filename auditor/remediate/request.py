"""What a plan is asked for, and the policy that it is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.corrective.documents import guard, sender

if TYPE_CHECKING:
    from auditor.account import PolicyText
    from auditor.corrective.documents import Document
    from auditor.corrective.names import PolicyName

ATTACHED_QUOTA: Final = 10
"""Managed policies that a role takes, unless the account has asked for more:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""
INLINE_QUOTA: Final = 10_240
"""Characters of all inline policies of a role, white space not counted (same page)."""


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """Which policy, on which roles, and how it may get there.

    ``role_globs`` and ``except_globs`` are held against names and ARNs, ``*`` and ``?`` being
    wildcards; a role must match one of the former (none: all) and none of the latter. ``arns`` are
    the roles of a report: only these; None where there is no report. ``attached_quota``: managed
    policies per role. ``inline_allowed``: where that is full, an inline policy of the same text
    may be put. ``existing`` is the managed policy of our name as the account has it, None where it
    isn't there or the source can't tell. ``create_policy``: it may be made where it isn't there.
    """

    policy: PolicyName = "guard"
    role_globs: tuple[str, ...] = ()
    except_globs: tuple[str, ...] = ()
    arns: tuple[str, ...] | None = None
    attached_quota: int = ATTACHED_QUOTA
    inline_allowed: bool = False
    existing: PolicyText | None = None
    create_policy: bool = False


def document_of(policy: PolicyName) -> Document:
    """Return the one text of a policy that is ever attached. It is the same in all partitions."""
    return guard() if policy == "guard" else sender()
