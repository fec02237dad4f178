"""Where a text stands in a log: each different place once, as long as the budget lasts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.denial.unwrap import Log

PLACES: Final = 5_000
"""Different places that are looked at in all; a log with more is told so. One takes about 1 ms."""
LINES: Final = 5
"""Lines named of something that is there more often."""
_BEFORE: Final = 260
_AFTER: Final = 420
"""Characters by which two places are told apart: a message with both its ARNs."""


class Place(NamedTuple):
    """``squeezed[start:end]`` is the text; ``low`` and ``high`` are where its neighbours end and

    start. It is there ``times`` times, first on ``lines``.
    """

    start: int
    end: int
    low: int
    high: int
    lines: tuple[int, ...]
    times: int


class Places:
    """Looks texts up. ``unread`` counts what the budget didn't reach to."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._left = PLACES
        self.unread = 0

    def of(self, text: str) -> Iterator[Place]:
        """Yield the places of a text (without white space) that differ, in order."""
        squeezed = self._log.squeezed
        seen: dict[int, list[int]] = {}  # start, low, high, times, then starts of copies
        last: list[int] | None = None
        low, at = 0, squeezed.find(text)
        while at >= 0:
            if last is not None and last[3] == 1:
                last[2] = at
            end = at + len(text)
            # how much there is before it belongs to the key: near the text's ends two different
            # places have the same text around them
            start = max(0, at - _BEFORE)
            key = hash((at - start, squeezed[start : end + _AFTER]))
            same = seen.get(key)
            if same is not None:
                same[3] += 1
                if len(same) < 3 + LINES:
                    same.append(at)
                last = None
            elif self._left:
                self._left -= 1
                last = seen[key] = [at, low, len(squeezed), 1]
            else:
                self.unread += 1
                last = None
            low, at = end, squeezed.find(text, end)
        for start, before, after, times, *copies in seen.values():
            lines = dict.fromkeys(map(self._log.line_of, (start, *copies)))
            yield Place(start, start + len(text), before, after, tuple(lines), times)
