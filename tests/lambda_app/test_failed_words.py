"""Words about audits that could not be done: how often they come, whatever a channel answers."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError

from auditor.errors import AuditorError, NotifyError
from tests.lambda_app.nights import Context, audit, refuse
from tests.lambda_app.world import hook

if TYPE_CHECKING:
    from tests.lambda_app.everybody import Everybody
    from tests.lambda_app.world import World

MISSING = "ssm:/auditor/missing"


def answering_late(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let SNS take each message and answer too late; return what it takes."""
    took: list[str] = []

    def late(params: dict[str, Any], **_: object) -> None:
        took.append(str(params["body"]))
        raise ReadTimeoutError(endpoint_url="https://sns.eu-west-1.amazonaws.com/")

    hook(monkeypatch, "before-call.sns.Publish", late)
    return took


def test_a_failure_that_no_answer_comes_for_is_told_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three tries of a run the third says nothing. As it may be untold, the next run says it."""
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", MISSING)
    with monkeypatch.context() as slow:
        took = answering_late(slow)
        for _ in range(3):
            with pytest.raises(AuditorError):
                audit("one")
    assert len(took) == 2
    for run in ("two", "three"):
        with pytest.raises(AuditorError):
            audit(run)
    assert len(world.heard()) == 1


def test_that_it_works_again_is_told_twice_at_worst_in_whichever_runs(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No answer in the last try of one run and the first of the next: then it counts as told."""
    audit()
    world.heard()
    with monkeypatch.context() as bad:
        bad.setenv("AUDITOR_EXCEPTIONS", MISSING)
        with pytest.raises(AuditorError):
            audit("before")
    assert len(world.heard()) == 1
    took = answering_late(monkeypatch)
    for run in ("one", "two"):
        with pytest.raises(NotifyError, match=r"topic: .*didn't answer"):
            audit(run)
    for run in ("two", "three"):
        audit(run)
    assert len(took) == 2
    assert all("works+again" in one or "works again" in one for one in took)


def test_slack_s_words_are_counted_too(
    everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A webhook that takes a failure and breaks off gets it twice; the others get it once."""
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", MISSING)
    monkeypatch.setattr("auditor.notify.slack.WebhookClient.send_dict", broken := Broken())
    for _ in range(3):
        with pytest.raises(AuditorError):
            audit("one")
    assert broken.taken == 2
    assert len(everybody.world.heard()) == 1


class Broken:
    """Slack's side of a connection that breaks once the message is there."""

    taken = 0

    def __call__(self, *_: object) -> None:
        """Take it."""
        self.taken += 1
        raise ConnectionResetError


def test_a_cause_that_lasts_is_told_once_a_week(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another cause is told at once; so is the same one, once the audit worked meanwhile."""
    heard = []
    for night in range(12):
        monkeypatch.setattr("chalicelib.troubles._today", lambda n=night: FIRST + timedelta(n))
        place = {8: "ssm:/auditor/other", 10: ""}.get(night, MISSING)
        with monkeypatch.context() as bad:
            if place:
                bad.setenv("AUDITOR_EXCEPTIONS", place)
            try:
                audit()
            except AuditorError:
                pass
            else:
                assert not place
        words = [one.partition(": ")[2] for one in world.heard() if not one.startswith("{")]
        heard += [(night, one[:21]) for one in words]
    failed, works = "The audit could not b", "The audit works again"
    assert heard == [
        *((night, failed) for night in (0, 7, 8, 9)),
        (10, works),
        (11, failed),
    ]


FIRST = date(2026, 11, 23)


def test_what_there_is_no_time_to_say_stands_in_the_log_and_the_next_try_says_it(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A run whose time is nearly over begins no call, and that isn't silent."""
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", MISSING)
    with monkeypatch.context() as late, caplog.at_level(logging.ERROR):
        late.setattr(Context, "get_remaining_time_in_millis", lambda _: 1_000)
        with pytest.raises(AuditorError):
            audit("one")
    assert "channel topic failed" in caplog.text
    assert "nearly over" in caplog.text
    assert world.heard() == []
    with pytest.raises(AuditorError):
        audit("one")
    assert len(world.heard()) == 1


def test_a_request_s_id_and_time_make_no_other_cause(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS's words for one and the same refusal differ in these from night to night."""
    for number in range(3):
        now = datetime(2026, 11, 23 + number, 3, tzinfo=UTC)
        with monkeypatch.context() as bad:
            request = f"9bb62c8b-52c0-493f-a28c-ed48cad73a{number}e"
            words = f"Signature expired: {now:%Y%m%dT%H%M%SZ} ({request})"
            bad.setattr("chalicelib.run.collect_account", failing(words))
            with pytest.raises(AuditorError):
                audit()
    assert len(world.heard()) == 1


def failing(words: str) -> Any:
    """Return what fails with these words."""

    def fail(*_: object, **__: object) -> None:
        raise AuditorError(words)

    return fail


def test_without_the_table_one_process_tells_a_run_once_and_what_nobody_will_hear(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda tries again where it tried before, mostly; and the message promises no end of it."""
    hook(monkeypatch, "before-call.dynamodb", refuse)
    for _ in range(3):
        with pytest.raises(AuditorError):
            audit("one")
    (message,) = world.heard()
    assert "nobody hears when this is over" in message
    with pytest.raises(AuditorError):
        audit("two")
    assert len(world.heard()) == 1
