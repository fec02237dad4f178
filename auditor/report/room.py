"""Room in a text of bounded length: shared out so that nothing is left out while there is some."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Entry(NamedTuple):
    """A text that stands whole or not at all, and how many things it is about."""

    text: str
    number: int = 1


class Part(NamedTuple):
    """Entries under a heading. ``what`` names those that are left out, after their number.

    ``share`` is the part of all room that it has for sure, 0 to 1; ``rank`` says who gets what
    others leave, the lowest first.
    """

    heading: str
    entries: Sequence[Entry]
    what: str
    share: float
    rank: int


def size(text: str) -> int:
    """Return a line's bytes in UTF-8, its end included."""
    return len(text.encode()) + 1


def fitted(parts: Sequence[Part], room: int) -> tuple[list[str], list[str]]:
    """Return the lines that fit into ``room`` bytes, and what was left out, a sentence each.

    Parts without entries have no heading either. Shares must add up to 1 at most.
    """
    parts = [part for part in parts if part.entries]
    lines: list[str] = []
    left_out: list[str] = []
    for part, part_room in zip(parts, _rooms(parts, room), strict=True):
        end, missed = part_room - size(part.heading), 0
        if end >= 0:
            lines.append(part.heading)
        for entry in part.entries:
            if size(entry.text) <= end:
                lines.append(entry.text)
                end -= size(entry.text)
            else:
                missed += entry.number
        if missed:
            left_out.append(f"{missed:,} {part.what}.")
    return lines, left_out


def _rooms(parts: Sequence[Part], room: int) -> list[int]:
    """Return each part's bytes: what it needs, or its share and what others leave."""
    needs = [size(part.heading) + sum(size(one.text) for one in part.entries) for part in parts]
    rooms = [min(need, int(room * part.share)) for need, part in zip(needs, parts, strict=True)]
    left = room - sum(rooms)
    for n in sorted(range(len(parts)), key=lambda n: parts[n].rank):
        more = min(left, needs[n] - rooms[n])
        rooms[n] += more
        left -= more
    return rooms
