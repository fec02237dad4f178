"""Decides each distinct role once: roles whose policies say the same about sends decide alike."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from auditor.actions import BOUNCE, BULK, SEND_ACTIONS
from auditor.engine.answers import Answers
from auditor.engine.caller import facts
from auditor.engine.decide import Decision, decide
from auditor.engine.grants import grants
from auditor.engine.layers import Layer, Located, Placed
from auditor.policy.model import Document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from auditor.engine.caller import Caller
    from auditor.engine.decide import Exposure
    from auditor.engine.layers import IdentityPolicies

ALONE_BUDGET: Final = 100_000
"""Steps for deciding one statement of several by itself."""

REMEMBERED: Final = 4_096
"""Decisions kept, the last used: enough for the distinct roles of a large account, and a bound on
memory where every role differs."""


class Memory:
    """The decisions of one audit, by what they hang on."""

    def __init__(self, identities: Sequence[IdentityPolicies] = ()) -> None:
        self.identities = identities
        self._known: OrderedDict[object, tuple[tuple[Located, ...], Decision]] = OrderedDict()
        self._answers = Answers()

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
        return _moved(known[1], dict(zip(known[0], located, strict=True)))

    def _decided(self, caller: Caller, layers: Sequence[Layer], granted: bool) -> Decision:
        united = None if granted else self._united(caller, layers)
        return united or decide(caller, layers, self.identities, answers=self._answers)

    def _alone(self, caller: Caller, located: Located) -> Decision:
        """Decide one Allow by itself, within a small budget: it may not settle anything."""
        layers = (_only(located),)
        key = ("alone", *_key(caller, layers, (located,)))
        return self._recalled(key, (located,), lambda: decide(caller, layers, (), ALONE_BUDGET))

    def _united(self, caller: Caller, layers: Sequence[Layer]) -> Decision | None:
        """Decide a role of Allows alone from its statements' own decisions, where that settles it.

        Without Denies and bounds, what one statement allows by itself the role may do. Where every
        action that is allowed somewhere has such an answer, and no better one could be found, the
        statements need not be looked at together; else None.
        """
        located = list(_all(layers))
        allows = all(one.statement.allows for one in located)
        if len(layers) > 1 or layers[0].unread or len(located) < 2 or not allows:
            return None
        alone: list[Decision] = []
        for one in located:
            alone.append(self._alone(caller, one))
            if alone[-1].reason or alone[-1].notes:
                return None  # a hard one: the role's own budget is the one that counts
        exposures: list[Exposure] = []
        bounce = None
        for bit, action in enumerate(SEND_ACTIONS):
            if not any(one.statement.actions >> bit & 1 for one in located):
                continue
            found = next((way for part in alone if (way := _best(part, action.name))), None)
            if found is None:
                return None
            if action.name == BOUNCE:
                bounce = found
            else:
                exposures.append(found)
        if not any(one.certainty == "proven" for one in exposures):
            return None
        return Decision("exposed", "proven", None, tuple(exposures), bounce)


def _only(located: Located) -> Layer:
    document = Document((located.statement,))
    return Layer(located.layer, (Placed(located.source, document),))


def _best(decision: Decision, action: str) -> Exposure | None:
    """Return a decision's way to an action if no other could be better: plain and proven.

    A SendBulkEmail can't be proven, whoever allows it.
    """
    ways = list(decision.exposures)
    if decision.bounce is not None:
        ways.append(decision.bounce)
    return next(
        (
            way
            for way in ways
            if way.action.name == action
            and way.plain
            and (way.certainty == "proven" or action == BULK)
        ),
        None,
    )


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
