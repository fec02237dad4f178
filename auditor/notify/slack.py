"""Posting to a Slack channel through an incoming webhook.

The webhook's address is a secret: whoever has it may post. It stands in no error and no log line.
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import logging
import socket
from http.client import HTTPException, InvalidURL
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit

from slack_sdk.errors import SlackClientError
from slack_sdk.http_retry.builtin_handlers import (
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.http_retry.handler import RetryHandler
from slack_sdk.webhook import WebhookClient

from auditor.errors import NotifyError
from auditor.notify.aside import sentence
from auditor.notify.blocks import blocks, escaped, fallback
from auditor.notify.unanswered import UnansweredError
from auditor.text import words

if TYPE_CHECKING:
    from slack_sdk.http_retry.request import HttpRequest
    from slack_sdk.http_retry.response import HttpResponse
    from slack_sdk.http_retry.state import RetryState

    from auditor.notify.aside import Word
    from auditor.notify.interface import News

TIMEOUT: Final = 10  # seconds to connect, and seconds that Slack has for an answer
LONGEST_WAIT: Final = 30  # seconds: whoever is asked to wait longer gives up, and says so

_SHORTEST: Final = 6
"""Characters of a part of an address that may be taken for its secret; Slack's has 24."""


def post(url: str, news: News, *, timeout: int = TIMEOUT) -> str:
    """Post news to the channel of a webhook. Slack gives no id, so the news' own is returned.

    It is posted again, once, only where Slack surely didn't take it: the connection was refused, or
    the answer is 429, 500 or 503. Raises NotifyError: what Slack answered, without the webhook's
    address; as ``UnansweredError`` where the answer didn't come, for the message may have arrived.
    """
    body = {"text": fallback(news), "blocks": blocks(news)}
    _send(url, timeout, body)
    return news.id


def say(url: str, word: Word, *, timeout: int = TIMEOUT) -> str:
    """Post a line about the audit itself. Raises NotifyError, as ``post`` does."""
    _send(url, timeout, {"text": escaped(sentence(word))})
    return word.id


def _send(url: str, timeout: int, body: dict[str, Any]) -> None:
    client = WebhookClient(
        url,
        timeout=timeout,
        logger=_silent(),
        retry_handlers=[_Refused(), ServerErrorRetryHandler(), _RateLimit()],
    )
    # The errors' texts may hold the address, so only kinds are told.
    try:
        answer = client.send_dict({**body, "unfurl_links": False, "unfurl_media": False})
    except UnicodeDecodeError:
        raise _unanswered("an answer that is no text") from None
    # ValueError and InvalidURL: an address that is none. URLError: no connection, or one that broke
    # before the whole message was handed over.
    except (URLError, InvalidURL, ValueError, SlackClientError) as error:
        raise NotifyError(
            f"Slack could not be reached ({type(error).__name__}); check the webhook's address and"
            " the function's way to the internet"
        ) from None
    except (OSError, HTTPException) as error:
        raise _unanswered(type(error).__name__) from None
    # 200 alone isn't Slack: a proxy's page has it, too. A webhook that took a message says "ok".
    if answer.status_code != 200 or answer.body.strip() != "ok":
        raise NotifyError(
            f"Slack refused the message: {answer.status_code} {_said(answer.body, url)}; make a new"
            " webhook where this one was revoked"
        )


def _unanswered(why: str) -> UnansweredError:
    return UnansweredError(f"Slack didn't answer, so the message may or may not be there ({why})")


class _Refused(RetryHandler):
    """Asks again where nobody was there: not a byte was sent. slack-sdk's own asks again where the

    connection broke later, too, and the message may have been read by then.
    """

    def _can_retry(
        self,
        *,
        state: RetryState,  # noqa: ARG002 - slack-sdk's signature
        request: HttpRequest,  # noqa: ARG002 - slack-sdk's signature
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        return (
            response is None
            and isinstance(error, URLError)
            and isinstance(error.reason, ConnectionRefusedError | socket.gaierror)
        )


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
    path = urlsplit(url).path.removeprefix("/services/").strip("/")
    for secret in (url, path, *path.split("/")[-1:]):
        if len(secret) >= _SHORTEST:
            body = body.replace(secret, "(webhook)")
    return words(body, 200) or "without a word"


def _silent() -> logging.Logger:
    """Return a logger for slack-sdk that says nothing: its debug lines hold the address."""
    logger = logging.getLogger("auditor.slack")
    logger.setLevel(logging.CRITICAL + 1)
    return logger
