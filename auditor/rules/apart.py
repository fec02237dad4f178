"""Whether statements about a role's own powers may answer one role otherwise than another."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from auditor.engine.caller import hangs_on_caller
from auditor.engine.layers import asked_of
from auditor.rules.selfgranting import ON_OWN, own_policies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.account import Role
    from auditor.engine.layers import Located
    from auditor.policy.model import Statement


def tells(role: Role, among: Sequence[Located]) -> bool:
    """Tell whether some statement may answer otherwise for another role that has the same ones.

    By a key that hangs on the caller or on the role as a resource; or, where it names an action on
    the role itself or its policies, by a pattern that could match one ARN and not another. (An
    upper bound.)
    """
    ours = ":".join(role.arn.split(":", 3)[:3]) + ":"
    arns = own_policies(role)
    return (
        len(set(among)) < len(among)  # which of two equal ones is meant can't be told
        or len(set(arns)) < len(arns)
        or not all(arn.startswith(ours) for arn in (role.arn, *arns))
        or any(_tells_apart(one.statement, ours) for one in among)
    )


@lru_cache(maxsize=8_192)
def _tells_apart(statement: Statement, ours: str) -> bool:
    """Tell whether a statement may tell apart roles whose ARNs, and policies', start alike."""
    if any(hangs_on_caller(key) or key.startswith(_RESOURCE_TAGS) for key in statement.mentions):
        return True
    return bool(asked_of(statement, ON_OWN)) and any(
        text != "*" and _may_match(text, ours) for text in statement.resources
    )


_RESOURCE_TAGS: Final = ("aws:resourcetag/", "iam:resourcetag/")


@lru_cache(maxsize=8_192)
def _may_match(pattern: str, start: str) -> bool:
    """Tell whether a pattern may match an ARN that starts so: by its text before any wildcard."""
    head = _WILD.split(pattern, maxsplit=1)[0]
    return head.startswith(start) or start.startswith(head)


_WILD: Final = re.compile(r"[*?$]")
