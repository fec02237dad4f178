"""Time: whoever doesn't answer costs little of it, and the others are told before Lambda ends."""

from __future__ import annotations

import io
import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from auditor.errors import NotifyError
from auditor.notify import slack
from chalicelib import clients, handing_on
from tests.lambda_app.nights import Context, audit
from tests.lambda_app.world import hook

if TYPE_CHECKING:
    from botocore.config import Config

    from tests.lambda_app.everybody import Everybody

LAMBDA_S = 900
AUDIT_S = (
    380  # what an audit may take before nobody has to be left out; the slow ones ring an alarm
)


class Clock:
    """A clock that nobody waits for."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        patch.setattr(
            Context, "get_remaining_time_in_millis", lambda _: int((LAMBDA_S - self.now) * 1000)
        )
        for sleeper in ("auditor.notify.sns", "slack_sdk.http_retry.builtin_handlers"):
            patch.setattr(f"{sleeper}.time", SimpleNamespace(sleep=self.pass_))
        patch.setattr("slack_sdk.http_retry.handler.time", SimpleNamespace(sleep=self.pass_))

    def pass_(self, seconds: float) -> None:
        """Let time go by."""
        self.now += seconds

    def dead(self, config: Config) -> Any:
        """Return a handler in whose place nobody answers: the time of all tries goes by."""
        settings: Any = config
        tries = settings.retries["total_max_attempts"]

        def nobody(**_: object) -> NoReturn:
            self.pass_(tries * (settings.connect_timeout + settings.read_timeout) + tries - 1)
            raise ConnectTimeoutError(endpoint_url="https://example.com")

        return nobody


@pytest.mark.usefixtures("everybody")
def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every channel dead, after a long audit: each was tried, and the run ends by itself.

    What telling took is no more than what is kept for it.
    """
    clock = Clock(monkeypatch)
    clock.now = AUDIT_S
    tried: list[str] = []

    def count(name: str, handler: Any) -> Any:
        def counted(**more: object) -> Any:
            tried.append(name)
            return handler(**more)

        return counted

    hook(monkeypatch, "before-call.sns.Publish", count("sns", clock.dead(clients.ONCE)))
    hook(monkeypatch, "before-call.ssm.GetParameter", count("ssm", clock.dead(clients.TWICE)))
    hook(monkeypatch, "before-call.eventbridge.PutEvents", count("bus", clock.dead(clients.TWICE)))
    hook(monkeypatch, "before-call.s3.PutObject", count("s3", clock.dead(clients.STORE)))
    hook(monkeypatch, "before-call.securityhub.GetFindings", count("hub", lambda **_: None))
    with pytest.raises(NotifyError, match=r"topic: .*; slack: .*; chat: .*; events: "):
        audit()
    assert tried == ["s3", *["sns"] * 2, "ssm", *["sns"] * 2, "bus", "hub"]
    assert clock.now - AUDIT_S <= (clients.TELLING_MS + clients.STORING_MS) / 1000


def test_slack_at_its_slowest(everybody: Everybody, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack answers just in time that it is busy, twice: it gets no more than its share."""
    clock = Clock(monkeypatch)
    tries = []

    def busy(*_: object) -> NoReturn:
        tries.append(clock.now)
        clock.pass_(2 * slack.TIMEOUT)
        raise limited()

    monkeypatch.setattr("slack_sdk.webhook.WebhookClient._perform_http_request_internal", busy)
    with pytest.raises(NotifyError, match="slack: Slack refused the message: 429"):
        audit()
    assert len(tries) == 2
    assert clock.now <= (102 - 31) + 1
    assert everybody.heard() == {"topic": 1, "slack": 0, "chat": 1, "events": 1}


def limited() -> Exception:
    from email.message import Message
    from urllib.error import HTTPError

    headers = Message()
    headers["Retry-After"] = str(slack.LONGEST_WAIT)
    return HTTPError("https://example.com", 429, "busy", headers, io.BytesIO(b"rate_limited"))


def test_a_late_answer_is_asked_for_once_more(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic that takes messages and doesn't say so gets one twice at worst; the alarm rings."""
    taken: list[str] = []

    def late(params: dict[str, Any], **_: object) -> NoReturn:
        taken.append(str(params["body"]))
        raise ReadTimeoutError(endpoint_url="https://sns.example.com")

    monkeypatch.delenv("AUDITOR_CHAT_TOPIC_ARN")
    with monkeypatch.context() as slow:
        hook(slow, "before-call.sns.Publish", late)
        for _ in range(2):
            with pytest.raises(NotifyError, match=r"topic: .*may or may not have been published"):
                audit("the same run")
            everybody.slack.posts.clear()
        audit("the same run")
    assert len(taken) == 2
    assert audit("the same run")["repeated"]


def test_remediation_cannot_eat_the_time_for_telling(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Remediate is waited for as long as time for telling is left, and not begun where none is.

    That stands in the message.
    """
    waits: list[float] = []

    def slow(context: dict[str, Any], **_: object) -> NoReturn:
        waits.append(context["client_config"].read_timeout)
        raise ReadTimeoutError(endpoint_url="https://lambda.example.com")

    monkeypatch.setenv("AUDITOR_REMEDIATE_ROLES", "*")
    monkeypatch.setenv("AUDITOR_REMEDIATE_FUNCTION", "remediate")
    clock = Clock(monkeypatch)
    hook(monkeypatch, "before-call.lambda.Invoke", slow)
    audit("first")
    (wait,) = waits
    assert wait == LAMBDA_S - handing_on.MARGIN_MS // 1000
    assert wait + (clients.TELLING_MS + clients.STORING_MS) / 1000 < LAMBDA_S
    assert "ReadTimeoutError" in everybody.world.heard()[0]

    clock.now = LAMBDA_S - handing_on.MARGIN_MS / 1000
    monkeypatch.setenv("AUDITOR_ALWAYS_NOTIFY", "true")
    audit("second")
    assert len(waits) == 1
    (body,) = everybody.world.heard()
    assert "was not begun" in json.loads(body)["remediation"]["error"]
