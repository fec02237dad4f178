"""What keeps the requests of a role that isn't exposed from real people, or ends them all.

Found out by asking the engine. A role is held against itself with less in the way. First with its
Allows alone: where they give it no more than it has, they are what closes it. Else each limit (a
Deny, the permissions boundary, a level of service control policies) is put beside the Allows by
itself: whichever is enough closes the role. Where none is, a set is looked for that closes it
together, and doesn't with one of them less. Roles that it may assume are no part of this.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.account import PolicyText
from auditor.actions import BOUNCE, SEND_ACTIONS
from auditor.engine import decide as engine
from auditor.engine.grants import grants
from auditor.engine.layers import Located, Placed
from auditor.findings import Closed, Limit
from auditor.policy.model import Document
from auditor.policy.parse import parse
from auditor.rules.making import refs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from auditor.engine.answers import Answers
    from auditor.engine.caller import Caller
    from auditor.engine.decision import Decision
    from auditor.engine.layers import IdentityPolicies, Layer
    from auditor.policy.model import Statement

STEPS: Final = 100_000
"""Steps for each question: what a hard one doesn't reach isn't said to close anything."""
TRIED: Final = 30
"""Limits that are tried; a role with more is told only what its Allows are."""
NAMED: Final = 20
"""Allows that are named one by one."""

_SENDS: Final = sum(1 << bit for bit, a in enumerate(SEND_ACTIONS) if a.name != BOUNCE)


class Around(NamedTuple):
    """A role's request in its account: who asks, and the policies that it must pass.

    ``layers`` are the role's, its own policies first; ``names`` say what each is, for people.
    ``answers`` remembers what was found out about other roles.
    """

    caller: Caller
    layers: Sequence[Layer]
    names: Sequence[str]
    identities: Sequence[IdentityPolicies]
    answers: Answers | None = None


class _Part(NamedTuple):
    """One limit: a Deny, or what a layer (by its index) doesn't allow."""

    shown: Limit
    deny: Statement | None = None
    layer: int | None = None


def closed(around: Around, decision: Decision) -> Closed | None:
    """Return what closes a role, or None: it isn't closed, or what closes it is too hard to tell.

    :param decision: that on the role as it is.
    """
    if decision.verdict not in ("simulator_only", "no_send"):
        return None
    allows = [one for one in _sends(around) if one.statement.allows]
    if not allows:
        return Closed("no_allow", ())
    trial = _Trial(around, simulator=decision.verdict == "simulator_only")
    parts = list(_parts(around))
    if not parts or trial.closes(()):
        named = allows[:NAMED]
        shown = tuple(Limit(ref.layer, None, ref) for ref in refs(named))
        return Closed("own_allows", shown, len(allows) - len(named))
    if len(parts) > TRIED:
        return None
    enough = [one for one in parts if trial.closes((one,))]
    if enough:
        return Closed("each", tuple(one.shown for one in enough))
    return Closed("together", tuple(one.shown for one in trial.least(parts)))


def _sends(around: Around) -> Iterator[Located]:
    """Yield the statements of the role's own policies, and of identities', that name a send."""
    own = around.layers[0]
    for placed in own.documents:
        for statement in placed.document.statements:
            if statement.actions & _SENDS:
                yield Located(own.name, placed.source, statement)
    for grant in grants(around.identities, around.caller):
        if grant.located.statement.actions & _SENDS:
            yield grant.located


def _parts(around: Around) -> Iterator[_Part]:
    """Yield what may close a role, beside what its Allows don't reach."""
    for one in _sends(around):
        if not one.statement.allows:
            yield _deny(one)
    for index, layer in enumerate(around.layers[1:], 1):
        if not any(map(_allows_all, _statements(layer))):
            yield _Part(Limit(layer.name, around.names[index], None), layer=index)
        for placed in layer.documents:
            for statement in placed.document.statements:
                if not statement.allows and statement.actions & _SENDS:
                    yield _deny(Located(layer.name, placed.source, statement))


def _statements(layer: Layer) -> Iterator[Statement]:
    for placed in layer.documents:
        yield from placed.document.statements


def _allows_all(statement: Statement) -> bool:
    """Tell whether a statement plainly allows every send, so that its layer ends none by itself."""
    return (
        statement.allows
        and statement.actions & _SENDS == _SENDS
        and not statement.conditions
        and not statement.not_resource
        and "*" in statement.resources
    )


def _deny(one: Located) -> _Part:
    return _Part(Limit(one.layer, None, refs((one,))[0]), deny=one.statement)


class _Trial:
    """The role with less in its way: closed as it is, or not?

    ``simulator``: closed is also what reaches the simulator.
    """

    def __init__(self, around: Around, *, simulator: bool) -> None:
        self._around = around
        self._simulator = simulator

    def closes(self, parts: Collection[_Part]) -> bool:
        """Tell whether the role's Allows open nothing with just these limits in the way."""
        around = self._around
        denies = {id(one.deny) for one in parts if one.deny is not None}

        def kept(statement: Statement) -> bool:
            return statement.allows or id(statement) in denies

        bounds = {one.layer for one in parts}
        layers = []
        for index, layer in enumerate(around.layers):
            left = _with(layer.documents, kept)
            if index and index not in bounds:  # then what it doesn't allow is no limit here
                left = (*_with(left, lambda statement: not statement.allows), _everything())
            layers.append(layer._replace(documents=left))
        policies = [one._replace(documents=_with(one.documents, kept)) for one in around.identities]
        return engine.closed(
            around.caller, layers, policies, STEPS, around.answers, simulator=self._simulator
        )

    def least(self, parts: Sequence[_Part]) -> Sequence[_Part]:
        """Return limits that close a role together and don't with one of them less.

        ``parts`` close it: they are all that it has.
        """
        left = list(parts)
        for one in sorted(parts, key=lambda part: part.deny is not None):  # Denies say most
            fewer = [other for other in left if other is not one]
            if self.closes(fewer):
                left = fewer
        return left


def _with(documents: Sequence[Placed], kept: Callable[[Statement], bool]) -> tuple[Placed, ...]:
    return tuple(
        Placed(one.source, Document(tuple(filter(kept, one.document.statements))))
        for one in documents
    )


@cache
def _everything() -> Placed:
    """Return a policy that allows everything: its layer ends nothing by what it leaves out."""
    document = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return Placed(PolicyText("everything", None, "inline", document), parse(document))
