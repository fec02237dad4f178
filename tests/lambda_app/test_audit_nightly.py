"""The scheduled function, through the real Chalice app, on an account in moto."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from auditor.errors import AuditorError, CollectError, NotifyError
from auditor.history.items import KINDS
from chalicelib.nightly import BusyError
from tests.lambda_app.nights import Killed, killed, refuse
from tests.lambda_app.world import ACCOUNT_ID, MARKER, OPEN, REGION, SIMULATOR, RawBody, hook

if TYPE_CHECKING:
    from chalice.test import Client

    from tests.lambda_app.world import World

# Powertools says so where a function fails before it has counted anything.
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def invoke(client: Client) -> dict[str, Any]:
    event = client.events.generate_cw_event(
        source="aws.events", detail_type="Scheduled Event", detail={}, resources=[]
    )
    payload = client.lambda_.invoke("audit_nightly", event).payload
    assert isinstance(payload, dict)
    return payload


def metrics_in(text: str) -> dict[str, float]:
    """Return the metrics of the one EMF line in a function's output."""
    blobs = [json.loads(line) for line in text.splitlines() if '"_aws"' in line]
    (blob,) = blobs
    (directive,) = blob["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Auditor"
    return {item["Name"]: blob[item["Name"]][0] for item in directive["Metrics"]}


def test_an_exposed_role_reaches_the_topic(client: Client, world: World) -> None:
    """Somebody who subscribes to the topic hears of an exposed role by its name."""
    reply = invoke(client)

    assert reply["summary"]["exposed"] == 1
    assert reply["account_id"] == ACCOUNT_ID
    assert reply["message_id"]
    heard = world.heard()
    assert any(OPEN in message for message in heard)


def test_nothing_to_say_is_silence(client: Client, world: World) -> None:
    """A night without findings publishes nothing."""
    close_the_open_role()

    reply = invoke(client)

    assert reply["message_id"] is None
    assert world.heard() == []


def test_always_notify_speaks_even_then(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUDITOR_ALWAYS_NOTIFY=true publishes a night without findings too."""
    close_the_open_role()
    monkeypatch.setenv("AUDITOR_ALWAYS_NOTIFY", "true")

    assert invoke(client)["message_id"]
    assert len(world.heard()) == 1


@pytest.mark.usefixtures("world")
def test_metrics_count_what_was_audited(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Each audit leaves its counts in CloudWatch's embedded metric format."""
    invoke(client)

    metrics = metrics_in(capsys.readouterr().out)
    assert metrics.pop("DurationMs") > 0
    assert metrics.pop("ApiCalls") >= 3
    changes = {kind.capitalize(): 0 for kind in KINDS}
    assert metrics == {
        **changes,
        "RolesAudited": 2,
        "Exposed": 1,
        "Excepted": 0,
        "Undetermined": 0,
        "Incomplete": 0,
        "New": 1,
        "ChannelsFailed": 0,
        "Succeeded": 1,
    }


@pytest.mark.usefixtures("world")
def test_the_log_names_roles_but_no_policy(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A log line has the exposed role and its findings' ids; nothing out of a policy is logged."""
    with caplog.at_level(logging.INFO):
        invoke(client)

    lines = [record for record in caplog.records if hasattr(record, "role_arn")]
    (line,) = [vars(record) for record in lines]
    assert line["role_arn"].endswith(OPEN)
    assert line["verdict"] == "exposed"
    assert all(finding["id"] and finding["rule"] for finding in line["findings"])
    assert MARKER not in repr([vars(record) for record in caplog.records])


def test_a_topic_that_is_gone_fails_the_function(
    client: Client, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """Where the message can't be delivered the function fails, and the findings are in the log."""
    boto3.client("sns", region_name=REGION).delete_topic(TopicArn=world.topic_arn)

    with caplog.at_level(logging.INFO), pytest.raises(NotifyError):
        invoke(client)

    assert any(str(getattr(record, "role_arn", "")).endswith(OPEN) for record in caplog.records)
    assert any("channel topic failed" in record.message for record in caplog.records)


@pytest.mark.usefixtures("world")
def test_an_audit_that_cannot_run_fails_the_function(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials there is no audit: the function fails rather than report nothing."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(AuditorError):
        invoke(client)


def test_roles_that_nobody_may_read_fail_the_function(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where IAM refuses the first read nothing was audited: told to the topic, and a failure."""

    def refuse(**_: object) -> AWSResponse:
        error = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>"
        body = b"<ErrorResponse>" + error + b"</ErrorResponse>"
        return AWSResponse("https://iam.amazonaws.com/", 403, HTTPHeaders(), RawBody(body))

    hook(monkeypatch, "before-send.iam.GetAccountAuthorizationDetails", refuse)

    with pytest.raises(CollectError, match="no role could be audited"):
        invoke(client)
    assert len(world.heard()) == 1


def test_an_event_delivered_twice_is_one_night(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EventBridge delivers at least once: two invocations of the app, one message."""
    monkeypatch.setenv("AUDITOR_ALWAYS_NOTIFY", "true")
    first, second = invoke(client), invoke(client)
    assert first["message_id"]
    assert second["repeated"] is True
    assert len(world.heard()) == 1


@pytest.mark.usefixtures("world")
def test_an_event_delivered_twice_asks_for_one_remediation(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the first delivery was killed or runs still, both ask remediate by the same id."""
    asked: list[str] = []

    def remediate(params: dict[str, Any], **_: object) -> tuple[object, dict[str, Any]]:
        asked.append(json.loads(params["body"])["request_id"])
        return refuse()

    monkeypatch.setenv("AUDITOR_REMEDIATE_ROLES", "*")
    monkeypatch.setenv("AUDITOR_REMEDIATE_FUNCTION", "remediate")
    hook(monkeypatch, "before-call.lambda.Invoke", remediate)
    with monkeypatch.context() as first:
        first.setattr("auditor.notify.sns.send", killed)
        with pytest.raises(Killed):
            invoke(client)
    with contextlib.suppress(BusyError):  # another request, so it has to wait for the first's lease
        invoke(client)
    assert asked == ["nightly-event-7bf73129-1428-4cd3-a780-95db273d1602"] * 2


@pytest.mark.usefixtures("world")
def test_running_twice_changes_nothing(client: Client) -> None:
    """A delivery that comes twice finds the same, and leaves the account's roles as they are."""
    before = policies()
    first, second = invoke(client), invoke(client)

    assert first["summary"] == second["summary"]
    assert policies() == before


def policies() -> list[Any]:
    iam = boto3.client("iam")
    return [
        iam.get_role_policy(RoleName=name, PolicyName="mail")["PolicyDocument"]
        for name in (OPEN, SIMULATOR)
    ]


def close_the_open_role() -> None:
    boto3.client("iam").delete_role_policy(RoleName=OPEN, PolicyName="mail")
