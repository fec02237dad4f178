"""Nights in a row: audits of an account that changes between them, and what is heard."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3

from chalicelib import nightly
from tests.lambda_app.world import OPEN, OPEN_POLICY, REGION

if TYPE_CHECKING:
    from tests.lambda_app.world import World


class Context(SimpleNamespace):
    """What Lambda tells a function about its invocation; another one each time."""

    made = 0

    def __init__(self, request_id: str | None = None) -> None:
        Context.made += 1
        super().__init__(
            aws_request_id=request_id or f"request-{Context.made}", function_name="audit_nightly"
        )

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return 600_000


class Killed(BaseException):
    """Lambda's end of a function: nothing catches it."""


def killed(*_: object, **__: object) -> None:
    """End the function there."""
    raise Killed


def audit(request_id: str | None = None, event_id: str = "") -> dict[str, Any]:
    """Run the nightly audit."""
    return nightly.run(Context(request_id), event_id)


def told(world: World) -> list[tuple[str, dict[str, list[str]]]]:
    """Take what the topic's queue got: each message's occasion, and roles by kind of change."""
    return [_short(json.loads(body)) for body in world.heard()]


def _short(body: dict[str, Any]) -> tuple[str, dict[str, list[str]]]:
    found: dict[str, list[str]] = {}
    for one in body["changes"]:
        found.setdefault(one["change"], []).append(one["role_arn"].rpartition("/")[2])
    return body["occasion"], found


def set_policy(name: str, policy: dict[str, Any]) -> None:
    """Give a role another policy in place of the one it has."""
    boto3.client("iam", region_name=REGION).put_role_policy(
        RoleName=name, PolicyName="mail", PolicyDocument=json.dumps(policy)
    )


def close(name: str = OPEN) -> None:
    """Take a role's policy away."""
    boto3.client("iam").delete_role_policy(RoleName=name, PolicyName="mail")


def reopen(name: str = OPEN) -> None:
    """Let a role mail anybody."""
    set_policy(name, OPEN_POLICY)


def refuse(**_: object) -> tuple[object, dict[str, Any]]:
    """Answer in AWS's place: no."""
    error = {"Code": "AccessDeniedException", "Message": "not today"}
    return SimpleNamespace(status_code=400, headers={}), {"Error": error}
