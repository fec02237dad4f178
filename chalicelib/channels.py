"""The channels that a deployment has, each run alone: one that fails costs the others nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
from botocore.config import Config

from auditor.errors import AuditorError
from auditor.notify import chat, events, securityhub, sns
from auditor.notify.interface import PartlyToldError
from auditor.notify.news import after, news_of, partly
from auditor.report.asff import asff_findings
from auditor.report.json import role_to_dict
from chalicelib import places, telemetry
from chalicelib.run import CLIENT_CONFIG, topic_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from auditor.notify.interface import Channel, News
    from auditor.notify.news import Night
    from chalicelib.memory import Memory
    from chalicelib.settings import Settings


_HUB_CONFIG: Final = CLIENT_CONFIG.merge(
    Config(retries={"mode": "standard", "total_max_attempts": 3})
)
_HUB_CALL_MS: Final = 120_000
"""What one call may take at worst: three tries of 35 seconds, and the waits between them."""


class Teller(NamedTuple):
    """A channel by name. ``advice``: it is told of ``low`` and ``info`` changes alone, too."""

    name: str
    channel: Channel
    advice: bool = False


class Outcome:
    """What became of each channel: an id, None where there was nothing to tell, or a failure."""

    def __init__(self) -> None:
        self.sent: dict[str, str | None] = {}
        self.failed: dict[str, str] = {}

    def attempt(self, name: str, action: Callable[[], str | None]) -> str | None:
        """Do what a channel does; a failure is logged and counted, and the others go on."""
        try:
            self.sent[name] = action()
        except AuditorError as error:
            self._fail(name, str(error))
        except Exception as error:  # noqa: BLE001 - told here, and the run fails at its end
            # Only its kind: a message of unknown origin may hold a secret, or a policy's text.
            self._fail(name, f"a defect, or an answer nobody foresaw ({type(error).__name__})")
        return self.sent.get(name)

    def _fail(self, name: str, why: str) -> None:
        self.failed[name] = why
        telemetry.logger.error("channel %s failed, the others go on: %s", name, why)


def tell(settings: Settings, night: Night, memory: Memory, outcome: Outcome) -> None:
    """Tell each channel what it hasn't heard yet."""
    for one in _tellers(settings):
        outcome.attempt(one.name, partial(_tell, one, night, memory))


def import_findings(night: Night, left_ms: Callable[[], int]) -> str:
    """Bring Security Hub up to date, in the function's own region. Raises NotifyError.

    What this audit couldn't look at isn't archived, whatever else the report shows.

    :param left_ms: returns the milliseconds that the run has left.
    """
    report = night.report
    client = boto3.Session().client("securityhub", config=_HUB_CONFIG)
    left = tuple(f"/{one.id}" for one in night.unseen)

    def render(before: Sequence[dict[str, Any]]) -> list[dict[str, object]]:
        known = [one for one in before if not str(one["Id"]).endswith(left)]
        return asff_findings(report, region=client.meta.region_name, archived=known)

    return securityhub.report_to(
        client, report.account_id, render, in_time=lambda: left_ms() > _HUB_CALL_MS
    )


def _tell(one: Teller, night: Night, memory: Memory) -> str | None:
    heard = memory.heard(one.name)
    news = news_of(night, heard, advice=one.advice)
    try:
        message_id = None if news is None else one.channel(news)
    except PartlyToldError as error:
        memory.keep(one.name, partly(heard, night.changes, error.taken))
        raise
    now = after(night, heard, news)
    if now != heard:
        memory.keep(one.name, now)
    return message_id


def _tellers(settings: Settings) -> Iterator[Teller]:
    arn = settings.topic_arn
    yield Teller("topic", lambda news: _publish(arn, news))
    if settings.slack_webhook is not None:
        place = settings.slack_webhook
        yield Teller("slack", lambda news: _post(place, news))
    if settings.chat_topic_arn is not None:
        chat_arn = settings.chat_topic_arn
        yield Teller("chat", lambda news: chat.publish(topic_client(chat_arn), chat_arn, news))
    if settings.event_bus is not None:
        bus = settings.event_bus
        yield Teller("events", lambda news: _put(bus, news), advice=True)


def _publish(arn: str, news: News) -> str | None:
    return sns.publish(topic_client(arn), arn, news, render_role=role_to_dict)


def _post(place: str, news: News) -> str:
    from auditor.notify.slack import post  # slack-sdk takes time, and most nights are silent

    return post(places.webhook(place), news)


def _put(bus: str, news: News) -> str:
    client = boto3.Session().client("events", config=CLIENT_CONFIG)
    return events.put(client, bus, news, render_role=role_to_dict)
