"""What stands in a refused call's way: the role's policies are asked, with the simulator as target.

A log doesn't say whom a mail was for or from, so the engine is asked about the same call to the
simulator, which is what the tests are meant to make, from an address that fits the identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from auditor.account import PolicyText
from auditor.actions import SEND_ACTIONS
from auditor.engine.evaluate import evaluate
from auditor.engine.layers import Layer, Located, Placed
from auditor.engine.request import Request
from auditor.engine.trial import Trial
from auditor.policy.parse import parse
from auditor.policy.values import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.account import Role
    from auditor.denial.model import Denial, Resource
    from auditor.engine.caller import Caller
    from auditor.engine.evaluate import Judged
    from auditor.policy.model import Condition, Statement
    from auditor.standing import Standing

Answer = Literal["allowed", "not allowed", "not decided"]
SIMULATED: Final = "success@simulator.amazonses.com"
REAL: Final = "someone@example.com"

_SENDS: Final = {action.name: action for action in SEND_ACTIONS}


class Near(NamedTuple):
    """An Allow that names the action and doesn't match the call to the simulator.

    ``failed`` are the conditions that don't hold; ``elsewhere``: it is about other resources.
    """

    located: Located
    failed: tuple[Condition, ...]
    elsewhere: bool


class Examined(NamedTuple):
    """What the engine says of one refused call: ``simulated`` with a recipient of the simulator's,

    ``real`` with another. ``denies`` are the Denies that match the former, ``silent`` names the
    layers in which nothing allows it, ``near`` has their Allows that nearly do. ``mended`` is the
    answer with a policy added, None where none was given. ``unread`` could hold anything.
    """

    denial: Denial
    request: Request
    simulated: Answer
    real: Answer
    denies: tuple[Located, ...]
    silent: tuple[str, ...]
    near: tuple[Near, ...]
    unread: tuple[str, ...]
    mended: Answer | None = None


class World(NamedTuple):
    """A role with what the account puts around it; ``names`` say what each layer is."""

    standing: Standing
    caller: Caller
    layers: tuple[Layer, ...]
    names: tuple[str, ...]

    @property
    def unread(self) -> tuple[str, ...]:
        """Why documents could not be read."""
        layers = [reason for layer in self.layers for reason in layer.unread]
        own = [reason for one in self.standing.identities for reason in one.unread]
        return tuple(dict.fromkeys((*layers, *own)))

    def judged(self, request: Request, *, least: bool) -> Judged:
        """Return what the engine says under one reading of what AWS leaves open."""
        identities = self.standing.identities
        return evaluate(request, self.caller, self.layers, identities, least=least)

    def answer(self, request: Request) -> Answer:
        """Return what both readings agree on; a Deny that is read holds, whatever isn't.

        What another account allows on its resources isn't known.
        """
        least, most = (self.judged(request, least=least) for least in (True, False))
        if most.denying:
            return "not allowed"
        foreign = any(one.split(":")[4] != self.caller.account for one in request.resources)
        if self.unread or least.allowed != most.allowed or (foreign and most.allowed):
            return "not decided"
        return "allowed" if least.allowed else "not allowed"

    def plus(self, document: Mapping[str, object]) -> World:
        """Return the world where the role has one more inline policy."""
        source = PolicyText("added", None, "inline", dict(document))
        first, *rest = self.layers
        documents = (*first.documents, Placed(source, parse(dict(document))))
        return self._replace(layers=(first._replace(documents=documents), *rest))


def world_of(standing: Standing, role: Role) -> World:
    """Return a role's world."""
    names = ["the role's own policies"]
    if role.boundary is not None:
        names.append(f"the permissions boundary {role.boundary.name}")
    organization = standing.account.organization
    names += (
        f"the service control policies of {level.name} ({level.target})"
        for level in (organization.levels if organization is not None else ())
    )
    return World(standing, standing.caller(role), standing.layers(role), tuple(names))


def can_ask(denial: Denial) -> bool:
    """Tell whether a refused call is known well enough to be asked about."""
    return denial.action in _SENDS and denial.resource is not None and bool(denial.resource.kind)


def examine(denial: Denial, world: World, document: Mapping[str, object] | None = None) -> Examined:
    """Ask about a refused call that ``can_ask`` admits, as it is and with a policy added."""
    request = request_of(denial, world.caller, SIMULATED)
    other = request_of(denial, world.caller, REAL)
    judged = world.judged(request, least=False)
    silent = list(_silent(request, world))
    return Examined(
        denial,
        request,
        world.answer(request),
        world.answer(other),
        judged.denying,
        tuple(world.names[index] for index in silent),
        tuple(near for index in silent for near in _near(request, world, world.layers[index])),
        world.unread,
        None if document is None else world.plus(document).answer(request),
    )


def request_of(denial: Denial, caller: Caller, recipient: str) -> Request:
    """Return the call as the log tells of it, with one recipient."""
    action, resource = _SENDS[denial.action], denial.resource
    assert resource is not None  # noqa: S101 - can_ask was
    account = caller.account if resource.account == "*" else resource.account
    session = (denial.principal.session if denial.principal else "") or "AWSCodeBuild-1"
    context: dict[str, str | tuple[str, ...]] = {
        "aws:RequestedRegion": resource.region,
        "aws:CurrentTime": iso(caller.now),
        "aws:EpochTime": str(caller.now),
        "aws:userid": f"{caller.role_id}:{session}",
    }
    if account != caller.account:
        context["aws:ResourceAccount"] = account
    if action.carries_recipients:
        context["ses:Recipients"] = (recipient,)
    if "ses:FromAddress" in action.context_keys:
        context["ses:FromAddress"] = sender_of(resource)
    return Request(action.name, (resource._replace(account=account).arn,), context)


def sender_of(resource: Resource) -> str:
    """Return a From address that fits a resource: the identity's own, or one of its domain's."""
    if resource.kind != "identity":
        return "sender@example.com"
    return resource.name if "@" in resource.name else f"sender@{resource.name}"


def _silent(request: Request, world: World) -> Iterator[int]:
    """Yield the layers, by index, in which nothing allows a request under either reading."""
    trial = Trial(request, world.caller, least=False)
    (resource,) = request.resources
    by_role, by_session, _ = trial.granted(resource, world.standing.identities)
    for index, layer in enumerate(world.layers):
        granted = (layer.name == "identity" and bool(by_role or by_session)) or (
            layer.name == "permissions-boundary" and bool(by_session)
        )
        matching = any(trial.matches(one.statement, resource) for one in _allows(layer))
        if not (granted or matching or layer.unread):
            yield index


def _allows(layer: Layer) -> Iterator[Located]:
    for placed in layer.documents:
        for statement in placed.document.statements:
            if statement.allows:
                yield Located(layer.name, placed.source, statement)


def _near(request: Request, world: World, layer: Layer) -> Iterator[Near]:
    """Yield the Allows that name the action, with what in them doesn't fit."""
    trial = Trial(request, world.caller, least=False)
    (resource,) = request.resources
    for one in _allows(layer):
        if trial.names(one.statement):
            elsewhere = not trial.is_about(one.statement, resource, leaning=True)
            yield Near(one, tuple(_failed(trial, one.statement)), elsewhere)


def _failed(trial: Trial, statement: Statement) -> Iterator[Condition]:
    for condition in statement.conditions:
        if not trial.holds(condition, True, statement.variables):
            yield condition
