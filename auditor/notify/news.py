"""What a channel is told after an audit, or that there is nothing to tell: pure.

Each channel has a memory of its own (``Heard``). So one that failed hears everything later, and
the others hear nothing twice.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.findings import EXPOSING
from auditor.life import Changes, whole
from auditor.notify.interface import News, is_open

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.findings import Report
    from auditor.life import Kind, Known, Status
    from auditor.notify.interface import Occasion, Reading, Remedy

TOLD_KINDS: Final[tuple[Kind, ...]] = ("new", "reopened", "resolved", "suppressed")
KEY_BYTES: Final = 8
"""Of a change's key: enough to tell ten thousands of them apart."""

_OF_A_RUN: Final = ("digest", "report", "reading")
_STATUS: Final[Mapping[Kind, Status]] = {
    "new": "open",
    "reopened": "open",
    "resolved": "resolved",
    "suppressed": "suppressed",
}


class Heard(NamedTuple):
    """What a channel was told last.

    ``changes`` are the keys of changes that wait for other channels. ``open``: whether a role was
    open. ``gaps`` and ``remedy`` stand for what could not be read, and what was done about roles.
    ``day`` is the last day (ISO) on which all that is open was told, or the first night; ``run``
    the run's id. ``waiting`` are the keys of changes that came in silent nights, so of advice.
    ``fixed``: something was resolved, and all clear waits for an audit that reads everything.
    """

    changes: frozenset[bytes] = frozenset()
    open: bool = False
    gaps: str = ""
    remedy: str = ""
    day: str = ""
    run: str = ""
    waiting: frozenset[bytes] = frozenset()
    fixed: bool = False


class Night(NamedTuple):
    """One audit, and what waits to be told.

    ``changes`` wait to be told, by this run or one that was killed. ``digest`` is the weekday
    (Monday is 0) on which all that is open is told again, None for never. ``always``: tell every
    run. ``known`` is all that is known of findings, for changes that waited. See ``News`` for the
    rest.
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
    known: tuple[Known, ...] = ()

    def open(self) -> bool:
        """Tell whether anything is open, what this audit couldn't look at included."""
        return is_open(self.report) or bool(self.unseen)


def news_of(night: Night, heard: Heard, *, advice: bool = False) -> News | None:
    """Return what a channel is to tell; None where it has nothing to say.

    :param advice: tell changes of severity ``low`` and ``info`` even where nothing else changed.
    """
    fresh = _unheard(night.changes, heard.changes)
    loud = (advice and bool(fresh)) or _is_loud(fresh)
    occasion = _occasion(night, heard, fresh, loud=loud)
    if occasion is None:
        return None
    id_ = _digest([night.outbox_id, night.run_id if occasion in _OF_A_RUN or not loud else ""])
    return News(
        night.report,
        _with(fresh, _waited(night, heard)),
        occasion,
        night.remedy,
        night.unseen,
        id_[:32],
        night.stored,
        _reading(night, heard),
    )


def after(night: Night, heard: Heard, news: News | None) -> Heard:
    """Return what a channel has heard, once it was told the news (or there was none)."""
    keys = frozenset(key for _, _, key in _keyed(night.changes))
    today = _day(night.report)
    return Heard(
        keys,
        # What was open stays to be cleared until an audit that saw everything finds it closed.
        night.open() or (heard.open and not night.report.complete),
        gaps_of(night.report),
        _done(night.remedy) or heard.remedy,
        (heard.day or today) if news is None or news.occasion == "reading" else today,
        heard.run if news is None else night.run_id,
        heard.waiting | (keys - heard.changes) if news is None else frozenset(),
        _fixed(heard, _unheard(night.changes, heard.changes))
        and not night.open()
        and not night.report.complete,
    )


def partly(heard: Heard, changes: Changes, taken: frozenset[str]) -> Heard:
    """Return what a channel has heard that took some findings' changes, and failed on others."""
    keys = (key for one, _, key in _keyed(changes) if one.id in taken)
    return heard._replace(changes=heard.changes.union(keys))


def gaps_of(report: Report) -> str:
    """Return what stands for the reads that failed; empty where none did."""
    return "" if report.complete else _digest(sorted({one.where for one in report.errors}))


def _occasion(night: Night, heard: Heard, fresh: Changes, *, loud: bool) -> Occasion | None:
    report = night.report
    done = _done(night.remedy)
    if report.complete and not night.open() and _cleared(report, heard, fresh):
        return "all-clear"
    if loud or (done and done != heard.remedy):
        return "changes"
    if _due(night, heard) and (night.open() or not report.complete):
        return "digest"
    if night.always and heard.run != night.run_id:
        return "report"
    return "reading" if _reading(night, heard) else None


def _cleared(report: Report, heard: Heard, fresh: Changes) -> bool:
    """Tell whether something was closed that this channel knew as open, not only excepted."""
    excepted = any(role.accepted() for role in report.roles)
    return _fixed(heard, fresh) or (heard.open and not excepted)


def _fixed(heard: Heard, fresh: Changes) -> bool:
    return heard.fixed or any(one.severity in EXPOSING for one in fresh.resolved)


def _due(night: Night, heard: Heard) -> bool:
    """Tell whether the digest's day has come since all was told: a day without a run is made up."""
    if night.digest is None:
        return False
    today = whole(night.report.generated_at).date()
    ago = (today.weekday() - night.digest) % 7
    if not heard.day:
        return ago == 0
    return heard.day < (today - timedelta(days=ago)).isoformat()


def _reading(night: Night, heard: Heard) -> Reading:
    if gaps_of(night.report) == heard.gaps:
        return ""
    return "complete" if night.report.complete else "incomplete"


def _waited(night: Night, heard: Heard) -> Changes:
    """Return the changes of silent nights that are still so."""
    kept: dict[str, list[Known]] = {}
    for one in night.known if heard.waiting else ():
        kinds = [kind for kind in TOLD_KINDS if _key(one, kind) in heard.waiting]
        told = [kind for kind in kinds if _STATUS[kind] == one.status]
        if told and not (one.status == "resolved" and "new" in kinds):  # came and went unheard
            kept.setdefault(told[-1], []).append(one)
    return Changes(**{kind: tuple(ones) for kind, ones in kept.items()})


def _with(fresh: Changes, waited: Changes) -> Changes:
    """Return both; a finding that changed again is told as it is now."""
    ids = {one.id for one, _, _ in _keyed(fresh)}
    more = {
        kind: tuple(one for one in getattr(waited, kind) if one.id not in ids)
        for kind in TOLD_KINDS
    }
    return fresh._replace(**{kind: (*getattr(fresh, kind), *more[kind]) for kind in TOLD_KINDS})


def _unheard(changes: Changes, heard: frozenset[bytes]) -> Changes:
    kept: dict[str, list[Known]] = {}
    for one, kind, key in _keyed(changes):
        if key not in heard:
            kept.setdefault(kind, []).append(one)
    return Changes(**{kind: tuple(ones) for kind, ones in kept.items()})


def _keyed(changes: Changes) -> Iterator[tuple[Known, Kind, bytes]]:
    for kind in TOLD_KINDS:
        for one in getattr(changes, kind):
            yield one, kind, _key(one, kind)


def _key(one: Known, kind: Kind) -> bytes:
    return bytes.fromhex(_digest([one.id, kind]))[:KEY_BYTES]


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
