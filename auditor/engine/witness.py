"""From a solution to the request that proves it, in the shape that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor import domains
from auditor.actions import FROM_ADDRESS, RECIPIENTS, SEND_ACTIONS
from auditor.engine.caller import CLOCK, REGION, RESOURCE_ACCOUNT, Key, Presence
from auditor.engine.constraints import shown
from auditor.engine.layers import statements
from auditor.engine.request import Request, Value
from auditor.engine.ties import Pair, pair
from auditor.errors import Undecidable
from auditor.policy.variables import Variable, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.domains import Domain
    from auditor.engine.constraints import Tests
    from auditor.engine.layers import Layer
    from auditor.engine.question import Question
    from auditor.engine.state import State

IDENTITY: Final = "identity"
_SPELLING: Final = {
    name.lower(): name
    for name in (
        *(name for action in SEND_ACTIONS for name in action.context_keys),
        "aws:CurrentTime", "aws:EpochTime", "aws:PrincipalAccount", "aws:PrincipalArn",
        "aws:PrincipalIsAWSService", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths",
        "aws:PrincipalType", "aws:Referer", "aws:RequestedRegion", "aws:ResourceAccount",
        "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn", "aws:SourceIdentity",
        "aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:TokenIssueTime", "aws:UserAgent",
        "aws:userid", "aws:ViaAWSService", "aws:VpcSourceIp",
    )
}  # fmt: skip


def ties(state: State, question: Question) -> Pair | None:
    """Return the From address and identity of a state that belong together; None where not tied.

    They are tied where the call is authorised on an identity and carries a From address.
    """
    if IDENTITY not in question.kinds:
        return None
    if FROM_ADDRESS not in {name.lower() for name in question.setting.action.context_keys}:
        return None
    return pair(_tests(state, FROM_ADDRESS), _tests(state, IDENTITY))


def _tests(state: State, variable: str) -> Tests:
    entry = state.variables.get(variable)
    return frozenset() if entry is None or entry.tests is None else entry.tests


def mentioned(question: Question, layers: Sequence[Layer]) -> dict[str, str]:
    """Return the keys that the action's statements mention, lower case to AWS's spelling."""
    found: dict[str, str] = {}
    for layer in layers:
        for allows in (True, False):
            for located in statements(layer, question.action, allows=allows):
                statement = located.statement
                texts = list(statement.resources) if statement.variables else []
                for condition in statement.conditions:
                    found.setdefault(condition.key, _SPELLING.get(condition.key, condition.shown))
                    texts += condition.values if statement.variables else ()
                for text in texts:
                    if "${" in text:
                        for part in split(text):
                            if isinstance(part, Variable):
                                found.setdefault(part.key, _SPELLING.get(part.key, part.key))
    return found


def request(state: State, question: Question, layers: Sequence[Layer]) -> Request:
    """Return a state's request. Raises ``Undecidable`` where its recipients don't fit one."""
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
    names = mentioned(question, layers)
    if question.setting.elsewhere:
        names[RESOURCE_ACCOUNT] = "aws:ResourceAccount"
    for key, spelling in sorted(names.items(), key=lambda item: item[1]):
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


def spelled(context: Mapping[str, Value], key: str) -> Value | None:
    """Return a context's value of a key, whatever its case."""
    return next((value for name, value in context.items() if name.lower() == key), None)
