"""Emptiness of intersections of glob languages and their complements, with a member as proof.

``find(domain, inside, outside)`` answers: is there a text of the domain that matches some glob of
every set in ``inside`` and no glob of ``outside``? Exactly, or ``Undecidable`` by name.

Each set of globs is one bit-parallel automaton (a position is a bit; a whole set moves in a few
integer operations), so a complement needs no determinisation up front: a state of the search is
the set of positions reached, and each distinct one is looked at once.
"""

from __future__ import annotations

from functools import lru_cache
from heapq import heappop, heappush
from itertools import islice, product
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.domains import DEAD, Domain
from auditor.errors import Undecidable
from auditor.globs import ANY, EVERYTHING, STAR, Glob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SEARCH_BUDGET: Final = 2_000_000
"""Steps that one search may take: about two seconds. A step moves one automaton over one character,
and counts once for each 64 positions. Real policies need a few hundred; a complement of
``*a????????????????????`` has a million states and may need more than any budget."""

COVER_BUDGET: Final = 4_096
"""Pairs of patterns compared for plain inclusion before a search; beyond, the search decides."""

GUESSES: Final = 400
"""Ways to fill in a pattern's wildcards that are tried before a search, for a readable witness."""


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
    """A set of globs as one nondeterministic automaton over bit positions."""

    __slots__ = ("_any", "_any_nc", "_by_char", "_star", "_star_nc", "accept", "chars", "goal",
                 "start", "weight")  # fmt: skip

    def __init__(self, globs: Iterable[Glob | Pattern]) -> None:
        self._by_char: dict[str, int] = {}
        self._any = self._any_nc = self._star = self._star_nc = 0
        self.start = self.accept = 0
        remaining: dict[int, int] = {}
        bit = 0
        for glob in sorted(globs, key=repr):
            items = _items(glob)
            self.start |= 1 << bit
            for position, (item, fold, no_colon) in enumerate(items):
                self._add(bit + position, item, fold=fold, no_colon=no_colon)
            left = 0
            for position in range(len(items), -1, -1):
                if position < len(items) and items[position][0] != STAR:
                    left += 1
                remaining[left] = remaining.get(left, 0) | 1 << (bit + position)
            bit += len(items)
            self.accept |= 1 << bit
            bit += 1
        self.chars = frozenset(self._by_char)
        self.goal = tuple(sorted(remaining.items()))
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
            for char in {item, item.upper(), item.lower()} if fold else {item}:
                if len(char) == 1:
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

    def distance(self, states: int) -> int:
        """Return the fewest characters that could still be needed to accept (a lower bound)."""
        return next((left for left, mask in self.goal if states & mask), 0)


def _items(glob: Glob | Pattern) -> list[tuple[str, bool, bool]]:
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


class Answer(NamedTuple):
    """A member of the language or None (it is empty), and the steps that finding out took."""

    value: str | None
    cost: int


def find(domain: Domain, inside: tuple[Language, ...], outside: Language) -> Answer:
    """Return a member of the domain in every set of ``inside`` and outside ``outside``.

    Raises ``Undecidable`` where the search outgrows its budget.
    """
    if EVERYTHING in outside:
        return Answer(None, 1)
    wanted = [trimmed for globs in inside if (trimmed := _trim(globs, outside)) is not _ALL]
    if any(not globs for globs in wanted):
        return Answer(None, len(inside) + 1)
    cost = 1 + len(wanted)

    def fits(text: str) -> bool:
        return (
            domain.contains(text)
            and all(_in(globs, text) for globs in wanted)
            and not _in(outside, text)
        )

    for globs in wanted:
        literals = [glob.literal for glob in globs]
        if all(literal is not None and not _folds(glob) for literal, glob in zip(literals, globs)):  # noqa: B905
            members = sorted(literal for literal in literals if literal is not None)
            return Answer(next(filter(fits, members), None), cost + len(members))
    guesses = domain.nice if domain.finite else _guesses(domain, wanted)
    for guess in guesses:
        cost += 1
        if fits(guess):
            return Answer(guess, cost)
    if domain.finite:
        return Answer(None, cost)
    value, steps = _search(domain, wanted, outside)
    if value is not None and domain.counted is not None and not domain.contains(value):
        value, more = _search(domain.counted, wanted, outside)
        steps += more
    return Answer(value, cost + steps)


_ALL: Final = frozenset((EVERYTHING,))


def _trim(globs: Language, outside: Language) -> Language:
    """Drop the globs that ``outside`` plainly covers; none left is an empty language."""
    if EVERYTHING in globs and not outside:
        return _ALL
    left = globs - outside
    if len(left) * len(outside) > COVER_BUDGET:
        return left
    kept = frozenset(
        glob
        for glob in left
        if not isinstance(glob, Glob)
        or not any(isinstance(other, Glob) and other.covers(glob) for other in outside)
    )
    return _ALL if EVERYTHING in kept else kept


def _in(globs: Language, text: str) -> bool:
    return any(glob.matches(text) for glob in globs)


def _folds(glob: Glob | Pattern) -> bool:
    return isinstance(glob, Glob) and glob.fold and glob.literal != (glob.literal or "").upper()


def _guesses(domain: Domain, wanted: list[Language]) -> Iterator[str]:
    """Yield readable values: the domain's own, then patterns with their wildcards filled in."""
    yield from domain.nice
    for globs in wanted:
        for glob in sorted(globs, key=repr)[:8]:
            items = [item for item, _, _ in _items(glob)]
            wild = sum(1 for item in items if item in (STAR, ANY))
            if wild > 8:
                continue
            choices = [
                domain.fillers if item == STAR else ("x", "1", "-") for item in items
                if item in (STAR, ANY)
            ]  # fmt: skip
            for chosen in islice(product(*choices), GUESSES // 8):
                fill = iter(chosen)
                yield "".join(next(fill) if item in (STAR, ANY) else item for item in items)


def alphabet(domain: Domain, machines: Iterable[Automaton]) -> tuple[str, ...]:
    """Return one character for each way in which the machines and the domain tell them apart.

    Unmentioned characters come first, nicest first: they read best in a witness.
    """
    mentioned = set().union(*(machine.chars for machine in machines))
    fresh = [
        char
        for group in domain.fresh
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
    what looking at one state costs. Returns (text or None, steps); raises ``Undecidable``.
    """
    came: dict[Node, tuple[Node, str] | None] = {start: None}
    queue: list[tuple[int, int, int, Node]] = [(0, 0, 0, start)]
    steps = order = 0
    while queue:
        _, length, _, node = heappop(queue)
        if accepts(node):
            return _spell(came, node), steps
        steps += price
        if steps > SEARCH_BUDGET:
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


def _search(domain: Domain, wanted: list[Language], outside: Language) -> tuple[str | None, int]:
    """Search the product of the domain and the sets' automata."""
    inside = [automaton(globs) for globs in wanted]
    machines = [*inside, automaton(outside)] if outside else inside
    count = len(inside)
    moves = [
        (char, [machine.moves(char) for machine in machines]) for char in alphabet(domain, machines)
    ]

    def after(node: Node) -> Iterator[tuple[str, Node, int]]:
        for char, masks in moves:
            at = domain.step(node[0], char)
            if at == DEAD:
                continue
            states = [
                machine.step(state, mask)
                for machine, state, mask in zip(machines, node[1:], masks, strict=True)
            ]
            if all(states[:count]):
                left = [m.distance(state) for m, state in zip(inside, states, strict=False)]
                yield char, (at, *states), max(left, default=0)

    def accepts(node: Node) -> bool:
        return (
            domain.accepts(node[0])
            and all(map(Automaton.accepts, inside, node[1:]))
            and not (outside and machines[-1].accepts(node[-1]))
        )

    start = (domain.start, *(machine.start for machine in machines))
    price = len(moves) * (1 + sum(machine.weight for machine in machines))
    return explore(start, after, accepts, price, domain.name)
