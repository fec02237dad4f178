"""Amazon Q's custom notifications: the schema of its page, through a topic in moto."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from moto import mock_aws

from auditor.errors import NotifyError
from auditor.notify import chat
from auditor.notify.message import MAX_BYTES
from tests.notify import told
from tests.strategies import reports

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.findings import Report

REGION = "eu-west-1"
TEXTS = {"type": "array", "items": {"type": "string", "minLength": 1}}

# https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html, "Event schema"
SCHEMA = {
    "type": "object",
    "required": ["version", "source", "content"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "1.0"},
        "source": {"const": "custom"},
        "id": {"type": "string"},
        "content": {
            "type": "object",
            "required": ["description"],
            "additionalProperties": False,
            "properties": {
                "textType": {"const": "client-markdown"},
                "title": {"type": "string", "minLength": 1, "maxLength": chat.TITLE * 5},
                "description": {"type": "string", "minLength": 1, "maxLength": chat.DESCRIPTION},
                "nextSteps": TEXTS,
                "keywords": TEXTS,
            },
        },
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "threadId": {"type": "string"},
                "summary": {"type": "string"},
                "eventType": {"type": "string"},
                "relatedResources": TEXTS,
                "additionalContext": {
                    "type": "object",
                    "additionalProperties": {"type": "string"},
                },
            },
        },
    },
}

LAW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


def held(values: dict[str, Any]) -> dict[str, Any]:
    """Check what must hold of every notification, and return its content."""
    jsonschema.validate(values, SCHEMA)
    assert len(json.dumps(values)) < MAX_BYTES
    return dict(values["content"])


@LAW
@given(reports())
def test_every_notification_has_the_schema(report: Report) -> None:
    """Whatever a report holds, Amazon Q understands what it is sent."""
    held(chat.notification(told.of(report)))


@pytest.mark.parametrize("number", [1, 5_000])
def test_many_roles(number: int) -> None:
    """Of 5,000 roles a few are named and the rest counted."""
    content = held(chat.notification(told.many(number)))
    assert "codebuild-00000" in content["description"]
    assert ("4995 more roles" in content["description"]) is (number == 5_000)


@pytest.mark.usefixtures("_aws")
def test_what_arrives() -> None:
    """The topic gets the schema alone, and it says who, what, by what and what to do."""
    sns, sqs = boto3.client("sns", region_name=REGION), boto3.client("sqs", region_name=REGION)
    topic = sns.create_topic(Name="chat")["TopicArn"]
    url = sqs.create_queue(QueueName="amazon-q")["QueueUrl"]
    arn = f"arn:aws:sqs:{REGION}:123456789012:amazon-q"
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )

    assert chat.publish(sns, topic, told.full())

    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    values = json.loads(message["Body"])
    content = held(values)
    assert content["title"] == "Changed: 1 new, 1 reopened, 1 resolved, 1 suppressed"
    assert "auditor remediate plan --role codebuild-web" in content["nextSteps"][0]
    for part in (
        "• New: codebuild-web: high unrestricted-send (ses:SendEmail)",
        "could mail `someone@example.com` by `ses:SendEmail`",
        'Allow in statement 0 "Mail" of inline policy deploy see docs/rules/unrestricted-send.md',
        "Could not be read: codebuild:ListProjects ap-south-1",
    ):
        assert part in content["description"]
    assert values["metadata"]["threadId"] == "auditor-123456789012"
    assert values["metadata"]["additionalContext"]["new"] == "1"


@pytest.mark.usefixtures("_aws")
def test_a_topic_that_is_gone() -> None:
    """A topic that takes nothing is one clear line."""
    sns = boto3.client("sns", region_name=REGION)
    with pytest.raises(NotifyError, match=r"nothing could be published to \S+gone"):
        chat.publish(sns, f"arn:aws:sns:{REGION}:123456789012:gone", told.full())
