"""An account on moto whose SES tells of the simulator's events, as AWS does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.loaders
from moto.ses.models import SESBackend, ses_backends

from auditor.smoke.scenarios import OUTSIDE, is_simulators
from tests.collect.wire import answer
from tests.smoke.records import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import boto3
    import pytest
    from botocore.awsrequest import AWSResponse

ACCOUNT = "123456789012"
REGION = "eu-west-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "codebuild.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


class Story(NamedTuple):
    """The events that SES tells of a mail: their types and details."""

    events: tuple[tuple[str, dict[str, Any]], ...]


def told(*events: str | tuple[str, dict[str, Any]]) -> Story:
    return Story(tuple((one, {}) if isinstance(one, str) else one for one in events))


AS_ON_AWS = {
    "success": told("Send", "Delivery"),
    "bounce": told("Send", "Bounce"),
    "ooto": told("Send", "Delivery", ("Bounce", {"bounceType": "Transient"})),
    "complaint": told("Send", "Delivery", "Complaint"),
    "suppressionlist": told("Send", ("Bounce", {"bounceSubType": "Suppressed"})),
}


class World:
    """What is in the account, and what its SES does. ``url`` is the queue's."""

    def __init__(self, session: boto3.Session, endpoint: str | None = None) -> None:
        make: Any = session.client
        clients = {name: make(name, endpoint_url=endpoint) for name in ("ses", "sns", "sqs", "iam")}
        self.ses, self.sns, self.sqs, self.iam = clients.values()
        self.ses.verify_domain_identity(Domain="example.com")
        self.ses.create_template(
            Template={"TemplateName": "welcome", "SubjectPart": "Hello", "TextPart": "Hello"}
        )
        self.topic = self.sns.create_topic(Name="mail")["TopicArn"]
        self.url = self.sqs.create_queue(QueueName="mail")["QueueUrl"]
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:mail"
        self.subscription = self.sns.subscribe(
            TopicArn=self.topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True
        )["SubscriptionArn"]
        self.field = "eventType"
        self.stories = dict(AS_ON_AWS)
        self.mangle: Callable[[dict[str, Any]], object] = lambda event: event

    def role(self, name: str, *documents: object) -> str:
        """Make a role with these inline policies; return its ARN."""
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        for number, document in enumerate(documents):
            self.iam.put_role_policy(
                RoleName=name, PolicyName=f"policy-{number}", PolicyDocument=json.dumps(document)
            )
        return str(made["Role"]["Arn"])

    def tell(self, message_id: str, to: str) -> None:
        """Publish what SES would tell of a mail."""
        for kind, details in self.stories.get(to.partition("+")[0], told()).events:
            event = self.mangle(record(kind, message_id, to, field=self.field, **details))
            text = event if isinstance(event, str) else json.dumps(event)
            self.sns.publish(TopicArn=self.topic, Message=text)

    def put(self, body: object) -> None:
        """Put a message into the queue."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.sqs.send_message(QueueUrl=self.url, MessageBody=text)

    def left(self) -> tuple[int, int]:
        """Return how many of the queue's messages are visible, and how many are held."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])


_LOADER = botocore.loaders.create_loader()


def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all sessions share what was read of AWS's service models: that takes most of a test."""
    monkeypatch.setattr("botocore.session.create_loader", lambda *_: _LOADER)


def listening(monkeypatch: pytest.MonkeyPatch, world: Callable[[], World]) -> None:
    """Let moto's SES tell the world of every mail that it takes."""
    for name in ("send_email", "send_raw_email", "send_templated_email"):
        original = getattr(SESBackend, name)

        def told_of(*args: Any, _original: Any = original, **arguments: Any) -> Any:
            message = _original(*args, **arguments)
            for to in dict.fromkeys(addresses(message.destinations)):
                world().tell(message.id, to)
            return message

        monkeypatch.setattr(SESBackend, name, told_of)


def addresses(destinations: Any) -> list[str]:
    """Return everybody in moto's note of a mail's destinations."""
    if isinstance(destinations, dict):
        return [one for found in destinations.values() for one in found]
    return list(destinations)


def recipients() -> Iterator[str]:
    """Yield everybody who was mailed, in any account and region of moto's."""
    for backends in ses_backends.values():
        for backend in backends.values():
            for message in backend.sent_messages:
                yield from addresses(message.destinations)


def mailed_outside() -> list[str]:
    """Return the recipients outside the simulator."""
    return [to for to in recipients() if not is_simulators(to)]


class Answer:
    """A ``before-send`` hook that answers in AWS's place: in JSON, or in SES v1's XML."""

    def __init__(self, status: int, code: str, message: str, times: int = 10**6) -> None:
        self.status, self.code, self.message, self.left = status, code, message, times
        self.tries = 0

    def __call__(self, request: Any, **_: object) -> AWSResponse | None:
        self.tries += 1
        if self.left <= 0:
            return None
        self.left -= 1
        text, request.url = text_of(request), "https://aws.invalid/"  # or moto would hear it too
        if "Action=" not in text:
            body = json.dumps({"message": self.message, "__type": self.code})
            return answer(self.status, body, {"x-amzn-errortype": self.code})
        words = "".join(c if c.isprintable() else "&#10;" for c in self.message)
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{self.code}</Code>"
            f"<Message>{words}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        )
        return answer(self.status, body, {"content-type": "text/xml"})


def text_of(request: Any) -> str:
    """Return the body of a request as it goes over the wire."""
    body = request.body or ""
    return body.decode() if isinstance(body, bytes) else str(body)


__all__ = [
    "OUTSIDE",
    "Answer",
    "World",
    "listening",
    "mailed_outside",
    "read_once",
    "recipients",
    "text_of",
    "told",
]
