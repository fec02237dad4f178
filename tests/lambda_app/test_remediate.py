"""The remediate function, through the real app, on an account in moto."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from chalice.test import Client, FunctionNotFoundError

from app import app
from auditor.corrective.documents import guard
from auditor.corrective.names import MANAGED, PATH, policy_arn
from auditor.errors import AuditorError, InputError
from auditor.remediate.interface import BusyError
from chalicelib import nightly, remediation
from tests.lambda_app.world import ACCOUNT_ID, HISTORY, OPEN, SIMULATOR, add_table, hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambda_app.world import World

GUARD = policy_arn("aws", ACCOUNT_ID, "guard")
TABLE = "journal"


class Context(SimpleNamespace):
    """What Lambda tells a function about its invocation."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"
    function_name = "remediate"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return 300_000


@pytest.fixture
def remediate(
    world: World,  # noqa: ARG001 - the account
    environment: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., dict[str, Any]]:
    """The function, in an account that has the journal and the guard; IAM answers at once."""
    add_table(TABLE)
    boto3.client("iam").create_policy(
        PolicyName=MANAGED["guard"], Path=PATH, PolicyDocument=json.dumps(guard())
    )
    for name in ("TOPIC_ARN", "HISTORY_TABLE", "DIGEST_DAY"):
        environment.delenv(f"AUDITOR_{name}")
    environment.setenv("AWS_LAMBDA_FUNCTION_NAME", "remediate")
    monkeypatch.setattr("time.sleep", lambda _: None)

    def invoke(invocation: str = Context.aws_request_id, **event: object) -> dict[str, Any]:
        context = Context()
        context.aws_request_id = invocation
        environment.setenv("AUDITOR_JOURNAL_TABLE", TABLE)
        return remediation.run(event, context)

    return invoke


def attached(role: str) -> list[str]:
    found = boto3.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return [one["PolicyArn"] for one in found]


def details() -> object:
    return boto3.client("iam").get_account_authorization_details(Filter=["Role"])["RoleDetailList"]


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
        ({"undo": "plan-20261123T030000Z-0123abcd", "apply": True, "roles": ["a"]}, "leave"),
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


@pytest.fixture
def invoked(
    remediate: Callable[..., dict[str, Any]],
    world: World,
    environment: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
) -> list[dict[str, Any]]:
    """The events that the nightly audit invokes remediate with; they really run."""
    environment.setenv("AUDITOR_TOPIC_ARN", world.topic_arn)
    environment.setenv("AUDITOR_HISTORY_TABLE", HISTORY)
    made: list[dict[str, Any]] = []

    def invoke(params: dict[str, Any], **_: object) -> tuple[object, dict[str, Any]]:
        event = json.loads(params["body"])
        made.append(event)
        with pytest.MonkeyPatch.context() as own:  # the other function's environment
            for name in [*os.environ]:
                if name.startswith("AUDITOR_") and name != "AUDITOR_REGIONS":
                    own.delenv(name)
            reply = remediate(**event)
            environment.delenv("AUDITOR_JOURNAL_TABLE")
        body = SimpleNamespace(read=lambda: json.dumps(reply).encode())
        return SimpleNamespace(status_code=200, headers={}), {"StatusCode": 200, "Payload": body}

    hook(monkeypatch, "before-call.lambda.Invoke", invoke)
    return made


def heard(world: World) -> str:
    (body,) = world.heard()
    return body


def test_the_night_invokes_nothing_by_default(invoked: list[dict[str, Any]], world: World) -> None:
    """A deployment that names no roles stays read-only, whatever it finds."""
    nightly.run(Context())
    assert invoked == []
    assert "remediation" not in json.loads(heard(world))


@pytest.mark.parametrize("apply", [False, True])
def test_the_night_plans_or_closes_what_it_is_told_to(
    invoked: list[dict[str, Any]], world: World, environment: pytest.MonkeyPatch, apply: bool
) -> None:
    """With role globs configured remediate is invoked, and the message tells what came of it."""
    environment.setenv("AUDITOR_REMEDIATE_ROLES", "codebuild-*")
    environment.setenv("AUDITOR_REMEDIATE_FUNCTION", "auditor-remediate")
    if apply:
        environment.setenv("AUDITOR_REMEDIATE_APPLY", "true")
    reply = nightly.run(Context())

    (event,) = invoked
    assert (event["roles"], event["apply"]) == (["codebuild-*"], apply)
    assert attached(OPEN) == ([GUARD] if apply else [])
    told = json.loads(heard(world))["remediation"]
    assert told == reply["remediation"]
    assert told["plan_id"].startswith("plan-")


def test_a_remediation_that_fails_costs_no_message(
    world: World, environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The findings are published all the same, with what went wrong."""
    environment.setenv("AUDITOR_REMEDIATE_ROLES", "codebuild-*")
    environment.setenv("AUDITOR_REMEDIATE_FUNCTION", "auditor-remediate")

    def fail(**_: object) -> tuple[object, dict[str, Any]]:
        error = {"Code": "ResourceNotFoundException", "Message": "Function not found"}
        return SimpleNamespace(status_code=404, headers={}), {"Error": error}

    hook(monkeypatch, "before-call.lambda.Invoke", fail)
    nightly.run(Context())
    assert "Function not found" in heard(world)


def test_settings_that_lack_the_function_are_refused(environment: pytest.MonkeyPatch) -> None:
    """Globs without a function to hand them to is a deployment's mistake, told by its name."""
    environment.setenv("AUDITOR_TOPIC_ARN", f"arn:aws:sns:eu-west-1:{ACCOUNT_ID}:findings")
    environment.setenv("AUDITOR_REMEDIATE_ROLES", "codebuild-*")
    with pytest.raises(AuditorError, match="AUDITOR_REMEDIATE_FUNCTION is not set"):
        nightly.run(Context())
