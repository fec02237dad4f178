"""Slack: what is posted to a webhook, within its limits, and what happens where it refuses."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from auditor.errors import NotifyError
from auditor.notify.blocks import (
    MAX_BLOCKS,
    MAX_HEADER,
    MAX_SECTION,
    MAX_TEXT,
    blocks,
    fallback,
)
from auditor.notify.interface import News
from auditor.notify.slack import LONGEST_WAIT, post
from auditor.notify.unanswered import UnansweredError
from tests import examples
from tests.notify import told
from tests.notify.slack_server import SECRET, Slack, listening
from tests.strategies import reports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.findings import Report

LAW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture
def slack() -> Iterator[Slack]:
    """A server that listens as Slack does."""
    with listening() as server:
        yield server


def held(news: News) -> list[dict[str, Any]]:
    """Check what must hold of every message, and return its blocks."""
    found = blocks(news)
    assert 0 < len(found) <= MAX_BLOCKS == 50
    assert found[0]["type"] == "header"
    assert 0 < len(found[0]["text"]["text"]) <= MAX_HEADER == 150
    for block in found:
        if block["type"] == "section":
            text = block["text"]["text"]
            assert 0 < len(text) <= MAX_SECTION == 3000
            assert text.replace("\n", "").isprintable()
            # https://docs.slack.dev/messaging/formatting-message-text#escaping
            assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text)
            if "accessory" in block:
                assert len(block["accessory"]["url"]) <= 3000
                assert re.fullmatch(r"https://[!-~]+", block["accessory"]["url"])
    assert 0 < len(fallback(news)) <= MAX_TEXT
    json.dumps(found).encode()
    return found


@LAW
@given(reports())
def test_every_message_keeps_to_slack_s_limits(report: Report) -> None:
    """Whatever a report holds: 50 blocks, 3,000 characters a section, no link and no mention."""
    held(told.of(report))


@pytest.mark.parametrize("number", [1, 5_000])
def test_many_roles(number: int) -> None:
    """Of 5,000 roles the first are shown, and the rest counted."""
    text = json.dumps(held(told.many(number)), ensure_ascii=False)
    assert "codebuild-00000" in text
    assert ("4990 more roles" in text) is (number == 5_000)
    assert ("4970 more changes" in text) is (number == 5_000)


def test_what_arrives(slack: Slack) -> None:
    """What changed leads; each role says who, what could be mailed, by what, and what to do."""
    assert post(slack.url, told.full()) == "news-1"

    (message,) = slack.posts
    assert message["text"].startswith("auditor, account 123456789012: Changed: 1 new, 1 reopened")
    assert message["unfurl_links"] is False
    header, *rest = message["blocks"]
    assert header["text"]["text"] == "auditor: Changed: 1 new, 1 reopened, 1 resolved, 1 suppressed"
    text = "\n".join(block["text"]["text"] for block in rest if "text" in block)
    for line in (
        "*New*\n• codebuild-web: high unrestricted-send (ses:SendEmail)",
        "*Resolved*\n• codebuild-gone: high unrestricted-send (ses:SendEmail)",
        ":warning: *The audit is incomplete*",
        "Not looked at, so open as before: codebuild-gone",
        "*EXPOSED, PROVEN*: `codebuild-web`\nProjects: web (eu-west-1)",
        "Could mail: `ses:SendEmail` to `someone@example.com`",
        'By: Allow in statement 0 "Mail" of inline policy deploy',
        "Read: docs/rules/unrestricted-send.md",
        "Plan the fix: `auditor remediate plan --role codebuild-web`",
        "The whole report: `s3://b/k`",
    ):
        assert line in text
    buttons = [block["accessory"]["url"] for block in rest if "accessory" in block]
    assert buttons[0] == "https://console.aws.amazon.com/iam/home#/roles/details/codebuild-web"


def test_all_clear_leads() -> None:
    """The good news is the headline."""
    news = News(examples.clean(), told.CHANGES._replace(new=(), reopened=()), "all-clear")
    assert held(news)[0]["text"]["text"].startswith("auditor: All clear")


@pytest.mark.parametrize(
    ("answers", "tries"),
    [
        ([(500, {}, "down")], 2),
        ([(503, {}, "down")], 2),
        ([(429, {"Retry-After": "0"}, "rate_limited")], 2),
    ],
)
def test_what_passes_is_waited_out(
    slack: Slack,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[tuple[int, dict[str, str], str]],
    tries: int,
) -> None:
    """A server error, and being asked to wait a little, cost a moment and no message."""
    monkeypatch.setattr("slack_sdk.http_retry.builtin_handlers.time.sleep", lambda _: None)
    monkeypatch.setattr("slack_sdk.http_retry.handler.time.sleep", lambda _: None)
    slack.answers = list(answers)
    assert post(slack.url, told.full())
    assert len(slack.posts) == tries


@pytest.mark.parametrize(
    ("answers", "named", "tries"),
    [
        ([(500, {}, "down")] * 9, "500 down", 2),
        ([(403, {}, "invalid_token")], "403 invalid_token", 1),
        ([(404, {}, f"no_service /services/{SECRET}")], "404 no_service", 1),
        ([(410, {}, "")], "410 without a word", 1),
        ([(429, {"Retry-After": "0"}, "rate_limited")] * 9, "429 rate_limited", 2),
        ([(429, {"Retry-After": str(LONGEST_WAIT + 1)}, "rate_limited")], "429", 1),
        ([(429, {"Retry-After": "tomorrow"}, "rate_limited")], "429", 1),
        ([(0, {}, "")], "TimeoutError", 1),
    ],
)
def test_what_slack_refuses_is_told_without_the_secret(
    slack: Slack,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    answers: list[tuple[int, dict[str, str], str]],
    named: str,
    tries: int,
) -> None:
    """One line with Slack's answer; the webhook's address stands neither there nor in a log."""
    monkeypatch.setattr("slack_sdk.http_retry.builtin_handlers.time.sleep", lambda _: None)
    monkeypatch.setattr("slack_sdk.http_retry.handler.time.sleep", lambda _: None)
    slack.answers = list(answers)
    with caplog.at_level(logging.DEBUG), pytest.raises(NotifyError) as caught:
        post(slack.url, told.full(), timeout=1)

    assert named in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(slack.posts) == tries
    assert SECRET not in str(caught.value)
    assert SECRET not in caplog.text
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["nonsense/this-is-a-secret", "http://127.0.0.1:9/this-is-a-secret"]
)
def test_an_address_that_is_none(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be reached is one line, without the address."""
    monkeypatch.setattr("slack_sdk.http_retry.handler.time.sleep", lambda _: None)
    with pytest.raises(NotifyError) as caught:
        post(url, told.full(), timeout=1)
    assert "this-is-a-secret" not in str(caught.value)


def test_only_ok_is_a_delivery(slack: Slack) -> None:
    """A page that says 200, such as a proxy's, isn't Slack's word that the message arrived."""
    slack.answers = [(200, {}, "<html>sign in first</html>")]
    with pytest.raises(NotifyError, match="200 <html>sign in first"):
        post(slack.url, told.full())


def test_a_message_that_may_have_been_read_is_not_posted_again(slack: Slack) -> None:
    """A connection that breaks after the message was sent is doubt, and no reason to ask again."""
    slack.answers = [(-1, {}, "")]
    with pytest.raises(UnansweredError, match="may or may not be there"):
        post(slack.url, told.full())
    assert len(slack.posts) == 1


def test_a_refused_connection_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens nothing was sent: one more try, and then it is said."""
    waits: list[float] = []
    monkeypatch.setattr("slack_sdk.http_retry.handler.time.sleep", waits.append)
    with pytest.raises(NotifyError, match="could not be reached") as caught:
        post("http://127.0.0.1:9/services/T/B/this-is-a-secret", told.full(), timeout=1)
    assert not isinstance(caught.value, UnansweredError)
    assert len(waits) == 1


@pytest.mark.parametrize(
    ("body", "url", "said"),
    [
        ("no_service", "https://hooks.slack.com/services/", "no_service"),
        ("bad 0123456789abcdef", "https://x/services/T0/B0/0123456789abcdef", "bad (webhook)"),
        ("bad T0/B0/0123456789ab", "https://x/services/T0/B0/0123456789ab", "bad (webhook)"),
        ("https://hooks.slack.com/services/T1/B1/x", "https://x/", "https://hooks.slack.com/(hidden)"),
    ],
)  # fmt: skip
def test_no_part_of_an_address_is_repeated(slack: Slack, body: str, url: str, said: str) -> None:
    """Slack's words keep their sense, without the webhook or the part of it that is secret."""
    slack.answers = [(404, {}, body)]
    here = slack.url.partition("/services")[0]
    with pytest.raises(NotifyError) as caught:
        post(f"{here}/{url.split('/', 3)[3]}", told.full())
    assert f"404 {said};" in str(caught.value)


def test_a_repeat_can_be_known(slack: Slack) -> None:
    """A message shows the beginning of its id, the same each time it is posted."""
    for _ in range(2):
        post(slack.url, told.full()._replace(id="0123456789abcdef"))
    first, second = (json.dumps(one) for one in slack.posts)
    assert first == second
    assert "Message `01234567`" in first
