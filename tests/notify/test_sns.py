"""From a report to what subscribers of a topic receive, through moto's SNS and SQS."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from auditor.errors import NotifyError
from auditor.notify import aside, sns
from auditor.notify.interface import News
from auditor.notify.message import SnsMessage, make_message
from auditor.notify.unanswered import UnansweredError
from auditor.report.json import role_to_dict
from tests import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

    from auditor.findings import Report
    from auditor.notify.interface import Channel

REGION = "eu-west-1"


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield


@pytest.fixture
def client() -> SNSClient:
    return boto3.client("sns", region_name=REGION)


@pytest.fixture
def sqs() -> SQSClient:
    return boto3.client("sqs", region_name=REGION)


def subscribe(client: SNSClient, sqs: SQSClient, topic: str, name: str, **attributes: str) -> str:
    """Subscribe a new queue to the topic; the queue's URL."""
    fifo = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
    url = sqs.create_queue(QueueName=name, Attributes=fifo)["QueueUrl"]  # type: ignore[arg-type]  # the stubs want literal keys
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    client.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return url


def received(sqs: SQSClient, url: str) -> list[Any]:
    answer = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    )
    return list(answer.get("Messages", []))


def send(client: SNSClient, topic: str, report: Report) -> str | None:
    return sns.publish(client, topic, News(report), render_role=role_to_dict)


def test_queues_get_the_json_body(client: SNSClient, sqs: SQSClient) -> None:
    """A queue gets the JSON body: in SNS's envelope, or bare where delivery is raw."""
    topic = client.create_topic(Name="findings")["TopicArn"]
    plain = subscribe(client, sqs, topic, "plain")
    raw = subscribe(client, sqs, topic, "raw", RawMessageDelivery="true")
    message_id = send(client, topic, examples.full())
    (enveloped,) = received(sqs, plain)
    envelope = json.loads(enveloped["Body"])
    assert envelope["MessageId"] == message_id
    assert envelope["Subject"].startswith("auditor: 2 exposed")
    assert envelope["MessageAttributes"]["exposed"] == {"Type": "Number", "Value": "2"}
    (bare,) = received(sqs, raw)
    assert bare["MessageAttributes"]["worst_severity"]["StringValue"] == "high"
    body = json.loads(bare["Body"])
    assert body == json.loads(envelope["Message"])
    assert body["roles"][0] == role_to_dict(examples.WEB)
    assert body["omitted"] == {
        "exposed": 0,
        "undetermined": 0,
        "errors": 0,
        "unresolved_projects": 0,
        "changes": 0,
        "unseen": 0,
        "exceptions": 0,
    }


def test_filters_on_attributes(client: SNSClient, sqs: SQSClient) -> None:
    """A subscription can ask for the bad news alone: by severity, by number, by completeness."""
    topic = client.create_topic(Name="findings")["TopicArn"]
    policies = {
        "high": {"worst_severity": ["high"]},
        "any": {"exposed": [{"numeric": [">", 0]}]},
        "incomplete": {"complete": ["false"]},
        "elsewhere": {"account_id": ["999999999999"]},
    }
    urls = {
        name: subscribe(client, sqs, topic, name, FilterPolicy=json.dumps(policy))
        for name, policy in policies.items()
    }
    send(client, topic, examples.report(examples.BATCH))  # possible: medium
    send(client, topic, examples.full())  # proven, incomplete
    counts = {name: len(received(sqs, url)) for name, url in urls.items()}
    assert counts == {"high": 1, "any": 2, "incomplete": 1, "elsewhere": 0}


def test_mail_gets_the_readable_text(client: SNSClient) -> None:
    """A person's mail has the text for people, and a short default stands for other protocols."""
    topic = client.create_topic(Name="findings")["TopicArn"]
    send(client, topic, examples.full())
    backend = sns_backends[DEFAULT_ACCOUNT_ID][REGION]
    ((_, envelope, subject, *_),) = backend.topics[topic].sent_notifications
    assert isinstance(envelope, str)
    texts = json.loads(envelope)
    assert "EXPOSED, PROVEN: codebuild-web\n" in texts["email"]
    assert texts["default"].startswith("auditor, account 123456789012: 2 exposed CodeBuild roles")
    assert "\n" not in texts["default"]
    assert str(subject).startswith("auditor: 2 exposed")


def test_what_is_told_is_sent(client: SNSClient, sqs: SQSClient) -> None:
    """A clean audit that somebody wants to be told of is a message, too."""
    topic = client.create_topic(Name="findings")["TopicArn"]
    url = subscribe(client, sqs, topic, "plain")
    assert send(client, topic, examples.clean())
    (message,) = received(sqs, url)
    assert json.loads(json.loads(message["Body"])["Message"])["roles"] == []


def test_a_run_that_failed_is_told(client: SNSClient, sqs: SQSClient) -> None:
    """Where there is no report the topic hears why, on one line, and can filter on it."""
    topic = client.create_topic(Name="findings")["TopicArn"]
    only = json.dumps({"occasion": ["failed"]})
    url = subscribe(client, sqs, topic, "plain", FilterPolicy=only)
    word = aside.failed("123456789012", "exceptions s3://b/k:3: role:\n is empty", "run-1")
    aside.to_topic(client, topic, word)
    (message,) = received(sqs, url)
    envelope = json.loads(message["Body"])
    assert envelope["Subject"] == "auditor: the audit FAILED"
    assert "exceptions s3://b/k:3" in envelope["Message"]
    assert "\n" not in envelope["Message"]


def test_the_largest_message_is_accepted(client: SNSClient) -> None:
    """5,000 exposed roles with names in emoji still make one message that is taken."""
    topic = client.create_topic(Name="findings")["TopicArn"]
    roles = [
        replace(examples.WEB, name="\U0001f4e7" * 64, arn=examples.role_arn(f"r{n:04}"))
        for n in range(5_000)
    ]
    assert send(client, topic, examples.report(*roles))


def test_fifo_topics(client: SNSClient, sqs: SQSClient) -> None:
    """A FIFO topic gets its group, and the same report sent again within minutes arrives once."""
    topic = client.create_topic(Name="findings.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    url = subscribe(client, sqs, topic, "q.fifo")
    assert send(client, topic, examples.full())
    assert send(client, topic, examples.full())
    assert len(received(sqs, url)) == 1


@pytest.mark.parametrize(
    "topic",
    [f"arn:aws:sns:{REGION}:{DEFAULT_ACCOUNT_ID}:missing", "not an arn", "", "a\nb\x1b[31m"],
    ids=ascii,
)
def test_a_topic_that_refuses(client: SNSClient, topic: str) -> None:
    """A topic that doesn't take the message is one clear line, whatever its name."""
    with pytest.raises(NotifyError) as caught:
        send(client, topic, examples.full())
    assert str(caught.value).isprintable()
    assert "check that the topic exists" in str(caught.value)


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own errors are translated like AWS's."""
    client = boto3.client("sns", region_name=REGION)
    monkeypatch.setattr(client._request_signer, "_credentials", None)  # type: ignore[attr-defined]
    with pytest.raises(NotifyError, match="nothing could be published"):
        send(client, "arn:aws:sns:eu-west-1:123456789012:t", examples.full())


def test_it_is_a_channel(client: SNSClient) -> None:
    """With its settings bound, publish is a channel like any that comes later."""
    topic = client.create_topic(Name="findings")["TopicArn"]
    channel: Channel = partial(sns.publish, client, topic, render_role=role_to_dict)
    assert channel(News(examples.full()))


def test_a_repeat_is_known_on_a_fifo_topic_by_the_news_id() -> None:
    """A run that was killed and tried again says the same with another time: one id."""
    ids = []
    for hour in (3, 4):
        when = replace(
            examples.report(examples.WEB), generated_at=datetime(2026, 11, 23, hour, tzinfo=UTC)
        )
        message = make_message(News(when, id="news-1"), role_to_dict)
        topic = "arn:aws:sns:eu-west-1:123456789012:findings.fifo"
        ids.append(sns._request(topic, message, "123456789012", "news-1")["MessageDeduplicationId"])
    assert ids[0] == ids[1]


class Topic:
    """A client that fails as it is told to, and takes what comes then."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def publish(self, **_: object) -> dict[str, str]:
        """Fail, or take a message."""
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return {"MessageId": "1"}


def throttled() -> ClientError:
    error: Any = {"Error": {"Code": "Throttling", "Message": "slow down"}}
    return ClientError(error, "Publish")


@pytest.mark.parametrize(
    ("errors", "calls", "ends"),
    [
        ([throttled()], 2, None),
        ([ConnectTimeoutError(endpoint_url="x")], 2, None),
        ([throttled(), throttled()], 2, NotifyError),
        ([ReadTimeoutError(endpoint_url="x")], 1, UnansweredError),
        ([ConnectionClosedError(endpoint_url="x")], 1, UnansweredError),
        ([ResponseParserError("a proxy's page")], 1, UnansweredError),
        ([NoCredentialsError()], 1, NotifyError),
    ],
)
def test_a_message_that_may_have_been_taken_is_not_sent_again(
    monkeypatch: pytest.MonkeyPatch,
    errors: list[Exception],
    calls: int,
    ends: type[NotifyError] | None,
) -> None:
    """What surely wasn't taken is sent once more; after an answer that didn't come nothing is."""
    monkeypatch.setattr(sns, "time", SimpleNamespace(sleep=lambda _: None))
    topic: Any = Topic(*errors)
    if ends is None:
        assert sns.send(topic, "arn", SnsMessage("s", "m", {}, texts=False), "1") == "1"
    else:
        with pytest.raises(ends) as caught:
            sns.send(topic, "arn", SnsMessage("s", "m", {}, texts=False), "1")
        assert type(caught.value) is ends
    assert topic.calls == calls
