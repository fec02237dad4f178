"""The stored reports of a night say what the night could not look at."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3

from tests.lambda_app.nights import audit, set_policy
from tests.lambda_app.test_nights import unreadable
from tests.lambda_app.world import BUCKET, OPEN, OPEN_POLICY, SIMULATOR, hook

if TYPE_CHECKING:
    import pytest

    from tests.lambda_app.world import World


def stored() -> dict[str, Any]:
    """Return the JSON report that a night stored last."""
    s3: Any = boto3.client("s3")
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    (last,) = sorted(key for key in keys if key.endswith(".json"))[-1:]
    values: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key=last)["Body"].read())
    return values


def test_a_night_stores_what_it_could_not_look_at(
    world: World,  # noqa: ARG001 - the account
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An open finding of a role that can't be decided any more stands under not_looked_at."""
    boto3.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    monkeypatch.setenv("AUDITOR_REPORTS_BUCKET", BUCKET)
    set_policy(SIMULATOR, OPEN_POLICY)
    audit()
    assert stored()["not_looked_at"] == []
    with monkeypatch.context() as broken:
        hook(broken, "after-call.iam.GetAccountAuthorizationDetails", unreadable)
        audit()
    missed = {one["role_arn"].rpartition("/")[2] for one in stored()["not_looked_at"]}
    assert missed == {SIMULATOR}
    assert OPEN not in missed
