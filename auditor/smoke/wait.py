"""Listens on a queue until every event is there or the time is up. Other runs' messages stay.

Own messages are deleted; what isn't ours is held while the queue has more to show, so that each
receive shows something new, and given back, visible, at the end of each sweep: another run that
listens to the same queue waits for it. Every sweep counts as a receive of those, which a queue with
a redrive policy would move away in the end: hence the growing pauses between sweeps.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

from __future__ import annotations

import math
import time
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auditor.smoke.events import Event, judge, read_event
from auditor.smoke.trouble import AWS_ERRORS, Trouble, describe, understood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from auditor.smoke.result import Sent

_BATCH: Final = 10  # the most that SQS gives or takes at once
_POLL: Final = 20  # seconds, the longest that SQS waits for a message
_HELD: Final = 60  # seconds after which a message comes back even if this process is gone
# Seconds of a sweep at most: giving back takes as many calls again, and what came back by itself
# before that would be shown again instead of something new.
_SWEEP: Final = 30
_LOOK: Final = 5  # seconds that each sweep may take, however little of the wait is left
_MORE: Final = (
    "the queue may hold more messages than could be looked at: give tests a queue of their own, or"
    " a longer --wait"
)
_PAUSES: Final = (1.0, 2.0, 4.0, 8.0)  # seconds between sweeps that met other runs' messages


class Clock(NamedTuple):
    """A clock in seconds, and what waits on it."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Heard(NamedTuple):
    """What was heard: events by message id; other runs' and unreadable messages, counted.

    ``odd`` are the kinds of messages without event. ``trouble`` is why the queue could not be read
    (to the end), ``remarks`` what went wrong beside that. ``cut``: an event is missing, and the
    queue may hold more messages than could be looked at.
    """

    events: dict[str, tuple[Event, ...]]
    others: int = 0
    odd: tuple[str, ...] = ()
    trouble: Trouble | None = None
    remarks: tuple[str, ...] = ()
    cut: bool = False


def listen(
    sqs: Any, url: str, sent: Sequence[Sent], seconds: float, clock: Clock | None = None
) -> Heard:
    """Listen for what becomes of mails, waiting for ``seconds`` at most (and one call to SQS).

    What is in the queue at the end is looked at for up to 5 seconds more, and given back then.
    """
    return _Listener(sqs, url, sent, clock or Clock()).listen(seconds)


class _Listener:
    def __init__(self, sqs: Any, url: str, sent: Iterable[Sent], clock: Clock) -> None:
        self._sqs, self._url, self._clock = sqs, url, clock
        self._sent = {one.message_id: one for one in sent if one.message_id is not None}
        self._events: dict[str, list[Event]] = {name: [] for name in self._sent}
        self._others: set[str] = set()
        self._odd: dict[str, str] = {}
        self._remarks: dict[str, None] = {}
        self._cut = False  # whether the last sweep ended before the queue did

    def listen(self, seconds: float) -> Heard:
        end = self._clock.now() + seconds
        trouble = None
        try:
            for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
                met = self._sweep(end)
                left = end - self._clock.now()
                if self._complete() or left <= 0:
                    break
                if met:
                    self._clock.sleep(min(pause, left))
        except AWS_ERRORS as error:
            trouble = Trouble("queue-unreadable", f"{self._url}: {describe(error)}")
        cut = self._cut and not self._complete()
        if cut:
            self._remarks[_MORE] = None
        return Heard(
            {name: tuple(events) for name, events in self._events.items()},
            len(self._others),
            tuple(self._odd.values()),
            trouble,
            tuple(self._remarks),
            cut,
        )

    def _complete(self) -> bool:
        return all(
            not judge(one.scenario, one.address, self._events[name]).missing
            for name, one in self._sent.items()
        )

    def _sweep(self, end: float) -> bool:
        """Receive until nothing more comes; tell whether anything was there that isn't ours.

        Nothing is waited for after ``end``, and what is there isn't looked at for much longer.
        """
        held: list[str] = []
        longest = _POLL
        start = self._clock.now()
        until = min(max(end, start + _LOOK), start + _SWEEP)
        self._cut = True
        try:
            while True:
                messages = self._receive(min(longest, max(0, math.ceil(end - self._clock.now()))))
                own = [one["ReceiptHandle"] for one in messages if self._take(one)]
                held += [
                    one["ReceiptHandle"] for one in messages if one["ReceiptHandle"] not in own
                ]
                self._delete(own)
                if not messages:
                    self._cut = False
                if not messages or self._complete() or self._clock.now() >= until:
                    break
                longest = 1  # not 0: that would ask some of SQS's servers only
        finally:
            self._give_back(held)
        return bool(held)

    def _receive(self, wait: int) -> list[Any]:
        answer = understood(
            lambda: self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_BATCH,
                WaitTimeSeconds=wait,
                VisibilityTimeout=_HELD,
            )
        )
        found: list[Any] = answer.get("Messages") or []
        return found

    def _take(self, message: Any) -> bool:
        """Note what a message says; tell whether it is ours."""
        event = read_event(str(message.get("Body", "")))
        name = str(message.get("MessageId"))
        if not isinstance(event, Event):
            self._odd[name] = event.why
            return False
        if event.message_id not in self._sent:
            self._others.add(name)
            return False
        self._events[event.message_id].append(event)
        return True

    def _delete(self, handles: Sequence[str]) -> None:
        entries = [{"Id": str(n), "ReceiptHandle": one} for n, one in enumerate(handles)]
        self._each("delete_message_batch", entries, "this run's messages could not be deleted")

    def _give_back(self, handles: Sequence[str]) -> None:
        """Make messages visible again: a visibility timeout of 0 ends their being held."""
        entries = [
            {"Id": str(n), "ReceiptHandle": one, "VisibilityTimeout": 0}
            for n, one in enumerate(handles)
        ]
        what = f"other messages could not be given back at once (they come back in {_HELD} s)"
        self._each("change_message_visibility_batch", entries, what)

    def _each(self, operation: str, entries: list[dict[str, Any]], what: str) -> None:
        """Make a batch call ten by ten; what fails costs a remark, never what was heard."""
        for start in range(0, len(entries), _BATCH):
            batch = entries[start : start + _BATCH]
            try:
                answer = understood(
                    lambda batch=batch: getattr(self._sqs, operation)(  # type: ignore[misc]  # mypy can't infer a lambda's default
                        QueueUrl=self._url, Entries=batch
                    )
                )
            except AWS_ERRORS as error:
                self._remarks[f"{what}: {describe(error)}"] = None
            else:
                failed = [str(one.get("Code")) for one in answer.get("Failed") or ()]
                if failed:
                    self._remarks[f"{what}: {', '.join(dict.fromkeys(failed))[:200]}"] = None
