"""A role's fingerprint: equal as long as nothing that bears on what it may do has changed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.errors import PolicyError
from auditor.policy.parse import load
from auditor.remediate.model import sha256_of

if TYPE_CHECKING:
    from auditor.account import PolicyText, Role


def fingerprint(role: Role) -> str:
    """Return a hash over a role's id, tags, trust policy, boundary, and all its policies' texts.

    Order doesn't count, nor how a document came (as an object, as text, URL-encoded). Projects
    don't either: who may start a build changes nothing of what the role may do.
    """
    return sha256_of(
        {
            "arn": role.arn,
            "id": role.role_id,
            "tags": dict(role.tags),
            "trust": _document(role.trust),
            "boundary": None
            if role.boundary is None
            else [role.boundary.arn, _document(role.boundary)],
            "inline": sorted([text.name, _document(text)] for text in role.inline),
            "attached": sorted([text.arn or text.name, _document(text)] for text in role.attached),
        }
    )


def _document(text: PolicyText) -> str:
    """Return a document in one form; one that can't be read, as it came."""
    if text.missing is not None:
        return f"missing: {text.missing}"
    try:
        return sha256_of(load(text.document))
    except PolicyError:
        return repr(text.document)


def without(role: Role, arn: str | None = None, inline: str | None = None) -> Role:
    """Return a role without an attached policy, or without an inline one."""
    return replace(
        role,
        attached=tuple(text for text in role.attached if arn is None or text.arn != arn),
        inline=tuple(text for text in role.inline if inline is None or text.name != inline),
    )
