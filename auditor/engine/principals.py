"""Whom a resource's policy names, as seen by one role.

"AWS JSON policy elements: Principal", and "Policy evaluation logic" on requests within an account:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from auditor.engine.caller import Caller
    from auditor.policy.model import Principals


class Naming(Enum):
    """How a statement names a role.

    An Allow that names the role (or everyone) grants by itself, within the permissions boundary;
    one that names its session grants even where the boundary merely doesn't allow; one that names
    the account leaves it to identity policies. Whether a grant to everyone reaches past a boundary
    that merely doesn't allow isn't documented. A Deny counts however it names, but for one that
    names a session, which other sessions needn't mind, and one that may not name the role at all.
    """

    NOT = "not"
    DOUBTFUL = "doubtful"
    ACCOUNT = "account"
    SESSION = "session"
    ROLE = "role"
    EVERYONE = "everyone"


def naming(principals: Principals, caller: Caller) -> tuple[Naming, str]:
    """Return how a statement names a role, and the session's name where it names one."""
    found = _named(principals.aws, caller)
    if not principals.negated:
        return found
    # Everybody but those named, and whoever has a permissions boundary, AWS's page says. It asks to
    # name the account beside the role: without it the statement may count all the same.
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    if caller.bounded or found[0] not in (Naming.ROLE, Naming.SESSION, Naming.EVERYONE):
        return Naming.EVERYONE, ""
    root = f"arn:{caller.partition}:iam::{caller.account}:root"
    sure = not principals.aws.isdisjoint((caller.account, root, "*"))
    return (Naming.NOT if sure else Naming.DOUBTFUL), ""


def _named(texts: frozenset[str], caller: Caller) -> tuple[Naming, str]:
    if caller.arn in texts or (caller.role_id and caller.role_id in texts):
        return Naming.ROLE, ""
    if "*" in texts:
        return Naming.EVERYONE, ""
    role = caller.arn.rpartition("/")[2] if "/" in caller.arn else caller.arn
    session = f"arn:{caller.partition}:sts::{caller.account}:assumed-role/{role}/"
    for text in sorted(texts):
        if text.startswith(session):
            return Naming.SESSION, text.removeprefix(session)
    root = f"arn:{caller.partition}:iam::{caller.account}:root"
    if caller.account in texts or root in texts:
        return Naming.ACCOUNT, ""
    return Naming.NOT, ""
