"""The judge's condition operators, one comparison of two values each.

Written from the IAM User Guide, "IAM JSON policy elements: Condition operators"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html)
and from nothing in ``auditor``: two programs that share code share mistakes.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# A policy value as a list of pieces: plain characters, or one of the two wildcards.
STAR, MARK = object(), object()
Pattern = tuple[object, ...]


def literal(text: str) -> Pattern:
    """Return a pattern that equals ``text`` and nothing else."""
    return tuple(text)


def wild(text: str) -> Pattern:
    """Return the pattern of ``text``, its ``*`` and ``?`` being wildcards."""
    return tuple({"*": STAR, "?": MARK}.get(char, char) for char in text)


def glob(pattern: Pattern, value: str) -> bool:
    """Whether ``value`` is in the pattern's language.

    Going back to the last star only is enough, and keeps ``*a*a*a*a*b`` from blowing up.
    """
    at = back = 0
    star = -1
    here = 0
    while here < len(value):
        piece = pattern[at] if at < len(pattern) else None
        if piece is STAR:
            star, back, at = at, here, at + 1
        elif piece is MARK or piece == value[here]:
            at, here = at + 1, here + 1
        elif star >= 0:
            back += 1
            at, here = star + 1, back
        else:
            return False
    return all(piece is STAR for piece in pattern[at:])


def text_of(pattern: Pattern) -> str:
    """Return the pattern as it was written, wildcards as characters."""
    return "".join("*" if p is STAR else "?" if p is MARK else str(p) for p in pattern)


def moment(text: str) -> float:
    """Return seconds since the epoch of an ISO 8601 date or a number."""
    if re.fullmatch(r"-?\d+(\.\d+)?", text) and not re.fullmatch(r"\d{4}", text):
        return float(text)
    when = datetime.fromisoformat(text)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def arn_like(pattern: Pattern, value: str) -> bool:
    """Whether an ARN matches, each of the six parts on its own."""
    pieces: list[list[object]] = [[]]
    for piece in pattern:
        if piece == ":" and len(pieces) < 6:
            pieces.append([])
        else:
            pieces[-1].append(piece)
    parts = value.split(":", 5)
    return len(pieces) == len(parts) == 6 and all(
        glob(tuple(piece), part) for piece, part in zip(pieces, parts, strict=True)
    )


def is_address(value: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def in_network(pattern: Pattern, value: str) -> bool:
    """Whether an address lies in a network; a value of the other family doesn't."""
    network = ipaddress.ip_network(text_of(pattern), strict=False)
    if not is_address(value):
        return False
    address = ipaddress.ip_address(value)
    return address.version == network.version and address in network


def _number(compare: Callable[[float, float], bool]) -> Callable[[Pattern, str], bool]:
    return lambda pattern, value: compare(float(value), float(text_of(pattern)))


def _date(compare: Callable[[float, float], bool]) -> Callable[[Pattern, str], bool]:
    return lambda pattern, value: compare(moment(value), moment(text_of(pattern)))


def _equals(pattern: Pattern, value: str) -> bool:
    return text_of(pattern) == value


ORDERS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda a, b: a == b,
    "LessThan": lambda a, b: a < b,
    "LessThanEquals": lambda a, b: a <= b,
    "GreaterThan": lambda a, b: a > b,
    "GreaterThanEquals": lambda a, b: a >= b,
}

# Operator in lower case -> comparison. A negated operator is the plain one's opposite.
PLAIN: dict[str, Callable[[Pattern, str], bool]] = {
    "stringequals": _equals,
    "stringequalsignorecase": lambda p, v: text_of(p).lower() == v.lower(),
    "stringlike": glob,
    "bool": lambda p, v: text_of(p).lower() == v.lower(),
    "binaryequals": lambda p, v: base64.b64decode(text_of(p)) == base64.b64decode(v),
    "ipaddress": in_network,
    "arnequals": arn_like,
    "arnlike": arn_like,
    **{f"numeric{name.lower()}": _number(compare) for name, compare in ORDERS.items()},
    **{f"date{name.lower()}": _date(compare) for name, compare in ORDERS.items()},
}
NEGATED = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
}
# Only these have wildcards at all.
WILD = {"stringlike", "arnequals", "arnlike"}
