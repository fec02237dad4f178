"""An account with something that listens on every channel."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

from tests.lambda_app.world import ACCOUNT_ID, BUCKET, REGION, add_listener
from tests.notify.slack_server import Slack, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

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
    """Take what a queue got."""
    sqs = boto3.client("sqs", region_name=REGION)
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    for one in messages:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
    return [json.loads(one["Body"]) for one in messages]


@contextmanager
def listening_everywhere(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Everybody]:
    """Configure every channel, with a listener each."""
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
    """Put an address where the deployment looks for Slack's."""
    boto3.client("ssm").put_parameter(
        Name="/auditor/webhook", Value=value, Type="SecureString", Overwrite=True
    )


ONE_EACH = {"topic": 1, "slack": 1, "chat": 1, "events": 1}
NONE = dict.fromkeys(ONE_EACH, 0)


def hub_states() -> dict[str, str]:
    """Return the record states in the hub, by the name of the role."""
    found = boto3.client("securityhub", region_name=REGION).get_findings()["Findings"]
    return {
        one["Resources"][0]["Id"].rpartition("/")[2]: one.get("RecordState", "") for one in found
    }
