"""``auditor smoke`` end to end: what the queue tells, and what it fails to."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auditor.smoke.scenarios import SCENARIOS
from tests.smoke.records import record
from tests.smoke.world import ACCOUNT, REGION, told

if TYPE_CHECKING:
    from tests.smoke.cli import Cli


def test_one_event_is_missing(cli: Cli) -> None:
    """The mail whose event doesn't come fails, with what was seen of it; the others pass."""
    cli.world.stories["bounce"] = told("Send")
    status, _, checks = cli.checks(*cli.listen(seconds=1))
    assert status == 1
    assert [name for name, one in checks.items() if not one["passed"]] == ["v2 bounce"]
    assert checks["v2 bounce"]["problem"] == "event-missing"
    assert checks["v2 bounce"]["message"] == (
        "accepted, but no Bounce (Permanent) came in 1 s; seen: Send"
    )


@pytest.mark.parametrize(
    ("mailbox", "kind"),
    [("success", "Bounce"), ("bounce", "Reject"), ("complaint", "Rendering Failure")],
)
def test_an_event_that_should_not_be(cli: Cli, mailbox: str, kind: str) -> None:
    """An event of another type than the simulator promises fails its mail, and is named."""
    cli.world.stories[mailbox] = told(kind)
    status, _, checks = cli.checks(*cli.listen())
    found = checks[f"v2 {mailbox}"]
    assert (status, found["problem"]) == (1, "unexpected-event")
    assert kind in found["message"]


def test_an_event_about_somebody_else(cli: Cli) -> None:
    """If SES says that our mail went to another address too, that is told loudly."""

    def astray(event: dict[str, Any]) -> dict[str, Any]:
        event["mail"]["destination"].append("person@example.org")
        return event

    cli.world.mangle = astray
    status, _, checks = cli.checks(*cli.listen())
    assert status == 1
    assert {one["problem"] for one in checks.values()} == {"unexpected-event"}
    assert "person@example.org" in checks["v2 success"]["message"]


def test_events_of_another_run(cli: Cli) -> None:
    """Another run's events satisfy nothing, are counted, and are visible to it afterwards."""
    for scenario in SCENARIOS:
        to = f"{scenario.mailbox}+run-6@simulator.amazonses.com"
        cli.world.put(record(scenario.expects[0].kind, f"other-{scenario.mailbox}", to))
    cli.world.stories = {}
    status, report, checks = cli.checks(*cli.listen())
    assert status == 1
    assert {one["problem"] for one in checks.values()} == {"event-missing"}
    assert report["other_messages"] == 5
    assert cli.world.left() == (5, 0)


def test_own_events_are_taken_out_of_the_queue(cli: Cli) -> None:
    """Of a run that heard everything nothing is left but what came after it was satisfied."""
    cli.world.stories = {
        name: told(*story.events[-1:]) for name, story in cli.world.stories.items()
    }
    cli.world.stories["ooto"] = told("Delivery")
    cli.world.put("somebody else's")
    status, _, _ = cli.checks(*cli.listen())
    assert (status, cli.world.left()) == (0, (1, 0))


@pytest.mark.parametrize("body", ["{", "[" * 9999, '{"Message": 7}', '{"mail": 7}', "\x1b[31m"])
def test_malformed_messages(cli: Cli, body: str) -> None:
    """Messages that nobody can read cost nothing, stay where they are, and are said."""
    if body.isprintable():
        cli.world.put(body)
    else:
        cli.world.put(json.dumps({"eventType": body, "mail": {"messageId": body}}))
    status, report, _ = cli.checks(*cli.listen())
    assert status == 0
    assert report["odd_messages"] + report["other_messages"] == 1
    assert cli.world.left()[1] == 0


def test_events_that_are_broken_on_the_way(cli: Cli) -> None:
    """If the events themselves can't be read, they are missing, and the report says what came."""
    cli.world.mangle = lambda event: json.dumps(event)[:-2]
    status, report, checks = cli.checks(*cli.listen())
    assert status == 1
    assert {one["problem"] for one in checks.values()} == {"event-missing"}
    assert any("isn't a JSON object" in remark for remark in report["remarks"])


def test_a_queue_that_is_not_there(cli: Cli) -> None:
    """A queue that can't be read fails each mail by that name; the mails were sent all the same."""
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/nowhere"
    status, report, checks = cli.checks("--events", url)
    assert (status, report["events"]) == (1, "unreadable")
    assert {one["problem"] for one in checks.values()} == {"queue-unreadable"}
    assert all(one["message_id"] for one in checks.values())
