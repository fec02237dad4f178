"""Whether a value is in a large set of matchers: made ready once, then looked up instead of tried.

A policy may list tens of thousands of numbers, moments or addresses, and the values that represent
all others are several times as many: trying each with each would take hours.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.globs import Glob
from auditor.policy import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from decimal import Decimal

    from auditor.policy.values import Matcher

FEW: Final = 8
"""Matchers that are tried one by one: making them ready would cost more."""


class Check(NamedTuple):
    """Tells whether a text is in a set of matchers; ``cost`` is what asking once takes, in steps of
    about half a microsecond, and ``setup`` what making it ready took."""

    matches: Callable[[str], bool]
    cost: int
    setup: int = 0


def check(matchers: frozenset[Matcher]) -> Check:
    """Return what tells whether a text is in a set of matchers."""
    if len(matchers) <= FEW:
        few = tuple(matchers)
        return Check(lambda text: any(matcher.matches(text) for matcher in few), len(few))
    prepared = _Prepared(matchers)
    return Check(prepared.matches, 4 + len(prepared.others), len(matchers))


class _Prepared:
    """A set of matchers: literals by text, thresholds by kind, blocks of addresses in order."""

    def __init__(self, matchers: Iterable[Matcher]) -> None:
        self.literals: set[str] = set()
        self.others: list[Matcher] = []
        compared: dict[str, list[values.Comparison]] = {}
        blocks: dict[int, list[tuple[int, int]]] = {}
        for matcher in matchers:
            if isinstance(matcher, Glob) and matcher.literal is not None and not matcher.fold:
                self.literals.add(matcher.literal)
            elif isinstance(matcher, values.Comparison):
                compared.setdefault(matcher.kind, []).append(matcher)
            elif isinstance(matcher, values.Within):
                block = matcher.block
                ends = int(block.network_address), int(block.broadcast_address)
                blocks.setdefault(block.version, []).append(ends)
            else:
                self.others.append(matcher)
        self.thresholds = [_Thresholds(kind, found) for kind, found in compared.items()]
        self.blocks = {version: _Blocks(found) for version, found in blocks.items()}

    def matches(self, text: str) -> bool:
        """Tell whether some matcher of the set matches."""
        return (
            text in self.literals
            or any(threshold.matches(text) for threshold in self.thresholds)
            or (bool(self.blocks) and self._within(text))
            or any(matcher.matches(text) for matcher in self.others)
        )

    def _within(self, text: str) -> bool:
        mine = values.network(text)
        blocks = None if mine is None else self.blocks.get(mine.version)
        if mine is None or blocks is None:
            return False
        return blocks.hold(int(mine.network_address), int(mine.broadcast_address))


class _Thresholds:
    """Comparisons of one kind: equal to some value, or beyond the widest of each relation."""

    def __init__(self, kind: str, comparisons: Iterable[values.Comparison]) -> None:
        self.read = values.number if kind == "numeric" else values.moment
        self.equal: set[Decimal] = set()
        widest: dict[str, values.Comparison] = {}
        for one in comparisons:
            if one.relation == "==":
                self.equal.add(one.value)
                continue
            known = widest.setdefault(one.relation, one)
            wider = one.value > known.value if one.relation[0] == "<" else one.value < known.value
            widest[one.relation] = one if wider else known
        self.widest = tuple(widest.values())

    def matches(self, text: str) -> bool:
        value = self.read(text)
        return value is not None and (
            value in self.equal or any(one.matches(text) for one in self.widest)
        )


class _Blocks:
    """Blocks of addresses that hold one another or are apart: the outermost ones, in order."""

    def __init__(self, blocks: Iterable[tuple[int, int]]) -> None:
        self.starts: list[int] = []
        self.ends: list[int] = []
        for first, last in sorted(blocks, key=lambda ends: (ends[0], -ends[1])):
            if not self.ends or first > self.ends[-1]:
                self.starts.append(first)
                self.ends.append(last)

    def hold(self, first: int, last: int) -> bool:
        """Tell whether some block holds all from ``first`` to ``last``."""
        at = bisect_right(self.starts, first) - 1
        return at >= 0 and last <= self.ends[at]
