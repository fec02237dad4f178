"""Roles that may rewrite their own permissions, or make a service run an exposed role for them.

Such a role can undo any remedy that isn't a permissions boundary or an SCP. What it is asked about
stands in ``rules.selfgranting``; here, roles that say the same are asked once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from auditor.engine.caller import facts, hangs_on_caller
from auditor.engine.grants import COVERED
from auditor.engine.layers import Located, asked_of
from auditor.rules.apart import tells
from auditor.rules.making import draft_self_granting
from auditor.rules.selfgranting import (
    ASKED,
    ON_IDENTITIES,
    ON_OWN,
    grant_helps,
    own_policies,
    self_grants,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.account import Role
    from auditor.chains import Chains
    from auditor.engine.layers import Layer, LayerName, Placed
    from auditor.engine.powers import Call
    from auditor.policy.model import Statement
    from auditor.rules.making import Draft
    from auditor.rules.selfgranting import Exposed


class _Answer(NamedTuple):
    """What one role was answered. ``met`` are the exposed roles that were looked at for it."""

    draft: Draft | None
    met: frozenset[str]

    def serves(self, role: Role) -> bool:
        """Tell whether another role gets the same: no role is offered itself as an exposed one."""
        return role.arn not in self.met


class _Known(NamedTuple):
    """An answer as calls, with the statements that they were found among, in their order."""

    calls: tuple[Call, ...]
    among: tuple[Located, ...]
    owner: Role
    met: frozenset[str]


class SelfGrants:
    """The self-granting findings of one account: roles that say the same share one answer.

    They are of one account and partition, have the same boundary and as many policies of the
    account attached; their statements that name one of ``ASKED`` say the same in the same order and
    can't tell roles or attached policies apart (``tells``); a grant helps them alike (``_Helped``).
    """

    def __init__(self, chains: Chains, exposed: Exposed) -> None:
        self._chains = chains
        self._standing = chains.standing
        self._exposed = exposed
        self._by_texts: dict[object, _Answer] = {}
        self._by_meaning: dict[object, _Known] = {}
        self._helped = _Helped(chains)

    def of(self, role: Role) -> Draft | None:
        """Return what to say of a role's own powers; None where there is nothing."""
        texts = (role.inline, role.attached, role.boundary, self._standing.home(role))
        answer = self._by_texts.get(texts)
        if answer is not None and answer.serves(role):
            return answer.draft
        if not self._standing.has_powers(role):
            if not role.inline:  # no two roles' own, so nobody asks again
                self._by_texts[texts] = _Answer(None, frozenset())
            return None
        layers = self._standing.layers(role, whole=True)
        among = tuple(_naming(layers))
        shared = not tells(role, among)
        helped, alike = self._helped.of(role, among)
        known = None
        if shared:
            meaning = (helped, self._meaning(role, layers, among))
            known = self._by_meaning.get(meaning)
        if known is None or role.arn in known.met:
            known = self._asked(role, among)
            if shared and role.arn not in known.met:
                self._by_meaning.setdefault(meaning, known)
        calls = _moved(known, role, among)
        answer = _Answer(_draft(role, calls) if calls else None, known.met)
        if shared and alike and answer.serves(role):
            self._by_texts[texts] = answer
        return answer.draft

    def _asked(self, role: Role, among: tuple[Located, ...]) -> _Known:
        powers = self._chains.powers(role)
        met: set[str] = set()
        calls: tuple[Call, ...] = ()
        if powers is not None:
            granted, _ = self._helped.of(role, among)
            calls = tuple(self_grants(role, powers, self._exposed, met, granted=granted))
        return _Known(calls, among, role, frozenset(met))

    def _meaning(self, role: Role, layers: Sequence[Layer], among: Sequence[Located]) -> object:
        """Return all that an answer hangs on, for statements that can't tell roles apart."""
        return (
            self._standing.home(role),
            None if role.boundary is None else (role.boundary.arn,),
            len(own_policies(role)),
            tuple((layer.name, bool(layer.unread)) for layer in layers),
            tuple((one.layer, _asked_of(one.statement), one.statement.meaning) for one in among),
        )


class _Helped:
    """Which roles a grant of an SES identity would help, by what they deny about sends."""

    def __init__(self, chains: Chains) -> None:
        self._chains = chains
        self._standing = chains.standing
        self._known: dict[object, bool] = {}

    def of(self, role: Role, among: Sequence[Located]) -> tuple[bool, bool]:
        """Return whether it would, and whether it would for each role that has the same texts.

        ``among`` are the role's statements in question: without one about identities it's no.
        """
        if not any(
            one.statement.allows and asked_of(one.statement, ON_IDENTITIES) for one in among
        ):
            return False, True
        layers = self._standing.layers(role)
        denies = [
            (layer.name, one)
            for layer in layers
            if layer.name != "scp"  # these are the account's
            for placed in layer.documents
            for one in placed.document.statements
            if not one.allows
        ]
        if not denies and not self._standing.scps:
            return True, True
        asked = set(self._standing.facts).union(*(one.mentions for _, one in denies))
        alike = not any(map(hangs_on_caller, asked))
        if any(one.action.name in COVERED for one in self._chains.decide(role).exposures):
            return True, alike  # one more Allow closes nothing
        caller = self._standing.caller(role)
        key = (
            self._standing.home(role),
            tuple((name, one.meaning) for name, one in denies),
            tuple((layer.name, bool(layer.unread)) for layer in layers),
            facts(caller, asked),
        )
        if key not in self._known:
            self._known[key] = grant_helps(caller, layers)
        return self._known[key], alike


def _naming(layers: Sequence[Layer]) -> Iterator[Located]:
    """Yield the statements that name one of the actions in question."""
    for layer in layers:
        for placed in layer.documents:
            yield from _named(layer.name, placed)


@lru_cache(maxsize=8_192)
def _named(layer: LayerName, placed: Placed) -> tuple[Located, ...]:
    """Return those of one document; a policy of many roles is asked once."""
    return tuple(
        Located(layer, placed.source, statement)
        for statement in placed.document.statements
        if _asked_of(statement)
    )


@lru_cache(maxsize=8_192)
def _asked_of(statement: Statement) -> int:
    return asked_of(statement, ASKED)


def _moved(known: _Known, role: Role, among: tuple[Located, ...]) -> tuple[Call, ...]:
    """Return the calls as those of a role that says the same, with its own ARNs and statements."""
    if known.owner is role:
        return known.calls
    places = dict(zip(known.among, among, strict=True))
    arns = dict(zip(own_policies(known.owner), own_policies(role), strict=True))
    arns[known.owner.arn] = role.arn
    return tuple(
        call._replace(
            resource=arns[call.resource] if call.action in ON_OWN else call.resource,
            allows=tuple(places[one] for one in call.allows),
        )
        for call in known.calls
    )


def _draft(role: Role, calls: Sequence[Call]) -> Draft:
    first = calls[0]
    draft = draft_self_granting(
        calls, on_itself=(first.action in ON_OWN and first.resource == role.arn)
    )
    if all(call.action in ON_IDENTITIES for call in calls):
        # such a grant adds an Allow: a Deny that the role can't take off holds
        return draft._replace(tail=f" may have an SES identity grant it sends ({first.action}).")
    return draft
