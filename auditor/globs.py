"""Glob patterns as values: parse once, match without backtracking, compare by meaning.

IAM's wildcards are ``*`` (any run of characters, also none) and ``?`` (exactly one character);
see "Using wildcards" in the IAM User Guide:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html

No regular expression is made of policy text: it is untrusted, and ``*a*a*a*a*b`` would hang one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

STAR: Final = "**"
"""The item that matches any run of characters. (Two characters long, so never a literal.)"""
ANY: Final = "??"
"""The item that matches exactly one character."""

Chunks = tuple[str | tuple[str, ...], ...]
"""What is between a pattern's stars: a text, or its items where some are ``ANY``."""


class Glob:
    """A pattern: a tuple of items, each one literal character, ``ANY`` or ``STAR``.

    ``fold`` ignores case, character by character. Equal globs have the same normal form: runs of
    wildcards are ordered (``?`` before ``*``) and ``**`` is ``*``.
    """

    __slots__ = ("_hash", "_items", "_shown", "chunks", "fold", "literal")

    def __init__(
        self, items: Iterable[str], *, fold: bool = False, chunks: Chunks | None = None
    ) -> None:
        """``chunks`` stand for the items: what is between two stars each, in normal form."""
        self._items: tuple[str, ...] | None = None
        if chunks is None:
            self._items = _normal(items, fold=fold)
            chunks = _chunks(self._items)
        self.fold = fold
        self.literal: str | None = None
        if len(chunks) == 1 and isinstance(chunks[0], str):
            self.literal = chunks[0]
        self.chunks = chunks
        self._shown: str | None = None
        self._hash = hash((chunks, fold))

    @property
    def items(self) -> tuple[str, ...]:
        """The pattern, item by item."""
        if self._items is None:
            first, *others = self.chunks
            self._items = (*first, *(item for chunk in others for item in (STAR, *chunk)))
        return self._items

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Glob) and self.chunks == other.chunks and self.fold == other.fold

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Glob({str(self)!r}{', fold=True' if self.fold else ''})"

    def __str__(self) -> str:
        if self._shown is None:
            self._shown = STAR[0].join(
                chunk if isinstance(chunk, str) else "".join(item[0] for item in chunk)
                for chunk in self.chunks
            )
        return self._shown

    def matches(self, text: str) -> bool:
        """Tell whether the whole text matches; at most ``len(text) * len(pattern)`` steps."""
        if self.fold:
            text = fold_case(text)
        if self.literal is not None:
            return text == self.literal
        chunks = self.chunks
        first, last = chunks[0], chunks[-1]
        if len(chunks) == 1:  # no star: the one chunk is the whole text
            return len(text) == len(first) and _fits(first, text, 0)
        end = len(text) - len(last)
        if end < len(first) or not _fits(first, text, 0) or not _fits(last, text, end):
            return False
        if len(chunks) == 2:
            return True
        at = len(first)
        for chunk in chunks[1:-1]:  # leftmost is always right: what follows has the most room left
            at = _find(chunk, text, at, end)
            if at < 0:
                return False
            at += len(chunk)
        return at <= end

    def covers(self, other: Glob) -> bool:
        """Tell whether each text of ``other`` matches here too. True is proof; False is not.

        Walks this pattern over the other's items, taking the other's ``STAR`` and ``ANY`` for
        characters that only a wildcard of this one can absorb.
        """
        if other.literal is not None and (self.fold or not other.fold):
            return self.matches(other.literal)
        if self.chunks == ("", ""):
            return True
        if (other.fold and not self.fold) or not self.ends_like(other):
            return False
        items = self.items
        reached = {0}
        for item in other.items:
            reached = {state for start in reached for state in self._after(start, item)}
            if not reached:
                return False
        return any(state == len(items) or items[state:] == (STAR,) for state in reached)

    def ends_like(self, other: Glob) -> bool:
        """Tell whether literal first and last characters agree: most pairs are told apart here."""
        my, others = self.items, other.items
        for at in (0, -1):
            mine, theirs = my[at : at + 1 or None], others[at : at + 1 or None]
            if mine and len(mine[0]) == 1 and mine != theirs:
                same = self.fold and theirs and fold_case(theirs[0]) == mine[0]
                if not same:
                    return False
        return True

    def _after(self, state: int, item: str) -> Iterable[int]:
        """Yield the positions reached from one position over one item of another pattern."""
        items = self.items
        if state < len(items) and items[state] == STAR:
            yield state
            state += 1
        if state < len(items):
            mine = items[state]
            same = mine == (fold_case(item) if self.fold and len(item) == 1 else item)
            if item != STAR and (same or mine == ANY):
                yield state + 1


def apart(one: Glob, other: Glob) -> bool:
    """Tell whether two globs plainly share no text: their first or last characters differ.

    True is proof; False is not.
    """
    fold = one.fold or other.fold
    for at, agree in ((0, str.startswith), (-1, str.endswith)):
        mine, theirs = one.chunks[at], other.chunks[at]
        if isinstance(mine, str) and isinstance(theirs, str):
            if fold:
                mine, theirs = fold_case(mine), fold_case(theirs)
            if not agree(mine, theirs) and not agree(theirs, mine):
                return True
    return False


def fold_case(text: str) -> str:
    """Return the text in lower case, character by character.

    Only pairs of one upper and one lower letter fold: ``İ`` would become two characters, and the
    Kelvin sign is nobody's capital.
    """
    if text.isascii():
        return text.lower()
    return "".join(low if (low := char.lower()).upper() == char else char for char in text)


def _normal(items: Iterable[str], *, fold: bool) -> tuple[str, ...]:
    """Return items in normal form: in each run of wildcards every ``ANY``, then one ``STAR``."""
    out: list[str] = []
    starred = False
    for item in items:
        if item == STAR:
            starred = True
            continue
        if starred and item != ANY:
            out.append(STAR)
            starred = False
        out.append(fold_case(item) if fold and len(item) == 1 else item)
    if starred:
        out.append(STAR)
    return tuple(out)


def _chunks(items: tuple[str, ...]) -> Chunks:
    """Split at the stars; a chunk without ``ANY`` is a string, so that ``str.find`` serves."""
    chunks: list[list[str]] = [[]]
    for item in items:
        if item == STAR:
            chunks.append([])
        else:
            chunks[-1].append(item)
    return tuple("".join(chunk) if ANY not in chunk else tuple(chunk) for chunk in chunks)


def _fits(chunk: str | tuple[str, ...], text: str, at: int) -> bool:
    if isinstance(chunk, str):
        return text.startswith(chunk, at)
    return len(text) - at >= len(chunk) and all(
        item in (ANY, char) for item, char in zip(chunk, text[at : at + len(chunk)], strict=True)
    )


def _find(chunk: str | tuple[str, ...], text: str, start: int, end: int) -> int:
    if isinstance(chunk, str):
        return text.find(chunk, start, end)
    for at in range(start, end - len(chunk) + 1):
        if _fits(chunk, text, at):
            return at
    return -1


EVERYTHING: Final = Glob((STAR,))


@lru_cache(maxsize=65_536)
def like(text: str, *, fold: bool = False) -> Glob:
    """Return the glob of a text in which ``*`` and ``?`` are wildcards."""
    if "**" in text or "*?" in text:  # not in normal form yet
        return Glob([_WILD.get(char, char) for char in text], fold=fold)
    chunks = (fold_case(text) if fold else text).split("*")
    if "?" not in text:
        return Glob((), fold=fold, chunks=tuple(chunks))
    return Glob(
        (),
        fold=fold,
        chunks=tuple(
            tuple(ANY if char == "?" else char for char in chunk) if "?" in chunk else chunk
            for chunk in chunks
        ),
    )


@lru_cache(maxsize=65_536)
def exactly(text: str, *, fold: bool = False) -> Glob:
    """Return the glob that matches this text and nothing else."""
    return Glob((), fold=fold, chunks=(fold_case(text) if fold else text,))


_WILD: Final = {"*": STAR, "?": ANY}
