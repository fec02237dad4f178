"""Decides each distinct role once: roles whose policies say the same about sends decide alike."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from auditor.actions import BOUNCE, BULK, SEND_ACTIONS
from auditor.engine.answers import Answers
from auditor.engine.caller import facts, hangs_on_caller
from auditor.engine.decide import decide
from auditor.engine.decision import Decision
from auditor.engine.grants import grants
from auditor.engine.layers import Layer, Located, Placed
from auditor.policy.model import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from auditor.engine.caller import Caller
    from auditor.engine.decision import Exposure
    from auditor.engine.layers import IdentityPolicies
    from auditor.findings import Certainty, Verdict

ALONE_BUDGET: Final = 100_000
"""Steps for deciding one statement of several by itself."""

UNITED_MAX: Final = 2_500
"""Pairs of an Allow and any statement up to which a role's Allows are decided one by one: each is
looked at with all the rest. With ``ALONE_BUDGET`` that bounds what a hostile role may take."""

REMEMBERED: Final = 4_096
"""Decisions kept, the last used: enough for the distinct roles of a large account, and a bound on
memory where every role differs."""


class Memory:
    """The decisions of one audit, by what they hang on."""

    def __init__(self, identities: Sequence[IdentityPolicies] = ()) -> None:
        self.identities = identities
        self._known: OrderedDict[object, tuple[tuple[Located, ...], Decision]] = OrderedDict()
        self.answers = Answers()
        self._single: OrderedDict[object, Decision] = OrderedDict()

    def decide(self, caller: Caller, layers: Sequence[Layer]) -> Decision:
        """Decide a role, or take over the decision on an equal one with this role's statements."""
        located = tuple(_all(layers))
        granted = grants(self.identities, caller) if self.identities else ()
        unread = any(layer.unread for layer in layers)
        unread = unread or any(identity.unread for identity in self.identities)
        if not located and not granted and not unread:
            return Decision("no_send", None, None, (), None)
        located += tuple(grant.located for grant in granted)
        named = tuple((grant.naming, grant.session, grant.identity.arn) for grant in granted)
        key = (*_key(caller, layers, located), named, caller.role_id if named else "")
        return self._recalled(key, located, lambda: self._decided(caller, layers, bool(granted)))

    def _recalled(
        self, key: object, located: tuple[Located, ...], decided: Callable[[], Decision]
    ) -> Decision:
        """Return what is remembered under a key, its statements where they stand here."""
        known = self._known.get(key)
        if known is None:
            decision = decided()
            self._known[key] = located, decision
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return decision
        self._known.move_to_end(key)
        if known[0] == located:
            return known[1]
        return _moved(known[1], dict(zip(known[0], located, strict=True)))

    def _decided(self, caller: Caller, layers: Sequence[Layer], granted: bool) -> Decision:
        # an identity's policy that could not be read may grant: its reason must be told
        apart = granted or any(identity.unread for identity in self.identities)
        united = None if apart else self._united(caller, layers)
        return united or decide(caller, layers, self.identities, answers=self.answers)

    def _alone(self, caller: Caller, layers: tuple[Layer, ...]) -> Decision:
        """Decide a role that has one Allow, within a small budget: it may not settle anything."""
        located = tuple(_all(layers))
        key = ("alone", *_key(caller, layers, located))
        return self._recalled(key, located, lambda: decide(caller, layers, (), ALONE_BUDGET))

    def _with_one(
        self, caller: Caller, allow: Located, denies: tuple[Placed, ...], rest: tuple[Layer, ...]
    ) -> Decision:
        """Decide a role as if it had one of its Allows only.

        A statement that asks nothing about the caller, with nothing beside it, says the same
        wherever its policy is attached in one account.
        """
        placed = Placed(allow.source, Document((allow.statement,)))
        layers = (Layer(allow.layer, (placed, *denies)), *rest)
        if denies or rest or any(map(hangs_on_caller, allow.statement.mentions)):
            return self._alone(caller, layers)
        key = (
            *(allow.source, allow.statement.index),
            *(caller.account, caller.partition, caller.now, caller.organization),
        )
        known = self._single.get(key)
        if known is None:
            known = self._single[key] = self._alone(caller, layers)
            if len(self._single) > REMEMBERED:
                self._single.popitem(last=False)
        return known

    def _united(self, caller: Caller, layers: Sequence[Layer]) -> Decision | None:
        """Decide a role from what each of its Allows would do without the others, or None.

        Where a call needs one resource type, what lets it past the role's policies is one Allow: so
        what the role may do is what it may do with one Allow of them, and all else as it is. Where
        a call needs several, two Allows may go together; unless one gives the best answer there is
        (proven and plain), the role is decided as a whole. "Policy evaluation logic":
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
        """
        if any(layer.unread for layer in layers):
            return None
        own, rest = layers[0], tuple(layers[1:])
        allows = [one for one in _all((own,)) if one.statement.allows]
        if len(allows) < 2:
            return None
        if len(allows) * sum(1 for _ in _all(layers)) > UNITED_MAX:
            return None
        denies = tuple(filter(None, map(_denying, own.documents)))
        alone: list[Decision] = []
        for one in allows:
            alone.append(self._with_one(caller, one, denies, rest))
            if alone[-1].reason or alone[-1].notes:
                return None  # a hard one: the role's own budget is the one that counts
        exposures: list[Exposure] = []
        bounce = None
        for bit, action in enumerate(SEND_ACTIONS):
            naming = [part for one, part in zip(allows, alone, strict=True)
                      if one.statement.actions >> bit & 1]  # fmt: skip
            found = _best(naming, action.name)
            best = found is not None and found.plain and found.certainty == "proven"
            if len(naming) > 1 and len(action.required) > 1 and not best and action.name != BULK:
                return None
            if found is None:
                continue
            if action.name == BOUNCE:
                bounce = found
            else:
                exposures.append(found)
        if exposures:
            proven = any(one.certainty == "proven" for one in exposures)
            sure: Certainty = "proven" if proven else "possible"
            return Decision("exposed", sure, None, tuple(exposures), bounce)
        simulator = next((part.simulator for part in alone if part.simulator is not None), None)
        verdict: Verdict = "no_send" if simulator is None else "simulator_only"
        return Decision(verdict, None, None, (), bounce, simulator)


def _denying(placed: Placed) -> Placed | None:
    """Return a document with its Denies alone; None where it has none."""
    denies = tuple(one for one in placed.document.statements if not one.allows)
    return Placed(placed.source, Document(denies)) if denies else None


def _best(decisions: Sequence[Decision], action: str) -> Exposure | None:
    """Return the best way to an action: proven before possible, then plain, then the first."""
    ways = [
        way
        for decision in decisions
        for way in (*decision.exposures, decision.bounce)
        if way is not None and way.action.name == action
    ]
    return min(ways, key=lambda way: (way.certainty != "proven", not way.plain), default=None)


def _all(layers: Sequence[Layer]) -> Iterator[Located]:
    for layer in layers:
        for placed in layer.documents:
            for statement in placed.document.statements:
                yield Located(layer.name, placed.source, statement)


def _key(
    caller: Caller, layers: Sequence[Layer], located: tuple[Located, ...]
) -> tuple[object, ...]:
    """Return all that a decision hangs on: what the statements mean, and what they ask about."""
    asked = {key for one in located for key in one.statement.mentions}
    return (
        tuple([(one.layer, one.statement.meaning) for one in located]),
        tuple([(layer.name, layer.unread) for layer in layers]),
        facts(caller, asked),
        (caller.account, caller.partition, caller.now, caller.organization),
    )


def _moved(decision: Decision, places: dict[Located, Located]) -> Decision:
    """Return a decision with its statements where they stand in another role."""

    def move(exposure: Exposure | None) -> Exposure | None:
        if exposure is None:
            return None
        return exposure._replace(allows=tuple(places[one] for one in exposure.allows))

    return decision._replace(
        exposures=tuple(moved for one in decision.exposures if (moved := move(one)) is not None),
        bounce=move(decision.bounce),
        simulator=move(decision.simulator),
    )
