"""Who could take a remedy away again: the role itself, or one that it can get to.

A policy holds as long as nobody detaches it or changes what it says. A role that may, or that may
become (or make a service run) one which may, is held by a permissions boundary or an SCP alone.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_manage-attach-detach.html
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from auditor.engine.powers import ASSUME_ROLE, Powers, facts_of
from auditor.errors import Undecidable
from auditor.rules.doors import Doors
from auditor.rules.making import HANDING_ON, TRUST_REWRITING
from auditor.rules.newcomers import makes_newcomers, newcomer
from auditor.rules.selfgranting import PASSED_MAX, Exposed, self_grants
from auditor.scope import is_service_linked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.account import Role
    from auditor.chains import Chains
    from auditor.engine.powers import Call, Facts
    from auditor.standing import Standing

Way = Literal["attach", "inline"]

PAIRS_MAX: Final = 10_000
"""Pairs of roles looked at for one account: some seconds. Beyond, what is left is said."""
TOO_MANY: Final = f"more than {PAIRS_MAX:,} pairs of roles to follow"

# A version that isn't the default can't be made to count by deleting another, and the default one
# can't be deleted: iam:DeletePolicyVersion changes nothing by itself.
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html
_ON_THE_POLICY: Final = ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion")
_INLINE: Final = ("iam:DeleteRolePolicy", "iam:PutRolePolicy")
"""PutRolePolicy replaces an inline policy of the same name:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html"""
_GRANTING: Final = frozenset(("iam:PutRolePolicy", "iam:AttachRolePolicy", *_ON_THE_POLICY))
"""By these a role may give itself whatever it lacks, the undoing included."""


class Undoer(NamedTuple):
    """A way to undo a remedy: the roles got to, in order, and the calls that the last one may make.

    ``steps`` has for each of ``roles`` the action by which it is got to: ``sts:AssumeRole``,
    ``iam:PassRole`` to a service that can be made to run it, or ``iam:UpdateAssumeRolePolicy``.
    Without any, the role itself may.
    """

    roles: tuple[Role, ...]
    steps: tuple[str, ...]
    calls: tuple[Call, ...]


class Undoing(NamedTuple):
    """The shortest way found, or None; ``doubts`` are why there might be one all the same."""

    found: Undoer | None
    doubts: tuple[str, ...] = ()


class Undoers:
    """Looks for those who could undo a remedy. ``roles`` are all that the account has.

    ``chains`` is asked for the roles' powers alone: it need not have followed anything.
    """

    def __init__(
        self, standing: Standing, chains: Chains, roles: Sequence[Role], policy_arn: str
    ) -> None:
        self._standing = standing
        self._chains = chains
        self._policy_arn = policy_arn
        self._pairs = 0
        self._steps: dict[str, list[tuple[Role, str]]] = {}
        self._doubts: dict[str, tuple[str, ...]] = {}
        self._always: dict[str, tuple[Call, ...]] = {}
        self._makers: dict[str, Powers | None] = {}
        own = [role for role in roles if not is_service_linked(role)]
        self._doors = Doors(own, standing.trust, self._worth)

    def of(self, role: Role, way: Way) -> Undoing:
        """Return how a role may undo a policy that is attached to it (or put inline).

        Roles are followed breadth first, at most ``PAIRS_MAX`` pairs for all questions together.
        """
        doubts: dict[str, None] = {}
        calls = self._calls(role, role, way, doubts)
        if calls:
            return Undoing(Undoer((), (), calls), tuple(doubts))
        seen = {role.arn}
        waiting: deque[tuple[Role, tuple[Role, ...], tuple[str, ...]]] = deque([(role, (), ())])
        while waiting:
            actor, roles, steps = waiting.popleft()
            for other, step in self._onward(actor, doubts):
                if other.arn in seen:
                    continue
                seen.add(other.arn)
                onward = (*roles, other), (*steps, step)
                if not self._paid():
                    return Undoing(None, (*doubts, TOO_MANY))
                calls = self._calls(other, role, way, doubts)
                if calls:
                    return Undoing(Undoer(*onward, calls), tuple(doubts))
                waiting.append((other, *onward))
        return Undoing(None, tuple(doubts))

    def _paid(self) -> bool:
        self._pairs += 1
        return self._pairs <= PAIRS_MAX

    def _calls(
        self, actor: Role, target: Role, way: Way, doubts: dict[str, None]
    ) -> tuple[Call, ...]:
        """Return the calls by which a role may undo the remedy of another, or of itself.

        By making somebody who may, if need be: then these are the calls that make them.
        """
        if (powers := self._powers_of(actor)) is None:
            return ()
        limit = target.boundary.arn if target.boundary is not None else None
        facts = (*facts_of(target), ("iam:permissionsboundary", limit))
        if way == "attach":
            detaching = (*facts, ("iam:policyarn", self._policy_arn))
            own = [("iam:DetachRolePolicy", target.arn, detaching)]
            own += [(action, self._policy_arn, ()) for action in _ON_THE_POLICY]
        else:
            own = [(action, target.arn, facts) for action in _INLINE]
        found = [_asked(powers, *one, doubts) for one in own]
        calls = tuple(one for one in found if one is not None)
        return calls or self._granting(actor, powers) or newcomer(powers, own)

    def _powers_of(self, actor: Role) -> Powers | None:
        """Return a role's powers; those to make somebody else aren't among ``actions.POWERS``."""
        powers = self._chains.powers(actor)
        if powers is None and actor.arn not in self._makers and _speaks_of_iam(actor):
            layers = self._standing.layers(actor, whole=True)
            asked = Powers(self._standing.caller(actor), layers)
            self._makers[actor.arn] = asked if makes_newcomers(asked) else None
        return powers or self._makers.get(actor.arn)

    def _worth(self, role: Role) -> bool:
        """Tell whether a role may do anything that counts here, once it is got to."""
        return self._powers_of(role) is not None

    def _granting(self, actor: Role, powers: Powers) -> tuple[Call, ...]:
        """Return the calls by which a role may give itself more than it has."""
        if actor.arn not in self._always:
            calls = self_grants(actor, powers, _NOBODY, set())
            self._always[actor.arn] = tuple(one for one in calls if one.action in _GRANTING)
        return self._always[actor.arn]

    def _onward(self, actor: Role, doubts: dict[str, None]) -> list[tuple[Role, str]]:
        """Return the roles that a role can get to in one step, and how."""
        if actor.arn not in self._steps:
            met: dict[str, None] = {}
            self._steps[actor.arn] = [
                *((one, ASSUME_ROLE) for one in self._assumed(actor, met)),
                *self._handed(actor, met),
            ]
            self._doubts[actor.arn] = tuple(met)
        doubts.update(dict.fromkeys(self._doubts[actor.arn]))
        return self._steps[actor.arn]

    def _assumed(self, actor: Role, doubts: dict[str, None]) -> Iterator[Role]:
        powers = self._chains.powers(actor)
        doors = self._doors.of(actor, [] if powers is None else powers.patterns(ASSUME_ROLE))
        if not doors:
            return
        if powers is None:  # a trust policy that names the role is enough
            layers = self._standing.layers(actor, whole=True)
            powers = Powers(self._standing.caller(actor), layers)
        for target in doors:
            if not self._paid():
                doubts[TOO_MANY] = None
                return
            try:
                call = powers.assume(target.arn, self._standing.trust(target), facts_of(target))
            except Undecidable as reason:
                doubts[f"assuming {target.name}: {reason}"] = None
                continue
            if call is not None:
                yield target

    def _handed(self, actor: Role, doubts: dict[str, None]) -> Iterator[tuple[Role, str]]:
        """Yield the roles that one may have a service run, or may rewrite the trust policy of."""
        if (powers := self._chains.powers(actor)) is None:
            return
        patterns = [*powers.patterns(HANDING_ON), *powers.patterns(TRUST_REWRITING)]
        left = [role for role in self._doors.behind(patterns) if role.arn != actor.arn]
        while left:
            # as many as are tried at a time; each answer names the first of them that it takes
            batch = {role.arn: role for role in left[:PASSED_MAX]}
            left = left[PASSED_MAX:]
            while batch:
                if not self._paid():
                    doubts[TOO_MANY] = None
                    return
                among = Exposed(list(batch.values()).__iter__)
                calls = self_grants(actor, powers, among, set())
                call = next((one for one in calls if one.resource in batch), None)
                if call is None:
                    break
                yield batch.pop(call.resource), call.action


def _speaks_of_iam(role: Role) -> bool:
    """Tell whether a role's policies may name an action of IAM's (an upper bound, from texts)."""
    return any(
        isinstance(one.document, str) or "iam" in str(one.document).lower()
        for one in (*role.inline, *role.attached)
    )


_NOBODY: Final = Exposed(lambda: ())


def _asked(
    powers: Powers, action: str, resource: str, facts: Facts, doubts: dict[str, None]
) -> Call | None:
    try:
        return powers.call(action, resource, facts)
    except Undecidable as reason:
        doubts[f"{action}: {reason}"] = None
        return None
