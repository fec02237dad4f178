"""All channels of a deployment: each is told, and one that fails costs the others nothing."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

import boto3
import jsonschema
import pytest

from auditor.errors import NotifyError
from tests.lambda_app.everybody import NONE, ONE_EACH, Everybody, hub_states, keep_webhook, taken
from tests.lambda_app.nights import audit, close, refuse, told
from tests.lambda_app.test_audit_now import SCHEMA
from tests.lambda_app.world import (
    ACCOUNT_ID,
    BUCKET,
    OPEN,
    REGION,
    SIMULATOR_POLICY,
    add_role,
    hook,
)
from tests.notify.slack_server import SECRET

if TYPE_CHECKING:
    from collections.abc import Callable


def test_everybody_hears_once(everybody: Everybody) -> None:
    """Night one tells all, night two nobody, night three that all is clear."""
    reply = audit()
    assert set(reply["channels"]) == {*ONE_EACH, "reports", "security-hub"}
    assert everybody.heard() == ONE_EACH
    assert hub_states() == {OPEN: "ACTIVE"}
    audit()
    assert everybody.heard() == NONE

    close()
    audit()
    assert [occasion for occasion, _ in told(everybody.world)] == ["all-clear"]
    (post,) = everybody.slack.posts
    assert "All clear" in post["text"]
    (event,) = taken(everybody.events_url)
    assert event["detail-type"] == "Finding Resolved"
    (notification,) = taken(everybody.chat_url)
    assert json.loads(notification["Message"])["metadata"]["eventType"] == "all-clear"
    assert hub_states() == {OPEN: "ARCHIVED"}


def test_each_night_is_stored(everybody: Everybody) -> None:
    """The whole report lies in the bucket as JSON and as a page, encrypted; messages name it."""
    audit()
    s3 = boto3.client("s3")
    stored = {one["Key"]: one for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    page, report = sorted(stored)
    assert re.fullmatch(rf"auditor/\d{{4}}/\d\d/\d\d/{ACCOUNT_ID}-\S+Z\.html", page)
    assert report == page.replace(".html", ".json")
    for key, kind in ((page, "text/html; charset=utf-8"), (report, "application/json")):
        found = s3.get_object(Bucket=BUCKET, Key=key)
        assert found["ServerSideEncryption"] == "AES256"
        assert found["ContentType"] == kind
    values = json.loads(s3.get_object(Bucket=BUCKET, Key=report)["Body"].read())
    jsonschema.validate(values, SCHEMA)
    (open_role,) = (role for role in values["roles"] if role["name"] == OPEN)
    assert open_role["findings"][0]["life"]["status"] == "new"
    assert OPEN in s3.get_object(Bucket=BUCKET, Key=page)["Body"].read().decode()
    (body,) = everybody.world.heard()
    assert json.loads(body)["stored"] == f"s3://{BUCKET}/{page}"


def no_topic(patch: pytest.MonkeyPatch, everybody: Everybody) -> None:  # noqa: ARG001 - as the others
    def refuse_findings(params: dict[str, Any], **_: object) -> Any:
        return refuse() if "findings" in str(params["body"]) else None

    hook(patch, "before-call.sns.Publish", refuse_findings)


def slack_down(_: pytest.MonkeyPatch, everybody: Everybody) -> None:
    everybody.slack.answers = [(500, {}, "down")] * 2


def slack_limits(_: pytest.MonkeyPatch, everybody: Everybody) -> None:
    everybody.slack.answers = [(429, {"Retry-After": "3600"}, "rate_limited")]


def no_webhook(_: pytest.MonkeyPatch, everybody: Everybody) -> None:  # noqa: ARG001 - as the others
    keep_webhook("xoxb-this-is-a-token-that-no-error-may-hold")


def no_chat(patch: pytest.MonkeyPatch, everybody: Everybody) -> None:  # noqa: ARG001 - as the others
    missing = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:missing"
    patch.setenv("AUDITOR_CHAT_TOPIC_ARN", missing)


def no_bus(patch: pytest.MonkeyPatch, everybody: Everybody) -> None:  # noqa: ARG001 - as the others
    hook(patch, "before-call.eventbridge.PutEvents", refuse)


def no_hub(patch: pytest.MonkeyPatch, everybody: Everybody) -> None:  # noqa: ARG001 - as the others
    hook(patch, "before-call.securityhub.BatchImportFindings", refuse)


def no_bucket(patch: pytest.MonkeyPatch, everybody: Everybody) -> None:  # noqa: ARG001 - as the others
    patch.setenv("AUDITOR_REPORTS_BUCKET", "missing-bucket")


def defect(patch: pytest.MonkeyPatch, everybody: Everybody) -> None:  # noqa: ARG001 - as the others
    def broken(_: object) -> object:
        raise KeyError("marker-that-no-log-may-hold")

    patch.setattr("auditor.notify.chat.notification", broken)


@pytest.mark.parametrize(
    ("channel", "breaks", "named"),
    [
        ("topic", no_topic, "not today"),
        ("slack", slack_down, "Slack refused the message: 500 down"),
        ("slack", slack_limits, "429 rate_limited"),
        ("slack", no_webhook, "is no address of a webhook"),
        ("chat", no_chat, "missing"),
        ("chat", defect, "a defect, or an answer nobody foresaw (KeyError)"),
        ("events", no_bus, "EventBridge bus security lacks 1 event of 1"),
        ("security-hub", no_hub, "Security Hub was sent no more, so it lacks 1 finding of 1"),
        ("reports", no_bucket, "missing-bucket"),
    ],
)
def test_each_fails_alone_and_hears_later_what_it_missed(
    everybody: Everybody,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    channel: str,
    breaks: Callable[[pytest.MonkeyPatch, Everybody], None],
    named: str,
) -> None:
    """The others are told; the run fails and says who wasn't; the next run tells that one alone."""
    with monkeypatch.context() as broken, caplog.at_level(logging.INFO):
        breaks(broken, everybody)
        with pytest.raises(NotifyError) as caught:
            audit()
    assert f"{channel}: " in str(caught.value)
    assert named in str(caught.value)
    assert any(f"channel {channel} failed" in one.message for one in caplog.records)
    everything = repr([vars(one) for one in caplog.records]) + str(caught.value)
    for secret in (SECRET, "xoxb", "marker-that-no-log-may-hold"):
        assert secret not in everything
    heard = everybody.heard()
    heard.pop(channel, None)
    assert heard == {name: 1 for name in ONE_EACH if name != channel}

    everybody.slack.answers.clear()
    keep_webhook(everybody.slack.url)
    audit()
    assert everybody.heard() == {name: int(name == channel) for name in ONE_EACH}
    assert hub_states() == {OPEN: "ACTIVE"}
    assert boto3.client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] >= 2
    audit()
    assert everybody.heard() == NONE


def test_failures_are_counted(everybody: Everybody, monkeypatch: pytest.MonkeyPatch) -> None:
    """The metric that the alarm watches says how many channels failed."""
    counts: dict[str, int] = {}
    monkeypatch.setattr("chalicelib.telemetry.count", lambda **some: counts.update(some))
    no_chat(monkeypatch, everybody)
    slack_limits(monkeypatch, everybody)
    with pytest.raises(NotifyError, match=r"slack: .*; chat: "):
        audit()
    assert counts["ChannelsFailed"] == 2
    assert "Succeeded" not in counts


def test_a_new_channel_s_first_message_shows_what_is_open_whatever_else_there_is_to_say(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That something can't be read, which alone would repeat no list, doesn't take its place."""
    with monkeypatch.context() as without:
        without.delenv("AUDITOR_SLACK_WEBHOOK")
        audit()
    hook(monkeypatch, "before-call.codebuild.ListProjects", refuse)
    audit()
    (post,) = everybody.slack.posts
    assert OPEN in json.dumps(post["blocks"])
    assert "could be read" in post["text"]


def test_a_channel_switched_on_later_is_told_what_is_open(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On its first night it hears all that is open, once, whatever day the digest is; then changes.

    The bus gets an event for each finding that is open.
    """
    with monkeypatch.context() as without:
        without.delenv("AUDITOR_SLACK_WEBHOOK")
        without.delenv("AUDITOR_EVENT_BUS")
        audit()
        assert everybody.heard() == {**ONE_EACH, "slack": 0, "events": 0}
    audit()
    (post,) = everybody.slack.posts
    assert OPEN in json.dumps(post["blocks"])
    (event,) = taken(everybody.events_url)
    assert (event["detail"]["role_name"], event["detail-type"]) == (OPEN, "Finding New")
    everybody.slack.posts.clear()
    assert everybody.heard() == NONE
    audit()
    assert everybody.heard() == NONE
    close()
    audit()
    assert everybody.heard() == ONE_EACH


def test_machines_hear_of_advice_that_wakes_nobody(everybody: Everybody) -> None:
    """A lint on a safe role is an event, and no message; people get it with the next one."""
    audit()
    everybody.heard()
    loose = json.loads(json.dumps(SIMULATOR_POLICY))
    del loose["Statement"][0]["Condition"]["Null"]
    add_role("codebuild-lint", loose)
    audit()
    assert everybody.heard() == {**NONE, "events": 1}
    close()
    audit()
    ((occasion, changes),) = told(everybody.world)
    assert occasion == "all-clear"
    assert changes == {"new": ["codebuild-lint"], "resolved": [OPEN]}
