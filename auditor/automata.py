"""Glob patterns as bit-parallel automata, and the search through a product of them.

A position is a bit; a whole set of positions moves in a few integer operations, so a complement
needs no determinisation up front: a state of the search is the set of positions reached, and each
distinct one is looked at once.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import lru_cache
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.errors import Undecidable
from auditor.globs import ANY, STAR, Glob, fold_case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from auditor.domains import Domain

SEARCH_BUDGET: Final = 1_500_000
"""Steps that one search may take: a second or two. A step moves one automaton over one character,
and counts once for each 64 positions. Real policies need a few hundred; a complement of
``*a????????????????????`` has a million states and may need more than any budget."""


class OutOfSteps(Undecidable):
    """A search needs more steps than are left to whoever asked: no answer to remember."""


STEPS_LEFT: Final[ContextVar[Callable[[], int]]] = ContextVar(
    "steps left", default=lambda: SEARCH_BUDGET
)
"""Tells how many steps the asker has left; beyond them a search needn't go on."""


GOALS_MAX: Final = 8
"""Patterns of a set up to which a search is led by how much each has left to match."""


class Pattern(NamedTuple):
    """A glob that is matched part by part: wildcards of the first five parts don't cross ``:``.

    So ``ArnLike`` compares: https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_policies_elements_condition_operators.html#Conditions_ARN
    """

    parts: tuple[Glob, ...]

    literal: None = None

    def matches(self, text: str) -> bool:
        """Tell whether the text has six parts and each matches its own."""
        parts = text.split(":", 5)
        return len(parts) == 6 and all(
            mine.matches(part) for mine, part in zip(self.parts, parts, strict=True)
        )


Language = frozenset[Glob | Pattern]


class Automaton:
    """A set of globs as one nondeterministic automaton over bit positions.

    ``accept`` marks the ends; ``sink`` the stars that end a pattern: whoever has reached one
    accepts whatever follows.
    """

    __slots__ = ("_any", "_any_nc", "_by_char", "_goals", "_star", "_star_nc", "accept", "chars",
                 "sink", "start", "weight")  # fmt: skip

    def __init__(self, globs: Iterable[Glob | Pattern]) -> None:
        self._by_char: dict[str, int] = {}
        self._any = self._any_nc = self._star = self._star_nc = 0
        self.start = self.accept = self.sink = 0
        self._goals: list[tuple[int, int, list[int]]] = []
        bit = 0
        for glob in sorted(globs, key=repr):
            items = items_of(glob)
            self.start |= 1 << bit
            left = [0]
            for position, (item, fold, no_colon) in enumerate(items):
                self._add(bit + position, item, fold=fold, no_colon=no_colon)
            for item, _, _ in reversed(items):
                left.append(left[-1] + (item != STAR))
            if items and items[-1][0] == STAR and not items[-1][2]:
                self.sink |= 1 << (bit + len(items) - 1)
            self._goals.append((bit, (1 << (len(items) + 1)) - 1, left[::-1]))
            bit += len(items)
            self.accept |= 1 << bit
            bit += 1
        self.chars = frozenset(self._by_char)
        self.weight = 1 + bit // 64
        self.start = self._close(self.start)

    def _add(self, bit: int, item: str, *, fold: bool, no_colon: bool) -> None:
        mask = 1 << bit
        if item == STAR:
            self._star |= mask
            self._star_nc |= mask if no_colon else 0
        elif item == ANY:
            self._any |= mask
            self._any_nc |= mask if no_colon else 0
        else:
            for char in {item, item.upper()} if fold else {item}:
                if not fold or (len(char) == 1 and fold_case(char) == item):
                    self._by_char[char] = self._by_char.get(char, 0) | mask

    def _close(self, states: int) -> int:
        """Add the positions reached over nothing: from a star to what follows it."""
        return states | (states & self._star) << 1

    def moves(self, char: str) -> tuple[int, int]:
        """Return the masks of one character: positions that move on over it, and that stay."""
        onward = self._by_char.get(char, 0) | self._any
        stay = self._star
        if char == ":":
            onward &= ~self._any_nc
            stay &= ~self._star_nc
        return onward, stay

    def step(self, states: int, moves: tuple[int, int]) -> int:
        """Return the positions reached from these over a character with these moves."""
        return self._close((states & moves[0]) << 1 | states & moves[1])

    def accepts(self, states: int) -> bool:
        """Tell whether one of these positions is an end."""
        return bool(states & self.accept)

    def distances(self) -> Distances:
        """Return the distances for one search."""
        return Distances(self)

    def distance(self, states: int) -> int:
        """Return the fewest characters that could still be needed to accept (a lower bound).

        Positions only ever move on, so the furthest one of each pattern tells; with many patterns
        it isn't worth the look.
        """
        if len(self._goals) > GOALS_MAX:
            return 0
        return min(
            (
                left[reached.bit_length() - 1]
                for shift, mask, left in self._goals
                if (reached := states >> shift & mask)
            ),
            default=0,
        )


class Distances(dict[int, int]):
    """Distances of one automaton, worked out once each: a search asks for the same ones again."""

    def __init__(self, machine: Automaton) -> None:
        super().__init__()
        self._machine = machine

    def __missing__(self, states: int) -> int:
        found = self[states] = self._machine.distance(states)
        return found


def items_of(glob: Glob | Pattern) -> list[tuple[str, bool, bool]]:
    """Return a pattern's items as (item, ignores case, wildcard stops at a colon)."""
    if isinstance(glob, Glob):
        return [(item, glob.fold, False) for item in glob.items]
    out: list[tuple[str, bool, bool]] = []
    for index, part in enumerate(glob.parts):
        if index:
            out.append((":", False, False))
        out.extend((item, part.fold, index < 5) for item in part.items)
    return out


@lru_cache(maxsize=8_192)
def automaton(globs: Language) -> Automaton:
    """Return the automaton of a set of globs."""
    return Automaton(globs)


def alphabet(domain: Domain, machines: Iterable[Automaton]) -> tuple[str, ...]:
    """Return one character for each way in which the machines and the domain tell them apart.

    Unmentioned characters come first, nicest first: they read best in a witness.
    """
    mentioned = set().union(*(machine.chars for machine in machines))
    groups = (*domain.fresh, map(chr, range(0x3041, 0x110000))) if domain.open else domain.fresh
    fresh = [
        char
        for group in groups
        if (char := next((char for char in group if char not in mentioned), "")) != ""
    ]
    return (*fresh, *sorted(mentioned))


Node = tuple[int, ...]


def explore(
    start: Node,
    after: Callable[[Node], Iterable[tuple[str, Node, int]]],
    accepts: Callable[[Node], bool],
    price: int,
    what: str,
) -> tuple[str | None, int]:
    """Search a graph of states for an accepting one, nearest first; spell the way there.

    ``after`` yields (character, next state, a lower bound of what is left to spell). ``price`` is
    what looking at one state costs. Returns (text or None, steps); raises ``Undecidable``, and
    ``OutOfSteps`` where that hangs on how much was spent before.
    """
    came: dict[Node, tuple[Node, str] | None] = {start: None}
    queue: list[tuple[int, int, int, Node]] = [(0, 0, 0, start)]
    steps = order = 0
    limit = min(SEARCH_BUDGET, STEPS_LEFT.get()())
    while queue:
        _, length, _, node = heappop(queue)
        if accepts(node):
            return _spell(came, node), steps
        steps += price
        if steps > limit:
            if limit < SEARCH_BUDGET:
                raise OutOfSteps(f"more than {limit:,} steps")
            raise Undecidable(
                f"the patterns on one key are too complex to compare ({what}: more than"
                f" {SEARCH_BUDGET:,} steps)"
            )
        for char, found, left in after(node):
            if found not in came:
                came[found] = (node, char)
                order += 1
                heappush(queue, (left + length // 4, length + 1, order, found))
    return None, steps


def _spell(came: dict[Node, tuple[Node, str] | None], node: Node) -> str:
    out: list[str] = []
    while (step := came[node]) is not None:
        node, char = step
        out.append(char)
    return "".join(reversed(out))
