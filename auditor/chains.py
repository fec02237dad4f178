"""Roles that may become another role.

A role that may assume an exposed role of the account is exposed itself: the chain is followed
backwards from the exposed roles, so that cycles end by themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from auditor.arnindex import ArnIndex
from auditor.engine.powers import ASSUME_ROLE, Call, Powers, facts_of
from auditor.engine.trusts import movers_named, names, texts_named
from auditor.errors import PolicyError, Undecidable
from auditor.scope import Repeated, is_service_linked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from auditor.account import Role
    from auditor.engine.decision import Decision
    from auditor.engine.layers import Layer, Located
    from auditor.engine.powers import Facts
    from auditor.standing import Standing

EDGES_MAX: Final = 200_000
"""Pairs of roles decided in one audit: some ten seconds. A pair is a role that names another in an
Allow of sts:AssumeRole (or is named in its trust policy) and that other role. Beyond, the roles not
yet told are undetermined, by name."""

TOO_MANY: Final = f"more than {EDGES_MAX:,} pairs of roles to follow"

Level = Literal["proven", "possible", "undetermined"]
_LEVELS: Final[tuple[Level, ...]] = ("proven", "possible", "undetermined")


class Chain(NamedTuple):
    """The way from a role to one that can mail real people (or to one that isn't decided).

    ``roles`` are the roles assumed, in order; ``level`` is how sure the whole way is, or
    ``undetermined``; ``allows`` are the statements on the way, with whose they are. ``plain``: no
    step of it asks for a condition of the environment.
    """

    level: Level
    roles: tuple[Role, ...]
    allows: tuple[tuple[Role, Located], ...]
    end: Decision
    plain: bool


class _Target(NamedTuple):
    role: Role
    trust: Layer
    facts: Facts


class Chains:
    """The chains of one account: ``found`` and ``unknown`` by ARN, once ``follow`` has run.

    ``decide`` decides a role's own policies; it is asked about each role at most once or twice, so
    it should remember.
    """

    def __init__(self, standing: Standing, decide: Callable[[Role], Decision]) -> None:
        self.standing = standing
        self.decide = decide
        self.found: dict[str, Chain] = {}
        self.unknown: dict[str, str] = {}
        self._powers: dict[str, Powers | None] = {}
        self._named: dict[str, frozenset[str]] = {}
        self._principals = Repeated(texts_named)
        self._edges = 0
        self._index = ArnIndex(())
        self._directly: dict[str, list[str]] = {}

    def follow(self, audited: Sequence[Role], roles: Sequence[Role]) -> None:
        """Find the chains of the audited roles, the surest first; ``roles`` are all there are."""
        candidates = [role for role in roles if self._may_be_assumed(role)]
        if not candidates:
            return
        levels = {role.arn: _level(self.decide(role)) for role in (*audited, *candidates)}
        targets = {role.arn: self._target(role) for role in candidates}
        self._index = ArnIndex(targets)
        named = frozenset().union(*self._named.values())
        movers = {
            role.arn: role
            for role in (*audited, *candidates)
            if self.powers(role) is not None or names(named, role)
        }
        for mover in movers.values():
            self._directly[mover.arn] = []
        for arn, principals in self._named.items():
            for mover in movers_named(principals, movers):
                self._directly[mover.arn].append(arn)
        for level in _LEVELS:
            reached = [
                target for arn, target in targets.items()
                if _at_least(levels[arn], level) or arn in self.found
            ]  # fmt: skip
            waiting = [
                role for arn, role in movers.items()
                if not _at_least(levels[arn], level) and arn not in self.found
            ]  # fmt: skip
            self._spread(level, reached, waiting, targets, levels)

    def _spread(
        self,
        level: Level,
        front: list[_Target],
        waiting: list[Role],
        targets: dict[str, _Target],
        levels: dict[str, str],
    ) -> None:
        """Walk backwards from the reached roles until no further role reaches one of them."""
        while front and waiting:
            by_arn = {target.role.arn: target for target in front}
            met: list[_Target] = []
            left: list[Role] = []
            for role in waiting:
                chain = next(self._ways(role, by_arn, level, levels), None)
                if chain is None:
                    left.append(role)
                    continue
                self.found[role.arn] = chain
                if role.arn in targets:
                    met.append(targets[role.arn])
            front, waiting = met, left

    def _ways(
        self, role: Role, front: Mapping[str, _Target], level: Level, levels: dict[str, str]
    ) -> Iterator[Chain]:
        """Yield the chains from a role over one more step."""
        within = self._within(role)
        for arn in front if within is None else sorted(within & front.keys()):
            if arn == role.arn:
                continue
            target = front[arn]
            self._edges += 1
            if self._edges > EDGES_MAX:
                self.unknown.setdefault(role.arn, TOO_MANY)
                return
            try:
                call = self._assume(role, target)
            except Undecidable as reason:
                self.unknown.setdefault(role.arn, f"assuming {target.role.name}: {reason}")
                continue
            if call is None or (level == "proven" and call.certainty != "proven"):
                continue
            step = tuple(
                (target.role if one.layer == "trust" else role, one) for one in call.allows
            )
            onward = self.found.get(target.role.arn)
            if onward is None or _at_least(levels[target.role.arn], level):
                end = self.decide(target.role)
                yield Chain(level, (target.role,), step, end, call.plain)
            else:
                on_the_way = (*step, *onward.allows)
                plain = call.plain and onward.plain
                roles = (target.role, *onward.roles)
                yield Chain(level, roles, on_the_way, onward.end, plain)

    def _within(self, role: Role) -> frozenset[str] | None:
        """Return the roles that a role may be able to assume (an upper bound; None: any)."""
        powers = self.powers(role)
        direct = frozenset(self._directly.get(role.arn, ()))
        if powers is None:
            return direct
        matching = self._index.matching(powers.patterns(ASSUME_ROLE))
        return None if matching is None else matching | direct

    def _assume(self, role: Role, target: _Target) -> Call | None:
        powers = self.powers(role)
        if powers is None:
            if not names(self._named[target.role.arn], role):
                return None
            powers = Powers(self.standing.caller(role), self.standing.layers(role, whole=True))
        return powers.assume(target.role.arn, target.trust, target.facts)

    def _may_be_assumed(self, role: Role) -> bool:
        """Tell whether a role's trust policy names any AWS principal (one not read: yes)."""
        if is_service_linked(role):
            return False
        try:
            named = self._principals(role.trust.document)
        except PolicyError:
            named = frozenset("*")
        if named:
            self._named[role.arn] = named
        return bool(named)

    def _target(self, role: Role) -> _Target:
        return _Target(role, self.standing.trust(role), facts_of(role))

    def powers(self, role: Role) -> Powers | None:
        """Return what a role may do beyond sends; None where none of its Allows names a power."""
        if role.arn not in self._powers:
            self._powers[role.arn] = (
                Powers(self.standing.caller(role), self.standing.layers(role, whole=True))
                if self.standing.has_powers(role)
                else None
            )
        return self._powers[role.arn]


def _level(decision: Decision) -> str:
    if decision.verdict == "exposed":
        return decision.certainty or "possible"
    return "undetermined" if decision.verdict == "undetermined" else ""


def _at_least(mine: str, level: str) -> bool:
    return mine in _LEVELS and _LEVELS.index(mine) <= _LEVELS.index(level)
