"""The judge: does this role's policy allow this one request, under this reading?

A plain evaluator of concrete requests, written from the tables of docs/how-it-decides.md and the
IAM User Guide. Where AWS's behaviour isn't settled it takes a reading: ``LEAST`` gives the role
least access, ``MOST`` gives it most. A statement is looked at *generously* where matching it
helps that reading: an Allow under MOST, a Deny under LEAST.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from .operators import NEGATED, PLAIN, WILD, Pattern, glob, literal, wild

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Values = str | tuple[str, ...]


class Reading(Enum):
    """Which way an unsettled question goes."""

    LEAST = "least"
    MOST = "most"


@dataclass(frozen=True)
class Request:
    """One authorisation check. Context keys are in lower case; a missing key is absent."""

    action: str
    resource: str
    context: Mapping[str, Values]


def load(document: object) -> dict[str, Any]:
    """Return a document that came as an object, as JSON text, or as URL-encoded JSON text."""
    if isinstance(document, str):
        text = document if document.lstrip().startswith("{") else unquote(document)
        document = json.loads(text)
    if not isinstance(document, dict):
        raise TypeError("not a policy document")
    return document


def as_list(value: object) -> list[Any]:
    """Return a list as it is, and anything else as a list of one."""
    return value if isinstance(value, list) else [value]


def as_text(value: object) -> str:
    """Return a JSON scalar the way IAM reads it in a condition."""
    return json.dumps(value) if isinstance(value, (bool, int, float)) else str(value)


VARIABLE = re.compile(r"\$\{([^}]*)\}")
# Who the caller is. Other keys are the caller's to choose, and what a variable makes of them is
# unsettled (section 5).
SETTLED = ("aws:principal", "aws:userid", "aws:resourceaccount")


def expand(
    text: str, context: Mapping[str, Values], *, wildcards: bool, variables: bool
) -> Pattern | None:
    """Return the pattern of a policy value, or None where a variable in it has no settled value.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    plain = wild if wildcards else literal
    if not variables:
        return plain(text)
    pattern: list[object] = []
    at = 0
    for found in VARIABLE.finditer(text):
        pattern += plain(text[at : found.start()])
        at = found.end()
        name, comma, default = found[1].partition(",")
        key = name.strip().lower()
        value = context.get(key)
        if found[1] in {"*", "?", "$"}:
            pattern.append(found[1])
        elif isinstance(value, str) and key.startswith(SETTLED):
            pattern += literal(value)
        elif comma and value is None:
            pattern += literal(default.strip()[1:-1])
        else:
            return None
    return tuple(pattern) + plain(text[at:])


def condition(
    operator: str,
    key: str,
    wanted: list[str],
    context: Mapping[str, Values],
    *,
    generous: bool,
    variables: bool,
) -> bool:
    """Whether one operator on one key holds (section 4's table)."""
    name, key = operator.lower(), key.lower()
    present = key in context
    if name == "null":
        return any((text.lower() == "true") is not present for text in wanted)
    if_exists = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    quantifier, _, rest = name.rpartition(":")
    negated = rest in NEGATED
    plain = NEGATED.get(rest, rest)
    if not present:
        if quantifier == "foranyvalue":
            return generous if if_exists else False
        return if_exists or quantifier == "forallvalues" or negated
    value = context[key]
    members = (value,) if isinstance(value, str) else value
    compare = PLAIN[plain]

    def holds(member: str) -> bool:
        for text in wanted:
            pattern = expand(text, context, wildcards=plain in WILD, variables=variables)
            hit = (generous != negated) if pattern is None else compare(pattern, member)
            if hit:
                return not negated
        return negated

    if quantifier == "forallvalues":
        return all(map(holds, members))
    if quantifier == "foranyvalue" or isinstance(value, str):
        return any(map(holds, members))
    # A single-valued operator on a multivalued key has no documented meaning (section 5).
    return generous and any(map(holds, members))


def _holds(block: Mapping[str, Any], context: Mapping[str, Values], **how: bool) -> bool:
    return all(
        condition(operator, key, [as_text(v) for v in as_list(wanted)], context, **how)
        for operator, keys in block.items()
        for key, wanted in keys.items()
    )


def conditions(block: Mapping[str, Any], request: Request, *, generous: bool, new: bool) -> bool:
    """Whether a Condition block holds: all operators, all keys.

    A role's session either lacks ``aws:MultiFactorAuthPresent`` or has it as false (section 5).
    """
    mfa = "aws:multifactorauthpresent"
    worlds = [request.context]
    if any(key.lower() == mfa for keys in block.values() for key in keys):
        worlds = [
            {k: v for k, v in request.context.items() if k != mfa},
            {**request.context, mfa: "false"},
        ]
    answers = [_holds(block, world, generous=generous, variables=new) for world in worlds]
    return any(answers) if generous else all(answers)


def _resources(texts: Sequence[str], request: Request, *, generous: bool, new: bool) -> bool:
    """Whether one of the ARNs matches. A variable without a settled value matches anything in its
    place, or the ARN nothing: ``identity/${…}`` is no template by any reading.
    """
    for text in texts:
        short = 6 - len(re.sub(VARIABLE, "", text).split(":")) if text.startswith("arn:") else 0
        full = text + ":*" * short
        pattern = expand(full, request.context, wildcards=True, variables=new)
        if pattern is None and generous:
            pattern = wild(re.sub(VARIABLE, "*", full))
        if pattern is not None and glob(pattern, request.resource):
            return True
    return False


@lru_cache(maxsize=100_000)
def names(pattern: str, action: str) -> bool:
    """Whether an Action's pattern names an action, without regard to case."""
    return glob(wild(pattern.lower()), action.lower())


def matches(statement: Mapping[str, Any], request: Request, *, generous: bool, new: bool) -> bool:
    """Whether a statement applies to a request."""
    negated = "NotAction" in statement
    named = as_list(statement["NotAction" if negated else "Action"])
    if any(names(pattern, request.action) for pattern in named) is negated:
        return False
    negated = "NotResource" in statement
    places = as_list(statement["NotResource" if negated else "Resource"])
    if _resources(places, request, generous=generous != negated, new=new) is negated:
        return False
    return conditions(statement.get("Condition", {}), request, generous=generous, new=new)


def layer(documents: Iterable[object], request: Request, reading: Reading) -> tuple[bool, bool]:
    """Return whether a layer has a matching Allow, and a matching Deny."""
    allowed = denied = False
    for raw in documents:
        document = load(raw)
        new = document.get("Version") == "2012-10-17"
        for statement in as_list(document["Statement"]):
            allow = statement["Effect"] == "Allow"
            generous = (reading is Reading.MOST) is allow
            if matches(statement, request, generous=generous, new=new):
                allowed, denied = allowed or allow, denied or not allow
    return allowed, denied


def allows(
    policies: Iterable[object], boundary: object, request: Request, reading: Reading
) -> bool:
    """Whether every layer allows the request and none denies it.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
    """
    layers = [layer(policies, request, reading)]
    if boundary is not None:
        layers.append(layer([boundary], request, reading))
    return all(allowed and not denied for allowed, denied in layers)
