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
from auditor.notify import excepted
from auditor.notify.heard import KEY_BYTES, TOLD_KINDS, both, keyed, unheard, waited
from auditor.notify.interface import News, is_open

if TYPE_CHECKING:
    from auditor.findings import Report
    from auditor.life import Known
    from auditor.notify.interface import Occasion, Reading, Remedy

__all__ = ["KEY_BYTES", "TOLD_KINDS", "Heard", "Night", "after", "gaps_of", "news_of", "partly"]

_ASIDE: Final = ("reading", "exceptions")  # occasions that repeat nothing of what is open
_LEFT: Final = "left:"
_OF_A_RUN: Final = ("digest", "report", *_ASIDE)


class Heard(NamedTuple):
    """What a channel was told last.

    ``changes`` are the keys of changes that wait for other channels. ``open``: whether a role was
    open. ``gaps`` and ``remedy`` stand for what could not be read, and what was done about roles.
    ``day`` is the last day (ISO) on which all that is open was told, or the first night; ``run``
    the run's id. ``waiting`` are the keys of changes that came in silent nights, so of advice.
    ``fixed``: something was resolved, and all clear waits for an audit that reads everything.
    ``exceptions`` are the keys of what was told of exceptions, while it holds.
    """

    changes: frozenset[bytes] = frozenset()
    open: bool = False
    gaps: str = ""
    remedy: str = ""
    day: str = ""
    run: str = ""
    waiting: frozenset[bytes] = frozenset()
    fixed: bool = False
    exceptions: frozenset[bytes] = frozenset()


class Night(NamedTuple):
    """One audit, and what waits to be told.

    ``changes`` wait to be told, by this run or one that was killed. ``digest`` is the weekday
    (Monday is 0) on which all that is open is told again, None for never. ``always``: tell every
    run. ``known`` is all that is known of findings, for changes that waited. ``outdated``: a later
    audit was recorded before this one, so its changes are told, and nothing of what is open. See
    ``News`` for the rest.
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
    outdated: bool = False

    def open(self) -> bool:
        """Tell whether anything is open, what this audit couldn't look at included."""
        return is_open(self.report) or bool(self.unseen)


def news_of(night: Night, heard: Heard, *, advice: bool = False) -> News | None:
    """Return what a channel is to tell; None where it has nothing to say.

    :param advice: tell changes of severity ``low`` and ``info`` even where nothing else changed.
    """
    fresh = unheard(night.changes, heard.changes)
    loud = (advice and bool(fresh)) or _is_loud(fresh)
    occasion = _occasion(night, heard, fresh, loud=loud)
    if occasion is None:
        return None
    id_ = _digest([night.outbox_id, night.run_id if occasion in _OF_A_RUN or not loud else ""])
    return News(
        night.report,
        both(fresh, waited(night.known, heard.waiting)),
        occasion,
        night.remedy,
        night.unseen,
        id_[:32],
        night.stored,
        _reading(night, heard),
        excepted.words(excepted.unheard(night.report, heard.exceptions)),
    )


def after(night: Night, heard: Heard, news: News | None) -> Heard:
    """Return what a channel has heard, once it was told the news (or there was none)."""
    keys = frozenset(key for _, _, key in keyed(night.changes))
    today = _day(night.report)
    told = news is not None
    fresh = unheard(night.changes, heard.changes)
    waiting = frozenset() if told else heard.waiting | (keys - heard.changes)
    if night.outdated:  # what is open, or could be read, the later audit knows
        return heard._replace(
            changes=keys,
            remedy=_done(night.remedy) or heard.remedy,
            run=night.run_id if told else heard.run,
            waiting=waiting,
            fixed=_fixed(heard, fresh),
        )
    return Heard(
        keys,
        # What was open stays to be cleared until an audit that saw everything finds it closed.
        night.open() or (heard.open and not night.report.complete),
        gaps_of(night),
        _done(night.remedy) or heard.remedy,
        today if _all_told(night, heard, news) else heard.day or today,
        night.run_id if told else heard.run,
        waiting,
        _fixed(heard, fresh) and not night.open() and not night.report.complete,
        excepted.heard_of(night.report, heard.exceptions, told=told),
    )


def partly(heard: Heard, changes: Changes, taken: frozenset[str]) -> Heard:
    """Return what a channel has heard that took some findings' changes, and failed on others."""
    keys = {key: one.id for one, _, key in keyed(changes)}
    # What it heard and no longer waits was changed again since: it may become so once more.
    told = {key for key, id_ in keys.items() if id_ in taken or key in heard.changes}
    return heard._replace(changes=frozenset(told))


def gaps_of(night: Night) -> str:
    """Return what stands for what could not be looked at; empty where everything was.

    These are the reads that failed, or else the roles that left CodeBuild with findings still open.
    """
    report = night.report
    if not report.complete:
        return _digest(sorted({one.where for one in report.errors}))
    here = {role.arn for role in report.roles}
    left = sorted({one.role_arn for one in night.unseen if one.role_arn not in here})
    return _LEFT + _digest(left) if left else ""


def _occasion(night: Night, heard: Heard, fresh: Changes, *, loud: bool) -> Occasion | None:
    report = night.report
    done = _done(night.remedy)
    if night.outdated:
        return "changes" if loud or (done and done != heard.remedy) else None
    if report.complete and not night.open() and _cleared(report, heard, fresh):
        return "all-clear"
    if loud or (done and done != heard.remedy):
        return "changes"
    if _due(night, heard) and (night.open() or not report.complete):
        return "digest"
    if night.always and heard.run != night.run_id:
        return "report"
    if _reading(night, heard):
        return "reading"
    return "exceptions" if excepted.unheard(report, heard.exceptions) else None


def _all_told(night: Night, heard: Heard, news: News | None) -> bool:
    """Tell whether a channel knows all that is open: told, or nothing is, on a digest's day."""
    if news is not None and news.occasion not in _ASIDE:
        return True
    return _due(night, heard) and night.report.complete and not night.open()


def _cleared(report: Report, heard: Heard, fresh: Changes) -> bool:
    """Tell whether something was closed that this channel knew as open, not only excepted."""
    accepted = any(role.accepted() for role in report.roles)
    return _fixed(heard, fresh) or (heard.open and not accepted)


def _fixed(heard: Heard, fresh: Changes) -> bool:
    return heard.fixed or any(
        one.severity in EXPOSING and not one.excepted for one in fresh.resolved
    )


def _due(night: Night, heard: Heard) -> bool:
    """Tell whether the digest's day has come since all was told: a day without a run is made up."""
    if night.digest is None:
        return False
    today = whole(night.report.generated_at).date()
    ago = (today.weekday() - night.digest) % 7
    if not heard.day or heard.day > today.isoformat():  # a clock was ahead
        return ago == 0
    return heard.day < (today - timedelta(days=ago)).isoformat()


def _reading(night: Night, heard: Heard) -> Reading:
    gaps = gaps_of(night)
    if gaps == heard.gaps:
        return ""
    if not night.report.complete:
        return "incomplete"
    if heard.gaps and not heard.gaps.startswith(_LEFT):
        return "complete"
    return "left" if gaps else ""


def _is_loud(changes: Changes) -> bool:
    """Tell whether people must hear of it: advice alone wakes nobody, as it changes no status."""
    return any(one.severity in EXPOSING for one, _, _ in keyed(changes))


def _done(remedy: Remedy | None) -> str:
    """Return what stands for what was done about roles, or failed; empty where it was a plan."""
    told = {name: remedy.data.get(name) for name in ("outcomes", "error")} if remedy else {}
    return _digest(told) if any(told.values()) else ""


def _day(report: Report) -> str:
    return whole(report.generated_at).date().isoformat()


def _digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
