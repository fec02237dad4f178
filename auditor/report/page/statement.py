"""A statement's text for the page, one line a value, and which of its lines decide."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.actions import BOUNCE, RECIPIENTS, SEND_ACTIONS
from auditor.errors import PolicyError
from auditor.globs import like
from auditor.policy.parse import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.account import PolicyText, Role
    from auditor.findings import Finding, StatementRef

LENGTH_MAX: Final = 12_000
"""Characters of one statement's text. IAM's largest policy has 10,240 without white space."""

ANY_SEND: Final = tuple(action.name for action in SEND_ACTIONS if action.name != BOUNCE)
_STEP: Final = "sts:AssumeRole"
_OF_THE_ACCOUNT: Final = ("scp", "identity-policy")


class Statement(NamedTuple):
    """``text`` has a space of indent a level; ``marks`` are the lines that decide, from 0."""

    text: str
    marks: tuple[int, ...]


class Asked(NamedTuple):
    """What a finding's requests ask for, to tell which lines of a statement answer them."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


def statement_of(ref: StatementRef, roles: Sequence[Role], asked: Asked) -> Statement | None:
    """Return a statement's text; None where the report doesn't carry it, or it is too long.

    :param roles: those whose policies are told of: the role itself, then those it may become.
    """
    source = _source(ref, roles)
    raw = None if source is None else _raw(source, ref.index)
    if raw is None or raw.get("Sid") != ref.sid or raw.get("Effect") != ref.effect:
        return None
    lines = list(_element("", raw, "", asked))
    text = "\n".join(line for line, _ in lines)
    if len(text) > LENGTH_MAX:
        return None
    return Statement(text, tuple(number for number, (_, marked) in enumerate(lines) if marked))


def _source(ref: StatementRef, roles: Sequence[Role]) -> PolicyText | None:
    """Return the document that a statement stands in: the very role's, where it is a role's.

    Roles that are decided alike share what is said of them, and their documents may be spelled
    differently.
    """
    if ref.kind in _OF_THE_ACCOUNT or not roles:
        return ref.source
    owners = [role for role in roles if ref.role in (None, role.name)]
    return next((one for one in _policies(owners) if _same(one, ref)), None)


def _policies(roles: Sequence[Role]) -> Iterator[PolicyText]:
    for role in roles:
        yield from (*role.inline, *role.attached, role.trust)
        if role.boundary is not None:
            yield role.boundary


def _same(one: PolicyText, ref: StatementRef) -> bool:
    return (one.kind, one.name, one.arn) == (ref.kind, ref.policy, ref.policy_arn)


@lru_cache(maxsize=4_096)
def _raw(source: PolicyText, index: int) -> dict[str, object] | None:
    try:
        listed = load(source.document).get("Statement")
    except PolicyError:
        return None
    entries = listed if isinstance(listed, list) else [listed]
    found = entries[index] if index < len(entries) else None
    return found if isinstance(found, dict) else None


def _element(
    indent: str, entries: dict[str, object], comma: str, asked: Asked
) -> Iterator[tuple[str, bool]]:
    """Yield a statement's lines, each with whether it decides."""
    yield f"{indent}{{", False
    for number, (name, value) in enumerate(entries.items(), 1):
        after = "," if number < len(entries) else ""
        inner = f"{indent} "
        if name == "Condition" and isinstance(value, dict):
            yield from _condition(inner, value, after)
        else:
            yield from _value(f"{inner}{_text(name)}: ", inner, value, after, name, asked)
    yield f"{indent}}}{comma}", False


def _value(
    start: str, indent: str, value: object, after: str, name: str, asked: Asked
) -> Iterator[tuple[str, bool]]:
    if not isinstance(value, list) or not value:
        yield f"{start}{_text(value)}{after}", _decides(name, value, asked)
        return
    yield f"{start}[", name.startswith("Not") and name[3:] in ("Action", "Resource")
    for number, one in enumerate(value, 1):
        end = "," if number < len(value) else ""
        yield f"{indent} {_text(one)}{end}", _decides(name, one, asked)
    yield f"{indent}]{after}", False


def _condition(indent: str, block: dict[str, object], after: str) -> Iterator[tuple[str, bool]]:
    """Yield the lines of a condition; those about the recipients decide, and their operator's."""
    yield f'{indent}"Condition": {{', False
    for number, (operator, keys) in enumerate(block.items(), 1):
        end = "," if number < len(block) else ""
        if not isinstance(keys, dict):
            yield f"{indent} {_text(operator)}: {_text(keys)}{end}", False
            continue
        about = any(key.lower() == RECIPIENTS for key in keys)
        yield f"{indent} {_text(operator)}: {{", about
        for place, (key, values) in enumerate(keys.items(), 1):
            inner = f"{indent}  "
            last = "," if place < len(keys) else ""
            whole = key.lower() == RECIPIENTS
            for line, _ in _value(f"{inner}{_text(key)}: ", inner, values, last, "", Asked((), ())):
                yield line, whole and line.strip() not in ("]", "],")
        yield f"{indent} }}{end}", False
    yield f"{indent}}}{after}", False


def _decides(name: str, value: object, asked: Asked) -> bool:
    if not isinstance(value, str):
        return False
    if name == "Action":
        return any(like(value, fold=True).matches(one) for one in asked.actions)
    if name == "Resource":
        return any(like(value).matches(one) for one in asked.resources)
    return name in ("NotAction", "NotResource")


def _text(value: object) -> str:
    """Return JSON in ASCII: what doesn't print as itself, and what turns words around, is seen."""
    return json.dumps(value)


def asked_by(findings: Sequence[Finding]) -> Asked:
    """Return what the findings' requests ask for; on the way to another role, to assume it."""
    witnesses = [one.witness for one in findings if one.witness is not None]
    steps = (_STEP,) if any(ref.role for one in findings for ref in one.statements) else ()
    return Asked(
        tuple(dict.fromkeys((*(one.action for one in witnesses), *steps))),
        tuple(dict.fromkeys(arn for one in witnesses for arn in one.resources)),
    )
