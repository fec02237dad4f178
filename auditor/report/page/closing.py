"""The commands that the page offers: what plans the guard for one role, or for all exposed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.report.steps import Step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.findings import Finding, RoleReport
    from auditor.report.interface import Again

FEW: Final = 3
"""Roles that a command names, so that it does no more than the page is about."""

EXCEPTED: Final = 20
"""Excepted roles that a command for all others leaves out by name."""

_PLAN: Final = ("auditor", "remediate", "plan")


class Fix(NamedTuple):
    """The command that plans a role's guard, or the roles to close in its place."""

    command: str | None
    others: tuple[str, ...]


def fix_of(role: RoleReport, again: Again) -> Fix:
    """Return how to close a role: the guard on it, or on the roles that it may become.

    :param again: what points the command at what was audited.
    """
    every = (*role.findings, *(each.finding for each in role.suppressed))
    own = any(one.rule != "assumable-sender" and _sends(one) for one in every)
    others = dict.fromkeys(
        one.statements[-1].role or ""
        for one in every
        if one.rule == "assumable-sender" and one.statements
    )
    command = Step("", (*_PLAN, *_named("--role", [role]), *again.explain)).shell()
    return Fix(command if own or not others else None, tuple(filter(None, others)))


def plan_of(exposed: Sequence[RoleReport], excepted: Sequence[RoleReport], again: Again) -> str:
    """Return the command that plans the guard for all exposed roles, and not for excepted ones.

    Few roles are named. Where there are more, the audit's own limits and file of exceptions stand
    in their place; where it had no such file, the excepted roles are named instead.
    """
    if len(exposed) <= FEW and all(fix_of(role, again).command for role in exposed):
        return Step("", (*_PLAN, *_named("--role", exposed), *again.explain)).shell()
    beside = excepted if "--exceptions" not in again.plan and len(excepted) <= EXCEPTED else ()
    return Step("", (*_PLAN, *again.plan, *_named("--except", beside))).shell()


def _named(option: str, roles: Sequence[RoleReport]) -> Iterator[str]:
    for role in roles:
        if role.name.startswith("-"):  # it would be read as an option
            yield f"{option}={role.name}"
        else:
            yield from (option, role.name)


def _sends(finding: Finding) -> bool:
    return finding.witness is not None and finding.witness.action.lower().startswith("ses:send")
