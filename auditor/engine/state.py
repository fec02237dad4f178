"""What has been asked so far of each key, and the values that satisfy it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.domains import MAILBOX
from auditor.engine.atoms import Atom, Each, Single
from auditor.engine.caller import CLOCK
from auditor.engine.constraints import Answer, Test, Tests, satisfy, satisfy_clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.domains import Domain

RECIPIENTS_MAX: Final = 50
"""Recipients of one request: https://docs.aws.amazon.com/ses/latest/dg/quotas.html"""


class Variable(NamedTuple):
    """One key's constraints: whether it may be absent, and its tests (None: must be absent)."""

    domain: Domain
    optional: bool
    absent: bool
    tests: Tests | None


class State(NamedTuple):
    """All constraints of a branch. Immutable: a branch copies what it changes.

    ``each`` holds the tests that every recipient passes, ``some`` those that ask for a member
    each. ``recipients`` tells whether the request carries any.
    """

    now: int
    variables: Mapping[str, Variable]
    each: Tests = frozenset()
    some: tuple[Test, ...] = ()

    def size(self, atom: Atom) -> int:
        """Return how many tests are asked of an atom's key already: what adding one copies."""
        if isinstance(atom, Single):
            known = self.variables.get(atom.variable)
            return len(known.tests) if known is not None and known.tests is not None else 0
        return len(self.each) + len(self.some)

    def implies(self, atom: Atom) -> bool:
        """Tell whether an atom plainly holds already (False is no proof that it doesn't)."""
        if isinstance(atom, Single):
            known = self.variables.get(atom.variable)
            if known is None or (known.absent and not atom.absent):
                return False
            if known.tests is None:
                return atom.absent
            return atom.test is not None and (atom.test in known.tests or atom.test.always)
        if isinstance(atom, Each):
            return atom.test in self.each
        return atom.test in self.some

    def add(self, atom: Atom) -> tuple[State, list[Answer]] | None:
        """Return the state with one more atom and the answers on its key; None if plainly empty.

        The last answer's ``value`` is None where no value is left (or it can't be told).
        """
        if isinstance(atom, Single):
            return self._add_single(atom)
        if isinstance(atom, Each):
            state = State(self.now, self.variables, self.each | {atom.test}, self.some)
            answers: list[Answer] = []
            for test in state.some or (None,):
                answers.append(state.member(test))
                if answers[-1].value is None:
                    break
            return state, answers
        state = self
        if atom.test not in self.some:
            state = State(self.now, self.variables, self.each, (*self.some, atom.test))
        return state, [state.member(atom.test)]

    def _add_single(self, atom: Single) -> tuple[State, list[Answer]] | None:
        known = self.variables.get(atom.variable)
        if known is None:
            tests = None if atom.test is None else frozenset((atom.test,))
            after = Variable(atom.domain, atom.optional, atom.absent, tests)
        else:
            tests = None if known.tests is None or atom.test is None else known.tests | {atom.test}
            absent = known.absent and atom.absent
            after = Variable(known.domain, known.optional, absent, tests)
        if after.tests is None and not after.absent:
            return None
        state = State(self.now, {**self.variables, atom.variable: after}, self.each, self.some)
        return state, [state.value(atom.variable)]

    def value(self, variable: str) -> Answer:
        """Return a value for a variable; the empty text stands for absent where that is allowed."""
        entry = self.variables[variable]
        if entry.absent or entry.tests is None:
            return Answer("", 1)
        if variable == CLOCK:
            return satisfy_clock(self.now, entry.tests)
        return satisfy(entry.domain, entry.tests)

    def member(self, test: Test | None) -> Answer:
        """Return a recipient that passes the test and whatever every recipient must pass."""
        return satisfy(MAILBOX, self.each if test is None else self.each | {test})

    def members(self) -> list[str] | None:
        """Return recipients that pass everything asked, few; None where 50 don't do."""
        chosen: list[str] = []
        for test in self.some or (None,):
            if test is not None and any(test.holds(member) for member in chosen):
                continue
            found = self.member(test).value
            if found is None:
                return None
            chosen.append(found)
        return chosen if len(chosen) <= RECIPIENTS_MAX else None
