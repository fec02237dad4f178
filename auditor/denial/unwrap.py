"""A log as one long text without white space, and back to what stood around a place in it.

A message is found wherever a terminal, a logger or JSON broke it, since nothing looked for there
depends on where the breaks are. All of it takes time in proportion to the log: no pattern here can
go over the same text twice, and what is looked at closely is cut to a named length.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.denial.prefixes import without_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECE: Final = 512
"""Characters of a piece; longer lines are several. A place is found by searching one piece."""
BEFORE: Final = 700
AFTER: Final = 1_200
"""Characters without white space around a place: a message of AWS's has its ARNs (up to 200 each)
and a few words; a call's name may stand a few lines before it."""
NESTED: Final = 3
"""Times that JSON or XML is put into itself: a message, in a log event, in a build's log."""
WIDTH: Final = 20
"""Characters of the narrowest line that is taken to be cut by its width."""

# https://ecma-international.org/publications-and-standards/standards/ecma-48/ (CSI), and the
# title strings of terminals (OSC); the last is what a browser copies of a color
_ANSI: Final = re.compile(
    r"\x1b\[[0-9;:?]{0,32}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,256}(?:\x07|\x1b\\)?|\x1b[@-Z\\-_]?"
    r"|\[[0-9;]{1,11}m"
)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|033|(.))")
_SHORT: Final = {"n": "\n", "r": "\n", "t": "\t", "b": " ", "f": " ", "e": "\x1b"}
_ENTITY: Final = re.compile(r"&(?:#(\d{2,4})|#x([0-9a-fA-F]{2,4})|(quot|apos|amp|lt|gt));")
_NAMED: Final = {"quot": '"', "apos": "'", "amp": "&", "lt": "<", "gt": ">"}
_FRAME: Final = frozenset("│┃║")
_BOX: Final = str.maketrans("│┃║", "   ")  # the frames that test runners and Rich draw


def cleaned(line: str) -> str:
    """Return a line as people read it: escapes undone, without color, frames and times."""
    for _ in range(NESTED):
        if "\\" not in line:
            break
        line = _ESCAPE.sub(_unescaped, line)
    for _ in range(NESTED):
        if "&" not in line:
            break
        line = _ENTITY.sub(_character, line)
    if "\x1b" in line or "[" in line:
        line = _ANSI.sub("", line)
    line = without_prefix(line)
    if line.isascii() or _FRAME.isdisjoint(line):
        return line
    return without_prefix(line.translate(_BOX).strip())


def _unescaped(found: re.Match[str]) -> str:
    number = found[1] or found[2]
    if number:
        return _char(int(number, 16))
    if found[3] is None:
        return "\x1b"
    return _SHORT.get(found[3], found[3] if found[3] in "\"'`\\/" else found[0])


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3]]
    return _char(int(found[1]) if found[1] else int(found[2], 16))


def _char(number: int) -> str:
    return " " if 0xD800 <= number < 0xE000 else chr(number)


class Passage(NamedTuple):
    """What stands before a place, at it and after it, with the breaks of lines. ``line`` is the

    place's, from 1.
    """

    line: int
    before: str
    after: str
    here: str = ""


class Log:
    """A log, ready to be searched: ``squeezed`` is its text without white space."""

    def __init__(self, text: str) -> None:
        self._pieces: list[str] = []
        self._numbers: list[int] = []
        self._starts: list[int] = []
        squeezed: list[str] = []
        at = 0
        for number, line in enumerate(text.split("\n"), 1):
            for piece in _cut(cleaned(line.removesuffix("\r"))):
                tight = "".join(piece.split())
                self._pieces.append(piece)
                self._numbers.append(number)
                self._starts.append(at)
                squeezed.append(tight)
                at += len(tight)
        self.squeezed = "".join(squeezed)
        self.lines = self._numbers[-1] if text else 0
        self.looked = 0

    def line_of(self, place: int) -> int:
        """Return the line, from 1, of an offset in ``squeezed``."""
        return self._numbers[bisect_right(self._starts, place) - 1]

    def passage(
        self, start: int, end: int, low: int = 0, high: int | None = None, *, unfold: bool = False
    ) -> Passage:
        """Return what stands around ``squeezed[start:end]``, between ``low`` and ``high``.

        ``unfold``: without the breaks that the width of the lines seems to have made.
        """
        high = len(self.squeezed) if high is None else high
        before = self._shown(max(low, start - BEFORE), start, unfold)
        after = self._shown(end, min(high, end + AFTER), unfold)
        return Passage(self.line_of(start), before, after, self._shown(start, end, unfold))

    def _shown(self, start: int, end: int, unfold: bool) -> str:
        """Return the text of ``squeezed[start:end]`` with its white space."""
        if start >= end:
            return ""
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, end - 1) - 1
        pieces = self._pieces[first : last + 1]
        self.looked += sum(map(len, pieces))
        full = self._full(first, last) if unfold else 0
        out: list[str] = []
        for index, piece in enumerate(pieces, first):
            here = self._starts[index]
            left = _offset(piece, start - here) if start > here else 0
            right = _offset(piece, end - here) if index == last else len(piece)
            out.append(piece[left:right])
            if index < last and self._numbers[index + 1] != self._numbers[index]:
                out.append("" if full and len(piece) == full else "\n")
        following = last + 1
        if not unfold and following < len(self._pieces) and end == self._starts[following]:
            out.append("\n" if self._numbers[following] != self._numbers[last] else "")
        return "".join(out)

    def _full(self, first: int, last: int) -> int:
        """Return the length of the lines here that were cut by their width, or 0.

        Where a terminal cuts, no line is longer, and every line but the last of a message is full.
        """
        lengths = [
            len(self._pieces[index])
            for index in range(max(0, first - 1), min(len(self._pieces), last + 2))
        ]
        widest = max(lengths)
        return widest if WIDTH <= widest < PIECE and lengths.count(widest) > 1 else 0


def _cut(line: str) -> Iterator[str]:
    """Yield the pieces of a line. A break that was written out in it is kept as one."""
    if len(line) <= PIECE:
        yield line
    else:
        yield from (line[at : at + PIECE] for at in range(0, len(line), PIECE))


def _offset(piece: str, count: int) -> int:
    """Return where a piece has had ``count`` characters that aren't white space."""
    for at, char in enumerate(piece):
        if not char.isspace():
            if not count:
                return at
            count -= 1
    return len(piece)
