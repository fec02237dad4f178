"""Policy variables: ``${key}``, ``${key, 'default'}``; the literals ``${*}``, ``${?}``, ``${$}``.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
Variables exist in documents of version 2012-10-17 only; elsewhere ``${…}`` is plain text.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Variable(NamedTuple):
    """One ``${…}``: the key in lower case, and the default or None."""

    key: str
    default: str | None


class Literal(NamedTuple):
    """A special character written as a variable: itself, never a wildcard."""

    text: str


@lru_cache(maxsize=65_536)
def split(text: str) -> tuple[str | Variable | Literal, ...]:
    """Split a value at its variables. An unclosed ``${`` is plain text."""
    parts: list[str | Variable | Literal] = []
    at = 0
    while (opened := text.find("${", at)) >= 0:
        closed = text.find("}", opened)
        if closed < 0:
            break
        if opened > at:
            parts.append(text[at:opened])
        parts.append(_inside(text[opened + 2 : closed]))
        at = closed + 1
    if at < len(text):
        parts.append(text[at:])
    return tuple(parts)


def _inside(body: str) -> Variable | Literal:
    if body in ("*", "?", "$"):
        return Literal(body)
    key, comma, rest = body.partition(",")
    rest = rest.strip()
    quoted = comma and len(rest) >= 2 and rest[0] == rest[-1] == "'"
    return Variable(key.strip().lower(), rest[1:-1] if quoted else None)


Resolved = tuple[tuple[str, bool], ...]
"""Parts of a value as (text, is literal)."""


def resolve(text: str, lookup: Callable[[str], str | bool | None]) -> Resolved | None:
    """Put values in place of variables; None where one has no single known value.

    ``lookup`` takes a key in lower case and returns its value, False where the key is known to be
    absent (then the default serves), or None where its value isn't known.
    """
    out: list[tuple[str, bool]] = []
    for part in split(text):
        if isinstance(part, str):
            out.append((part, False))
        elif isinstance(part, Literal):
            out.append((part.text, True))
        else:
            value = lookup(part.key)
            if value is False:
                value = part.default
            if not isinstance(value, str):
                return None
            out.append((value, True))
    return tuple(out)
