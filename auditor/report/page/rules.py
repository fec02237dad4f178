"""The rules that occur in a report, explained on its page: no reader needs another document."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.findings import EXPOSING
from auditor.report.explained import blocks, explained
from auditor.report.rulebook import RULEBOOK

if TYPE_CHECKING:
    from collections.abc import Iterable

_ANOTHERS: Final = "assumable-sender"  # the guard belongs on the other role

Pieces = tuple[str, ...]
"""A text of ours; every other piece, from the second on, is code."""


class Part(NamedTuple):
    """A paragraph's text, or a list's entries; the other one is empty."""

    text: Pieces
    entries: tuple[Pieces, ...]


class TellRule(NamedTuple):
    """A rule: its sentence, what it is, why it matters, what to do, and AWS's page on it.

    ``guarded``: the guard on the role itself closes it.
    """

    id: str
    title: str
    what: tuple[Part, ...]
    why: tuple[Part, ...]
    remedy: str
    url: str
    guarded: bool


def told(rules: Iterable[str]) -> list[TellRule]:
    """Return these rules explained, in the catalogue's order; others are left out."""
    wanted = frozenset(rules)
    return [
        TellRule(
            rule,
            RULEBOOK[rule].title,
            _parts(found.what),
            _parts(found.why),
            RULEBOOK[rule].remedy,
            RULEBOOK[rule].url,
            RULEBOOK[rule].severity in EXPOSING and rule != _ANOTHERS,
        )
        for rule, found in explained().items()
        if rule in wanted
    ]


def _parts(paragraphs: tuple[str, ...]) -> tuple[Part, ...]:
    found: list[Part] = []
    for entry, ones in groupby(blocks(paragraphs), key=lambda one: one.entry):
        pieces = tuple(one.pieces for one in ones)
        found += [Part((), pieces)] if entry else [Part(each, ()) for each in pieces]
    return tuple(found)
