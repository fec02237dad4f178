"""The demo's account: CodeBuild roles as teams write them, the good ones and the others.

Data first, then the calls that make it. ``meant`` is what a role's owner believes it does; what it
really does is for the auditor to find out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_codebuild import CodeBuildClient

REGIONS: Final = ("eu-west-1", "us-east-1")
TOPIC: Final = "auditor-findings"
QUEUE: Final = "somebody-who-subscribed"

_KEY: Final = "ses:Recipients"
_SIMULATOR: Final = "*@simulator.amazonses.com"
_SEND: Final = ["ses:SendEmail", "ses:SendRawEmail"]

Statement = dict[str, Any]


class DemoRole(NamedTuple):
    """One role, made with one inline policy, and the projects that use it in each region."""

    name: str
    meant: str
    statements: tuple[Statement, ...]
    boundary: tuple[Statement, ...] = ()
    regions: tuple[str, ...] = REGIONS[:1]


def _allow(action: str | list[str], condition: Statement | None = None) -> Statement:
    statement: Statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return statement if condition is None else {**statement, "Condition": condition}


def _deny(action: str | list[str], condition: Statement | None = None) -> Statement:
    return {**_allow(action, condition), "Effect": "Deny"}


_BUILD: Final = _allow(["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"])

ROLES: Final = (
    DemoRole(
        "codebuild-mail-tests",
        "mails the simulator, nobody else",
        (
            _allow(
                _SEND,
                {"ForAllValues:StringLike": {_KEY: _SIMULATOR}, "Null": {_KEY: "false"}},
            ),
        ),
        regions=REGIONS,
    ),
    DemoRole("codebuild-web", "builds a website, has no mail", (_BUILD, _allow("s3:PutObject"))),
    DemoRole(
        "codebuild-release",
        "announces releases; ses:* was quick to write",
        (_BUILD, _allow("ses:*")),
        regions=REGIONS,
    ),
    DemoRole(
        "codebuild-newsletter",
        "each mail has a simulator address (ForAnyValue)",
        (_allow(_SEND, {"ForAnyValue:StringLike": {_KEY: _SIMULATOR}}),),
    ),
    DemoRole(
        "codebuild-checkout",
        "simulator only, the @ forgotten in the pattern",
        (
            _allow(
                "ses:SendEmail",
                {
                    "ForAllValues:StringLike": {_KEY: "*simulator.amazonses.com"},
                    "Null": {_KEY: "false"},
                },
            ),
        ),
    ),
    DemoRole(
        "codebuild-campaigns",
        "simulator only, for every ses:Send* there is",
        (_allow("ses:Send*", {"ForAllValues:StringLike": {_KEY: _SIMULATOR}}),),
    ),
    DemoRole(
        "codebuild-signup",
        "simulator only, without a set operator",
        (_allow("ses:SendEmail", {"StringLike": {_KEY: _SIMULATOR}}),),
    ),
    DemoRole(
        "codebuild-search",
        "anything but the simulator: Not slipped in",
        (_allow("ses:SendEmail", {"ForAllValues:StringNotLike": {_KEY: _SIMULATOR}}),),
    ),
    DemoRole(
        "codebuild-invoices",
        "mails as billing@example.com only",
        (_allow(_SEND, {"StringEquals": {"ses:FromAddress": "billing@example.com"}}),),
    ),
    DemoRole(
        "codebuild-support",
        "the simulator, and our own people",
        (
            _allow(
                "ses:SendEmail",
                {
                    "ForAllValues:StringLike": {_KEY: [_SIMULATOR, "*@example.com"]},
                    "Null": {_KEY: "false"},
                },
            ),
        ),
    ),
    DemoRole(
        "codebuild-platform",
        "everything, beside a Deny that guards mail",
        (
            _allow("*"),
            _deny("ses:Send*", {"ForAnyValue:StringNotLike": {_KEY: _SIMULATOR}}),
            _deny(["ses:SendBulkEmail", "ses:SendBounce"]),
        ),
        regions=REGIONS,
    ),
    DemoRole(
        "codebuild-infra",
        "everything, beside a Deny with ForAllValues",
        (
            _allow("*"),
            _deny("ses:Send*", {"ForAllValues:StringNotLike": {_KEY: _SIMULATOR}}),
        ),
        regions=REGIONS[1:],
    ),
    DemoRole(
        "codebuild-legacy",
        "everything, within a permissions boundary",
        (_allow("*"),),
        boundary=(_allow(["logs:*", "s3:*", "ecr:*"]),),
        regions=REGIONS[1:],
    ),
    DemoRole(
        "codebuild-migration",
        "mailed customers until the end of 2024",
        (_allow(_SEND, {"DateLessThan": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}}),),
        regions=(),
    ),
    DemoRole(
        "codebuild-docs",
        "simulator only, without a Null check",
        (_allow(_SEND, {"ForAllValues:StringLike": {_KEY: _SIMULATOR}}),),
        regions=REGIONS[1:],
    ),
    DemoRole(
        "codebuild-inbound",
        "answers mail that came in (SendBounce)",
        (_BUILD, _allow("ses:SendBounce")),
    ),
    DemoRole(
        "codebuild-office",
        "from the office only, told in two odd ways",
        (
            _allow("ses:SendEmail", {"StringLike": {"aws:SourceIp": "10.20.*"}}),
            _deny("ses:SendEmail", {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        ),
    ),
)

GONE: Final = "codebuild-retired"
"""A role that a project still names."""


class DemoAccount(NamedTuple):
    """What was made. ``projects`` is how many there are."""

    account_id: str
    topic_arn: str
    queue_url: str
    projects: int


def build(session: boto3.Session) -> DemoAccount:
    """Make the account's roles, projects, topic and queue with real calls to whatever answers."""
    account_id = session.client("sts").get_caller_identity()["Account"]
    iam = session.client("iam")
    codebuild = {region: session.client("codebuild", region_name=region) for region in REGIONS}
    projects = 0
    for role in ROLES:
        iam.create_role(
            Path="/service-role/",
            RoleName=role.name,
            AssumeRolePolicyDocument=_trust("codebuild.amazonaws.com"),
        )
        if role.boundary:
            name = f"{role.name}-boundary"
            made = iam.create_policy(PolicyName=name, PolicyDocument=_document(*role.boundary))
            iam.put_role_permissions_boundary(
                RoleName=role.name, PermissionsBoundary=made["Policy"]["Arn"]
            )
        policy = role.name.replace("codebuild-", "build-")
        iam.put_role_policy(
            RoleName=role.name, PolicyName=policy, PolicyDocument=_document(*role.statements)
        )
        for region in role.regions:
            _project(codebuild[region], role.name.removeprefix("codebuild-"), account_id, role.name)
            projects += 1
    _project(codebuild[REGIONS[0]], "forgotten", account_id, GONE)
    # Not CodeBuild's: may mail anybody, and is nobody's business here.
    iam.create_role(
        RoleName="lambda-mailer", AssumeRolePolicyDocument=_trust("lambda.amazonaws.com")
    )
    iam.put_role_policy(
        RoleName="lambda-mailer", PolicyName="mail", PolicyDocument=_document(_allow("ses:*"))
    )
    topic_arn = session.client("sns").create_topic(Name=TOPIC)["TopicArn"]
    sqs = session.client("sqs")
    queue_url = sqs.create_queue(QueueName=QUEUE)["QueueUrl"]
    asked = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    session.client("sns").subscribe(
        TopicArn=topic_arn, Protocol="sqs", Endpoint=asked["Attributes"]["QueueArn"]
    )
    return DemoAccount(account_id, topic_arn, queue_url, projects + 1)


def _document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _trust(service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return _document(statement)


def _project(client: CodeBuildClient, name: str, account_id: str, role: str) -> None:
    client.create_project(
        name=name,
        source={"type": "CODECOMMIT", "location": f"https://git.example.com/{name}"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=f"arn:aws:iam::{account_id}:role/service-role/{role}",
    )
