"""Which roles a trust policy may name, told from its principals' texts alone: an upper bound.

Only pairs of roles that this leaves are worth evaluating statement by statement. "AWS JSON policy
elements: Principal":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeGuard

from auditor.policy.parse import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.account import Role


def _allowed(document: object) -> Iterator[object]:
    """Yield what the Allows of a trust policy name as AWS principals."""
    raw = load(document).get("Statement")
    for entry in raw if isinstance(raw, list) else [raw]:
        if isinstance(entry, dict) and entry.get("Effect") == "Allow":
            if "NotPrincipal" in entry:
                yield "*"
            principal = entry.get("Principal")
            named = principal.get("AWS") if isinstance(principal, dict) else principal
            yield from named if isinstance(named, list) else [named]


def texts_named(document: object) -> frozenset[str]:
    """Return the texts of a trust policy's AWS principals. Raises ``PolicyError``."""
    return frozenset(one for one in _allowed(document) if _is_text(one))


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str)


def movers_named(principals: frozenset[str], movers: Mapping[str, Role]) -> Iterator[Role]:
    """Yield the roles that a trust policy's principals may name themselves."""
    if "*" in principals:
        yield from movers.values()
        return
    plain = [one for one in principals if one in movers]
    yield from (movers[one] for one in plain)
    others = [one for one in principals if not one.endswith(":root") and one not in movers]
    if others:
        rest = frozenset(others)
        yield from (role for role in movers.values() if names(rest, role))


def names(named: frozenset[str], role: Role) -> bool:
    """Tell whether principals may name a role itself, not just its account (an upper bound)."""
    if not named.isdisjoint((role.arn, role.role_id, "*")):
        return True
    session = f":assumed-role/{role.name}/"
    return any(session in one for one in named)
