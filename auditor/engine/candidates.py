"""The values of one key that represent every other, for what orders values rather than spells them.

Between two thresholds next to each other every value compares alike, so thresholds, their
neighbours and the gaps between them are all that needs trying.
"""

from __future__ import annotations

import base64
from decimal import Decimal, localcontext
from math import floor
from typing import TYPE_CHECKING, Final

from auditor.globs import ANY, STAR, Glob
from auditor.policy import values

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.policy.values import Matcher


def candidates(compared: set[Matcher]) -> Iterator[str]:
    """Yield values that represent all: thresholds, their neighbours, and the gaps between."""
    matchers = sorted(compared, key=repr)
    yield from ("true", "false")
    for matcher in matchers:
        if isinstance(matcher, Glob):
            yield matcher.literal if matcher.literal is not None else _filled(matcher, "1")
        elif isinstance(matcher, values.Bytes):
            yield base64.b64encode(matcher.value).decode("ascii")
    yield ""
    yield from _numbers({m.value for m in _comparisons(matchers, "numeric")})
    for second in _seconds(_comparisons(matchers, "date")):
        yield values.iso(second) if 0 <= second <= values.CLOCK_END else str(second)
    yield from _addresses(m.block for m in matchers if isinstance(m, values.Within))


def _filled(glob: Glob, filler: str) -> str:
    """Return a text that a pattern matches, its wildcards filled in."""
    fill = {STAR: "", ANY: filler}
    return "".join(fill.get(item, item) for item in glob.items)


def _numbers(thresholds: set[Decimal]) -> Iterator[str]:
    """Yield each threshold, its neighbours, and a value between it and the one before."""
    numbers = sorted(thresholds)
    with localcontext(prec=2 * values.NUMBER_LENGTH):
        for at, value in enumerate(numbers):
            nearby = [value, value - 1, value + 1]
            if at:
                nearby.append((numbers[at - 1] + value) / 2)
            yield from [f"{near:f}" for near in nearby]


def _comparisons(matchers: Iterable[Matcher], kind: str) -> list[values.Comparison]:
    return [m for m in matchers if isinstance(m, values.Comparison) and m.kind == kind]


def _seconds(comparisons: Iterable[values.Comparison]) -> Iterator[int]:
    """Yield whole seconds on, before and after each threshold."""
    for second in sorted({floor(m.value) for m in comparisons}):
        yield from (second, second - 1, second + 1, second + 2)


def _addresses(blocks: Iterable[values.Network]) -> Iterator[str]:
    """Yield the ends of each block and the addresses just beyond them."""
    yield "198.51.100.7"
    for block in blocks:
        first, last = block.network_address, block.broadcast_address
        yield str(block[1] if block.num_addresses > 2 else first)
        yield from (str(first), str(last))
        if int(first) > 0:
            yield str(first - 1)
        if int(last) < (1 << block.max_prefixlen) - 1:
            yield str(last + 1)
    yield "2001:db8::7"


_MIDNIGHT: Final = "2000-01-01T00:00:00Z"
"""What completes the beginning of a date, such as a pattern's ``2027-*``."""


def moments(matchers: Iterable[Matcher]) -> Iterator[int]:
    """Yield the epoch seconds that represent all, of what is compared with a clock."""
    compared = list(matchers)
    yield from _seconds(m for m in compared if isinstance(m, values.Comparison))
    for text in [_filled(m, "1") for m in compared if isinstance(m, Glob)]:
        for rest in (_MIDNIGHT, "0" * 10):
            at = values.moment(text + rest[len(text) :])
            if at is not None:
                yield int(at)


def shown(key: str, second: int) -> str:
    """Return how a clock key shows a second: ISO 8601, or the epoch second."""
    return str(second) if key == "aws:epochtime" else values.iso(second)
