"""One statement by itself: what its conditions ask for, and the ways in which it doesn't apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.engine.atoms import TRUE, Option, Single
from auditor.engine.conditions import atom
from auditor.engine.resources import failing

if TYPE_CHECKING:
    from auditor.engine.atoms import Atom
    from auditor.engine.conditions import Setting
    from auditor.policy.model import Statement


def holding(statement: Statement, setting: Setting) -> list[Atom] | None:
    """Return what a statement's conditions ask for; None where one can't hold."""
    asked: list[Atom] = []
    for condition in statement.conditions:
        one = atom(condition, setting, statement, want=True)
        if one is False:
            return None
        if one is not True:
            asked.append(one)
    return asked


def avoiding(statement: Statement, kind: str, setting: Setting) -> list[Option]:
    """Return the ways in which a Deny doesn't apply: [TRUE]: it never does, []: it always does."""
    options = not_holding(statement, setting)
    if options == [TRUE]:
        return options
    for option in failing(statement, kind, setting):
        if option == TRUE:
            return [TRUE]
        options.append(option)
    # leaving a key out is the plainest way round a Deny, so such ways are tried first
    return sorted(options, key=_intrusion) if len(options) > 1 else options


def not_holding(statement: Statement, setting: Setting) -> list[Option]:
    """Return the ways in which some condition fails: [TRUE] if one does anyway."""
    options: list[Option] = []
    for condition in statement.conditions:
        one = atom(condition, setting, statement, want=False)
        if one is True:
            return [TRUE]
        if one is not False:
            options.append(Option((one,)))
    return options


def _intrusion(option: Option) -> int:
    if not option.atoms:
        return 2
    first = option.atoms[0]
    if isinstance(first, Single):
        return 0 if first.absent else 1
    return 3
