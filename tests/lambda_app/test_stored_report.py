"""The stored reports of a night say what the night could not look at."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from auditor.errors import NotifyError
from tests.lambda_app.nights import audit, close, set_policy
from tests.lambda_app.test_nights import unreadable
from tests.lambda_app.world import BUCKET, OPEN, OPEN_POLICY, SIMULATOR, hook

if TYPE_CHECKING:
    from datetime import tzinfo

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


def test_what_waits_for_a_dead_channel_is_new_in_its_own_night_alone(
    world: World,  # noqa: ARG001 - the account
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In each try of the night that found it, and in no later night; so is what was resolved."""
    boto3.client("s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    monkeypatch.setenv("AUDITOR_REPORTS_BUCKET", BUCKET)
    monkeypatch.setenv("AUDITOR_SLACK_WEBHOOK", "ssm:/auditor/nowhere")
    found = []
    for run, minute in (
        ("one", 0),
        ("one", 1),
        ("two", 2),
        ("three", 3),
        ("three", 4),
        ("four", 5),
    ):
        at_minute(monkeypatch, minute)
        if (run, minute) == ("three", 3):
            close()
        with pytest.raises(NotifyError, match="slack"):
            audit(run)
        values = stored()
        lives = [one["life"]["status"] for role in values["roles"] for one in role["findings"]]
        found.append((lives, [one["rule"] for one in values["resolved"]]))
    resolved: tuple[list[str], list[str]] = ([], ["unrestricted-send"])
    assert found == [(["new"], []), (["new"], []), (["open"], []), resolved, resolved, ([], [])]


def at_minute(monkeypatch: pytest.MonkeyPatch, minute: int) -> None:
    """Set the time of the audits to come."""

    class Fixed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime(2026, 11, 23, 3, minute, tzinfo=tz)

    monkeypatch.setattr("chalicelib.run.datetime", Fixed)
