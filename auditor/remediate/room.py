"""Whether a role takes one more policy, and how: attached, or else inline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.account import PolicyText
from auditor.corrective.documents import size_of
from auditor.corrective.names import MANAGED
from auditor.errors import PolicyError
from auditor.policy.parse import load
from auditor.remediate.model import text_of
from auditor.remediate.request import INLINE_QUOTA

if TYPE_CHECKING:
    from auditor.account import Role
    from auditor.corrective.documents import Document
    from auditor.remediate.model import Way
    from auditor.remediate.request import PlanRequest


def says(source: PolicyText, document: Document) -> bool | None:
    """Tell whether a policy's text is a document, however it is laid out; None if unreadable."""
    if source.missing is not None:
        return None
    try:
        return text_of(load(source.document)) == text_of(document)
    except PolicyError:
        return None


def way_for(role: Role, request: PlanRequest, document: Document) -> Way | str:
    """Return how the policy gets on a role that hasn't got it, or why it doesn't (a sentence)."""
    if len(role.attached) < request.attached_quota:
        return "attach"
    full = (
        f"it has {len(role.attached)} managed policies attached already, and"
        f" {request.attached_quota} is the quota"
    )
    if not request.inline_allowed:
        return f"{full}: detach one, or ask AWS for a higher quota"
    name = MANAGED[request.policy]
    if any(one.name == name for one in role.inline):
        return f"{full}; and an inline policy named {name} is there that says something else"
    used = _used(role)
    if used is None:
        return f"{full}; and how much room its inline policies leave can't be told: one isn't read"
    size = size_of(document)
    if used + size > INLINE_QUOTA:
        return (
            f"{full}; and its inline policies have {used:,} characters, so that {size:,} more"
            f" don't fit into {INLINE_QUOTA:,}"
        )
    return "inline"


def _used(role: Role) -> int | None:
    """Return the characters of all inline policies, without white space (at least what IAM counts).

    None where one could not be read.
    """
    used = 0
    for source in role.inline:
        if source.missing is not None:
            return None
        try:
            used += size_of(load(source.document))
        except PolicyError:
            used += len("".join(str(source.document).split()))
    return used


def with_policy(role: Role, way: Way, shared: PolicyText) -> Role:
    """Return the role with the policy on it; ``shared`` is the one that is attached to many."""
    from dataclasses import replace

    if way == "attach":
        return replace(role, attached=(*role.attached, shared))
    own = PolicyText(shared.name, None, "inline", shared.document)
    return replace(role, inline=(*role.inline, own))
