"""Whether a role may make somebody else who may do everything: a user with keys, or a role.

Whoever may make a user or a role, give it a policy, and act as it, is held by no policy of its own.
The new one is held by SCPs alone; a condition that asks for a permissions boundary holds both.
"Privilege escalation" in the IAM User Guide's page on passing roles, and the actions' own pages:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from auditor.account import PolicyText
from auditor.engine.layers import Layer, Placed
from auditor.engine.powers import Powers
from auditor.errors import Undecidable
from auditor.policy.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.engine.powers import Call, Facts

MAKINGS: Final = {
    "user": (
        ("iam:CreateUser",),
        ("iam:AttachUserPolicy", "iam:PutUserPolicy"),
        ("iam:CreateAccessKey", "iam:CreateLoginProfile"),
    ),
    # its trust policy names whoever makes it, which is enough to assume it in one account
    "role": (("iam:CreateRole",), ("iam:AttachRolePolicy", "iam:PutRolePolicy")),
}
"""By kind: groups of actions, one of each of which it takes, all on the same user or role."""

_FREE: Final[Facts] = (("iam:permissionsboundary", None),)
"""The new one has no boundary, or it would hold it."""
_EXAMPLES_MAX: Final = 20
"""Names tried for the new one: a plain one, and one made of each pattern that policies name."""
_EVERYTHING: Final = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
}


def makes_newcomers(powers: Powers) -> bool:
    """Tell whether a role's policies name all that it takes to make one (an upper bound)."""
    return any(
        all(any(powers.names(action) for action in group) for group in groups)
        for groups in MAKINGS.values()
    )


def newcomer(powers: Powers, wanted: Sequence[tuple[str, str, Facts]]) -> tuple[Call, ...]:
    """Return the calls that make somebody who may then make one of the wanted ones; () for no way.

    Each wanted one is an action, its resource, and what is known of that. What can't be decided
    isn't a way.
    """
    if not makes_newcomers(powers):
        return ()
    for kind, groups in MAKINGS.items():
        for arn in islice(_examples(powers, kind, groups), _EXAMPLES_MAX):
            calls = [_first(powers, group, arn) for group in groups]
            found = tuple(one for one in calls if one is not None)
            if len(found) == len(groups) and any(_may(powers, arn, one) for one in wanted):
                return found
    return ()


def _examples(powers: Powers, kind: str, groups: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    """Yield ARNs that a new user or role could have."""
    caller = powers.caller
    home = f"arn:{caller.partition}:iam::{caller.account}:{kind}/"
    yield f"{home}example"
    patterns = (text for group in groups for name in group for text in powers.patterns(name))
    for pattern in dict.fromkeys(patterns):
        example = pattern.replace("*", "example").replace("?", "x")
        tail = example.partition(f":{kind}/")[2]
        if pattern.startswith("arn:") and tail:
            yield home + tail


def _first(powers: Powers, group: tuple[str, ...], arn: str) -> Call | None:
    for action in group:
        try:
            call = powers.call(action, arn, _FREE)
        except Undecidable:
            continue
        if call is not None:
            return call
    return None


def _may(powers: Powers, arn: str, wanted: tuple[str, str, Facts]) -> bool:
    """Tell whether the SCPs let the new one, which may do everything else, make a call."""
    text = PolicyText("everything", None, "inline", _EVERYTHING)
    own = Layer("identity", (Placed(text, parse(_EVERYTHING)),))
    caller = powers.caller._replace(arn=arn, role_id="", tags={}, bounded=False)
    scps = tuple(layer for layer in powers.layers if layer.name == "scp")
    try:
        return Powers(caller, (own, *scps)).call(*wanted) is not None
    except Undecidable:
        return False
