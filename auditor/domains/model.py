"""What a domain is: the values that a key can have, in plain words and as an automaton.

``contains`` says it in plain words and is exact; ``step``/``accepts`` say it as an automaton, which
may leave out length limits (``counted`` then gives the automaton that keeps them). ``fresh`` groups
the alphabet by how the automaton treats a character, nicest first: a search needs one unmentioned
character of each group.
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

DEAD: Final = -1
ALNUM: Final = string.ascii_lowercase + string.digits + string.ascii_uppercase


@dataclass(frozen=True, eq=False)
class Domain:
    """A language of values. Compared by identity: there are few, and each is a constant."""

    name: str
    start: int
    step: Callable[[int, str], int]
    accepts: Callable[[int], bool]
    contains: Callable[[str], bool]
    fresh: tuple[str, ...]
    nice: tuple[str, ...] = ()
    """Values to try before any search, nicest first."""
    fillers: tuple[str, ...] = ("", "x", "1")
    """What to put in place of a pattern's wildcards before any search, nicest first."""
    counted: Domain | None = None
    otherwise: Domain | None = None
    """More values of the same key, of another shape: looked through where none is found here."""
    textual: bool = False
    """Whether no value is a number, a date, a boolean, binary data or a host's address."""
    open: bool = False
    """Whether any character at all may stand in a value, beside those in ``fresh``."""
    finite: bool = False
    """Whether ``nice`` holds every value there is."""


def always(_state: int, _char: str) -> int:
    """Step an automaton that any text passes."""
    return 0


def finite(name: str, *values: str) -> Domain:
    """Return the domain of these values alone."""
    return Domain(
        name=name,
        start=0,
        step=always,
        accepts=lambda _state: True,
        contains=frozenset(values).__contains__,
        fresh=(),
        nice=values,
        finite=True,
    )
