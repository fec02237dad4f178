"""The tie between sender and identity: the identity is the From address, its domain, or a parent.

"Verifying identities": https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
The pairs are a regular language too: one automaton reads the address while those of the identity
start, by choice, after the ``@`` or after a later dot.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.automata import (
    SEARCH_BUDGET,
    Automaton,
    Language,
    Node,
    OutOfSteps,
    Pattern,
    alphabet,
    automaton,
    explore,
)
from auditor.domains import COUNTED, DEAD, MAILBOX, RESOURCES, in_domain_part, is_domain_name
from auditor.engine.constraints import Test, Tests, satisfy
from auditor.errors import Undecidable
from auditor.globs import STAR, Glob

if TYPE_CHECKING:
    from collections.abc import Iterator

GUESSING: Final = 200_000
"""Steps after which likely pairs are no longer tried before the exact search."""

_PREFIX: Final = "identity/"
_ADDRESS: Final = MAILBOX.counted or MAILBOX
_WAITING, _FIRST, _LATER, _WHOLE = range(4)
"""How far the identity is: not begun, in its first label, in a later one, the whole address."""


class Pair(NamedTuple):
    """A From address and the sixth part of its identity's ARN; None where there is no pair.

    ``cost`` and ``question`` are as in ``Answer``.
    """

    sender: str | None
    identity: str | None
    undecided: str | None = None
    cost: int = 1
    question: object = None


@lru_cache(maxsize=65_536)
def pair(sender: Tests, identity: Tests) -> Pair:
    """Find a From address and an identity that it belongs to, passing their tests."""
    found = satisfy(RESOURCES["identity"], identity)
    address = satisfy(MAILBOX, sender)
    question = (sender, identity)
    cost = found.cost + address.cost
    if found.value is None or address.value is None:
        why = found.undecided or address.undecided
        return Pair(None, None, why, cost, question)
    for name in dict.fromkeys((*RESOURCES["identity"].nice, found.value)):
        if all(test.holds(name) for test in identity):
            fitting, more = _sender_of(name.removeprefix(_PREFIX), sender)
            cost += more
            if fitting is not None:
                return Pair(fitting, name, None, cost, question)
            if cost > GUESSING:
                break  # the exact search decides, and costs no more than this
    for name in _identities_of(address.value):
        if all(test.holds(_PREFIX + name) for test in identity):
            return Pair(address.value, _PREFIX + name, None, cost, question)
    searched = _search(sender, identity)
    return searched._replace(cost=cost + searched.cost, question=question)


def _sender_of(name: str, sender: Tests) -> tuple[str | None, int]:
    """Return a From address of an identity that passes the tests, and what finding it cost."""
    if "@" in name:
        fits = MAILBOX.contains(name) and all(test.holds(name) for test in sender)
        return name if fits else None, 1
    if not is_domain_name(name):
        return None, 1
    plain = f"sender@{name}"
    if all(test.holds(plain) for test in sender):
        return plain, 1
    of_it = frozenset((Glob((STAR, "@", *name)), Glob((STAR, "@", STAR, ".", *name))))
    found = satisfy(MAILBOX, sender | {Test(of_it, inside=True)})
    return found.value, found.cost


def _identities_of(address: str) -> Iterator[str]:
    domain = address.partition("@")[2]
    yield domain
    while is_domain_name(domain := domain.partition(".")[2]):
        yield domain
    yield address


def _languages(tests: Tests) -> tuple[list[Language], Language] | None:
    """Return the sets to be in and the globs to be out of; None where a test isn't about text."""
    inside: list[Language] = []
    outside: set[Glob | Pattern] = set()
    for test in sorted(tests, key=repr):
        globs = frozenset(m for m in test.matchers if isinstance(m, Glob | Pattern))
        if len(globs) < len(test.matchers):
            return None
        if test.inside:
            inside.append(globs)
        else:
            outside |= globs
    return inside, frozenset(outside)


def _search(sender: Tests, identity: Tests) -> Pair:
    """Decide exactly: first the identity that is the address itself, then domains."""
    of_sender, of_identity = _languages(sender), _languages(identity)
    if of_sender is None or of_identity is None:
        return Pair(None, None, "the sender's address or the identity isn't compared as text")
    graph = _Graph(_Side(*of_sender, ""), _Side(*of_identity, _PREFIX))
    try:
        same, cost = graph.spell(_WHOLE)
        if same is not None:
            return Pair(same, _PREFIX + same, None, cost)
        below, more = graph.spell(_WAITING)
    except OutOfSteps:
        raise  # hangs on who asks: nothing to remember
    except Undecidable as reason:
        return Pair(None, None, str(reason), SEARCH_BUDGET)
    cost += more
    if below is None:
        return Pair(None, None, None, cost)
    for name in _identities_of(below):
        if all(test.holds(_PREFIX + name) for test in identity):
            return Pair(below, _PREFIX + name, None, cost)
    return Pair(None, None, "a pair of sender and identity that was found is none", cost)


class _Side:
    """The automata of one of the two texts, and where they stand after a prefix."""

    def __init__(self, inside: list[Language], outside: Language, prefix: str) -> None:
        self.machines = [*(automaton(globs) for globs in inside), automaton(outside)]
        self.count = len(inside)
        self.lefts = [machine.distances() for machine in self.machines[: self.count]]
        self.start: Node = tuple(machine.start for machine in self.machines)
        for char in prefix:
            self.start = tuple(
                machine.step(state, machine.moves(char))
                for machine, state in zip(self.machines, self.start, strict=True)
            )

    def step(self, states: Node, moves: list[tuple[int, int]]) -> Node | None:
        """Return the states after a character, or None where some set can't match any more."""
        after = tuple(
            machine.step(state, move)
            for machine, state, move in zip(self.machines, states, moves, strict=True)
        )
        return after if all(after[: self.count]) else None

    def accepts(self, states: Node) -> bool:
        """Tell whether the text so far is in every set and out of the last."""
        return all(map(Automaton.accepts, self.machines[: self.count], states)) and not (
            self.machines[-1].accepts(states[-1])
        )

    def left(self, states: Node) -> int:
        """Return a lower bound of what is left to spell."""
        return max((of[state] for of, state in zip(self.lefts, states, strict=False)), default=0)


class _Graph:
    """States are (mailbox, how far the identity is, the address's automata, the identity's)."""

    def __init__(self, sender: _Side, identity: _Side) -> None:
        self.sender, self.identity = sender, identity
        self.split = 2 + len(sender.machines)
        machines = sender.machines + identity.machines
        self.moves = {
            char: (
                [machine.moves(char) for machine in sender.machines],
                [machine.moves(char) for machine in identity.machines],
            )
            for char in alphabet(MAILBOX, machines)
        }
        # a step moves two sides, one of them by choice: four times the work of a plain search's
        self.price = 4 * len(self.moves) * (1 + sum(machine.weight for machine in machines))

    def spell(self, mode: int) -> tuple[str | None, int]:
        """Return an address found from a mode on, or None, and the steps it took."""
        start = (_ADDRESS.start, mode, *self.sender.start, *self.identity.start)
        return explore(start, self._after, self._accepts, self.price, "sender and identity")

    def _after(self, node: Node) -> Iterator[tuple[str, Node, int]]:
        mode = node[1]
        for char, (for_sender, for_identity) in self.moves.items():
            at = _ADDRESS.step(node[0], char)
            sender = self.sender.step(node[2 : self.split], for_sender)
            if at == DEAD or sender is None:
                continue
            left = self.sender.left(sender)
            if mode == _WAITING:
                yield char, (at, mode, *sender, *self.identity.start), left
                if char == "@" or (char == "." and in_domain_part(at % COUNTED)):
                    yield char, (at, _FIRST, *sender, *self.identity.start), left
                continue
            identity = self.identity.step(node[self.split :], for_identity)
            if identity is not None:
                further = _LATER if mode == _FIRST and char == "." else mode
                yield char, (at, further, *sender, *identity), left

    def _accepts(self, node: Node) -> bool:
        return (
            node[1] in (_WHOLE, _LATER)
            and _ADDRESS.accepts(node[0])
            and self.sender.accepts(node[2 : self.split])
            and self.identity.accepts(node[self.split :])
        )
