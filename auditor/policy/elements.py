"""The elements of one statement, read: actions, principals, conditions and their values."""

from __future__ import annotations

from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Final

from auditor import actions
from auditor.errors import PolicyError
from auditor.policy.model import Condition, Principals
from auditor.policy.operators import spelled
from auditor.policy.shown import kind_of, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator


def one_of(entry: dict[str, object], name: str, where: str) -> tuple[tuple[str, ...], bool]:
    """Return the texts of ``Action`` or ``NotAction`` (or Resource), and whether it is ``Not…``."""
    negated = f"Not{name}"
    if name in entry and negated in entry:
        raise PolicyError(where, f"both {name} and {negated}")
    used = name if name in entry else negated
    if used not in entry:
        raise PolicyError(where, f"neither {name} nor {negated}")
    raw = entry[used]
    if isinstance(raw, str):
        return (raw,), used == negated
    if not isinstance(raw, list):
        raise PolicyError(f"{where}.{used}", f"a string or a list of them, not {kind_of(raw)}")
    for position, value in enumerate(raw):
        if not isinstance(value, str):
            raise PolicyError(f"{where}.{used}[{position}]", f"a string, not {kind_of(value)}")
    return tuple(raw), used == negated


@lru_cache(maxsize=65_536)
def _valid_action(pattern: str) -> bool:
    """Tell whether a pattern has a service prefix without wildcards; a lone ``*`` needs none."""
    prefix, colon, rest = pattern.partition(":")
    return pattern == "*" or bool(colon and prefix and rest and not set(prefix) & {"*", "?"})


def action_mask(pattern: str, where: str) -> int:
    """Return which of ``auditor.actions``' an action pattern names, a bit each."""
    if not _valid_action(pattern):
        raise PolicyError(
            where, f"action {shorten(pattern)} needs a service prefix without wildcards"
        )
    return actions.matching(pattern)


def conditions(block: dict[str, object], where: str) -> Iterator[Condition]:
    """Yield the conditions of a statement's ``Condition``: one for each operator and key."""
    for name, keys in block.items():
        try:
            operator, quantifier, if_exists = spelled(name)
        except PolicyError as error:
            raise PolicyError(where, error.what) from None
        place = f"{where}.{name}"
        if not isinstance(keys, dict):
            raise PolicyError(place, f"an object of keys, not {kind_of(keys)}")
        for key, raw in keys.items():
            values = tuple(_value(item, f"{place}.{key}") for item in _as_list(raw))
            variables = any("${" in text for text in values)
            yield Condition(
                operator, quantifier, if_exists, key.lower(), key, values, name, variables
            )


def _as_list(raw: object) -> list[object]:
    return raw if isinstance(raw, list) else [raw]


def _value(raw: object, where: str) -> str:
    if isinstance(raw, str):
        return raw
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if isinstance(raw, int) and raw.bit_length() < NUMBER_BITS:
        return str(raw)
    if isinstance(raw, float) and isfinite(raw):
        return str(raw)
    raise PolicyError(where, f"a value is a string, a number or a boolean, not {kind_of(raw)}")


NUMBER_BITS: Final = 1_024
"""Size of the largest whole number read as a condition's value: far beyond any that IAM takes."""


def principals(entry: dict[str, object], where: str) -> Principals:
    """Read ``Principal`` or ``NotPrincipal``: ``"*"``, or an object of texts by type.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    negated = "NotPrincipal" in entry
    name = "NotPrincipal" if negated else "Principal"
    raw = entry.get(name)
    if negated and entry.get("Effect") == "Allow":
        raise PolicyError(where, "NotPrincipal goes with Deny only")
    if negated == ("Principal" in entry):
        raise PolicyError(where, "exactly one of Principal and NotPrincipal is needed")
    if raw == "*":
        return Principals(frozenset("*"), frozenset(), negated)
    if not isinstance(raw, dict):
        raise PolicyError(f"{where}.{name}", f'"*" or an object, not {kind_of(raw)}')
    texts: dict[str, frozenset[str]] = {}
    for kind, values in raw.items():
        if not all(isinstance(value, str) for value in _as_list(values)):
            raise PolicyError(f"{where}.{name}.{kind}", "a string or a list of them")
        texts[kind] = frozenset(str(value) for value in _as_list(values))
    return Principals(texts.get("AWS", frozenset()), texts.get("Service", frozenset()), negated)
