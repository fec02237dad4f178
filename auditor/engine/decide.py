"""Decides, for one role, whether some request of its would mail an address of its choosing.

Each send action is asked about on its own, twice where need be: under the reading that gives least
access (exposed there: proven), and under the one that gives most (exposed only there: possible;
safe there: safe). Every exposure carries its request, replayed by ``evaluate`` before it counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.actions import BOUNCE, BULK, FROM_ADDRESS, RECIPIENTS, SEND_ACTIONS, SendAction
from auditor.engine.answers import Known
from auditor.engine.asking import Asking
from auditor.engine.budget import ROLE_BUDGET
from auditor.engine.caller import carried, facts
from auditor.engine.decision import Decision
from auditor.engine.grants import COVERED
from auditor.errors import Undecidable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.engine.answers import Answers
    from auditor.engine.caller import Caller
    from auditor.engine.decision import Exposure
    from auditor.engine.layers import IdentityPolicies, Layer
    from auditor.findings import Certainty, Verdict


_BOUNCE_BIT: Final = next(i for i, action in enumerate(SEND_ACTIONS) if action.name == BOUNCE)


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
    return _Decider(Asking(caller, layers, identities, steps), answers).decide()


def closed(
    caller: Caller,
    layers: Sequence[Layer],
    identities: Sequence[IdentityPolicies] = (),
    steps: int = ROLE_BUDGET,
    answers: Answers | None = None,
    *,
    simulator: bool,
) -> bool:
    """Tell whether a role is decided to mail nobody real; the first request found ends the search.

    :param simulator: whether it may reach the simulator, or must send nothing at all.
    """
    return _Decider(Asking(caller, layers, identities, steps), answers).closed(simulator=simulator)


class _Decider:
    """The answers about one role, action by action, and what they come to."""

    def __init__(self, asking: Asking, answers: Answers | None) -> None:
        self.asking = asking
        self.caller = asking.caller
        self.statements = asking.statements
        self.answers = answers
        self.place = (
            *(self.caller.account, self.caller.partition),
            *(self.caller.organization, self.caller.now),
            *((layer.name, bool(layer.unread)) for layer in asking.layers),
        )
        self.asked: list[tuple[tuple[object, ...], SendAction, Exposure | None]] = []

    def closed(self, *, simulator: bool) -> bool:
        if any(True for _ in self._exposures()) or self._doubts():
            return False
        return simulator or (self._simulator() is None and not self.asking.reasons)

    def _exposures(self) -> Iterator[Exposure]:
        for bit, action in enumerate(SEND_ACTIONS):
            if (
                self.statements.allowed >> bit & 1
                and action.name != BOUNCE
                and self._may_reach(bit, action)
                and (exposure := self._exposure(bit, action)) is not None
            ):
                yield exposure

    def _doubts(self, *, exposed: bool = False) -> list[str]:
        """Return what of a role could not be read or decided.

        A policy of an identity could grant: a role is safe only if all of them were read.
        """
        reasons = list(dict.fromkeys((*self.asking.unread, *self.asking.reasons)))
        if not exposed:
            reasons += [reason for identity in self.asking.identities for reason in identity.unread]
        return reasons

    def decide(self) -> Decision:
        exposures = list(self._exposures())
        bounce = self._bounce()
        reasons = self._doubts(exposed=bool(exposures))
        if exposures:
            proven = any(exposure.certainty == "proven" for exposure in exposures)
            certainty: Certainty = "proven" if proven else "possible"
            return Decision(
                "exposed", certainty, None, tuple(exposures), bounce, notes=tuple(reasons)
            )
        if reasons:
            return Decision("undetermined", None, "; ".join(reasons), (), bounce)
        simulator = self._simulator()
        if self.asking.reasons:
            return Decision("undetermined", None, "; ".join(self.asking.reasons), (), bounce)
        verdict: Verdict = "no_send" if simulator is None else "simulator_only"
        return Decision(verdict, None, None, (), bounce, simulator)

    def _may_reach(self, bit: int, action: SendAction) -> bool:
        """Tell whether an action is worth a search: a limit on recipients may plainly end it."""
        try:
            question = self.asking.question(bit, action, least=False)
            return self.statements.may_reach(question, self.asking.budget)
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
        answers, asking = self.answers, self.asking
        if answers is None or self.statements.grants:
            return self._searched(bit, action)
        key = (bit, likeness, self.place, facts(self.caller, self.statements.of(bit).mentioned))
        about = self.statements.of(bit).about
        known = answers.recall(key)
        if known is not None and known.steps <= asking.budget.left // 2:
            found = known.moved(about)
            least = found is not None and found.question.setting.least
            if found is None or asking.allows(found.request, least=least):
                asking.budget.left -= known.steps  # as if searched for: no verdict hangs on memory
                return found
        left, dear, doubts = asking.budget.left, asking.budget.dear, len(asking.reasons)
        found = self._searched(bit, action)
        if dear == asking.budget.dear and doubts == len(asking.reasons):
            answers.keep(key, Known(found, left - asking.budget.left, about))
        return found

    def _searched(self, bit: int, action: SendAction) -> Exposure | None:
        """Ask under the reading of least access, then of most, within a share of the budget."""
        asking = self.asking
        least = action.name != BULK
        whole = asking.budget
        with whole.shared() as asking.budget:
            found = None
            if least:
                found = asking.ask(asking.question(bit, action, least=True), tied=True)
            found = found or asking.first(asking.most(bit, action))
        asking.budget = whole
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
            self.asking.replay(request, least=setting.least)
        except Undecidable as reason:
            self.asking.reasons.append(f"{action.name}: {reason}")
            return None
        return answer._replace(action=action, request=request, question=question)

    def _bounce(self) -> Exposure | None:
        """Find a SendBounce; what can't be told about it doesn't touch the verdict."""
        bit = _BOUNCE_BIT
        action = SEND_ACTIONS[bit]
        if not self.statements.of(bit).allows[0]:
            return None
        kept = list(self.asking.reasons)
        found = self._answer(bit, action, self._likeness(bit, action))
        self.asking.reasons = kept
        return found

    def _simulator(self) -> Exposure | None:
        """Find a request that mails the simulator alone, under the reading of most access."""
        return self.asking.first(
            question._replace(simulator=True)
            for bit, action in enumerate(SEND_ACTIONS)
            if action.carries_recipients and self.statements.allowed >> bit & 1
            for question in self.asking.most(bit, action)
        )
