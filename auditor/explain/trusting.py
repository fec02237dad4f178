"""What another role's trust policy makes of one request to assume it.

A trust policy that names the caller lets it in without any policy of its own, in the same account;
one that names the account leaves it to the caller's policies. Judged statement by statement, apart
from the search in ``auditor.engine.powers``. "Roles terms and concepts":
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from auditor.account import PolicyText
from auditor.engine.grants import past_boundary
from auditor.engine.layers import Placed
from auditor.engine.powers import ASSUME_ROLE
from auditor.engine.principals import Naming, naming
from auditor.engine.trial import Trial
from auditor.explain.world import EVERYTHING
from auditor.policy.parse import parse

if TYPE_CHECKING:
    from auditor.engine.layers import Layer
    from auditor.engine.request import Request
    from auditor.explain.world import World
    from auditor.policy.model import Statement


class Trust(NamedTuple):
    """A role that is to be assumed: its name, and its trust policy (None: it isn't at hand)."""

    role: str
    layer: Layer | None


def is_assume(action: str) -> bool:
    """Tell whether an action is sts:AssumeRole; actions ignore case."""
    return action.lower() == ASSUME_ROLE.lower()


def trusted(request: Request, world: World, trust: Trust, *, least: bool) -> World:
    """Return the world in which the trust policy is one more layer that must allow the request.

    Where it lets the caller in by itself, the caller's own policies need not allow it.
    """
    layer = trust.layer
    if layer is None:
        return world
    trial = Trial(request, world.caller, least=least)
    by_itself = past = False
    for placed in layer.documents:
        for statement in placed.document.statements:
            how = _counts(statement, world, trial)
            matched = statement.allows and how is not None
            if not matched or not trial.matches(statement, request.resources[0]):
                continue
            by_itself |= how is not Naming.ACCOUNT
            past |= how is not None and past_boundary(how, statement, least=least)
    own = {"identity"} if by_itself else set()
    own |= {"permissions-boundary"} if past else set()
    opened = world._replace(
        layers=tuple(_opened(one) if one.name in own else one for one in world.layers)
    )
    return _with(opened, trust.role, _heeded(layer, world, trial))


def shown(request: Request, world: World, trust: Trust) -> World:
    """Return the world with the trust policy's statements that may be about the caller."""
    if trust.layer is None:
        return world
    readings = [Trial(request, world.caller, least=least) for least in (True, False)]
    return _with(world, trust.role, _heeded(trust.layer, world, *readings))


def _opened(layer: Layer) -> Layer:
    source = PolicyText("the trust policy's leave", None, "inline", EVERYTHING)
    return layer._replace(documents=(*layer.documents, Placed(source, parse(EVERYTHING))))


def _with(world: World, role: str, layer: Layer) -> World:
    name = f"the trust policy of {role}"
    return world._replace(layers=(*world.layers, layer), names=(*world.names, name))


def _heeded(layer: Layer, world: World, *trials: Trial) -> Layer:
    """Return a trust policy with no statements but those about the caller."""
    return layer._replace(
        documents=tuple(
            placed._replace(
                document=replace(
                    placed.document,
                    statements=tuple(
                        one
                        for one in placed.document.statements
                        if any(_counts(one, world, trial) is not None for trial in trials)
                    ),
                )
            )
            for placed in layer.documents
        )
    )


def _counts(statement: Statement, world: World, trial: Trial) -> Naming | None:
    """Return how a statement names the caller, None where it is about others."""
    if statement.principals is None:
        return None
    how, session = naming(statement.principals, world.caller)
    user = (trial.values("aws:userid") or ("",))[0].partition(":")[2]
    if how is Naming.NOT or session not in ("", user):
        return None
    if how is Naming.DOUBTFUL and statement.allows == trial.least:
        return None  # an Allow counts in the caller's favour alone, a Deny against it alone
    return how
