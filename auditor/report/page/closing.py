"""The commands that the page offers: what plans the guard for one role, or for all exposed ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.report.changed import every
from auditor.report.guarding import guarded, overruled, senders
from auditor.report.steps import Step, overrules

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.findings import RoleReport
    from auditor.report.interface import Again

FEW: Final = 3
"""Roles that a command names, so that it does no more than the page is about."""

EXCEPTED: Final = 20
"""Excepted roles that a command for all others leaves out by name."""

_PLAN: Final = ("auditor", "remediate", "plan")
_EXCEPTIONS: Final = "--exceptions"
_COVERED: Final = "Exceptions cover this role: the command plans its guard all the same."
_PARTLY: Final = "Exceptions cover a part of what it may send: the guard closes that as well."


class Fix(NamedTuple):
    """The command that plans a role's guard, or the roles to close in its place.

    ``overrules`` says what exceptions have to do with it, if anything.
    """

    command: str | None
    others: tuple[str, ...]
    overrules: str | None


class Plan(NamedTuple):
    """The command that plans the guard for exposed roles.

    ``whose`` says for which, ``number`` for how many. ``overrules``: exceptions cover a part of it.
    """

    command: str
    whose: str
    number: int
    overrules: bool


def fix_of(role: RoleReport, again: Again) -> Fix:
    """Return how to close a role: the guard on it, or on the roles that it may become.

    The command minds the audit's exceptions, but for a role that they cover: it would be left out.

    :param again: what points the command at what was audited.
    """
    others = senders(every(role))
    if not guarded(role):
        return Fix(None, others, None)
    accepted = role.accepted()
    excepting = () if accepted else _exceptions(again)
    words = (*_PLAN, *_named("--role", [role]), *again.explain, *excepting)
    told = _COVERED if accepted else _PARTLY if overruled(role) else None
    return Fix(Step("", words).shell(), others, told)


def plan_of(
    exposed: Sequence[RoleReport], excepted: Sequence[RoleReport], again: Again
) -> Plan | None:
    """Return what plans the guard for all exposed roles that it closes, and not for excepted ones.

    None where it closes none of them. Few roles are named. Where there are more, the audit's own
    limits and file of exceptions stand in their place; where it had no such file, the excepted
    roles are named instead.
    """
    roles = [role for role in exposed if guarded(role)]
    if not roles:
        return None
    if len(roles) <= FEW:
        about = (*_named("--role", roles), *again.explain, *_exceptions(again))
    else:
        beside = excepted if not _exceptions(again) and len(excepted) <= EXCEPTED else ()
        about = (*again.plan, *_named("--except", beside))
    if len(roles) < len(exposed):
        whose = roles[0].name if len(roles) == 1 else f"{len(roles):,} of them"
    else:
        whose = "this role" if len(roles) == 1 else "them all"
    return Plan(Step("", (*_PLAN, *about)).shell(), whose, len(roles), overrules(roles))


def _exceptions(again: Again) -> tuple[str, ...]:
    """Return the words that name the audit's file of exceptions, if it had one."""
    words = iter(again.plan)  # an option and its value, or both in one word
    for word in words:
        option = (word,) if "=" in word else (word, next(words, ""))
        if word.partition("=")[0] == _EXCEPTIONS:
            return option
    return ()


def _named(option: str, roles: Sequence[RoleReport]) -> Iterator[str]:
    for role in roles:
        if role.name.startswith("-"):  # it would be read as an option
            yield f"{option}={role.name}"
        else:
            yield from (option, role.name)
