"""The remediate function, through the real app, on an account in moto."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from chalice.test import Client, FunctionNotFoundError

from app import app
from auditor.errors import InputError
from auditor.remediate.interface import BusyError
from chalicelib import remediation
from chalicelib.request import RemediateRequest
from tests.lambda_app.remediate_world import GUARD, TABLE, Context, attached, details, function
from tests.lambda_app.world import OPEN, SIMULATOR, hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambda_app.world import World


@pytest.fixture
def remediate(
    world: World,  # noqa: ARG001 - the account
    environment: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., dict[str, Any]]:
    """The function, in an account that has the journal and the guard; IAM answers at once."""
    return function(environment, monkeypatch)


def test_nothing_is_changed_unless_the_event_says_so(
    remediate: Callable[..., dict[str, Any]],
) -> None:
    """Without "apply": true the reply is the plan, and the account stays as it is."""
    before = details()
    reply = remediate(roles=["codebuild-*"])

    assert reply["applied"] is False
    assert [one["role_name"] for one in reply["plan"]["changes"]] == [OPEN]
    assert reply["plan"]["changes"][0]["after"]["verdict"] == "simulator_only"
    assert details() == before


def test_apply_and_undo(remediate: Callable[..., dict[str, Any]]) -> None:
    """What is applied closes the role, and what is taken back leaves it as it was to the byte."""
    before = details()
    reply = remediate(roles=["codebuild-*"], apply=True)

    (result,) = reply["results"]
    assert (result["role_name"], result["outcome"]) == (OPEN, "attached")
    assert result["standing"]["verdict"] == "simulator_only"
    assert (attached(OPEN), attached(SIMULATOR)) == ([GUARD], [])

    reply = remediate("another-request", undo=reply["plan_id"], apply=True)
    assert [one["outcome"] for one in reply["results"]] == ["detached"]
    assert details() == before


def test_the_same_request_is_answered_once(remediate: Callable[..., dict[str, Any]]) -> None:
    """Delivered twice, a request gets its first reply: no second plan, no second change."""
    first = remediate(roles=[OPEN], apply=True, request_id="once")
    boto3.client("iam").detach_role_policy(RoleName=OPEN, PolicyArn=GUARD)
    again = remediate("other-invocation", roles=[OPEN], apply=True, request_id="once")

    assert again == first
    assert attached(OPEN) == []
    with pytest.raises(InputError, match="used for another request"):
        remediate(roles=["codebuild-*"], apply=True, request_id="once")


def test_a_function_may_write_no_inline_policy(remediate: Callable[..., dict[str, Any]]) -> None:
    """Where the quota of attached policies is full the role is left, and the reply says why."""
    iam = boto3.client("iam")
    nothing = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}  # fmt: skip
    for number in range(10):
        made = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=json.dumps(nothing))
        iam.attach_role_policy(RoleName=OPEN, PolicyArn=made["Policy"]["Arn"])
    reply = remediate(roles=[OPEN], apply=True)

    assert reply["results"] == []
    assert [one["why"]["code"] for one in reply["left"]] == ["quota"]
    assert GUARD not in attached(OPEN)


def test_one_at_a_time(remediate: Callable[..., dict[str, Any]]) -> None:
    """While another run holds the journal nothing is changed; once its lease is over, it is."""
    dynamodb = boto3.client("dynamodb")
    lock = {"pk": {"S": "lock"}, "sk": {"S": "lock"}, "owner": {"S": "somebody"}}
    far = {"expires_at": {"N": "99999999999"}}
    dynamodb.put_item(TableName=TABLE, Item={**lock, **far})
    with pytest.raises(BusyError, match="somebody"):
        remediate(roles=[OPEN], apply=True)
    assert attached(OPEN) == []

    dynamodb.put_item(TableName=TABLE, Item={**lock, "expires_at": {"N": "1"}})
    remediate(roles=[OPEN], apply=True)
    assert attached(OPEN) == [GUARD]


def test_a_refusal_is_told(
    remediate: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS's refusal is the role's outcome, in AWS's words; the function itself doesn't fail."""

    def refuse(**_: object) -> tuple[object, dict[str, Any]]:
        error = {"Code": "AccessDenied", "Message": "not today"}
        return SimpleNamespace(status_code=403, headers={}), {
            "Error": error,
            "ResponseMetadata": {"HTTPStatusCode": 403},
        }

    hook(monkeypatch, "before-call.iam.AttachRolePolicy", refuse)
    (result,) = remediate(roles=[OPEN], apply=True)["results"]

    assert result["outcome"] == "refused"
    assert "not today" in result["message"]


def test_every_key_of_the_event_is_told() -> None:
    """docs/remediation.md lists exactly the keys that the function accepts."""
    page = (Path(__file__).parents[2] / "docs" / "remediation.md").read_text(encoding="utf-8")
    section = page.split("## The function\n", 1)[1].split("\n#", 1)[0]
    keys = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert keys == {one.alias or name for name, one in RemediateRequest.model_fields.items()}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ([], "the event is a list"),
        ({}, "name the roles"),
        ({"roles": []}, "name the roles"),
        ({"roles": ["a"], "aply": True}, "unknown key 'aply'"),
        ({"roles": ["a"], "apply": "true"}, "apply can't be used, expected true or false"),
        ({"roles": "a"}, "roles can't be used"),
        ({"roles": ["a"], "policy": "admin"}, '"guard" or "sender"'),
        ({"roles": ["a"], "max_changes": 0}, "max_changes can't be used"),
        ({"undo": "plan-1", "apply": True}, "undo can't be used"),
        ({"undo": "plan-20261123T030000Z-0123abcd"}, 'give "apply": true'),
        ({"undo": "plan-20261123T030000Z-0123abcd", "apply": True, "excepted": ["a"]}, "leave"),
        ({"finish": "plan-20261123T030000Z-0123abcd"}, 'finish changes roles: give "apply": true'),
        ({"finish": "plan-20261123T030000Z-0123abcd", "apply": True, "roles": ["a"]}, "leave"),
        ({"list": True, "roles": ["a"]}, "leave everything else out"),
        ({"list": "yes"}, "list can't be used, expected true or false"),
        ({"list_": True}, "unknown key 'list_'"),
        ({"roles": ["a"], "request_id": "a b"}, "request_id can't be used"),
    ],
)
def test_a_bad_event_is_refused_in_one_line(
    environment: pytest.MonkeyPatch, event: object, told: str
) -> None:
    """Nothing is read or changed for an event that isn't understood whole."""
    environment.setenv("AUDITOR_JOURNAL_TABLE", TABLE)
    with pytest.raises(InputError) as raised:
        remediation.run(event, Context())
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_it_runs_in_the_real_app(remediate: Callable[..., dict[str, Any]], client: Client) -> None:
    """The deployed handler takes the event as it is."""
    remediate(roles=["nobody"])  # sets the stage
    try:
        reply = client.lambda_.invoke("remediate", {"roles": [OPEN]}).payload
    except FunctionNotFoundError:  # pragma: no cover - a defect of app.py
        pytest.fail("app.py has no function named remediate")
    assert [one["role_name"] for one in reply["plan"]["changes"]] == [OPEN]
    assert app.app_name == "auditor"
