"""Decides, for one role, whether some request of its would mail an address of its choosing.

Each send action is asked about on its own, twice where need be: under the reading that gives least
access (exposed there: proven), and under the one that gives most (exposed only there: possible;
safe there: safe). Every exposure carries its request, replayed by ``evaluate`` before it counts.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.actions import BOUNCE, BULK, FROM_ADDRESS, RECIPIENTS, SEND_ACTIONS, SendAction
from auditor.engine.answers import Known
from auditor.engine.caller import carried, facts
from auditor.engine.conditions import Setting
from auditor.engine.evaluate import evaluate
from auditor.engine.grants import COVERED, grants
from auditor.engine.layers import Located
from auditor.engine.plain import admits, is_plain
from auditor.engine.question import Question, Statements, start
from auditor.engine.solver import ROLE_BUDGET, Budget, Search, Solution
from auditor.engine.witness import request, ties
from auditor.errors import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.engine.answers import Answers
    from auditor.engine.atoms import Clause
    from auditor.engine.caller import Caller
    from auditor.engine.layers import IdentityPolicies, Layer
    from auditor.engine.request import Request
    from auditor.engine.state import State
    from auditor.findings import Certainty, Verdict


_BOUNCE_BIT: Final = next(i for i, action in enumerate(SEND_ACTIONS) if action.name == BOUNCE)


class Exposure(NamedTuple):
    """A request that AWS would allow, how sure that is, and what it rests on.

    ``plain``: it needs nothing but recipients, an identity and a region of the caller's choice.
    ``allows`` are the Allows it relies on, in the order of layers. ``state`` holds everything that
    the decision asked of each key, for those who explain it.
    """

    action: SendAction
    certainty: Certainty
    request: Request
    allows: tuple[Located, ...]
    plain: bool
    question: Question
    state: State


class Decision(NamedTuple):
    """The verdict on a role, and what it rests on.

    ``exposures`` has at most one entry an action. ``notes`` say what could not be
    read or decided of an exposed role. ``bounce`` is a way to SendBounce, if there is
    one. ``reason`` is why the verdict is ``undetermined``, or None. ``simulator`` is a request
    that mails the simulator alone, where the verdict is ``simulator_only``.
    """

    verdict: Verdict
    certainty: Certainty | None
    reason: str | None
    exposures: tuple[Exposure, ...]
    bounce: Exposure | None
    simulator: Exposure | None = None
    notes: tuple[str, ...] = ()


def decide(
    caller: Caller,
    layers: Sequence[Layer],
    identities: Sequence[IdentityPolicies] = (),
    steps: int = ROLE_BUDGET,
    answers: Answers | None = None,
) -> Decision:
    """Decide a role. ``layers`` are those present: identity first, then what bounds it.

    ``identities`` are the SES identities of the account that have policies. ``steps`` is the work
    that may be spent; what it doesn't reach is undetermined. ``answers`` remembers what was found
    out about other roles' actions; no decision hangs on what is in it.
    """
    return _Decider(caller, layers, identities, steps, answers).decide()


class _Decider:
    """The questions about one role, and the reasons why some could not be answered."""

    def __init__(
        self,
        caller: Caller,
        layers: Sequence[Layer],
        identities: Sequence[IdentityPolicies],
        steps: int,
        answers: Answers | None,
    ) -> None:
        self.caller = caller
        self.layers = layers
        self.identities = identities
        self.statements = Statements(layers, grants(identities, caller))
        self.unread = [reason for layer in layers for reason in layer.unread]
        self.budget = Budget(steps)
        self.reasons: list[str] = []
        self.answers = answers
        self.place = (
            *(caller.account, caller.partition, caller.organization, caller.now),
            *((layer.name, bool(layer.unread)) for layer in layers),
        )
        self.asked: list[tuple[tuple[object, ...], SendAction, Exposure | None]] = []

    def decide(self) -> Decision:
        exposures = [
            exposure
            for bit, action in enumerate(SEND_ACTIONS)
            if self.statements.allowed >> bit & 1
            and action.name != BOUNCE
            and self._may_reach(bit, action)
            and (exposure := self._exposure(bit, action)) is not None
        ]
        bounce = self._bounce()
        reasons = list(dict.fromkeys((*self.unread, *self.reasons)))
        if not exposures:  # a policy of an identity could grant: safe only if all were read
            reasons += [reason for identity in self.identities for reason in identity.unread]
        if exposures:
            proven = any(exposure.certainty == "proven" for exposure in exposures)
            certainty: Certainty = "proven" if proven else "possible"
            return Decision(
                "exposed", certainty, None, tuple(exposures), bounce, notes=tuple(reasons)
            )
        if reasons:
            return Decision("undetermined", None, "; ".join(reasons), (), bounce)
        simulator = self._simulator()
        if self.reasons:
            return Decision("undetermined", None, "; ".join(self.reasons), (), bounce)
        verdict: Verdict = "no_send" if simulator is None else "simulator_only"
        return Decision(verdict, None, None, (), bounce, simulator)

    def _may_reach(self, bit: int, action: SendAction) -> bool:
        """Tell whether an action is worth a search: a limit on recipients may plainly end it."""
        try:
            question = self._question(bit, action, least=False)
            return self.statements.may_reach(question, self.budget)
        except Undecidable:
            return True  # the search names what it can't decide

    def _exposure(self, bit: int, action: SendAction) -> Exposure | None:
        """Find a request with a real recipient, proven before possible."""
        likeness = self._likeness(bit, action)
        for known, other, answer in self.asked:
            proven = answer is not None and answer.certainty == "proven"
            if known == likeness and (proven or other.optional == action.optional):
                return None if answer is None else self._same(answer, bit, action)
        found = self._answer(bit, action, likeness)
        self.asked.append((likeness, action, found))
        return found

    def _answer(
        self, bit: int, action: SendAction, likeness: tuple[object, ...]
    ) -> Exposure | None:
        """Return what is remembered from a role that says the same of an action, or search."""
        answers = self.answers
        if answers is None or self.statements.grants:
            return self._searched(bit, action)
        key = (bit, likeness, self.place, facts(self.caller, self.statements.of(bit).mentioned))
        about = self.statements.of(bit).about
        known = answers.recall(key)
        if known is not None and known.steps <= self.budget.left // 2:
            found = known.moved(about)
            least = found is not None and found.question.setting.least
            if found is None or self._allows(found.request, least=least):
                self.budget.left -= known.steps  # as if searched for: no verdict hangs on memory
                return found
        left, dear, doubts = self.budget.left, self.budget.dear, len(self.reasons)
        found = self._searched(bit, action)
        if dear == self.budget.dear and doubts == len(self.reasons):
            answers.keep(key, Known(found, left - self.budget.left, about))
        return found

    def _searched(self, bit: int, action: SendAction) -> Exposure | None:
        """Ask under the reading of least access, then of most, within a share of the budget."""
        least = action.name != BULK
        whole = self.budget
        with whole.shared() as self.budget:
            found = None
            if least:
                found = self._ask(self._question(bit, action, least=True), tied=True)
            found = found or self._first(self._most(bit, action))
        self.budget = whole
        return found

    def _likeness(self, bit: int, action: SendAction) -> tuple[object, ...]:
        """Return what an action's answer hangs on: two actions alike in it are one question."""
        keys = carried(action.context_keys)
        listed = self.statements.of(bit)
        return (
            listed.meanings,
            action.required,
            keys.intersection(listed.mentioned),
            RECIPIENTS in keys,
            FROM_ADDRESS in keys,
            action.name in COVERED,
        )

    def _same(self, answer: Exposure, bit: int, action: SendAction) -> Exposure | None:
        """Carry an answer over to an action that is the same question, and replay it there."""
        setting = answer.question.setting._replace(action=action)
        question = answer.question._replace(setting=setting, action=bit)
        request = answer.request._replace(action=action.name)
        try:
            self._replay(request, least=setting.least)
        except Undecidable as reason:
            self.reasons.append(f"{action.name}: {reason}")
            return None
        return answer._replace(action=action, request=request, question=question)

    def _bounce(self) -> Exposure | None:
        """Find a SendBounce; what can't be told about it doesn't touch the verdict."""
        bit = _BOUNCE_BIT
        action = SEND_ACTIONS[bit]
        if not self.statements.of(bit).allows[0]:
            return None
        kept = list(self.reasons)
        found = self._answer(bit, action, self._likeness(bit, action))
        self.reasons = kept
        return found

    def _simulator(self) -> Exposure | None:
        """Find a request that mails the simulator alone, under the reading of most access."""
        return self._first(
            question._replace(simulator=True)
            for bit, action in enumerate(SEND_ACTIONS)
            if action.carries_recipients and self.statements.allowed >> bit & 1
            for question in self._most(bit, action)
        )

    def _question(self, bit: int, action: SendAction, *, least: bool) -> Question:
        return Question(Setting(self.caller, action, least), bit, action.required)

    def _most(self, bit: int, action: SendAction) -> Iterator[Question]:
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

    def _first(self, questions: Iterator[Question]) -> Exposure | None:
        """Answer questions until one has an answer; what they ask may repeat itself."""
        refused: list[tuple[State, list[Clause]]] = []
        for question in questions:
            asked = self.statements.clauses(question)
            if asked is None or (start(question), asked) in refused:
                continue
            found = self._ask(question, tied=False)
            if found is not None:
                # a pair of sender and identity that go together reads best, but isn't asked for
                pair = ties(found.state, question)
                tied = pair is None or pair.identity is not None
                return found if tied else self._ask(question, tied=True) or found
            refused.append((start(question), asked))
        return None

    def _ask(self, question: Question, *, tied: bool) -> Exposure | None:
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
        self._replay(found, least=least)
        return Exposure(
            question.setting.action,
            "proven" if least and not self.unread else "possible",
            found,
            tuple(one for one in solution.chosen if isinstance(one, Located)),
            plain,
            question,
            solution.state,
        )

    def _replay(self, found: Request, *, least: bool) -> None:
        if not self._allows(found, least=least):
            raise Undecidable("the request that was found failed its own replay")

    def _allows(self, found: Request, *, least: bool) -> bool:
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
