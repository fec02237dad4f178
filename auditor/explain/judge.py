"""One request under both readings of what AWS leaves open, with what every statement says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from auditor.actions import BULK, FROM_ADDRESS, RECIPIENTS, SEND_ACTIONS
from auditor.engine.evaluate import evaluate
from auditor.engine.grants import COVERED
from auditor.engine.trial import Trial
from auditor.explain.ask import owners
from auditor.explain.evidence import hear
from auditor.explain.trusting import Trust, is_assume, shown, trusted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.engine.request import Request
    from auditor.explain.evidence import Heard
    from auditor.explain.world import World

Outcome = Literal["allowed", "not allowed", "not decided"]
TWIN = "ses:SendBulkTemplatedEmail"
"""What AWS may check a SendBulkEmail against too: see ``auditor.actions``."""
ANYBODY = "someone@recipient.invalid"
"""Stands for the recipients of a SendBulkEmail where none are given: no policy names it."""

_SENDS = {action.name: action for action in SEND_ACTIONS}


class Answer(NamedTuple):
    """What comes of a request. ``least`` and ``most``: allowed under that reading.

    ``doubts`` say why it isn't decided. ``heard`` is what each statement says, ``twin`` the same
    of the request that a SendBulkEmail may be checked as. ``silent`` are the layers where nothing
    allows it.
    """

    request: Request
    outcome: Outcome
    least: bool
    most: bool
    doubts: tuple[str, ...]
    heard: tuple[Heard, ...]
    twin: tuple[Heard, ...] = ()
    silent: tuple[str, ...] = ()


def judge(request: Request, world: World, trust: Trust | None = None) -> Answer:
    """Judge a request. It is decided where both readings agree and no document is missing.

    ``trust`` belongs to the role that sts:AssumeRole is about.
    """
    if is_assume(request.action):
        return _assuming(request, world, trust or Trust("", None))
    own, twin = _parts(request)
    sends = request.action in _SENDS
    generous = world.generous()
    # where AWS doesn't say that each resource type is checked, any one may be enough
    trials = [own._replace(resources=(arn,)) for arn in own.resources] if sends else [own]
    most = any(_allowed(one, generous, least=False) for one in trials)
    missing = tuple(_unread_identities(own, world))
    unread = (*world.unread, *missing)
    if missing:  # it may name the role's session, which no boundary's silence stops
        most = most or _allowed(own, generous.granting(), least=False)
    shaky = (*_unnamed(own), *_untied(own), *_foreign(own, world))
    least = _allowed(own, world, least=True) and not unread and not shaky
    if twin is not None:
        least = least and _allowed(twin, world, least=True)
    heard = hear(own, world)
    silent = tuple(_silent(own, world))
    if least or not most:
        outcome: Outcome = "allowed" if least else "not allowed"
        return Answer(own, outcome, least, most, (), heard, (), silent)
    doubts = dict.fromkeys((*unread, *_doubts(own, twin, world, heard), *shaky))
    told = () if twin is None else hear(twin, world)
    return Answer(own, "not decided", least, most, tuple(doubts), heard, told, silent)


def _assuming(request: Request, world: World, trust: Trust) -> Answer:
    """Judge the assuming of a role: its trust policy must allow it too, or may be enough."""
    foreign = tuple(_foreign(request, world))
    unread = list(world.unread)
    if trust.layer is not None:
        unread += trust.layer.unread
    elif not foreign:
        arn = request.resources[0]
        unread.append(f"what the trust policy of {arn} says: it wasn't read, no such role is here")
    generous = world.generous()
    if trust.layer is None or trust.layer.unread:  # it may name the caller, which is enough
        generous = generous if foreign else generous.granting()
    generous = trusted(request, generous, trust, least=False)
    most = _allowed(request, generous, least=False)
    strict = trusted(request, world, trust, least=True)
    least = not unread and not foreign and _allowed(request, strict, least=True)
    told = shown(request, world, trust)
    heard = hear(request, told)
    silent = tuple(_silent(request, trusted(request, world, trust, least=False)))
    if least or not most:
        outcome: Outcome = "allowed" if least else "not allowed"
        return Answer(request, outcome, least, most, (), heard, (), silent)
    doubts = dict.fromkeys((*unread, *_doubts(request, None, told, heard), *foreign))
    return Answer(request, "not decided", least, most, tuple(doubts), heard, (), silent)


def _parts(request: Request) -> tuple[Request, Request | None]:
    """Return the request itself, and what else AWS may check it as (SendBulkEmail only)."""
    if request.action != BULK:
        return request, None
    context = {key: v for key, v in request.context.items() if key.lower() != RECIPIENTS}
    unnamed = {} if len(context) < len(request.context) else {"ses:Recipients": (ANYBODY,)}
    twin = request._replace(action=TWIN, context={**request.context, **unnamed})
    return request._replace(context=context), twin


def _allowed(request: Request, world: World, *, least: bool) -> bool:
    return evaluate(request, world.caller, world.layers, world.identities, least=least).allowed


def _unnamed(request: Request) -> Iterator[str]:
    """Yield the resource types that a send is checked on and that no resource of it is of."""
    row = _SENDS.get(request.action)
    given = {arn.split(":", 5)[-1].partition("/")[0] for arn in request.resources}
    lacking = [kind for kind in row.required if kind not in given] if row is not None else []
    if lacking:
        yield f"whether the call is checked on {' and '.join(lacking)} too: no resource here is one"


def _untied(request: Request) -> Iterator[str]:
    """Yield what is odd about a From address and an identity that it doesn't belong to.

    https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html: an identity is an address,
    its domain, or a parent of that.
    """
    sender = next((v for key, v in request.context.items() if key.lower() == FROM_ADDRESS), None)
    if request.action not in _SENDS or not isinstance(sender, str):
        return
    for arn in request.resources:
        kind, _, name = arn.split(":", 5)[-1].partition("/")
        domain = sender.rpartition("@")[2].lower()
        own = name.lower() in (sender.lower(), domain) or domain.endswith(f".{name.lower()}")
        if kind == "identity" and not own:
            yield f"whether a mail from {sender} is checked on the identity {name}, which isn't its"


def _foreign(request: Request, world: World) -> Iterator[str]:
    for owner in owners(request, world.caller):
        yield (
            f"what the policies of account {owner} say of it: they must allow it too, and can't be"
            " read from here"
        )


def _silent(request: Request, world: World) -> Iterator[str]:
    """Yield the layers that could all be read and where no Allow matches some resource."""
    trial = Trial(request, world.caller, least=False)
    for name, layer in zip(world.names, world.layers, strict=True):
        allowing = [
            statement
            for placed in layer.documents
            for statement in placed.document.statements
            if statement.allows
        ]
        if not layer.unread and not all(
            any(trial.matches(statement, arn) for statement in allowing)
            for arn in request.resources
        ):
            yield name


def _unread_identities(request: Request, world: World) -> Iterator[str]:
    """Yield why policies of the identities that the request is about could not be read."""
    for identity in world.identities:
        if identity.arn in request.resources and request.action in COVERED:
            yield from identity.unread


def _doubts(
    own: Request, twin: Request | None, world: World, heard: tuple[Heard, ...]
) -> Iterator[str]:
    """Yield what AWS's documentation leaves open about a request that is decided only so far."""
    certain = {
        (one.located.layer, one.resource)
        for one in heard
        if one.fate == "matches" and one.located.statement.allows
    }
    for one in heard:
        if one.fate == "open" and not (
            one.located.statement.allows and (one.located.layer, one.resource) in certain
        ):
            yield from one.doubts
    alone = [_allowed(own._replace(resources=(arn,)), world, least=True) for arn in own.resources]
    if len(set(alone)) > 1:
        passed = ", ".join(arn for arn, ok in zip(own.resources, alone, strict=True) if ok)
        yield f"whether each of the call's resources is checked: only {passed} is allowed"
    if twin is not None and not _allowed(twin, world, least=True):
        yield f"whether {own.action} is checked as {twin.action} too, recipients included"
