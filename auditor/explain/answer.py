"""What came of one request, as text for people and as JSON values for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.actions import RECIPIENTS
from auditor.explain.page import Page
from auditor.explain.words import (
    capital,
    heard_words,
    listing,
    place,
    short,
    some,
    with_words,
)
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from auditor.account import Role
    from auditor.engine.layers import Located
    from auditor.engine.request import Request
    from auditor.explain.ask import Asked
    from auditor.explain.evidence import Heard
    from auditor.explain.judge import Answer

NOT_LOOKED_AT = {
    "scps": "service control policies",
    "identity-policies": "policies on SES identities",
}
_SAID = {
    "allowed": "ALLOWED: {role} may make this request.",
    "not allowed": "NOT ALLOWED: {role} can't make this request.",
    "not decided": "NOT DECIDED: whether {role} may make this request can't be told.",
}
_SHOWN_OTHERS = 20
"""Statements in a list; the rest are counted. The JSON has all."""


def render(
    role: Role, asked: Asked, answer: Answer, missing: Sequence[str], page: Page | None = None
) -> str:
    """Return the answer as text. ``missing`` is the account's ``not_evaluated``."""
    page = page or Page()
    page.title(_SAID[answer.outcome].format(role=short(role.name)), bad=answer.outcome != "allowed")
    if answer.outcome == "not decided":
        for doubt in answer.doubts:
            page.say(f"{opened(doubt)}.", 0)
    page.heading("The request")
    page.rows(_request_rows(asked.request, asked.filled))
    page.rows(_session_rows(asked.session))
    _statements(page, answer.heard)
    for name in answer.silent:
        page.heading(f"Nothing in {short(name)} allows all of it.")
    if answer.twin:
        page.heading("The same, as ses:SendBulkTemplatedEmail")
        _statements(page, answer.twin)
    notes = [*asked.remarks, *_gaps(missing)]
    if notes:
        page.heading("Notes")
        page.items(map(visible, notes))
    return page.text()


def opened(doubt: str) -> str:
    """Return a doubt as a sentence: what AWS leaves open, or what document is missing."""
    asks = doubt.startswith(("what ", "whether "))
    text = visible(doubt)
    return f"AWS's documentation leaves this open: {text}" if asks else capital(text)


def _gaps(missing: Sequence[str]) -> Iterator[str]:
    named = [NOT_LOOKED_AT[name] for name in missing if name in NOT_LOOKED_AT]
    if named:
        yield f"Not looked at, for the source doesn't contain them: {listing(named)}."


def _request_rows(request: Request, filled: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "action", short(request.action)
    note = " (filled in)" if "resource" in filled else ""
    for arn in request.resources:
        yield "resource", f"{short(arn)}{note}"
    to = next((v for key, v in request.context.items() if key.lower() == RECIPIENTS), None)
    if to is not None:
        yield "to", some((to,) if isinstance(to, str) else to)
    for text in with_words(request):
        key = text.partition(" = ")[0]
        yield "with", f"{text} (filled in)" if key in filled else text


def _session_rows(session: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what is known of the role's sessions, which no request needs to give."""
    for number, (key, value) in enumerate(session.items()):
        if number == _SHOWN_OTHERS:
            yield "session", f"and {len(session) - number:,} more"
            return
        yield "session", f"{short(key)} = {short(value)}"


def _statements(page: Page, heard: Sequence[Heard]) -> None:
    """Add what the statements say, those that decide first."""
    several = len({one.resource for one in heard}) > 1
    groups = (
        ("Matched", [one for one in heard if one.fate == "matches"]),
        ("Match or don't, which AWS leaves open", [one for one in heard if one.fate == "open"]),
        ("Nearly: right action and resource", [one for one in heard if one.fate == "conditions"]),
        ("Right action, another resource", [one for one in heard if one.fate == "resource"]),
    )
    if not heard:
        page.heading("No statement that could be read names the action.")
    for name, found in groups:
        if not found:
            continue
        page.heading(name)
        found.sort(key=lambda one: one.located.statement.allows)  # Denies first: they decide
        for one in found[:_SHOWN_OTHERS]:
            on = f" (on {short(one.resource)})" if several else ""
            page.say(f"{capital(place(one.located))}{on}", 2)
            page.items(map(visible, one.doubts), 4)
            page.items(heard_words(one), 4)
        if len(found) > _SHOWN_OTHERS:
            page.say(f"and {len(found) - _SHOWN_OTHERS:,} more", 2)


def to_dict(role: Role, asked: Asked, answer: Answer, missing: Sequence[str]) -> dict[str, object]:
    """Return the answer as JSON values. ``docs/explain.md`` has the fields."""
    request = asked.request
    return {
        "schema_version": "1",
        "role": {"arn": role.arn, "name": role.name},
        "outcome": answer.outcome,
        "doubts": list(answer.doubts),
        "least_access": answer.least,
        "most_access": answer.most,
        "request": request_dict(request),
        "session": dict(asked.session),
        "filled_in": list(asked.filled),
        "statements": [_heard(one) for one in answer.heard],
        "layers_without_allow": list(answer.silent),
        "checked_too": [_heard(one) for one in answer.twin],
        "notes": [*asked.remarks],
        "not_evaluated": list(missing),
    }


def request_dict(request: Request) -> dict[str, object]:
    """Return a request in the shape of the report's witness."""
    return {
        "action": request.action,
        "resource": request.resources[0],
        **({"resources": list(request.resources)} if len(request.resources) > 1 else {}),
        "context": {
            key: value if isinstance(value, str) and key.lower() != RECIPIENTS else _list(value)
            for key, value in sorted(
                request.context.items(), key=lambda item: (item[0].lower() != RECIPIENTS, item[0])
            )
        },
    }


def _list(value: str | tuple[str, ...]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _heard(one: Heard) -> dict[str, object]:
    return {
        "statement": statement_dict(one.located),
        "resource": one.resource,
        "fate": one.fate,
        "doubts": list(one.doubts),
        "failed": [
            {
                "operator": failed.condition.spelled,
                "key": failed.condition.shown,
                "policy_values": list(failed.condition.values),
                "request_values": None if failed.values is None else list(failed.values),
            }
            for failed in one.failed
        ],
        "why_not": heard_words(one),
    }


def statement_dict(one: Located) -> dict[str, object]:
    """Return where a statement stands, in the shape of the report's statements."""
    return {
        "layer": one.layer,
        "policy": one.source.name,
        "policy_arn": one.source.arn,
        "kind": one.source.kind,
        "sid": one.statement.sid,
        "index": one.statement.index,
        "effect": "Allow" if one.statement.allows else "Deny",
    }
