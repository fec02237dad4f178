"""A small account in moto: CodeBuild roles, a topic, and a queue that hears what is published."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

ACCOUNT_ID = "123456789012"  # moto's default
REGION = "eu-west-1"
OPEN, SIMULATOR, BUCKET = "codebuild-open", "codebuild-simulator", "reports-of-the-audit"
HISTORY = "history"

# Written into a policy: it must never turn up in a log line.
MARKER = "marker-that-no-log-may-hold"

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
OPEN_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "ses:SendEmail",
            "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:SourceVpc": MARKER}},
        }
    ],
}
SIMULATOR_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "ses:SendRawEmail",
            "Resource": "*",
            "Condition": {
                "ForAllValues:StringLike": {"ses:Recipients": "*@simulator.amazonses.com"},
                "Null": {"ses:Recipients": "false"},
            },
        }
    ],
}


@dataclass(frozen=True)
class World:
    """What a test needs to know about the account that was made."""

    topic_arn: str
    queue_url: str

    def heard(self) -> list[str]:
        """Take what was published since the last time, as the queue's subscriber got it."""
        client = boto3.client("sqs", region_name=REGION)
        answer = client.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10)
        bodies = []
        for message in answer.get("Messages", []):
            bodies.append(str(json.loads(message["Body"])["Message"]))
            client.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


def add_role(name: str, policy: dict[str, Any], session: boto3.Session | None = None) -> None:
    """Make a CodeBuild role with one inline policy and one project that uses it."""
    session = session or boto3.Session(region_name=REGION)
    iam = session.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="mail", PolicyDocument=json.dumps(policy))
    session.client("codebuild").create_project(
        name=f"project-of-{name}",
        source={"type": "S3", "location": "sources/code.zip"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=role["Arn"],
    )


def add_table(name: str, session: boto3.Session | None = None) -> None:
    """Make a table as the stack has it: two keys, both texts."""
    session = session or boto3.Session(region_name=REGION)
    session.client("dynamodb").create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )


def add_listener(topic_arn: str, name: str, session: boto3.Session | None = None) -> str:
    """Subscribe a new queue to a topic, and return the queue's address."""
    session = session or boto3.Session(region_name=REGION)
    queue_url = session.client("sqs").create_queue(QueueName=name)["QueueUrl"]
    session.client("sns").subscribe(
        TopicArn=topic_arn,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}",
    )
    return queue_url


def build(session: boto3.Session | None = None) -> World:
    """Make an open role, a simulator-only role, the history, the topic and a queue on it."""
    session = session or boto3.Session(region_name=REGION)
    add_role(OPEN, OPEN_POLICY, session)
    add_role(SIMULATOR, SIMULATOR_POLICY, session)
    topic_arn = session.client("sns").create_topic(Name="findings")["TopicArn"]
    add_table(HISTORY, session)
    queue_url = add_listener(topic_arn, "listener", session)
    return World(topic_arn, queue_url)


class RawBody(io.BytesIO):
    """A response's body as botocore reads it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        """Yield the body, once."""
        yield self.read()


def hook(monkeypatch: pytest.MonkeyPatch, event: str, handler: Callable[..., Any]) -> None:
    """Let a handler see an event of every client that the functions make."""
    make_session = boto3.Session

    def hooked(**arguments: Any) -> boto3.Session:
        session = make_session(**arguments)
        session.events.register_first(event, handler)
        return session

    monkeypatch.setattr(boto3, "Session", hooked)
