"""One question as clauses: an action, a reading, the resource types it is authorised on, a goal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor import domains
from auditor.engine.atoms import Option, Single
from auditor.engine.caller import REGION, RESOURCE_ACCOUNT
from auditor.engine.conditions import Setting, atom
from auditor.engine.constraints import REAL, SIMULATOR, Test
from auditor.engine.layers import Located, statements
from auditor.engine.resources import failing, matching
from auditor.engine.state import State, Variable
from auditor.globs import exactly, like

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.engine.atoms import Atom, Clause
    from auditor.engine.layers import Layer
    from auditor.policy.model import Statement

TRUE: Final = Option(())
"""An option that asks for nothing."""


class Question(NamedTuple):
    """What is asked: is there a request like this that every layer allows?

    ``kinds`` are the resource types that must all be allowed, on one context. ``simulator`` asks
    for recipients at the simulator alone; otherwise one must be a real address.
    """

    setting: Setting
    action: int
    kinds: tuple[str, ...]
    simulator: bool = False


def start(question: Question) -> State:
    """Return the state that holds before any statement is looked at."""
    setting = question.setting
    wanted, unwanted = domains.regions_of(setting.caller.partition)
    tests = {Test(frozenset(map(like, unwanted)), inside=False)} if unwanted else set()
    if wanted is not None:
        tests.add(Test(frozenset((like(wanted),)), inside=True))
    variables = {REGION: Variable(domains.REGION, False, False, frozenset(tests))}
    if setting.elsewhere:
        other = Test(frozenset((exactly(setting.caller.account),)), inside=False)
        variables[RESOURCE_ACCOUNT] = Variable(domains.ACCOUNT, False, False, frozenset((other,)))
    if not setting.action.carries_recipients:
        return State(setting.caller.now, variables)
    if question.simulator:
        return State(setting.caller.now, variables, each=frozenset((SIMULATOR,)))
    return State(setting.caller.now, variables, some=(REAL,))


def clauses(question: Question, layers: Sequence[Layer]) -> list[Clause] | None:
    """Return all that must hold; None where it plainly can't."""
    found: list[Clause] = []
    for layer in layers:
        allows = statements(layer, question.action, allows=True)
        if layer.unread and layer.name != "identity":
            continue  # it could hold any Allow: no limit can be told, and the reason is reported
        for kind in question.kinds:
            options = [
                option for located in allows for option in _allowing(located, kind, question)
            ]
            if not options:
                return None
            found.append(tuple(sorted(options, key=_size)))
    for layer in layers:
        for located in statements(layer, question.action, allows=False):
            for kind in question.kinds:
                avoiding = _avoiding(located.statement, kind, question.setting)
                if not avoiding:
                    return None
                if avoiding[0] != TRUE:
                    found.append(tuple(avoiding))
    return found


def _size(option: Option) -> int:
    return len(option.atoms) + len(option.then)


def _allowing(located: Located, kind: str, question: Question) -> list[Option]:
    """Return the ways in which an Allow applies."""
    statement = located.statement
    asked = _holding(statement, question.setting)
    if asked is None:
        return []
    return [
        Option((*asked, *option.atoms), option.then, located)
        for option in matching(statement, kind, question.setting)
    ]


def _holding(statement: Statement, setting: Setting) -> list[Atom] | None:
    """Return what a statement's conditions ask for; None where one can't hold."""
    asked: list[Atom] = []
    for condition in statement.conditions:
        one = atom(
            condition,
            setting,
            allows=statement.allows,
            variables=statement.variables,
            want=True,
        )
        if one is False:
            return None
        if one is not True:
            asked.append(one)
    return asked


def _avoiding(statement: Statement, kind: str, setting: Setting) -> list[Option]:
    """Return the ways in which a Deny doesn't apply: [TRUE]: it never does, []: it always does."""
    options: list[Option] = []
    for condition in statement.conditions:
        one = atom(
            condition,
            setting,
            allows=statement.allows,
            variables=statement.variables,
            want=False,
        )
        if one is True:
            return [TRUE]
        if one is not False:
            options.append(Option((one,)))
    for option in failing(statement, kind, setting):
        if option == TRUE:
            return [TRUE]
        options.append(option)
    # leaving a key out is the plainest way round a Deny, so such ways are tried first
    return sorted(options, key=_intrusion)


def _intrusion(option: Option) -> int:
    if not option.atoms:
        return 2
    first = option.atoms[0]
    if isinstance(first, Single):
        return 0 if first.absent else 1
    return 3
