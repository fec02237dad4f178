"""The function for an audit by hand, through the real Chalice app, on an account in moto."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import jsonschema
import pytest
from botocore.exceptions import ClientError

import auditor.report
from auditor.errors import InputError, NotifyError
from chalicelib import reply
from tests.lambda_app.world import ACCOUNT_ID, BUCKET, OPEN, REGION, SIMULATOR

if TYPE_CHECKING:
    from chalice.test import Client

    from tests.lambda_app.world import World

SCHEMA = json.loads(
    (Path(auditor.report.__file__).parent / "report-1.schema.json").read_text(encoding="utf-8")
)

# Powertools says so where a function fails before it has counted anything.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def invoke(client: Client, event: object) -> dict[str, Any]:
    payload = client.lambda_.invoke("audit_now", event).payload
    assert isinstance(payload, dict)
    return payload


def test_an_empty_event_audits_everything(client: Client, world: World) -> None:
    """The reply is the JSON report of every CodeBuild role, and it can be sent as JSON."""
    report = json.loads(json.dumps(invoke(client, {})))

    jsonschema.validate(report, SCHEMA)
    assert report["account_id"] == ACCOUNT_ID
    assert report["complete"] is True
    verdicts = {role["name"]: role["verdict"] for role in report["roles"]}
    assert verdicts == {OPEN: "exposed", SIMULATOR: "simulator_only"}
    assert world.heard() == []


def test_globs_choose_roles(client: Client, world: World) -> None:
    """``roles`` narrows the audit to the roles whose name matches."""
    report = invoke(client, {"roles": ["*-simulator"]})

    assert [role["name"] for role in report["roles"]] == [SIMULATOR]
    assert world.heard() == []


def test_regions_choose_where_projects_are_looked_for(client: Client, world: World) -> None:
    """``regions`` overrides the deployment's regions: no project is in another one."""
    here = invoke(client, {"regions": [REGION], "roles": [OPEN]})
    there = invoke(client, {"regions": ["eu-central-1"], "roles": [OPEN]})

    assert [project["region"] for project in here["roles"][0]["projects"]] == [REGION]
    assert all(not role["projects"] for role in there["roles"])
    assert world.heard() == []


def test_notify_tells_the_topic_too(client: Client, world: World) -> None:
    """``notify: true`` publishes the findings and replies all the same."""
    report = invoke(client, {"notify": True})

    assert report["summary"]["exposed"] == 1
    assert any(OPEN in message for message in world.heard())


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({"role": ["*"]}, "'role'"),
        ({"roles": "codebuild-*"}, "roles"),
        ({"roles": [""]}, "roles[0]"),
        ({"roles": [7]}, "roles[0]"),
        ({"notify": "true"}, "notify"),
        ({"regions": ["Ireland"]}, "regions[0]"),
        ({"re\ngions": []}, r"'re\ngions'"),
        ({"notify": 1, "dry_run": True}, "'dry_run'"),
        (["roles"], "list"),
        ("audit", "str"),
        (7, "int"),
    ],
)
def test_a_bad_event_is_refused_by_name(
    client: Client, world: World, event: object, named: str
) -> None:
    """An event that can't be used gets one line that names the key; no audit is started."""
    with pytest.raises(InputError) as caught:
        invoke(client, event)

    message = str(caught.value)
    assert message.startswith("audit_now: ")
    assert named in message
    assert "\n" not in message
    assert world.heard() == []


@pytest.mark.usefixtures("world")
def test_a_reply_too_long_is_put_into_the_bucket(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over Lambda's limit the whole report lies in S3, encrypted, and the reply says where."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setenv("AUDITOR_REPORTS_BUCKET", BUCKET)
    monkeypatch.setattr(reply, "MAX_REPLY_BYTES", 1000)

    answer = invoke(client, {})

    assert reply.size(answer) <= 1000
    assert answer["summary"]["exposed"] == 1
    place = answer["stored_at"]
    stored = s3.get_object(Bucket=place["bucket"], Key=place["key"])
    assert stored["ServerSideEncryption"] == "AES256"
    report = json.loads(stored["Body"].read())
    jsonschema.validate(report, SCHEMA)
    assert {role["name"] for role in report["roles"]} == {OPEN, SIMULATOR}
    day = report["generated_at"][:10].replace("-", "/")
    assert place["key"].startswith(f"auditor/{day}/{ACCOUNT_ID}-")


@pytest.mark.usefixtures("world")
def test_a_bucket_that_refuses_fails_the_function(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that can't be stored is an error that names the bucket, not a silent loss."""
    monkeypatch.setenv("AUDITOR_REPORTS_BUCKET", BUCKET)
    monkeypatch.setattr(reply, "MAX_REPLY_BYTES", 1000)

    with pytest.raises(NotifyError, match=BUCKET) as caught:
        invoke(client, {})

    assert isinstance(caught.value.__cause__, ClientError)


@pytest.mark.usefixtures("world")
def test_a_reply_too_long_keeps_the_worst_without_a_bucket(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a bucket the worst roles come back, with how many are missing and what to do."""
    whole = invoke(client, {})
    monkeypatch.setattr(reply, "MAX_REPLY_BYTES", reply.size(whole) - 1)
    # Room for the note about what is missing has to come from somewhere: from one role.
    answer = invoke(client, {})

    assert reply.size(answer) < reply.size(whole)
    kept = [role["name"] for role in answer["roles"]]
    assert len(kept) + answer["left_out"]["roles"] == 2
    assert answer["left_out"]["roles"] >= 1
    assert answer["summary"] == whole["summary"]
    assert "ReportsBucket" in answer["advice"]
