"""From a solution to the request that proves it, in the shape that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor import domains
from auditor.actions import FROM_ADDRESS, RECIPIENTS
from auditor.engine.caller import (
    CLOCK,
    REGION,
    RESOURCE_ACCOUNT,
    Key,
    Presence,
    carried,
)
from auditor.engine.candidates import shown
from auditor.engine.request import Request, Value
from auditor.engine.ties import Pair, pair
from auditor.errors import Undecidable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.domains import Domain
    from auditor.engine.constraints import Tests
    from auditor.engine.question import Question
    from auditor.engine.state import State

IDENTITY: Final = "identity"


def ties(state: State, question: Question) -> Pair | None:
    """Return the From address and identity of a state that belong together; None where not tied.

    They are tied where the call is authorised on an identity and carries a From address.
    """
    if IDENTITY not in question.kinds:
        return None
    if FROM_ADDRESS not in carried(question.setting.action.context_keys):
        return None
    return pair(_tests(state, FROM_ADDRESS), _tests(state, IDENTITY))


def _tests(state: State, variable: str) -> Tests:
    entry = state.variables.get(variable)
    return frozenset() if entry is None or entry.tests is None else entry.tests


def request(state: State, question: Question, names: Mapping[str, str]) -> Request:
    """Return a state's request; ``names`` are the keys that its action's statements mention.

    Raises ``Undecidable`` where its recipients don't fit one request.
    """
    tied = ties(state, question)
    region = state.value(REGION).value or ""
    account = _value(state, RESOURCE_ACCOUNT, domains.ACCOUNT)
    context: dict[str, Value] = {}
    if question.setting.action.carries_recipients:
        members = state.members()
        if members is None:
            raise Undecidable("no request of at most 50 recipients was found")
        context["ses:Recipients"] = tuple(members)
    context["aws:RequestedRegion"] = region
    if question.setting.elsewhere:
        names = {**names, RESOURCE_ACCOUNT: "aws:ResourceAccount"}
    mentioned = names.items()
    for key, spelling in sorted(mentioned, key=_spelling) if len(names) > 1 else mentioned:
        if key in (RECIPIENTS, REGION):
            continue
        value = _context(state, question.setting.key(key), key, tied)
        if value is not None:
            context[spelling] = value
    caller = question.setting.caller
    owner = account if question.setting.elsewhere else caller.account
    resources = []
    for kind in question.kinds:
        name = tied.identity if tied and tied.identity and kind == IDENTITY else None
        name = name or _value(state, kind, domains.RESOURCES[kind])
        resources.append(f"arn:{caller.partition}:ses:{region}:{owner}:{name}")
    return Request(question.setting.action.name, tuple(resources), context)


def _spelling(name: tuple[str, str]) -> str:
    return name[1]


def _value(state: State, variable: str, domain: Domain) -> str:
    """Return a variable's value: any value of its domain where nothing is asked of it."""
    if variable not in state.variables:
        return domain.nice[0]
    return state.value(variable).value or ""


def _context(state: State, key: Key, name: str, tied: Pair | None) -> str | None:
    """Return what a key holds in the request, None where it is absent."""
    match key.presence:
        case Presence.KNOWN:
            return key.value
        case Presence.ABSENT | Presence.ABSENT_OR_FALSE | Presence.MEMBERS:
            return None
        case Presence.OPTIONAL:
            entry = state.variables.get(key.variable)
            if entry is None or entry.absent:
                return None
            return state.value(key.variable).value
    if key.variable == CLOCK:
        known = CLOCK in state.variables
        return shown(name, int(state.value(CLOCK).value or 0) if known else state.now)
    if key.variable == FROM_ADDRESS and tied is not None and tied.sender is not None:
        return tied.sender
    return _value(state, key.variable, key.domain)
