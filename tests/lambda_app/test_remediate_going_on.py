"""The remediate function where not all can be done at once: killed, out of time, at its limit."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import InputError
from auditor.remediate.model import Result, Standing
from chalicelib import kept_plans, remedy_reply
from tests.lambda_app.remediate_world import GUARD, TABLE, attached, function
from tests.lambda_app.world import OPEN, OPEN_POLICY, SIMULATOR, add_role, hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.remediate.model import Outcome
    from tests.lambda_app.world import World


@pytest.fixture
def remediate(
    world: World,  # noqa: ARG001 - the account
    environment: pytest.MonkeyPatch,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., dict[str, Any]]:
    """The function, in an account that has the journal and the guard; IAM answers at once."""
    return function(environment, monkeypatch)


class Killed(BaseException):
    """Stands for the end of a process: nothing that handles errors sees it."""


def killed_after_attaching(remediate: Callable[..., dict[str, Any]], **event: object) -> None:
    """Run the function until AWS has attached the policy, and no further."""
    with pytest.MonkeyPatch.context() as own:

        def end(**_: object) -> None:
            raise Killed

        hook(own, "after-call.iam.AttachRolePolicy", end)
        with pytest.raises(Killed):
            remediate(roles=[OPEN], apply=True, **event)


def let_time_pass() -> None:
    """Let the time run out that Lambda gave the killed run."""
    client = boto3.client("dynamodb")
    for item in client.scan(TableName=TABLE)["Items"]:
        if item.get("status", {}).get("S") == "INPROGRESS":
            client.put_item(TableName=TABLE, Item=item | {"in_progress_expiration": {"N": "1"}})


def test_a_killed_plan_is_listed_and_finished(remediate: Callable[..., dict[str, Any]]) -> None:
    """The journal tells its id, and ``finish`` goes on with it: seen, decided, and recorded."""
    killed_after_attaching(remediate)
    (plan,) = remediate(list=True)["plans"]
    assert (plan["open"], plan["on"]) == ((OPEN,), 0)

    reply = remediate("next", finish=plan["plan_id"], apply=True)
    (result,) = reply["results"]
    assert (reply["plan_id"], result["outcome"]) == (plan["plan_id"], "attached")
    assert result["standing"]["verdict"] == "simulator_only"
    (plan,) = remediate(list=True)["plans"]
    assert (plan["open"], plan["on"]) == ((), 1)
    remediate("last", undo=plan["plan_id"], apply=True)
    assert attached(OPEN) == []


def test_the_same_request_goes_on(remediate: Callable[..., dict[str, Any]]) -> None:
    """While the killed run may be running it is refused, and says until when; then the request
    goes on with the plan that it made.
    """
    killed_after_attaching(remediate, request_id="r")
    with pytest.raises(InputError, match="goes on with it once Lambda's time"):
        remediate("second", roles=[OPEN], apply=True, request_id="r")
    (plan,) = remediate(list=True)["plans"]
    let_time_pass()
    reply = remediate("third", roles=[OPEN], apply=True, request_id="r")

    assert reply["plan_id"] == plan["plan_id"]
    assert [one["outcome"] for one in reply["results"]] == ["attached"]
    assert reply["results"][0]["standing"]["verdict"] == "simulator_only"


def test_another_request_finishes_what_was_begun(
    remediate: Callable[..., dict[str, Any]],
) -> None:
    """A new request finds the role closed, and records and decides what the killed one attached."""
    killed_after_attaching(remediate)
    (plan,) = remediate(list=True)["plans"]
    reply = remediate("another", roles=[OPEN], apply=True)

    assert (reply["applied"], reply["finished_plans"]) == (False, [plan["plan_id"]])
    (result,) = reply["finished"]
    assert (result["role_name"], result["standing"]["verdict"]) == (OPEN, "simulator_only")
    assert remediate(list=True)["plans"][0]["open"] == ()


def test_a_plan_of_elsewhere_is_finished_too(remediate: Callable[..., dict[str, Any]]) -> None:
    """A plan that isn't kept, as one that the command line applied, is recorded to its end; one
    that the journal doesn't know is refused.
    """
    killed_after_attaching(remediate)
    (plan,) = remediate(list=True)["plans"]
    key = {"pk": {"S": plan["plan_id"]}, "sk": {"S": "#plan"}}
    boto3.client("dynamodb").delete_item(TableName=TABLE, Key=key)
    reply = remediate("another", finish=plan["plan_id"], apply=True)
    assert [one["role_name"] for one in reply["finished"]] == [OPEN]
    with pytest.raises(InputError, match="the journal knows of no plan-2026"):
        remediate("last", finish="plan-20261123T030000Z-0123abcd", apply=True)


def test_a_plan_too_long_to_be_kept_is_not_begun(
    remediate: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be finished after a crash isn't begun."""
    monkeypatch.setattr(kept_plans, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="name fewer roles"):
        remediate(roles=[OPEN], apply=True)
    assert attached(OPEN) == []


def test_it_ends_in_order_before_its_time_is_over(
    remediate: Callable[..., dict[str, Any]],
) -> None:
    """With too little time left nothing more is begun, and the reply has the event that goes on."""
    reply = remediate(roles=[OPEN], apply=True, left=100_000)
    assert (reply["outcomes"], reply["results"]) == ({"stopped": 1}, [])
    assert attached(OPEN) == []

    reply = remediate("another", **reply["next"])
    assert reply["outcomes"] == {"attached": 1}
    assert "next" not in reply


def test_the_limit_leaves_the_rest_to_the_next_event(
    remediate: Callable[..., dict[str, Any]],
) -> None:
    """Roles beyond the limit are counted, not listed, and ``next`` goes on with the same plan."""
    for number in range(5):
        add_role(f"codebuild-more{number}", OPEN_POLICY)
    reply = remediate(roles=["codebuild-*"], apply=True, max_changes=2)
    assert reply["outcomes"] == {"attached": 2, "limit": 4}
    assert len(reply["results"]) == 2

    reply = remediate("another", **reply["next"])
    assert reply["outcomes"] == {"already": 2, "attached": 4}
    assert {one["standing"]["verdict"] for one in reply["results"]} == {"simulator_only"}


def test_one_role_is_taken_back(remediate: Callable[..., dict[str, Any]]) -> None:
    """``roles`` beside ``undo`` names the roles that the plan is taken back from."""
    add_role("codebuild-second", OPEN_POLICY)
    plan_id = remediate(roles=["codebuild-*"], apply=True)["plan_id"]
    reply = remediate("another", undo=plan_id, roles=[OPEN], apply=True)

    assert [one["role_name"] for one in reply["results"]] == [OPEN]
    assert (attached(OPEN), attached("codebuild-second")) == ([], [GUARD])


def test_undo_in_an_account_that_is_read_in_part(
    remediate: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be read is told, and a role that nobody could decide isn't passed over."""
    plan_id = remediate(roles=[OPEN], apply=True)["plan_id"]

    def refuse(**_: object) -> tuple[object, dict[str, Any]]:
        error = {"Code": "AccessDenied", "Message": "not today"}
        return SimpleNamespace(status_code=403, headers={}), {
            "Error": error,
            "ResponseMetadata": {"HTTPStatusCode": 403},
        }

    hook(monkeypatch, "before-call.iam.GetAccountAuthorizationDetails", refuse)
    reply = remediate("another", undo=plan_id, apply=True)

    (result,) = reply["results"]
    assert result["outcome"] == "detached"
    assert result["standing"]["verdict"] == "undetermined"
    assert "read in part only" in result["standing"]["reason"]
    assert reply["complete"] is False
    assert "not today" in reply["not_read"][0]


def test_a_role_that_is_not_there_is_no_success(remediate: Callable[..., dict[str, Any]]) -> None:
    """A typing error isn't "applied": the reply names the globs that meet no CodeBuild role."""
    reply = remediate(roles=[OPEN.upper(), SIMULATOR, "x-*"], apply=True)
    assert (reply["applied"], reply["results"]) == (False, [])
    assert reply["unmatched"] == [OPEN.upper(), "x-*"]


def test_the_deployment_excepts_roles(
    remediate: Callable[..., dict[str, Any]], environment: pytest.MonkeyPatch
) -> None:
    """Whoever invokes it: by the stack's globs, and by the stack's file, with its reason."""
    add_role("codebuild-second", OPEN_POLICY)
    listed = {"role": OPEN, "rule": "*", "reason": "newsletter", "owner": "us",
              "expires": "2999-12-31"}  # fmt: skip
    boto3.client("ssm").put_parameter(
        Name="/auditor/exceptions", Value=json.dumps({"exceptions": [listed]}), Type="String"
    )
    environment.setenv("AUDITOR_EXCEPTIONS", "ssm:/auditor/exceptions")
    environment.setenv("AUDITOR_REMEDIATE_EXCEPT", "codebuild-sec*")
    reply = remediate(roles=["*"], apply=True)

    why = {one["role_name"]: one["why"]["text"] for one in reply["left"]}
    assert reply["applied"] is False
    assert why["codebuild-second"] == "it is excepted by codebuild-sec*."
    assert "until 2999-12-31 (newsletter; owner: us, ssm:/auditor/exceptions:" in why[OPEN]


def test_what_is_excepted_in_part_is_left_to_a_person(
    remediate: Callable[..., dict[str, Any]], environment: pytest.MonkeyPatch
) -> None:
    """Planned with a warning, and not applied: it could end mail that somebody answers for."""
    listed = {"role": OPEN, "rule": "unrestricted-send", "reason": "newsletter", "owner": "us",
              "expires": "2999-12-31"}  # fmt: skip
    boto3.client("ssm").put_parameter(
        Name="/auditor/exceptions", Value=json.dumps({"exceptions": [listed]}), Type="String"
    )
    environment.setenv("AUDITOR_EXCEPTIONS", "ssm:/auditor/exceptions")
    boto3.client("iam").put_role_policy(
        RoleName=OPEN,
        PolicyName="more",
        PolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {"Effect": "Allow", "Action": "ses:SendBulkEmail", "Resource": "*"},
            }
        ),
    )
    (change,) = remediate(roles=[OPEN])["plan"]["changes"]
    assert change["warnings"][0]["code"] == "closes-excepted"
    reply = remediate("another-request", roles=[OPEN], apply=True)

    (left,) = reply["left"]
    assert (reply["applied"], attached(OPEN)) == (False, [])
    assert left["why"]["text"].startswith("left to a person: it closes what somebody answers for:")
    assert "(newsletter; owner: us" in left["why"]["text"]


KINDS: tuple[Outcome, ...] = ("attached", "already", "refused", "unknown", "limit", "stopped")
OUTCOMES = st.sampled_from(KINDS)
TEXTS = st.text(max_size=40).map(lambda text: text * 12)


@st.composite
def many(draw: st.DrawFn) -> list[Result]:
    """Results of up to some thousands of roles, of a few kinds."""
    kinds = draw(st.lists(st.tuples(OUTCOMES, TEXTS, st.integers(1, 1_500)), max_size=4))
    exposed = Standing(verdict="exposed", certainty="proven")
    return [
        Result(role_arn=f"arn:{name}{n}", role_name=f"{name}{n}", outcome=kind, message=name,
               standing=exposed if kind == "already" else None)
        for kind, name, number in kinds
        for n in range(number)
    ]  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(found=many())
def test_a_reply_always_fits_and_counts_all(found: list[Result]) -> None:
    """However many roles and whatever their messages: it fits where it is kept, every role is
    listed or counted, and what went wrong is listed before what went well.
    """
    reply = remedy_reply.results(found)
    assert len(json.dumps(reply)) < 250_000
    assert sum(reply["outcomes"].values()) == len(found)
    reached = [one for one in found if one.outcome not in ("limit", "stopped")]
    assert len(reply["results"]) + reply["results_left_out"] == len(reached)
    fine = [one["outcome"] == "attached" for one in reply["results"]]
    assert fine == sorted(fine)
