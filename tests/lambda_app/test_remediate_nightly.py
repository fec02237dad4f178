"""The nightly audit hands on to remediate, which really runs; and what the message says of it."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.errors import AuditorError
from chalicelib import handing_on, nightly, settings
from tests.lambda_app.remediate_world import GUARD, Context, attached, function
from tests.lambda_app.world import ACCOUNT_ID, HISTORY, OPEN, hook

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


DONE = {"applied": True, "plan_id": "plan-1", "results": [], "left": [], "left_out": 0}
PLANNED = {**DONE, "applied": False, "plan": {"id": "plan-1", "changes": []}}


def replying(monkeypatch: pytest.MonkeyPatch, reply: object) -> None:
    """Let remediate reply this."""

    def invoke(**_: object) -> tuple[object, dict[str, Any]]:
        body = SimpleNamespace(read=lambda: json.dumps(reply).encode())
        return SimpleNamespace(status_code=200, headers={}), {"StatusCode": 200, "Payload": body}

    hook(monkeypatch, "before-call.lambda.Invoke", invoke)


@pytest.fixture
def configured(world: World, environment: pytest.MonkeyPatch) -> World:
    """The nightly audit with remediation switched on."""
    environment.setenv("AUDITOR_REMEDIATE_ROLES", "codebuild-*")
    environment.setenv("AUDITOR_REMEDIATE_APPLY", "true")
    environment.setenv("AUDITOR_REMEDIATE_FUNCTION", "auditor-remediate")
    return world


@pytest.mark.parametrize(
    "reply",
    [{}, [], None, "text", {"applied": True}, DONE | {"results": [{}]}, DONE | {"left": [{"a": 1}]},
     DONE | {"left_out": "many"}, PLANNED | {"plan_id": None}],
)  # fmt: skip
def test_a_reply_that_makes_no_sense_costs_no_message(
    configured: World, monkeypatch: pytest.MonkeyPatch, reply: object
) -> None:
    """Whatever comes back, the findings are published, with that the outcome isn't known."""
    replying(monkeypatch, reply)
    nightly.run(Context())
    message = json.loads(heard(configured))
    assert "its reply can't be understood" in message["remediation"]["error"]
    assert [one["name"] for one in message["roles"]] == [OPEN]


def lines(monkeypatch: pytest.MonkeyPatch, reply: object) -> str:
    """Return what a message says of a reply."""
    replying(monkeypatch, reply)
    report: Any = SimpleNamespace(count=lambda _: 1)
    found = handing_on.remedy(settings.load(), report, Context())
    assert found is not None
    return "\n".join(found.lines)


@pytest.mark.usefixtures("configured")
def test_what_cannot_be_relied_on_is_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """An account read in part, a journal with gaps, and globs that meet nobody are said aloud."""
    text = lines(
        monkeypatch,
        DONE
        | {
            "complete": False,
            "not_read": ["iam:GetAccountAuthorizationDetails: denied"],
            "journal_troubles": ["item x can't be read"],
            "unmatched": ["codebuild-wbe"],
        },
    )
    assert "INCOMPLETE" in text
    assert "not read: iam:GetAccountAuthorizationDetails: denied" in text
    assert "journal: item x can't be read" in text
    assert "match no CodeBuild role: codebuild-wbe" in text


@pytest.mark.usefixtures("configured")
def test_how_to_go_on_is_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ended early is told with its counts, and the event that goes on with it."""
    text = lines(
        monkeypatch,
        DONE
        | {
            "outcomes": {"attached": 25, "limit": 1476},
            "next": {"finish": "plan-1", "apply": True},
        },
    )
    assert "Remediated: 25 of 1501 roles (plan-1)." in text
    assert 'Go on: invoke remediate with {"finish": "plan-1", "apply": true}' in text
    assert 'Take it back: invoke remediate with {"undo": "plan-1", "apply": true}' in text


def test_roles_that_the_deployment_excepts_are_left(
    invoked: list[dict[str, Any]], world: World, environment: pytest.MonkeyPatch
) -> None:
    """RemediateExcept reaches remediate: the role stays open, and the message says why."""
    environment.setenv("AUDITOR_REMEDIATE_ROLES", "codebuild-*")
    environment.setenv("AUDITOR_REMEDIATE_EXCEPT", "codebuild-o*, other")
    environment.setenv("AUDITOR_REMEDIATE_FUNCTION", "auditor-remediate")
    environment.setenv("AUDITOR_REMEDIATE_APPLY", "true")
    nightly.run(Context())

    (event,) = invoked
    assert event["excepted"] == ["codebuild-o*", "other"]
    assert attached(OPEN) == []
    assert "Remediated: 0 of 0 roles" not in heard(world)
