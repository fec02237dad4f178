"""The channels that a deployment has, each run alone: one that fails costs the others nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
from botocore.config import Config

from auditor.errors import AuditorError, NotifyError
from auditor.notify import aside, chat, events, securityhub, sns
from auditor.notify.interface import News, PartlyToldError
from auditor.notify.news import Heard, after, news_of, partly
from auditor.notify.unanswered import UnansweredError
from auditor.report.asff import asff_findings
from auditor.report.json import role_to_dict
from auditor.text import without_secrets
from chalicelib import newcomers, places, telemetry
from chalicelib.clients import CLIENT_CONFIG, TWICE, TWICE_MS, topic_client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from auditor.notify.aside import Word
    from auditor.notify.interface import Channel
    from auditor.notify.news import Night
    from chalicelib.memory import Memory
    from chalicelib.settings import Settings


_HUB_CONFIG: Final = CLIENT_CONFIG.merge(
    Config(retries={"mode": "standard", "total_max_attempts": 3})
)
_HUB_CALL_MS: Final = 120_000
"""What one call may take at worst: three tries of 35 seconds, and the waits between them."""

SLACK_MS: Final = 102_000
BUS_MS: Final = 60_000
"""What all calls of the bus together get; see ``clients.TELLING_MS`` for the rest."""


class Teller(NamedTuple):
    """A channel by name.

    ``say`` tells people a word about the audit itself; None where no people listen. ``advice``: it
    is told of ``low`` and ``info`` changes alone, too. ``needs_ms``: the least time to begin with.
    """

    name: str
    channel: Channel
    say: Callable[[Word], str | None] | None = None
    advice: bool = False
    needs_ms: int = TWICE_MS


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
            self._fail(name, without_secrets(str(error)))
        except Exception as error:  # noqa: BLE001 - told here, and the run fails at its end
            # Only its kind: a message of unknown origin may hold a secret, or a policy's text.
            self._fail(name, f"a defect, or an answer nobody foresaw ({type(error).__name__})")
        return self.sent.get(name)

    def _fail(self, name: str, why: str) -> None:
        self.failed[name] = why
        telemetry.logger.error("channel %s failed, the others go on: %s", name, why)


def tell(
    settings: Settings, night: Night, memory: Memory, outcome: Outcome, left_ms: Callable[[], int]
) -> None:
    """Tell each channel what it hasn't heard yet, as long as there is time for it.

    :param left_ms: returns the milliseconds that the run has left.
    """
    for one in tellers(settings, left_ms):
        outcome.attempt(one.name, partial(_tell, one, night, memory, left_ms))


def tellers(settings: Settings, left_ms: Callable[[], int]) -> Iterator[Teller]:
    """Yield the channels that are configured."""
    arn = settings.topic_arn
    yield Teller("topic", lambda news: _publish(arn, news), lambda word: _say(arn, word))
    if settings.slack_webhook is not None:
        place = settings.slack_webhook
        yield Teller(
            "slack",
            lambda news: _post(place, news),
            lambda word: _say_in_slack(place, word),
            needs_ms=SLACK_MS,
        )
    if settings.chat_topic_arn is not None:
        chat_arn = settings.chat_topic_arn
        yield Teller(
            "chat",
            lambda news: chat.publish(topic_client(chat_arn), chat_arn, news),
            lambda word: aside.to_chat(topic_client(chat_arn), chat_arn, word),
        )
    if settings.event_bus is not None:
        bus = settings.event_bus
        yield Teller("events", lambda news: _put(bus, news, left_ms), advice=True)


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


def _tell(one: Teller, night: Night, memory: Memory, left_ms: Callable[[], int]) -> str | None:
    if left_ms() < one.needs_ms:
        raise NotifyError("the run's time is nearly over; the next run tells it")
    known = memory.heard(one.name)
    if known is None:
        return _first(one, night, memory)
    heard = known
    if heard.day > night.report.generated_at.date().isoformat():
        # A clock ran ahead then: left so, there would be no digest until that day.
        heard = heard._replace(day="")
    news = news_of(night, heard, advice=one.advice)
    try:
        message_id = None if news is None else one.channel(news)
    except PartlyToldError as error:
        memory.keep(one.name, partly(heard, night.changes, error.taken))
        raise
    except UnansweredError as error:
        _unanswered(one, night, memory, heard, news)
        raise NotifyError(f"{error} (message {news.id[:8] if news else ''})") from error
    now = after(night, heard, news)
    if now != known:
        memory.keep(one.name, now)
    return message_id


def _first(one: Teller, night: Night, memory: Memory) -> str | None:
    """Tell a channel that is new what is open, and remember that it isn't new any more."""
    start = newcomers.start_of(memory, one.name, night) if one.advice else None
    news = newcomers.first(night, start)
    if news is None and night.outdated:
        return None  # the later audit knows what is open, and the next run tells it
    try:
        message_id = None if news is None else one.channel(news)
    except PartlyToldError as error:
        if start is not None and news is not None:
            memory.keep_start(one.name, newcomers.further(start, night, news, error.taken))
        raise
    except UnansweredError as error:
        _unanswered(one, night, memory, Heard(), news)
        raise NotifyError(f"{error} (message {news.id[:8] if news else ''})") from error
    memory.keep(one.name, after(night, Heard(), news))
    if start is not None:
        memory.started(one.name)
    return message_id


def _unanswered(one: Teller, night: Night, memory: Memory, heard: Heard, news: News | None) -> None:
    """Remember a message that may have arrived: it is told once more, and not a third time.

    Untold is worse than told twice, and told every night is worse than both; and the alarm rings
    for each.
    """
    if news is None:
        return
    if memory.unanswered(one.name) != news.id:
        memory.keep_unanswered(one.name, news.id)
        return
    telemetry.logger.error(
        "channel %s didn't answer to message %s twice; it is not told again", one.name, news.id[:8]
    )
    memory.keep(one.name, after(night, heard, news))


def _publish(arn: str, news: News) -> str | None:
    return sns.publish(topic_client(arn), arn, news, render_role=role_to_dict)


def _say(arn: str, word: Word) -> str | None:
    return aside.to_topic(topic_client(arn), arn, word)


def _post(place: str, news: News) -> str:
    from auditor.notify.slack import post  # slack-sdk takes time, and most nights are silent

    return post(places.webhook(place), news)


def _say_in_slack(place: str, word: Word) -> str:
    from auditor.notify.slack import say  # as above

    return say(places.webhook(place), word)


def _put(bus: str, news: News, left_ms: Callable[[], int]) -> str:
    client = boto3.Session().client("events", config=TWICE)
    until = max(left_ms() - BUS_MS, TWICE_MS)
    return events.put(
        client, bus, news, render_role=role_to_dict, in_time=lambda: left_ms() >= until
    )
