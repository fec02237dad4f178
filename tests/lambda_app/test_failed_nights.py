"""Nights on which there was no audit: who hears of it, how often, and that it is over."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from auditor.errors import AuditorError, CollectError, NotifyError
from auditor.history.table import TableHistory
from chalicelib import now, telemetry
from chalicelib.settings import DAYS
from tests.lambda_app.everybody import Everybody, taken
from tests.lambda_app.nights import Killed, audit, close, killed, refuse, told
from tests.lambda_app.test_nights_trouble import EXCEPTION, NEW, put_exceptions
from tests.lambda_app.world import ACCOUNT_ID, BUCKET, OPEN, hook

if TYPE_CHECKING:
    from tests.lambda_app.world import World

EVENT = "9bb62c8b-52c0-493f-a28c-ed48cad73a5e"
MISSING = "ssm:/auditor/missing"


def test_the_retry_of_a_night_that_read_no_role_audits(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IAM refused the first try of an event: the second one isn't taken for a repeat of it."""
    with monkeypatch.context() as gap:
        hook(gap, "before-call.iam.GetAccountAuthorizationDetails", refuse)
        with pytest.raises(CollectError):
            audit("first", EVENT)
    assert [occasion for occasion, _ in told(world)] == ["reading"]
    assert "repeated" not in audit("second", EVENT)
    assert told(world) == [NEW]
    assert audit("second", EVENT)["repeated"]


def test_trouble_is_told_when_it_can_be(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A topic that refuses the message once gets it from the retry, and from no further one."""
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", MISSING)
    with monkeypatch.context() as down:
        hook(down, "before-call.sns.Publish", refuse)
        with pytest.raises(AuditorError):
            audit("r", EVENT)
    for _ in range(2):
        with pytest.raises(AuditorError):
            audit("r", EVENT)
    assert len(world.heard()) == 1


def test_two_runs_that_fail_in_turn_are_told_once_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run by hand between a night's tries doesn't have the night told twice."""
    for run in ("night", "hand", "night", "night"):
        monkeypatch.setenv(
            "AUDITOR_EXCEPTIONS", MISSING if run == "night" else "ssm:/auditor/other"
        )
        with pytest.raises(AuditorError):
            audit(run)
    assert len(world.heard()) == 2


@pytest.mark.parametrize("call", ["sts.GetCallerIdentity", "dynamodb.Query", "dynamodb.PutItem"])
def test_whatever_keeps_an_audit_from_being_done_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Credentials that aren't taken, a history that refuses to be read or written: one text."""
    hook(monkeypatch, f"before-call.{call}", refuse)
    with pytest.raises(AuditorError):
        audit()
    (message,) = world.heard()
    assert "could not be done" in message
    assert "not today" in message


def test_a_claim_that_fails_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody foresaw is told by its kind alone, for its words may hold anything."""

    def broken(*_: object) -> None:
        raise KeyError("marker-that-no-log-may-hold")

    monkeypatch.setattr(TableHistory, "claim", broken)
    with pytest.raises(KeyError):
        audit()
    (message,) = world.heard()
    assert "a defect (KeyError)" in message
    assert "marker" not in message


def test_everybody_who_reads_hears_of_trouble_and_that_it_is_over(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The topic, Slack and the chat: once that there was no audit, once that it works again."""
    audit()
    everybody.heard()
    with monkeypatch.context() as bad:
        bad.setenv("AUDITOR_EXCEPTIONS", MISSING)
        with pytest.raises(AuditorError):
            audit()
    assert heard(everybody) == ["The audit could not be done"] * 3
    audit()
    assert heard(everybody) == ["The audit works again"] * 3
    audit()
    assert heard(everybody) == []


def heard(everybody: Everybody) -> list[str]:
    """Take what each channel was told, by its first words."""
    chats = [json.loads(one["Message"])["content"] for one in taken(everybody.chat_url)]
    texts = [
        *everybody.world.heard(),
        *(post["text"] for post in everybody.slack.posts),
        *(f"account {ACCOUNT_ID}: {chat['description']}" for chat in chats),
    ]
    everybody.slack.posts.clear()
    assert taken(everybody.events_url) == []
    cuts = (text.split(f"account {ACCOUNT_ID}: ")[1] for text in texts)
    return [cut.split(",")[0].split(". ")[0] for cut in cuts]


def test_the_page_of_a_retried_run_agrees_with_its_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after storing and tried again: new in the message, in the page, and in the metrics."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    monkeypatch.setenv("AUDITOR_REPORTS_BUCKET", BUCKET)
    counts: dict[str, int] = {}
    monkeypatch.setattr(telemetry, "count", lambda **some: counts.update(some))
    with monkeypatch.context() as first:
        first.setattr(TableHistory, "claim", killed)
        with pytest.raises(Killed):
            audit("r")
    assert audit("r")["changes"]["new"] == 1
    assert counts["New"] == 1
    (body,) = world.heard()
    assert [one["change"] for one in json.loads(body)["changes"]] == ["new"]
    (key,) = (
        one["Key"]
        for one in s3.list_objects_v2(Bucket=BUCKET)["Contents"]
        if one["Key"].endswith(".json")
    )
    report = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    lives = [one["life"]["status"] for role in report["roles"] for one in role["findings"]]
    assert "new" in lives
    assert "open" not in lives


def test_no_message_names_a_page_that_is_not_there(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where S3 refuses, people are told without the page's address, and the run fails."""
    monkeypatch.setenv("AUDITOR_REPORTS_BUCKET", "missing-bucket")
    with pytest.raises(NotifyError, match="reports: "):
        audit()
    (body,) = everybody.world.heard()
    assert json.loads(body)["stored"] == ""
    assert "missing-bucket" not in repr(everybody.slack.posts)


def test_excepted_roles_count_apart_everywhere(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An excepted role is none of the exposed: not in a metric, nor in an audit by hand."""
    put_exceptions(EXCEPTION)
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", "ssm:/auditor/exceptions")
    counted: list[dict[str, int]] = []
    monkeypatch.setattr(telemetry, "count", lambda **some: counted.append(some))
    assert audit()["summary"]["exposed"] == 0
    reply: dict[str, Any] = now.run({"notify": True})
    assert reply["summary"]["exposed"] == 0
    by_hand = world.heard()[-1]
    assert json.loads(by_hand)["summary"]["exposed"] == 0
    found = [one for one in counted if "Exposed" in one]
    assert [(one["Exposed"], one["Excepted"]) for one in found] == [(0, 1)] * 2


def test_a_clock_that_ran_ahead_is_said_aloud(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An audit of a day that is to come makes the next one log an error; digests go on."""
    from datetime import UTC, datetime, timedelta

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz or UTC) + timedelta(days=30)

    monkeypatch.setenv("AUDITOR_DIGEST_DAY", DAYS[datetime.now(UTC).weekday()])
    with monkeypatch.context() as ahead:
        ahead.setattr("chalicelib.run.datetime", Ahead)
        audit()
    world.heard()
    with caplog.at_level(logging.ERROR):
        audit()
    assert [occasion for occasion, _ in told(world)] == ["digest"]
    assert any(
        "one of the clocks is or was wrong" in record.getMessage() for record in caplog.records
    )


def test_a_closed_role_after_trouble_is_all_clear(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changed while no audit could be done is told by the first one that can."""
    audit()
    world.heard()
    with monkeypatch.context() as bad:
        bad.setenv("AUDITOR_EXCEPTIONS", MISSING)
        with pytest.raises(AuditorError):
            audit()
    world.heard()
    close(OPEN)
    audit()
    bodies = world.heard()
    assert [json.loads(one)["occasion"] for one in bodies if one.startswith("{")] == ["all-clear"]
    assert len(bodies) == 2
