"""What each statement says about one request: whether it matches, and if not, which part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from auditor.actions import RECIPIENTS
from auditor.engine.caller import MFA
from auditor.engine.grants import COVERED
from auditor.engine.layers import Located
from auditor.engine.principals import Naming, naming
from auditor.engine.request import Request
from auditor.engine.trial import Trial
from auditor.policy.operators import NULL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.explain.world import World
    from auditor.policy.model import Condition, Statement

Fate = Literal["matches", "open", "conditions", "resource"]


class Failed(NamedTuple):
    """A condition that doesn't hold for a request, and the request's values (None: absent).

    ``matched`` are pairs (a value of the request, the policy's value that it satisfies or None).
    ``open``: it holds under the other reading.
    """

    condition: Condition
    values: tuple[str, ...] | None
    matched: tuple[tuple[str, str | None], ...] = ()
    open: bool = False


class Heard(NamedTuple):
    """What one statement that names the action says about one resource of a request.

    ``fate``: it ``matches``; it matches under one reading alone (``open``, with the ``doubts``);
    its ``conditions`` don't hold (``failed``); or it is about another ``resource``.
    """

    located: Located
    resource: str
    fate: Fate
    failed: tuple[Failed, ...] = ()
    doubts: tuple[str, ...] = ()


def hear(request: Request, world: World) -> tuple[Heard, ...]:
    """Return what every statement that names the action says, layer by layer."""
    return tuple(
        _heard(request, world, located, resource)
        for resource in request.resources
        for located in about(request, world, resource)
    )


def about(request: Request, world: World, resource: str) -> Iterator[Located]:
    """Yield the statements that name a request's action and (in an identity's policy) the role."""
    trial = Trial(request, world.caller, least=True)
    for layer in world.layers:
        for placed in layer.documents:
            for statement in placed.document.statements:
                if trial.names(statement):
                    yield Located(layer.name, placed.source, statement)
    for identity in world.identities:
        if identity.arn != resource or request.action not in COVERED:
            continue
        for placed in identity.documents:
            for statement in placed.document.statements:
                if trial.names(statement) and _counts(statement, world, trial):
                    yield Located("identity-policy", placed.source, statement)


def _counts(statement: Statement, world: World, trial: Trial) -> bool:
    """Tell whether an identity's statement is about the role: not merely about its account."""
    if statement.principals is None:
        return False
    how, session = naming(statement.principals, world.caller)
    if not statement.allows:
        return how is not Naming.NOT
    user = (trial.values("aws:userid") or ("",))[0].partition(":")[2]
    return how is Naming.ROLE or (how is Naming.SESSION and session == user)


def _heard(request: Request, world: World, one: Located, resource: str) -> Heard:
    statement = one.statement
    readings = [Trial(request, world.caller, least=least) for least in (True, False)]
    matching = [trial.matches(statement, resource) for trial in readings]
    if all(matching):
        return Heard(one, resource, "matches")
    trial = readings[0]
    if any(matching):
        return Heard(one, resource, "open", (), tuple(_doubts(trial, statement, resource)))
    if not trial.is_about(statement, resource, leaning=True):
        return Heard(one, resource, "resource")
    return Heard(one, resource, "conditions", failing(request, world, one, leaning=True))


def failing(request: Request, world: World, one: Located, *, leaning: bool) -> tuple[Failed, ...]:
    """Return the conditions of a statement that don't hold for a request.

    ``leaning``: what AWS doesn't document is taken to hold.
    """
    trial = Trial(request, world.caller, least=True)
    variables = one.statement.variables
    return tuple(
        Failed(
            condition,
            trial.values(condition.key),
            tuple(
                (value, satisfied(request, world, condition, value, variables))
                for value in trial.values(condition.key) or ()
            ),
            open=not leaning and trial.holds(condition, True, variables),
        )
        for condition in one.statement.conditions
        if not trial.holds(condition, leaning, variables)
    )


def satisfied(
    request: Request, world: World, condition: Condition, value: str, variables: bool
) -> str | None:
    """Return the first policy value that a value of the request matches."""
    if condition.operator is NULL:
        return None
    alone = Trial(Request(request.action, (), {condition.key: (value,)}), world.caller, least=True)
    for text in condition.values:
        only = condition._replace(values=(text,), quantifier="any", if_exists=False)
        # what can't be told is no match here: a positive operator then needs a mean reading
        negated = condition.operator.negated
        if alone.holds(only, negated, variables) != negated:
            return text
    return None


def _doubts(trial: Trial, statement: Statement, resource: str) -> Iterator[str]:
    """Yield what AWS leaves open about a statement that matches under one reading alone."""
    if trial.is_about(statement, resource, True) != trial.is_about(statement, resource, False):
        yield "what its Resource stands for: a variable in it has no single known value"
    for condition in statement.conditions:
        if trial.holds(condition, True, statement.variables) != trial.holds(
            condition, False, statement.variables
        ):
            yield _doubt(condition, absent=trial.values(condition.key) is None)


def _doubt(condition: Condition, *, absent: bool) -> str:
    if condition.operator is NULL:
        return f"what Null on {condition.shown} means with a value other than true or false"
    if condition.key == MFA:
        return f"whether {condition.shown} is absent or false for a session of a service role"
    if condition.key == RECIPIENTS and not condition.quantifier:
        return (
            f"what {condition.spelled} on {condition.shown} means without ForAllValues or"
            " ForAnyValue"
        )
    if absent:
        return f"what {condition.spelled} means where {condition.shown} is absent"
    return (
        f"what {condition.spelled} on {condition.shown} compares with: a variable in its value is"
        " the caller's choice, or has no known value"
    )
