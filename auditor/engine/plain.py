"""Whether a state asks for more than recipients, an identity and a region of the caller's choice.

Such a request any build can make at once; anything else is "only under some condition of the
environment or the sender", and weighs less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor import domains
from auditor.actions import FROM_ADDRESS
from auditor.engine.atoms import Single
from auditor.engine.caller import CLOCK, REGION, RESOURCE_ACCOUNT, USER_ID
from auditor.engine.candidates import shown
from auditor.globs import Glob, like

if TYPE_CHECKING:
    from auditor.engine.atoms import Atom
    from auditor.engine.constraints import Test
    from auditor.engine.state import State

_FREE: Final = frozenset((REGION, RESOURCE_ACCOUNT, *domains.RESOURCES))
_ANY_MAILBOX: Final = like("*@*")


def is_plain(state: State) -> bool:
    """Tell whether a state's request needs nothing of the environment or the sender."""
    for name, variable in state.variables.items():
        if name in _FREE or variable.absent:
            continue
        if variable.optional or variable.tests is None:
            return False
        if not all(_plain(name, variable.domain, test, state.now) for test in variable.tests):
            return False
    return True


def admits(atom: Atom, now: int) -> bool:
    """Tell whether an atom asks for nothing of the environment or the sender."""
    if not isinstance(atom, Single) or atom.variable in _FREE:
        return True
    if atom.optional or atom.test is None:
        return atom.absent
    return _plain(atom.variable, atom.domain, atom.test, now)


def _plain(name: str, domain: domains.Domain, test: Test, now: int) -> bool:
    if name == CLOCK:
        return test.holds(shown(test.clock, now))
    if name == USER_ID:
        return all(test.holds(value) for value in domain.nice)
    if name == FROM_ADDRESS and test.inside:
        return any(isinstance(m, Glob) and m.covers(_ANY_MAILBOX) for m in test.matchers)
    return True
