"""The remediate function for tests: its context, and an account in which it can work."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3

from auditor.corrective.documents import guard
from auditor.corrective.names import MANAGED, PATH, policy_arn
from chalicelib import remediation
from tests.lambda_app.world import ACCOUNT_ID, add_table
from tests.quick_sessions import share_models

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

GUARD = policy_arn("aws", ACCOUNT_ID, "guard")
TABLE = "journal"


class Context(SimpleNamespace):
    """What Lambda tells a function about its invocation; ``left`` are milliseconds."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"
    function_name = "remediate"
    left = 900_000

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds that are left."""
        return self.left


def function(
    environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Return the function, in an account with the journal and the guard; IAM answers at once."""
    share_models(monkeypatch)
    add_table(TABLE)
    boto3.client("iam").create_policy(
        PolicyName=MANAGED["guard"], Path=PATH, PolicyDocument=json.dumps(guard())
    )
    for name in ("TOPIC_ARN", "HISTORY_TABLE", "DIGEST_DAY"):
        environment.delenv(f"AUDITOR_{name}")
    environment.setenv("AWS_LAMBDA_FUNCTION_NAME", "remediate")
    monkeypatch.setattr("time.sleep", lambda _: None)

    def invoke(
        invocation: str = Context.aws_request_id, left: int = Context.left, **event: object
    ) -> dict[str, Any]:
        context = Context()
        context.aws_request_id, context.left = invocation, left
        environment.setenv("AUDITOR_JOURNAL_TABLE", TABLE)
        return remediation.run(event, context)

    return invoke


def attached(role: str) -> list[str]:
    """Return the ARNs of the policies attached to a role."""
    found = boto3.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
    return [one["PolicyArn"] for one in found]


def details() -> object:
    """Return all that IAM knows of the account's roles."""
    return boto3.client("iam").get_account_authorization_details(Filter=["Role"])["RoleDetailList"]
