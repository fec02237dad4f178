"""The values that condition operators compare, read from text: numbers, dates, addresses, ARNs.

Each reader returns None for a text that isn't such a value. Each matcher is one policy value made
ready: ``matches(text)`` compares a request's value with it.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, Protocol

from auditor.automata import Pattern
from auditor.globs import ANY, STAR, Glob

NUMBER_LENGTH: Final = 120
"""Characters of the longest number that a request's value is read as."""
THRESHOLD_LENGTH: Final = 40
"""Characters of the longest number that a policy's value is read as: a value between two of them
still has room in ``NUMBER_LENGTH``, so that comparing stays exact."""
CLOCK_END: Final = 253_402_300_799
"""The last second of the year 9999, where calendars end."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Matcher(Protocol):
    """One policy value made ready to compare. Hashable; equal ones match the same texts."""

    def matches(self, text: str, /) -> bool:
        """Tell whether a request's value satisfies the (positive) comparison."""
        ...


@lru_cache(maxsize=8_192)
def number(text: str) -> Decimal | None:
    """Read an integer or a decimal number; None for anything else (exponents included)."""
    if len(text) > NUMBER_LENGTH or not text.isascii() or not set(text) <= set("+-.0123456789"):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


@lru_cache(maxsize=8_192)
def moment(text: str) -> Decimal | None:
    """Read a date in seconds since 1970: ISO 8601 (the W3C profile) or an epoch number.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_policies_elements_condition_operators.html#Conditions_Date
    """
    if len(text) > NUMBER_LENGTH or not text.isascii():
        return None
    if text.removeprefix("-").isdigit():
        # four digits are a year in ISO 8601 and a second of 1970 as an epoch number: no guess
        return None if len(text) == len("2026") else Decimal(text)
    padded = text if "T" in text.upper() or len(text) != len("2026-01") else f"{text}-01"
    try:
        read = datetime.fromisoformat(padded)
        aware = read if read.tzinfo else read.replace(tzinfo=UTC)
        since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
    return Decimal(since // timedelta(microseconds=1)) / 1_000_000


@lru_cache(maxsize=8_192)
def network(text: str) -> Network | None:
    """Read an IP address or a CIDR block, host bits allowed."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def iso(seconds: int) -> str:
    """Write a clock's second as ``aws:CurrentTime`` shows it."""
    return f"{datetime.fromtimestamp(min(seconds, CLOCK_END), UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A numeric or date comparison: ``kind`` tells which, ``relation`` is ``==``, ``<``, …"""

    kind: str
    relation: str
    value: Decimal

    def matches(self, text: str) -> bool:
        """Compare; a text that isn't of this kind never matches."""
        mine = number(text) if self.kind == "numeric" else moment(text)
        if mine is None:
            return False
        if self.relation == "==":
            return mine == self.value
        if mine == self.value:
            return self.relation in ("<=", ">=")
        return (mine < self.value) == self.relation.startswith("<")


@dataclass(frozen=True, slots=True)
class Within:
    """An address inside a block."""

    block: Network

    def matches(self, text: str) -> bool:
        """Tell whether the text is an address (or a block) inside this block."""
        mine = network(text)
        if mine is None or mine.version != self.block.version:
            return False
        first, last = int(self.block.network_address), int(self.block.broadcast_address)
        return first <= int(mine.network_address) and int(mine.broadcast_address) <= last


@dataclass(frozen=True, slots=True)
class Truth:
    """A boolean."""

    value: bool

    def matches(self, text: str) -> bool:
        """Compare without case."""
        return text.lower() == str(self.value).lower()


@dataclass(frozen=True, slots=True)
class Bytes:
    """Binary data, compared byte for byte after base64."""

    value: bytes

    def matches(self, text: str) -> bool:
        """Compare what the texts encode."""
        return decoded(text) == self.value


def decoded(text: str) -> bytes | None:
    """Decode base64, or None."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def arn(glob: Glob) -> Pattern | None:
    """Split an ARN pattern into its six parts; None where it has fewer."""
    parts: list[list[str]] = [[]]
    for item in glob.items:
        if item == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(item)
    return Pattern(tuple(Glob(part) for part in parts)) if len(parts) == 6 else None


def joined(parts: tuple[tuple[str, bool], ...], *, wild: bool, fold: bool) -> Glob:
    """Return the glob of (text, is literal) parts, as policy variables leave them."""
    items: list[str] = []
    for text, is_literal in parts:
        if is_literal or not wild:
            items.extend(text)
        else:
            items.extend({"*": STAR, "?": ANY}.get(char, char) for char in text)
    return Glob(items, fold=fold)
