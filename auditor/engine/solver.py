"""The search: one option of each clause, all their atoms together satisfiable.

Conditions never relate two keys to each other (the ties aside), so a conjunction of atoms falls
apart by key; what is left is a choice of options, made with backtracking. A branch is cut as soon
as one key has no value left. https://docs.aws.amazon.com/IAM/latest/UserGuide/
reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.automata import STEPS_LEFT, OutOfSteps
from auditor.engine.atoms import Each, Option, Single
from auditor.engine.budget import ENTANGLED
from auditor.errors import Undecidable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from auditor.engine.atoms import Atom, Clause
    from auditor.engine.budget import Budget
    from auditor.engine.state import State

ATOM_COST: Final = 6
"""Steps for trying one atom, beside what its key's answer costs."""


class Solution(NamedTuple):
    """A satisfiable state, and the statements that its options rely on, in the order of layers."""

    state: State
    chosen: tuple[object, ...]


class _Node(NamedTuple):
    state: State
    chosen: tuple[object, ...]
    clauses: tuple[Clause, ...]


class Search:
    """One search. ``accept`` says whether a full assignment will do (the ties, a plain witness).

    ``admit`` refuses atoms beforehand. Raises ``Undecidable`` from ``run`` where nothing was found
    and something on the way could not be decided.
    """

    def __init__(
        self,
        budget: Budget,
        accept: Callable[[State], bool] = lambda _state: True,
        admit: Callable[[Atom], bool] | None = None,
    ) -> None:
        self._budget = budget
        self._accept = accept
        self._admit = admit
        self._undecided: str | None = None
        self._dead_ends = 0

    def run(self, state: State, clauses: Iterable[Clause]) -> Solution | None:
        """Return a solution, or None where there is none."""
        before = STEPS_LEFT.set(lambda: self._budget.left)
        try:
            return self._run(state, clauses)
        except OutOfSteps:
            self._budget.left = -1  # all of it went into a search that found nothing
            raise Undecidable(ENTANGLED) from None
        finally:
            STEPS_LEFT.reset(before)

    def _run(self, state: State, clauses: Iterable[Clause]) -> Solution | None:
        merged = self._merged(clauses)
        root = _Node(state, (), tuple(sorted(merged, key=len) if len(merged) > 1 else merged))
        stack: list[Iterator[_Node]] = [iter((root,))]
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
                continue
            reduced = self._reduce(node) if self._dead_ends else self._descend(node)
            if reduced is None:
                continue
            if not reduced.clauses:
                if self._accepted(reduced.state):
                    return Solution(reduced.state, reduced.chosen)
                self._dead_ends += 1
                continue
            clause, rest = self._next(reduced.clauses)
            stack.append(self._branches(reduced, clause, rest))
        if self._undecided is not None:
            raise Undecidable(self._undecided)
        return None

    def _descend(self, node: _Node) -> _Node | None:
        """Take the lone options of the clauses that come first; None where one can't be."""
        while node.clauses and len(node.clauses[0]) == 1:
            after = self._take(node, node.clauses[0][0], node.clauses[1:])
            if after is None:
                self._dead_ends += 1
                return None
            node = after
        return node

    def _merged(self, clauses: Iterable[Clause]) -> list[Clause]:
        """Make one test of the clauses that each just keep a value of one key out of some set.

        Out of A and out of B is out of both: hundreds of Denies on one key are one question.
        """
        kept: list[Clause] = []
        alike: dict[tuple[object, ...], list[Single | Each]] = {}
        for clause in clauses:
            atom = clause[0].atoms[0] if clause and clause[0].atoms else None
            lone = len(clause) == 1 and len(clause[0].atoms) == 1 and not clause[0].then
            if lone and clause[0].chosen is None and isinstance(atom, Single | Each):
                test = atom.test
                if test is not None and not test.inside:
                    place = (atom.variable, atom.absent) if isinstance(atom, Single) else ()
                    kinds = frozenset(map(type, test.matchers))
                    alike.setdefault((place, test.clock, kinds), []).append(atom)
                    continue
            kept.append(clause)
        for atoms in alike.values():
            tests = [atom.test for atom in atoms if atom.test is not None]
            matchers = frozenset(matcher for test in tests for matcher in test.matchers)
            self._budget.spend(ATOM_COST * len(atoms))
            kept.append((Option((atoms[0]._replace(test=tests[0]._replace(matchers=matchers)),)),))
        return kept

    def _accepted(self, state: State) -> bool:
        try:
            return self._accept(state)
        except OutOfSteps:
            raise
        except Undecidable as reason:
            self._undecided = self._undecided or str(reason)
            return False

    def _branches(self, node: _Node, clause: Clause, rest: tuple[Clause, ...]) -> Iterator[_Node]:
        """Yield the nodes after each option of a clause, one when asked for."""
        found = False
        for option in clause:
            after = self._take(node, option, rest)
            if after is not None:
                found = True
                yield after
        if not found:
            self._dead_ends += 1

    def _next(self, clauses: tuple[Clause, ...]) -> tuple[Clause, tuple[Clause, ...]]:
        """Choose the clause to branch on: the first, or after a dead end the narrowest."""
        if not self._dead_ends:
            return clauses[0], clauses[1:]
        at = min(range(len(clauses)), key=lambda index: len(clauses[index]))
        return clauses[at], clauses[:at] + clauses[at + 1 :]

    def _take(self, node: _Node, option: Option, rest: tuple[Clause, ...]) -> _Node | None:
        """Return the node after choosing an option, or None where its atoms don't go together."""
        state = self._conjoin(node.state, option)
        if state is None:
            return None
        chosen = node.chosen if option.chosen is None else (*node.chosen, option.chosen)
        return _Node(state, chosen, (*option.then, *rest) if option.then else rest)

    def _conjoin(self, state: State, option: Option) -> State | None:
        for atom in option.atoms:
            self._budget.spend(ATOM_COST + state.size(atom) // 4)
            if self._admit is not None and not self._admit(atom):
                return None
            if state.implies(atom):
                continue
            added = state.add(atom)
            if added is None:
                return None
            state, answers = added
            for answer in answers:
                self._budget.pay(answer.cost, answer.question)
            if answer.value is None:
                # undecided: no witness lies here, but neither does a proof that there is none
                self._undecided = self._undecided or answer.undecided
                return None
        return state

    def _reduce(self, node: _Node) -> _Node | None:
        """Drop options that can't hold any more and clauses that hold already; take lone options.

        Only done after a first dead end: most questions never meet one.
        """
        state, chosen, clauses = node
        changed = True
        while changed:
            changed = False
            kept: list[Clause] = []
            for clause in clauses:
                if any(self._holds(state, option) for option in clause):
                    continue
                left = tuple(o for o in clause if self._conjoin(state, o) is not None)
                if not left:
                    return None
                if len(left) > 1:
                    kept.append(left)
                    continue
                only = left[0]
                after = self._conjoin(state, only)
                if after is None:
                    return None
                state, changed = after, True
                chosen = chosen if only.chosen is None else (*chosen, only.chosen)
                kept.extend(only.then)
            clauses = tuple(kept)
        return _Node(state, chosen, clauses)

    def _holds(self, state: State, option: Option) -> bool:
        """Tell whether an option plainly holds (one that names its statement is never skipped)."""
        if option.chosen is not None or option.then:
            return False
        self._budget.spend(1)
        return all(state.implies(atom) for atom in option.atoms)
