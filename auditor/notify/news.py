"""What a channel is told after an audit, or that there is nothing to tell: pure.

Each channel has a memory of its own (``Heard``). So one that failed hears everything later, and
the others hear nothing twice.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.findings import EXPOSING
from auditor.life import Changes, whole
from auditor.notify.interface import News, is_open

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.findings import Report
    from auditor.life import Kind, Known
    from auditor.notify.interface import Occasion, Remedy

TOLD_KINDS: Final[tuple[Kind, ...]] = ("new", "reopened", "resolved", "suppressed")
KEY_BYTES: Final = 8
"""Of a change's key: enough to tell ten thousands of them apart."""


class Heard(NamedTuple):
    """What a channel was told last.

    ``changes`` are the keys of changes that wait for other channels. ``open``: whether a role was
    open. ``gaps`` and ``remedy`` stand for what could not be read, and what was done about roles.
    ``day`` is the last day (ISO) on which all that is open was told, ``run`` the run's id.
    """

    changes: frozenset[bytes] = frozenset()
    open: bool = False
    gaps: str = ""
    remedy: str = ""
    day: str = ""
    run: str = ""


class Night(NamedTuple):
    """One audit, and what waits to be told.

    ``changes`` wait to be told, by this run or one that was killed. ``digest`` is the weekday
    (Monday is 0) on which all that is open is told again, None for never. ``always``: tell every
    run. See ``News`` for the rest.
    """

    report: Report
    changes: Changes
    run_id: str
    outbox_id: str
    unseen: tuple[Known, ...] = ()
    remedy: Remedy | None = None
    always: bool = False
    digest: int | None = None
    stored: str | None = None

    def open(self) -> bool:
        """Tell whether anything is open, what this audit couldn't look at included."""
        return is_open(self.report) or bool(self.unseen)


def news_of(night: Night, heard: Heard, *, advice: bool = False) -> News | None:
    """Return what a channel is to tell; None where it has nothing to say.

    :param advice: tell changes of severity ``low`` and ``info`` even where nothing else changed.
    """
    fresh = _unheard(night.changes, heard.changes)
    occasion = _occasion(night, heard, loud=(advice and bool(fresh)) or _is_loud(fresh))
    if occasion is None:
        return None
    id_ = _digest([night.outbox_id, night.run_id if occasion in ("digest", "report") else ""])
    return News(night.report, fresh, occasion, night.remedy, night.unseen, id_[:32], night.stored)


def after(night: Night, heard: Heard, news: News | None) -> Heard:
    """Return what a channel has heard, once it was told the news (or there was none)."""
    return Heard(
        frozenset(key for _, _, key in _keyed(night.changes)),
        # What was open stays to be cleared until an audit that saw everything finds it closed.
        night.open() or (heard.open and not night.report.complete),
        gaps_of(night.report),
        _done(night.remedy) or heard.remedy,
        heard.day if news is None else _day(night.report),
        heard.run if news is None else night.run_id,
    )


def partly(heard: Heard, changes: Changes, taken: frozenset[str]) -> Heard:
    """Return what a channel has heard that took some findings' changes, and failed on others."""
    keys = (key for one, _, key in _keyed(changes) if one.id in taken)
    return heard._replace(changes=heard.changes.union(keys))


def gaps_of(report: Report) -> str:
    """Return what stands for the reads that failed; empty where none did."""
    return "" if report.complete else _digest(sorted({one.where for one in report.errors}))


def _occasion(night: Night, heard: Heard, *, loud: bool) -> Occasion | None:
    report = night.report
    if heard.open and not night.open() and report.complete:
        return "all-clear"
    done = _done(night.remedy)
    if loud or gaps_of(report) != heard.gaps or (done and done != heard.remedy):
        return "changes"
    day = whole(report.generated_at)
    due = night.digest is not None and day.weekday() == night.digest and heard.day != _day(report)
    if due and (night.open() or not report.complete):
        return "digest"
    return "report" if night.always and heard.run != night.run_id else None


def _unheard(changes: Changes, heard: frozenset[bytes]) -> Changes:
    kept: dict[str, list[Known]] = {}
    for one, kind, key in _keyed(changes):
        if key not in heard:
            kept.setdefault(kind, []).append(one)
    return Changes(**{kind: tuple(ones) for kind, ones in kept.items()})


def _keyed(changes: Changes) -> Iterator[tuple[Known, Kind, bytes]]:
    for kind in TOLD_KINDS:
        for one in getattr(changes, kind):
            yield one, kind, bytes.fromhex(_digest([one.id, kind]))[:KEY_BYTES]


def _is_loud(changes: Changes) -> bool:
    """Tell whether people must hear of it: advice alone wakes nobody, as it changes no status."""
    return any(one.severity in EXPOSING for one, _, _ in _keyed(changes))


def _done(remedy: Remedy | None) -> str:
    """Return what stands for what was done about roles, or failed; empty where it was a plan."""
    told = {name: remedy.data.get(name) for name in ("outcomes", "error")} if remedy else {}
    return _digest(told) if any(told.values()) else ""


def _day(report: Report) -> str:
    return whole(report.generated_at).date().isoformat()


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
