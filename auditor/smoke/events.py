"""SES's events: read from a queue's messages, matched to what was sent, judged. No AWS in here.

Two formats: feedback notifications (``notificationType``) and event publishing (``eventType``).
Each comes bare (SNS's raw delivery), in SNS's envelope, or in EventBridge's.
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html
https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.smoke.scenarios import NEUTRAL, Expected

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.smoke.scenarios import Scenario

BODY_MAX: Final = 1_048_576
"""Characters of a message, the most that SQS takes:
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html"""
_ENVELOPES: Final = 2  # EventBridge to SNS to SQS has two around the event
_SHOWN: Final = 80  # characters of a type that SES should have written


class Event(NamedTuple):
    """One event. ``bounce`` and ``subtype`` are a bounce's ``bounceType`` and ``bounceSubType``.

    ``destination`` are the recipients of the mail that it is about.
    """

    kind: str
    message_id: str
    destination: tuple[str, ...]
    bounce: str | None = None
    subtype: str | None = None

    def __str__(self) -> str:
        """Return it in words: ``Bounce (Permanent, General)``."""
        known = ", ".join(text for text in (self.bounce, self.subtype) if text)
        return f"{self.kind} ({known})" if known else self.kind

    def fits(self, expected: Expected) -> bool:
        """Tell whether it is what was expected."""
        return self.kind == expected.kind and expected.bounce in (None, self.bounce)


class NoEvent(NamedTuple):
    """A message that is no event of SES, and what it is instead."""

    why: str


def read_event(body: str) -> Event | NoEvent:
    """Read a message's body; whatever is in it, this returns."""
    if len(body) > BODY_MAX:
        return NoEvent("a message of more than a mebibyte")
    text: object = body
    for _ in range(_ENVELOPES + 1):
        found = _decoded(text)
        if not isinstance(found, dict):
            return NoEvent("a message that isn't a JSON object")
        if "mail" in found:
            return _event(found)
        if found.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation"):
            # its links aren't followed: whoever owns the topic confirms
            return NoEvent("a subscription that SNS wants confirmed")
        text = found.get("Message", found.get("detail"))
    return NoEvent("a message that holds no event of SES")


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):  # not JSON, or nested thousands deep
        return None


def _event(found: dict[str, object]) -> Event | NoEvent:
    kind = found.get("eventType", found.get("notificationType"))
    mail = found["mail"]
    if not isinstance(kind, str) or not isinstance(mail, dict):
        return NoEvent("an event without a type or without its mail")
    message_id, destination = mail.get("messageId"), mail.get("destination")
    if not isinstance(message_id, str) or not message_id:
        return NoEvent("an event whose mail has no messageId")
    bounce = found.get("bounce")
    told = bounce if kind == "Bounce" and isinstance(bounce, dict) else {}
    return Event(
        kind[:_SHOWN],
        message_id,
        tuple(one for one in destination if isinstance(one, str))
        if isinstance(destination, list)
        else (),
        _text(told.get("bounceType")),
        _text(told.get("bounceSubType")),
    )


def _text(value: object) -> str | None:
    return value[:_SHOWN] if isinstance(value, str) else None


class Judgment(NamedTuple):
    """What came of one mail: the events that are missing, and those that shouldn't be."""

    missing: tuple[Expected, ...]
    unexpected: tuple[Event, ...]


def judge(scenario: Scenario, address: str, events: Sequence[Event]) -> Judgment:
    """Judge the events of one mail to a scenario's address."""
    wanted = (*scenario.expects, *scenario.may)
    return Judgment(
        tuple(one for one in scenario.expects if not any(event.fits(one) for event in events)),
        tuple(
            event
            for event in dict.fromkeys(events)
            if strays(event, address)
            or (event.kind not in NEUTRAL and not any(event.fits(one) for one in wanted))
        ),
    )


def strays(event: Event, address: str) -> bool:
    """Tell whether an event of our mail names anybody whom we didn't write to."""
    return any(one.lower() != address.lower() for one in event.destination)


def told(events: Iterable[Event]) -> str:
    """Return the events in words, each once; ``none`` where there are none."""
    return ", ".join(dict.fromkeys(map(str, events))) or "none"
