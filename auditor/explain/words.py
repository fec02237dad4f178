"""Statements, conditions and requests in plain words. Texts in, texts out, all of them visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.actions import RECIPIENTS
from auditor.policy.operators import NULL
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.engine.layers import Located
    from auditor.engine.request import Request
    from auditor.explain.evidence import Failed, Heard
    from auditor.policy.model import Condition

SHOWN = 4
"""Entries of a list that a sentence names; the rest are counted."""
LONGEST = 200
"""Characters of one policy value or name that a sentence shows."""

_COMPARED = ("string", "arn")
"""Operator families of which one says that a value matches; of the others, that it satisfies."""


def short(text: str) -> str:
    """Return somebody else's text made visible, cut where it would drown the sentence."""
    shown = visible(text)
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def some(items: Iterable[str], joint: str = ", ") -> str:
    """Join a few texts, made visible; beyond ``SHOWN`` they are counted."""
    every = list(items)
    text = joint.join(short(item) or '""' for item in every[:SHOWN])
    rest = len(every) - SHOWN
    return f"{text} and {rest:,} more" if rest > 0 else text


def place(one: Located) -> str:
    """Return ``the Deny in statement 0 "Guard" of inline policy mail``."""
    statement = one.statement
    effect = "Allow" if statement.allows else "Deny"
    sid = f' "{short(statement.sid)}"' if statement.sid else ""
    return f"the {effect} in statement {statement.index}{sid} of {policy(one)}"


def policy(one: Located) -> str:
    """Return ``inline policy mail``, ``service control policy limits (arn:…)``, …"""
    source = one.source
    if one.layer == "trust":
        return "the trust policy"
    kinds = {
        "permissions-boundary": "the permissions boundary",
        "scp": "service control policy",
        "identity-policy": "the SES identity's policy",
    }
    kind = kinds.get(one.layer, f"{source.kind} policy")
    arn = f" ({source.arn})" if source.arn and source.kind != "aws-managed" else ""
    return short(f"{kind} {source.name}{arn}")


def condition_words(condition: Condition) -> str:
    """Return ``ForAnyValue:StringLike ses:Recipients *@example.com``."""
    values = some(condition.values, " or ")
    return f"{short(condition.spelled)} {short(condition.shown)} {values}".rstrip()


def why_failed(failed: Failed, allows: bool) -> str:
    """Return why a condition doesn't hold, with the request's value and the policy's."""
    condition = failed.condition
    key = short(condition.shown)
    if condition.operator is NULL:
        if failed.values is None:
            return f"the request doesn't carry {key}"
        return f"the request carries {key}: {some(failed.values)}"
    if failed.open:
        return (
            f"AWS doesn't say what this means here, and in {'an Allow' if allows else 'a Deny'} it"
            " may never hold"
        )
    if failed.values is None:
        return f"the request doesn't carry {key}"
    fitting = [value for value, text in failed.matched if text is not None]
    others = [value for value, text in failed.matched if text is None]
    verb = "matches" if condition.operator.family in _COMPARED else "satisfies"
    lacking = "doesn't match" if verb == "matches" else "doesn't satisfy it:"
    noun = "recipient" if condition.key == RECIPIENTS else "value"
    if not condition.operator.negated:
        wrong = others or failed.values
        if condition.quantifier == "any" and len(wrong) > 1:
            return f"no {noun} of the request {verb}: {some(wrong)}"
        return f"the request has {some(wrong)}, which {_lacks(lacking)}"
    texts = some(dict.fromkeys(text for _, text in failed.matched if text is not None), " or ")
    if condition.quantifier == "any":
        return f"every {noun} here {verb} {texts}: {some(failed.values)}"
    return f"the request has {some(fitting or failed.values)}, which {verb} {texts}"


def _lacks(lacking: str) -> str:
    return "matches none of these" if lacking == "doesn't match" else "doesn't satisfy it"


def resource_words(one: Located) -> str:
    """Return what a statement is about: ``arn:aws:ses:*:*:identity/*``, or all but that."""
    statement = one.statement
    texts = some(statement.resources, " or ") or "nothing"
    return f"everything but {texts}" if statement.not_resource else texts


def request_words(request: Request) -> str:
    """Return a request as one reads it: ``ses:SendEmail to someone@example.com, as …``."""
    to = next((v for key, v in request.context.items() if key.lower() == RECIPIENTS), ())
    aimed = f" to {some((to,) if isinstance(to, str) else to)}" if to else ""
    return f"{short(request.action)}{aimed}, on {some(request.resources, ' and ')}"


def with_words(request: Request, leave_out: Sequence[str] = (RECIPIENTS,)) -> list[str]:
    """Return the request's other keys, each ``key = value``."""
    return [
        f"{short(key)} = {some((value,) if isinstance(value, str) else value)}"
        for key, value in sorted(request.context.items())
        if key.lower() not in leave_out
    ]


def heard_words(one: Heard) -> list[str]:
    """Return the reasons why a statement doesn't apply, one each."""
    if one.fate == "resource":
        return [f"it is about {resource_words(one.located)}, not {short(one.resource)}"]
    allows = one.located.statement.allows
    return [f"{condition_words(f.condition)}: {why_failed(f, allows)}" for f in one.failed]


def listing(words: Sequence[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def capital(text: str) -> str:
    """Return the text with its first letter raised."""
    return text[:1].upper() + text[1:]
