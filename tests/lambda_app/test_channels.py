"""All channels of a deployment: each is told, and one that fails costs the others nothing."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import jsonschema
import pytest

from auditor.errors import NotifyError
from tests.lambda_app.nights import Context, Killed, audit, close, killed, refuse, told
from tests.lambda_app.test_audit_now import SCHEMA
from tests.lambda_app.world import (
    ACCOUNT_ID,
    BUCKET,
    OPEN,
    REGION,
    SIMULATOR_POLICY,
    add_listener,
    add_role,
    hook,
)
from tests.notify.slack_server import SECRET, Slack, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lambda_app.world import World


@dataclass(frozen=True)
class Everybody:
    """The account, with something that listens on every channel."""

    world: World
    slack: Slack
    chat_url: str
    events_url: str

    def heard(self) -> dict[str, int]:
        """Take how many messages each channel got since the last time."""
        posts = len(self.slack.posts)
        self.slack.posts.clear()
        return {
            "topic": len(self.world.heard()),
            "slack": posts,
            "chat": len(taken(self.chat_url)),
            "events": len(taken(self.events_url)),
        }


def taken(url: str) -> list[Any]:
    sqs = boto3.client("sqs", region_name=REGION)
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for one in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return [json.loads(one["Body"]) for one in messages]


@pytest.fixture
def everybody(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Everybody]:
    """Every channel configured, with a listener each."""
    chat = boto3.client("sns").create_topic(Name="chat")["TopicArn"]
    events = boto3.client("events")
    events.create_event_bus(Name="security")
    pattern = json.dumps({"source": ["auditor"]})
    events.put_rule(Name="all", EventBusName="security", EventPattern=pattern)
    queue = boto3.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    target = {"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:events"}
    events.put_targets(Rule="all", EventBusName="security", Targets=[target])  # type: ignore[list-item]  # a plain dict
    boto3.client("securityhub").enable_security_hub()
    boto3.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    for name, value in {
        "SLACK_WEBHOOK": "ssm:/auditor/webhook",
        "CHAT_TOPIC_ARN": chat,
        "EVENT_BUS": "security",
        "SECURITY_HUB": "true",
        "REPORTS_BUCKET": BUCKET,
    }.items():
        monkeypatch.setenv(f"AUDITOR_{name}", value)
    monkeypatch.setattr("slack_sdk.http_retry.handler.time.sleep", lambda _: None)
    with listening() as slack:
        monkeypatch.setattr("chalicelib.places.WEBHOOKS", (slack.url.partition("/services")[0],))
        keep_webhook(slack.url)
        yield Everybody(world, slack, add_listener(chat, "chat"), queue)


def keep_webhook(value: str) -> None:
    boto3.client("ssm").put_parameter(
        Name="/auditor/webhook", Value=value, Type="SecureString", Overwrite=True
    )


ONE_EACH = {"topic": 1, "slack": 1, "chat": 1, "events": 1}
NONE = dict.fromkeys(ONE_EACH, 0)


def hub_states() -> dict[str, str]:
    found = boto3.client("securityhub", region_name=REGION).get_findings()["Findings"]
    return {
        one["Resources"][0]["Id"].rpartition("/")[2]: one.get("RecordState", "") for one in found
    }


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
        ("events", no_bus, "EventBridge bus security refused 1 event of 1"),
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


@pytest.mark.parametrize("slow", ["auditor.notify.securityhub._imported", "chalicelib.store._put"])
def test_people_hear_first(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    """A run that is killed while it imports or stores has told everybody by then, and once."""
    with monkeypatch.context() as first:
        first.setattr(slow, killed)
        for _ in range(2):
            with pytest.raises(Killed):
                audit("the same run")
    assert everybody.heard() == ONE_EACH


def test_a_hub_gets_only_the_time_there_is(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With less left than one call may take the hub isn't asked: said, and everybody else told."""
    monkeypatch.setattr(Context, "get_remaining_time_in_millis", lambda _: 60_000)
    with pytest.raises(NotifyError, match=r"security-hub: .*time is nearly over"):
        audit()
    assert everybody.heard() == ONE_EACH
    assert hub_states() == {}


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


def test_a_channel_switched_on_later_is_not_told_the_past(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It hears what changes from then on, and all that is open with the first digest."""
    with monkeypatch.context() as without:
        without.delenv("AUDITOR_SLACK_WEBHOOK")
        audit()
        assert everybody.heard() == {**ONE_EACH, "slack": 0}
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
