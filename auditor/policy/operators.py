"""IAM's condition operators as rows of one table.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
A row says how a policy value is read and whether the operator is negated; set operators
(``ForAllValues:``, ``ForAnyValue:``) and ``…IfExists`` are the same for all of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from auditor.errors import PolicyError
from auditor.policy import values

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.globs import Glob
    from auditor.policy.values import Matcher
    from auditor.policy.variables import Resolved

Family = Literal["string", "arn", "numeric", "date", "bool", "binary", "ip", "null"]
Quantifier = Literal["", "all", "any"]


class Operator(NamedTuple):
    """One operator. ``read`` makes a policy value ready, or returns None where it can't be.

    ``variables``: whether policy variables are replaced in its values (string and ARN operators).
    """

    name: str
    family: Family
    negated: bool
    read: Callable[[Resolved], Matcher | None]
    variables: bool = False


def _text(parts: Resolved) -> str:
    return "".join(text for text, _ in parts)


def _string(*, wild: bool = False, fold: bool = False) -> Callable[[Resolved], Matcher | None]:
    return lambda parts: values.joined(parts, wild=wild, fold=fold)


def _arn(parts: Resolved) -> Matcher | None:
    glob: Glob = values.joined(parts, wild=True, fold=False)
    return values.arn(glob)


def _compare(
    kind: Literal["numeric", "date"], relation: str
) -> Callable[[Resolved], Matcher | None]:
    reader = values.number if kind == "numeric" else values.moment

    def read(parts: Resolved) -> Matcher | None:
        text = _text(parts)
        value = reader(text) if len(text) <= values.THRESHOLD_LENGTH else None
        return None if value is None else values.Comparison(kind, relation, value)

    return read


def _bool(parts: Resolved) -> Matcher | None:
    text = _text(parts).lower()
    return values.Truth(text == "true") if text in ("true", "false") else None


def _binary(parts: Resolved) -> Matcher | None:
    data = values.decoded(_text(parts))
    return None if data is None else values.Bytes(data)


def _ip(parts: Resolved) -> Matcher | None:
    block = values.network(_text(parts))
    return None if block is None else values.Within(block)


def _rows() -> tuple[Operator, ...]:
    rows = [
        Operator("StringEquals", "string", False, _string(), True),
        Operator("StringNotEquals", "string", True, _string(), True),
        Operator("StringEqualsIgnoreCase", "string", False, _string(fold=True), True),
        Operator("StringNotEqualsIgnoreCase", "string", True, _string(fold=True), True),
        Operator("StringLike", "string", False, _string(wild=True), True),
        Operator("StringNotLike", "string", True, _string(wild=True), True),
        Operator("ArnEquals", "arn", False, _arn, True),
        Operator("ArnLike", "arn", False, _arn, True),
        Operator("ArnNotEquals", "arn", True, _arn, True),
        Operator("ArnNotLike", "arn", True, _arn, True),
        Operator("Bool", "bool", False, _bool),
        Operator("BinaryEquals", "binary", False, _binary),
        Operator("IpAddress", "ip", False, _ip),
        Operator("NotIpAddress", "ip", True, _ip),
        Operator("Null", "null", False, _bool),
    ]
    for kind, prefix in (("numeric", "Numeric"), ("date", "Date")):
        kind_: Literal["numeric", "date"] = "numeric" if kind == "numeric" else "date"
        for suffix, relation, negated in (
            ("Equals", "==", False),
            ("NotEquals", "==", True),
            ("LessThan", "<", False),
            ("LessThanEquals", "<=", False),
            ("GreaterThan", ">", False),
            ("GreaterThanEquals", ">=", False),
        ):
            rows.append(Operator(prefix + suffix, kind_, negated, _compare(kind_, relation)))
    return tuple(rows)


OPERATORS: Final = {row.name.lower(): row for row in _rows()}
"""By name in lower case: IAM takes operator names in any case."""

NULL: Final = OPERATORS["null"]


class Spelled(NamedTuple):
    """An operator as a policy spells it, with its set operator and ``IfExists``."""

    operator: Operator
    quantifier: Quantifier
    if_exists: bool


@lru_cache(maxsize=1_024)
def spelled(name: str) -> Spelled:
    """Read an operator's name such as ``ForAllValues:StringLikeIfExists``.

    Raises ``PolicyError`` (with an empty place) for an operator that isn't IAM's.
    """
    low = name.lower()
    prefix, colon, rest = low.partition(":")
    quantifier: Quantifier = ""
    if colon:
        if prefix not in ("forallvalues", "foranyvalue"):
            raise PolicyError("", f"unknown condition operator {name!r}")
        quantifier = "all" if prefix == "forallvalues" else "any"
    else:
        rest = low
    if_exists = rest.endswith("ifexists")
    row = OPERATORS.get(rest.removesuffix("ifexists"))
    if row is None or (row is NULL and (quantifier or if_exists)):
        raise PolicyError("", f"unknown condition operator {name!r}")
    return Spelled(row, quantifier, if_exists)


@lru_cache(maxsize=65_536)
def read(operator: Operator, text: str) -> Matcher | None:
    """Make one policy value ready as plain text; None where the operator can't read it."""
    return operator.read(((text, False),))
