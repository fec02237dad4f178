"""Which changes a channel was told, and which wait for it: by keys, which fit into a memory."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from auditor.life import Changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from auditor.life import Kind, Known, Status

TOLD_KINDS: Final[tuple[Kind, ...]] = (
    "worse",
    "eased",
    "new",
    "reopened",
    "resolved",
    "suppressed",
)
KEY_BYTES: Final = 8
"""Of a change's key: enough to tell ten thousands of them apart."""

_GRADED: Final = ("worse", "eased")  # a finding may be so time and again

_STATUS: Final[Mapping[Kind, Status]] = {
    "new": "open",
    "reopened": "open",
    "resolved": "resolved",
    "suppressed": "suppressed",
}


def waited(known: Iterable[Known], waiting: frozenset[bytes]) -> Changes:
    """Return the changes of silent nights that are still so.

    :param waiting: their keys.
    :param known: all that is known of findings.
    """
    kept: dict[str, list[Known]] = {}
    for one in known if waiting else ():
        kinds = [kind for kind in TOLD_KINDS if _key(one, kind) in waiting]
        told = [kind for kind in kinds if _stands(one, kind)]
        if told and not (one.status == "resolved" and "new" in kinds):  # came and went unheard
            kept.setdefault(told[-1], []).append(one)
    return Changes(**{kind: tuple(ones) for kind, ones in kept.items()})


def _stands(one: Known, kind: Kind) -> bool:
    """Tell whether a change of a finding still is what became of it."""
    return one.status != "resolved" if kind in _GRADED else _STATUS[kind] == one.status


def both(fresh: Changes, waited: Changes) -> Changes:
    """Return fresh changes and those that waited; what changed again is told as it is now."""
    ids = {one.id for one, _, _ in keyed(fresh)}
    more = {
        kind: tuple(one for one in getattr(waited, kind) if one.id not in ids)
        for kind in TOLD_KINDS
    }
    return fresh._replace(**{kind: (*getattr(fresh, kind), *more[kind]) for kind in TOLD_KINDS})


def unheard(changes: Changes, heard: frozenset[bytes]) -> Changes:
    """Return the changes that a channel wasn't told; ``heard`` are the keys of what it was."""
    kept: dict[str, list[Known]] = {}
    fresh = [(one, kind) for one, kind, key in keyed(changes) if key not in heard]
    others = {one.id for one, kind in fresh if kind not in _GRADED}
    for one, kind in fresh:
        if kind not in _GRADED or one.id not in others:  # who hears that it is new, hears how bad
            kept.setdefault(kind, []).append(one)
    return Changes(**{kind: tuple(ones) for kind, ones in kept.items()})


def keyed(changes: Changes) -> Iterator[tuple[Known, Kind, bytes]]:
    """Yield every change with its kind and its key."""
    for kind in TOLD_KINDS:
        for one in getattr(changes, kind):
            yield one, kind, _key(one, kind)


def _key(one: Known, kind: Kind) -> bytes:
    grade = one.grade() if kind in _GRADED else ()
    text = json.dumps([one.id, kind, *grade], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).digest()[:KEY_BYTES]
