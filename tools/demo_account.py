"""The demo's account: CodeBuild roles as teams write them, the good ones and the others.

Data first, then the calls that make it. ``says`` is what a reader sees in a role's policy; what it
means is for the auditor to find out.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_codebuild import CodeBuildClient

REGIONS: Final = ("eu-west-1", "us-east-1")
TOPIC: Final = "auditor-findings"
HISTORY: Final = "auditor-history"
QUEUE: Final = "somebody-who-subscribed"

_KEY: Final = "ses:Recipients"
_SIMULATOR: Final = "*@simulator.amazonses.com"
_SEND: Final = ["ses:SendEmail", "ses:SendRawEmail"]

Statement = dict[str, Any]


class DemoRole(NamedTuple):
    """One role, made with one inline policy, and the projects that use it in each region."""

    name: str
    says: str
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
        "the simulator: ForAllValues, with a Null check",
        (
            _allow(
                _SEND,
                {"ForAllValues:StringLike": {_KEY: _SIMULATOR}, "Null": {_KEY: "false"}},
            ),
        ),
        regions=REGIONS,
    ),
    DemoRole("codebuild-web", "nothing", (_BUILD, _allow("s3:PutObject"))),
    DemoRole(
        "codebuild-release",
        "ses:*, to announce releases",
        (_BUILD, _allow("ses:*")),
        regions=REGIONS,
    ),
    DemoRole(
        "codebuild-newsletter",
        "the simulator: ForAnyValue:StringLike",
        (_allow(_SEND, {"ForAnyValue:StringLike": {_KEY: _SIMULATOR}}),),
    ),
    DemoRole(
        "codebuild-checkout",
        "the simulator: ForAllValues, *simulator.amazonses.com",
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
        "the simulator: ForAllValues, for all of ses:Send*",
        (_allow("ses:Send*", {"ForAllValues:StringLike": {_KEY: _SIMULATOR}}),),
    ),
    DemoRole(
        "codebuild-signup",
        "the simulator: StringLike",
        (_allow("ses:SendEmail", {"StringLike": {_KEY: _SIMULATOR}}),),
    ),
    DemoRole(
        "codebuild-search",
        "the simulator: ForAllValues:StringNotLike",
        (_allow("ses:SendEmail", {"ForAllValues:StringNotLike": {_KEY: _SIMULATOR}}),),
    ),
    DemoRole(
        "codebuild-invoices",
        "anybody, but only from billing@example.com",
        (_allow(_SEND, {"StringEquals": {"ses:FromAddress": "billing@example.com"}}),),
    ),
    DemoRole(
        "codebuild-support",
        "the simulator and *@example.com: ForAllValues",
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
        "Allow *, guarded by Deny ForAnyValue:StringNotLike",
        (
            _allow("*"),
            _deny("ses:Send*", {"ForAnyValue:StringNotLike": {_KEY: _SIMULATOR}}),
            _deny(["ses:SendBulkEmail", "ses:SendBounce"]),
        ),
        regions=REGIONS,
    ),
    DemoRole(
        "codebuild-infra",
        "Allow *, guarded by Deny ForAllValues:StringNotLike",
        (
            _allow("*"),
            _deny("ses:Send*", {"ForAllValues:StringNotLike": {_KEY: _SIMULATOR}}),
        ),
        regions=REGIONS[1:],
    ),
    DemoRole(
        "codebuild-legacy",
        "Allow *, within a permissions boundary",
        (_allow("*"),),
        boundary=(_allow(["logs:*", "s3:*", "ecr:*"]),),
        regions=REGIONS[1:],
    ),
    DemoRole(
        "codebuild-migration",
        "anybody, until the end of 2024",
        (_allow(_SEND, {"DateLessThan": {"aws:CurrentTime": "2025-01-01T00:00:00Z"}}),),
        regions=(),
    ),
    DemoRole(
        "codebuild-docs",
        "the simulator: ForAllValues, no Null check",
        (_allow(_SEND, {"ForAllValues:StringLike": {_KEY: _SIMULATOR}}),),
        regions=REGIONS[1:],
    ),
    DemoRole(
        "codebuild-inbound",
        "ses:SendBounce, to answer mail that came in",
        (_BUILD, _allow("ses:SendBounce")),
    ),
    DemoRole(
        "codebuild-office",
        "anybody, but only from the office's network",
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
            name = role.name.removeprefix("codebuild-")
            name += "-us" if region == REGIONS[1] else ""
            _project(codebuild[region], name, account_id, role.name)
            projects += 1
    _project(codebuild[REGIONS[0]], "forgotten", account_id, GONE)
    # Not CodeBuild's: may mail anybody, and is nobody's business here.
    iam.create_role(
        RoleName="lambda-mailer", AssumeRolePolicyDocument=_trust("lambda.amazonaws.com")
    )
    iam.put_role_policy(
        RoleName="lambda-mailer", PolicyName="mail", PolicyDocument=_document(_allow("ses:*"))
    )
    session.client("dynamodb").create_table(
        TableName=HISTORY,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
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
