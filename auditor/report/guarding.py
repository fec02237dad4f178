"""Where the guard belongs: on an exposed role itself, or on the roles that it may become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.findings import EXPOSING
from auditor.report.changed import every

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.findings import Finding, RoleReport

_CHAIN: Final = "assumable-sender"


def guarded(role: RoleReport) -> bool:
    """Tell whether the guard on an exposed role takes away something that exposes it.

    It has no hold on what the role sends as another one: that is sent with the other's permissions.
    """
    own = any(one.rule != _CHAIN and one.severity in EXPOSING for one in every(role))
    return own or not senders(every(role))


def senders(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return the names of the roles with whose permissions findings say that mail is sent."""
    ends = (one.statements[-1] for one in findings if one.rule == _CHAIN and one.statements)
    return tuple(dict.fromkeys(ref.role for ref in ends if ref.role))


def beyond(exposed: Sequence[RoleReport]) -> list[tuple[str, tuple[str, ...]]]:
    """Return what guards leave open: names of exposed roles, with the roles that they send as.

    Not where the guard is planned for that role too, for it is one of ``exposed``.
    """
    closed = {role.name for role in exposed if guarded(role)}
    left = [
        (role.name, tuple(one for one in senders(role.findings) if one not in closed))
        for role in exposed
    ]
    return [(name, others) for name, others in left if others]


def overruled(role: RoleReport) -> bool:
    """Tell whether exceptions cover something that the guard on an exposed role closes too."""
    return any(
        one.finding.severity in EXPOSING and one.finding.rule != _CHAIN for one in role.suppressed
    )
