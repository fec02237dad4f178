"""One question about a role, answered by its request: searched for, made plain, replayed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from auditor.engine.budget import Budget
from auditor.engine.conditions import Setting
from auditor.engine.decision import Exposure
from auditor.engine.evaluate import evaluate
from auditor.engine.grants import grants
from auditor.engine.layers import Located
from auditor.engine.plain import admits, is_plain
from auditor.engine.question import Question, Statements, start
from auditor.engine.solver import Search, Solution
from auditor.engine.witness import request, ties
from auditor.errors import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.actions import SendAction
    from auditor.engine.atoms import Clause
    from auditor.engine.caller import Caller
    from auditor.engine.layers import IdentityPolicies, Layer
    from auditor.engine.request import Request
    from auditor.engine.state import State


class Asking:
    """One role that is asked about: its statements, what work is left, and what stayed unanswered.

    ``reasons`` say why a question had no answer. ``unread`` are the documents that could not be
    read: with any of them nothing is proven.
    """

    def __init__(
        self,
        caller: Caller,
        layers: Sequence[Layer],
        identities: Sequence[IdentityPolicies],
        steps: int,
    ) -> None:
        self.caller = caller
        self.layers = layers
        self.identities = identities
        self.statements = Statements(layers, grants(identities, caller))
        self.unread = [reason for layer in layers for reason in layer.unread]
        self.budget = Budget(steps)
        self.reasons: list[str] = []

    def question(self, bit: int, action: SendAction, *, least: bool) -> Question:
        """Return the question whether every resource type that an action requires is allowed."""
        return Question(Setting(self.caller, action, least), bit, action.required)

    def most(self, bit: int, action: SendAction) -> Iterator[Question]:
        """Yield the questions of most access: any one resource type is enough, anybody's identity.

        "Actions, resources, and condition keys for Amazon SES" doesn't say that each listed type
        is checked; another account's identity needs that account's policy, unknown here.
        """
        setting = Setting(self.caller, action, least=False)
        kinds = (*action.required, *action.optional)
        for kind in kinds:
            yield Question(setting, bit, (kind,))
        if "identity" in kinds and self.statements.of(bit).account_matters:
            elsewhere = Setting(self.caller, action, least=False, elsewhere=True)
            yield Question(elsewhere, bit, ("identity",))

    def first(self, questions: Iterator[Question]) -> Exposure | None:
        """Answer questions until one has an answer; what they ask may repeat itself."""
        refused: list[tuple[State, list[Clause]]] = []
        for question in questions:
            asked = self.statements.clauses(question)
            if asked is None or (start(question), asked) in refused:
                continue
            found = self.ask(question, tied=False)
            if found is not None:
                # a pair of sender and identity that go together reads best, but isn't asked for
                pair = ties(found.state, question)
                tied = pair is None or pair.identity is not None
                return found if tied else self.ask(question, tied=True) or found
            refused.append((start(question), asked))
        return None

    def ask(self, question: Question, *, tied: bool) -> Exposure | None:
        """Answer one question; what can't be decided leaves its reason and no exposure."""
        try:
            asked = self.statements.clauses(question)
            if asked is None:
                return None
            accept = partial(_tied, question=question, budget=self.budget) if tied else _anything
            state = start(question)
            solution = Search(self.budget, accept).run(state, asked)
            if solution is None:
                return None
            plain = is_plain(solution.state)
            now = self.caller.now
            if not plain and _may_be_plain(asked, now):
                plainly = Search(self.budget, accept, lambda atom: admits(atom, now))
                better = _quietly(plainly, state, asked)
                plain = better is not None and is_plain(better.state)
                solution = better if better is not None and plain else solution
            return self._proven(question, solution, plain=plain)
        except Undecidable as reason:
            self.reasons.append(f"{question.setting.action.name}: {reason}")
            return None

    def _proven(self, question: Question, solution: Solution, *, plain: bool) -> Exposure:
        """Build the witness and replay it; one that fails is a reason, never a claim."""
        least = question.setting.least
        found = request(solution.state, question, self.statements.of(question.action).mentioned)
        self.replay(found, least=least)
        sure = least and not self.unread and not self._hidden(found)
        return Exposure(
            question.setting.action,
            "proven" if sure else "possible",
            found,
            tuple(one for one in solution.chosen if isinstance(one, Located)),
            plain,
            question,
            solution.state,
        )

    def _hidden(self, found: Request) -> bool:
        """Tell whether a policy that could not be read, of an identity it names, may deny it."""
        return any(
            identity.unread and identity.arn in found.resources for identity in self.identities
        )

    def replay(self, found: Request, *, least: bool) -> None:
        """Raise ``Undecidable`` where ``evaluate`` doesn't allow a request that was found."""
        if not self.allows(found, least=least):
            raise Undecidable("the request that was found failed its own replay")

    def allows(self, found: Request, *, least: bool) -> bool:
        """Tell whether ``evaluate`` allows a request to this role."""
        return evaluate(found, self.caller, self.layers, self.identities, least=least).allowed


def _anything(_state: State) -> bool:
    return True


def _tied(state: State, question: Question, budget: Budget) -> bool:
    """Tell whether a state has a sender and an identity that belong together."""
    found = ties(state, question)
    if found is None:
        return True
    budget.pay(found.cost, found.question)
    if found.undecided is not None:
        raise Undecidable(found.undecided)
    return found.identity is not None


def _may_be_plain(asked: Sequence[Clause], now: int) -> bool:
    """Tell whether each clause has an option that needs nothing special (an upper bound)."""
    return all(
        any(all(admits(atom, now) for atom in option.atoms) for option in clause)
        for clause in asked
    )


def _quietly(search: Search, state: State, asked: Sequence[Clause]) -> Solution | None:
    """Run a search whose failing costs a nicer witness and nothing else."""
    try:
        return search.run(state, asked)
    except Undecidable:
        return None
