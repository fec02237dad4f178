"""Posting to a Slack channel through an incoming webhook.

The webhook's address is a secret: whoever has it may post. It stands in no error and no log line.
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import logging
from http.client import HTTPException
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from slack_sdk.errors import SlackClientError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.webhook import WebhookClient

from auditor.errors import NotifyError
from auditor.notify.blocks import blocks, fallback
from auditor.notify.facts import clean

if TYPE_CHECKING:
    from slack_sdk.http_retry.request import HttpRequest
    from slack_sdk.http_retry.response import HttpResponse
    from slack_sdk.http_retry.state import RetryState

    from auditor.notify.interface import News

TIMEOUT: Final = 10  # seconds that Slack has for an answer
LONGEST_WAIT: Final = 30  # seconds: whoever is asked to wait longer gives up, and says so
RATE_LIMITED_TRIES: Final = 2


def post(url: str, news: News, *, timeout: int = TIMEOUT) -> str:
    """Post news to the channel of a webhook. Slack gives no id, so the news' own is returned.

    An answer that doesn't come in time isn't asked for again: the message may have arrived.
    Raises NotifyError: what Slack answered, without the webhook's address.
    """
    client = WebhookClient(
        url,
        timeout=timeout,
        logger=_silent(),
        retry_handlers=[
            ConnectionErrorRetryHandler(),
            ServerErrorRetryHandler(),
            _RateLimit(max_retry_count=RATE_LIMITED_TRIES),
        ],
    )
    try:
        answer = client.send(
            text=fallback(news), blocks=blocks(news), unfurl_links=False, unfurl_media=False
        )
    # ValueError: an address that is none. The errors' texts may hold it, so only kinds are told.
    except (OSError, HTTPException, ValueError, SlackClientError) as error:
        raise NotifyError(
            f"Slack could not be reached ({type(error).__name__}); check the webhook's address and"
            " the function's way to the internet"
        ) from None
    # 200 alone isn't Slack: a proxy's page has it, too. A webhook that took a message says "ok".
    if answer.status_code != 200 or answer.body.strip() != "ok":
        raise NotifyError(
            f"Slack refused the message: {answer.status_code} {_said(answer.body, url)}; make a new"
            " webhook where this one was revoked"
        )
    return news.id


class _RateLimit(RateLimitErrorRetryHandler):
    """Waits as long as Slack asks for, but never for a large part of an audit's time."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        if response is None or not super()._can_retry(
            state=state, request=request, response=response, error=error
        ):
            return False
        headers = {name.lower(): values for name, values in response.headers.items()}
        wait = "".join(headers.get("retry-after", ["1"])[:1])
        return wait.isascii() and wait.isdigit() and int(wait) <= LONGEST_WAIT


def _said(body: str, url: str) -> str:
    """Return Slack's words, which may not repeat the address, nor the part of it that is secret."""
    secret = urlsplit(url).path.removeprefix("/services/")
    return clean(body.replace(secret, "(webhook)") or "without a word", 200)


def _silent() -> logging.Logger:
    """Return a logger for slack-sdk that says nothing: its debug lines hold the address."""
    logger = logging.getLogger("auditor.slack")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
