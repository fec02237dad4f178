"""Emptiness of intersections of glob languages and their complements, with a member as proof.

``find(domain, inside, outside)`` answers: is there a text of the domain that matches some glob of
every set in ``inside`` and no glob of ``outside``? Exactly, or ``Undecidable`` by name.
"""

from __future__ import annotations

from itertools import combinations, islice, product, starmap
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.automata import (
    SEARCH_BUDGET,
    Automaton,
    Language,
    Node,
    Pattern,
    alphabet,
    automaton,
    explore,
    items_of,
)
from auditor.domains import DEAD, Domain
from auditor.errors import Undecidable
from auditor.globs import ANY, EVERYTHING, STAR, Glob, apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

COVER_BUDGET: Final = 200_000
"""Pairs of items compared to see whether a pattern plainly covers another, before a search. What
is left beyond isn't compared: the search decides."""

FEW: Final = 16
"""Globs of a set up to which each is tried; of more, literals are looked up."""

GUESSING_BUDGET: Final = 200_000
"""Steps after which no more guesses are made: the search decides."""

GUESSES: Final = 400
"""Ways to fill in a pattern's wildcards that are tried before a search, for a readable witness."""


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
    if len(wanted) <= FEW and any(starmap(_apart, combinations(wanted, 2))):
        return Answer(None, 1 + len(wanted) ** 2)
    cost = 1 + len(wanted) + len(outside) // 2
    sets = [_Set(globs) for globs in wanted]
    out = _Set(outside)
    each = 1 + (sum(one.weight for one in sets) + out.weight) // 8

    for globs in wanted:
        literals = [glob.literal for glob in globs]
        if all(literal is not None and not _folds(glob) for literal, glob in zip(literals, globs)):  # noqa: B905
            members = sorted(literal for literal in literals if literal is not None)
            found = (text for text in members if domain.contains(text))
            most = SEARCH_BUDGET // (4 * each)
            value, tried = _first(islice(found, most), sets, out)
            if value is None and tried == most:
                raise Undecidable(
                    f"one key is compared with too many texts ({domain.name}: more than"
                    f" {SEARCH_BUDGET:,} steps)"
                )
            return Answer(value, cost + len(members) + 4 * each * tried)
    value, tried = _first(domain.nice, sets, out)  # members anyway
    cost += each * tried
    if value is not None or domain.finite:
        return Answer(value, cost)
    guesses = islice(_guesses(domain, wanted), GUESSING_BUDGET // each)
    value, tried = _first(guesses, sets, out, domain.contains)
    cost += each * tried
    if value is not None:
        return Answer(value, cost)
    value, steps = _search(domain, wanted, outside)
    if value is not None and domain.counted is not None and not domain.contains(value):
        value, more = _search(domain.counted, wanted, outside)
        steps += more
    if value is not None and not domain.contains(value):
        raise Undecidable(f"no {domain.name} was found that the patterns on one key let in")
    if value is None and domain.otherwise is not None:
        value, more = find(domain.otherwise, inside, outside)
        steps += more
    return Answer(value, cost + steps)


def _apart(some: Language, others: Language) -> bool:
    """Tell whether two small sets of globs plainly share no text. True is proof; False is not.

    A build's own domain against another identity's is the commonest question of all.
    """
    return len(some) * len(others) <= FEW and all(
        isinstance(one, Glob) and isinstance(other, Glob) and apart(one, other)
        for one in some
        for other in others
    )


def _first(
    texts: Iterable[str],
    wanted: list[_Set],
    outside: _Set,
    member: Callable[[str], bool] = lambda _text: True,
) -> tuple[str | None, int]:
    """Return the first text in every set and outside ``outside``, and how many were tried."""
    tried = 0
    for text in texts:
        tried += 1
        lone = len(wanted) == 1
        inside = wanted[0].holds(text) if lone else all(globs.holds(text) for globs in wanted)
        if inside and not outside.holds(text) and member(text):
            return text, tried
    return None, tried


_ALL: Final = frozenset((EVERYTHING,))


def _trim(globs: Language, outside: Language) -> Language:
    """Drop the globs that ``outside`` plainly covers; none left is an empty language."""
    if not outside:
        return _ALL if EVERYTHING in globs else globs
    compared = 0
    covering = sorted((other for other in outside if isinstance(other, Glob)), key=str)
    kept: list[Glob | Pattern] = []
    for glob in sorted(globs - outside, key=repr):
        covered = False
        if isinstance(glob, Glob):
            for other in covering:
                compared += len(glob.items) * len(other.items) if other.ends_like(glob) else 1
                covered = compared < COVER_BUDGET and other.covers(glob)
                if covered or compared >= COVER_BUDGET:
                    break
        if not covered:
            kept.append(glob)
    return _ALL if EVERYTHING in kept else frozenset(kept)


class _Set:
    """A set of globs, to try texts on: of many, the literals are looked up.

    ``weight`` is what trying one text costs at most.
    """

    __slots__ = ("literals", "others", "weight")

    def __init__(self, globs: Language) -> None:
        self.others: Iterable[Glob | Pattern] = globs
        self.literals: frozenset[str] = frozenset()
        self.weight = len(globs)
        if self.weight > FEW:
            texts = [glob.literal for glob in globs if not _wild(glob)]
            self.literals = frozenset(text for text in texts if text is not None)
            self.others = [glob for glob in globs if _wild(glob)]
            self.weight = 1 + len(self.others)

    def holds(self, text: str) -> bool:
        """Tell whether some glob matches."""
        if text in self.literals:
            return True
        for glob in self.others:  # noqa: SIM110 - asked so often that a generator's price shows
            if glob.matches(text):
                return True
        return False


def _wild(glob: Glob | Pattern) -> bool:
    """Tell whether a glob is more than one text."""
    return not isinstance(glob, Glob) or glob.literal is None or glob.fold


def _folds(glob: Glob | Pattern) -> bool:
    return isinstance(glob, Glob) and glob.fold and glob.literal != (glob.literal or "").upper()


def _guesses(domain: Domain, wanted: list[Language]) -> Iterator[str]:
    """Yield readable values: patterns with their wildcards filled in."""
    for globs in wanted:
        for glob in sorted(globs, key=repr)[:8] if len(globs) > 1 else globs:
            if isinstance(glob, Glob) and len(glob.chunks) == 2:
                before, behind = glob.chunks
                if isinstance(before, str) and isinstance(behind, str):  # one star, the usual shape
                    yield from [f"{before}{fill}{behind}" for fill in domain.fillers]
                    continue
            items = [item for item, _, _ in items_of(glob)]
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


def _search(domain: Domain, wanted: list[Language], outside: Language) -> tuple[str | None, int]:
    """Search the product of the domain and the sets' automata."""
    inside = [automaton(globs) for globs in wanted]
    machines = [*inside, automaton(outside)] if outside else inside
    count = len(inside)
    lefts = [machine.distances() for machine in inside]
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
            if outside and states[-1] & machines[-1].sink:
                continue  # whatever follows, the text stays in what it must be out of
            if all(states[:count]):
                left = [of[state] for of, state in zip(lefts, states, strict=False)]
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
