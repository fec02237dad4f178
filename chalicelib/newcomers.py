"""A channel that is switched on: what it is told first, in one night or in several.

It may be younger than what it is to tell. Messages for people show every open role whatever changed
or is due, so the first night is made the digest's. A bus gets an event for each open finding, and
may take a part of them: what it took stands in its ``Start`` until it has all.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from auditor.findings import EXPOSING
from auditor.life import Changes
from auditor.notify.heard import keyed
from auditor.notify.news import Heard, news_of
from chalicelib.memory import Start

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.lasting import Known
    from auditor.notify.interface import News
    from auditor.notify.news import Night
    from chalicelib.memory import Memory


def start_of(memory: Memory, channel: str, night: Night) -> Start:
    """Return how far a bus that is new got. Raises HistoryError.

    The id is one for all events about what was open before, in however many nights they come. It is
    the first run's, so that a bus that is switched off and on again is told anew; and it is kept
    before anything is sent, for that run may be killed.
    """
    found = memory.start(channel)
    if found is None:
        text = json.dumps([night.report.account_id, channel, night.run_id])
        found = Start(hashlib.sha256(text.encode()).hexdigest()[:32])
        memory.keep_start(channel, found)
    return found


def first(night: Night, start: Start | None) -> News | None:
    """Return what a channel is told as long as it is new; None where there is nothing to say.

    :param start: of a bus; None for a channel that people read.
    """
    heard = Heard() if start is None else Heard(start.taken)
    today = night.report.generated_at.weekday()
    shown = night._replace(digest=today) if night.open() else night
    news = news_of(shown, heard, advice=start is not None)
    if news is None or start is None:
        return news
    ids = {one.id for kind in news.changes for one in kind}
    old = tuple(
        one
        for one in night.known
        if one.status == "open"
        and one.severity in EXPOSING
        and one.id not in ids
        and not _as_new([one]) <= start.taken
    )
    return news._replace(changes=news.changes._replace(still=old), earlier_id=start.id)


def further(start: Start, night: Night, news: News, taken: frozenset[str]) -> Start:
    """Return how far a bus got that took events about some findings, by their ids."""
    sent = [one for kind in news.changes for one in kind if one.id in taken]
    waiting = {key: one.id for one, _, key in keyed(night.changes)}
    # What is no longer waiting was changed again since: it may become so once more.
    kept = start.taken & (waiting.keys() | _as_new(night.known))
    more = {key for key, id_ in waiting.items() if id_ in taken}
    return start._replace(taken=kept | more | _as_new(sent))


def _as_new(known: Iterable[Known]) -> frozenset[bytes]:
    """Return what stands for findings that a bus knows to be open."""
    return frozenset(key for _, _, key in keyed(Changes(new=tuple(known))))
