"""Decides roles and drafts what to say of them; roles that say the same share one draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.actions import BOUNCE
from auditor.closed import Around, closed
from auditor.engine.caller import USER_ID
from auditor.engine.grants import grants
from auditor.engine.memory import Memory
from auditor.rules.classify import rule_of
from auditor.rules.lint import lint
from auditor.rules.making import Draft, draft_exposure, draft_lint, order_of, severity_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.account import Role
    from auditor.engine.decision import Decision, Exposure
    from auditor.engine.layers import Layer
    from auditor.findings import Closed
    from auditor.standing import Signed, Standing


class Judged(NamedTuple):
    """A decision on a role's own policies, and drafts of its findings.

    ``advised`` are these with the advice that is only given where the role turns out not to be
    exposed. Both are in a report's order.
    """

    decision: Decision
    drafts: tuple[Draft, ...]
    advised: tuple[Draft, ...]


class Judge:
    """Decides the roles of one account, each distinct one once."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._memory = Memory(standing.identities)
        self._alike: dict[object, Judged] = {}
        self._known: dict[int, Judged] = {}
        self._closed: dict[int, Closed | None] = {}
        self._by_texts: dict[object, Judged] = {}
        self._drafted: dict[int, tuple[Exposure, Draft]] = {}  # an id holds while its value lives

    def of(self, role: Role) -> Judged:
        """Judge a role."""
        known = self._known.get(id(role))  # an account's roles live as long as its judge
        if known is None:
            known = self._known[id(role)] = self._recalled(role)
        return known

    def _recalled(self, role: Role) -> Judged:
        """Judge a role, or take over what was judged of one that is alike.

        Roles of one home whose policies are the very same texts are alike if these ask nothing
        that differs from role to role. Inline policies are no two roles' own: nothing to recall.
        """
        texts = (role.attached, role.boundary, self._standing.home(role))
        if not role.inline and texts in self._by_texts:
            return self._by_texts[texts]
        signed, limit = self._signed(role)
        asked = self._asked(signed, limit)
        key = self._key(role, signed, limit, asked)
        if key not in self._alike:
            self._alike[key] = self._judge(role)
        if not (role.inline or asked or self._standing.identities):
            self._by_texts[texts] = self._alike[key]
        return self._alike[key]

    def decide(self, role: Role) -> Decision:
        """Decide a role by its own policies."""
        return self.of(role).decision

    def closed(self, role: Role) -> Closed | None:
        """Return what closes a role by its own policies; None where it isn't closed, or too hard.

        Asked once for roles that were judged as one.
        """
        judged = self.of(role)
        if id(judged) not in self._closed:
            standing = self._standing
            around = Around(
                standing.caller(role),
                standing.layers(role),
                standing.names(role),
                standing.identities,
                self._memory.answers,
            )
            self._closed[id(judged)] = closed(around, judged.decision)
        return self._closed[id(judged)]

    def _signed(self, role: Role) -> tuple[list[Signed], Signed | None]:
        signed = self._standing.documents.signed
        limit = None if role.boundary is None else signed(role.boundary)
        return [signed(source) for source in (*role.inline, *role.attached)], limit

    def _asked(self, signed: Sequence[Signed], limit: Signed | None) -> set[str]:
        """Return the keys that documents ask for, whose values differ between roles."""
        asked = {key for one in signed for key in one.facts}
        asked.update(limit.facts if limit is not None else ())
        asked.update(self._standing.facts)
        return asked

    def _key(
        self, role: Role, signed: Sequence[Signed], limit: Signed | None, asked: set[str]
    ) -> object:
        """Return all that a role's decision, and what is said of it, hangs on."""
        key: tuple[object, ...] = (
            self._standing.home(role),
            tuple(one.number for one in signed if not one.silent),
            None if limit is None else limit.number,
        )
        if not asked and not self._standing.identities:
            return key
        caller = self._standing.caller(role)
        facts = tuple(
            (name, caller.role_id if name == USER_ID else caller.known(name))
            for name in sorted(asked)
        )
        named = tuple(
            (one.naming, one.session, one.identity.arn, one.located)
            for one in grants(self._standing.identities, caller)
        )
        return (*key, facts, named, caller.role_id if named else "")

    def _judge(self, role: Role) -> Judged:
        layers = self._standing.layers(role)
        decision = self._memory.decide(self._standing.caller(role), layers)
        drafts = sorted(self._drafts(decision, layers), key=order_of)
        if decision.verdict == "exposed":  # whatever it may become
            return Judged(decision, tuple(drafts), tuple(drafts))
        advice = [draft_lint(rule, located) for rule, located in lint(layers)]
        return Judged(decision, tuple(drafts), tuple(sorted((*drafts, *advice), key=order_of)))

    def _drafts(self, decision: Decision, layers: Sequence[Layer]) -> Iterator[Draft]:
        denied = any(
            not one.allows
            for layer in layers
            for placed in layer.documents
            for one in placed.document.statements
        )
        for exposure in (*decision.exposures, decision.bounce):
            if exposure is None:
                continue
            known = None if denied else self._drafted.get(id(exposure))
            if known is None:
                known = exposure, _draft(exposure, layers)
                if not denied:  # then a draft hangs on its exposure alone
                    self._drafted[id(exposure)] = known
            yield known[1]


def _draft(exposure: Exposure, layers: Sequence[Layer]) -> Draft:
    if exposure.action.name == BOUNCE:
        return draft_exposure("uncheckable-action", "low", exposure, layers)
    return draft_exposure(rule_of(exposure, layers), severity_of(exposure), exposure, layers)
