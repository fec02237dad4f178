"""Channels that are switched on while something is open, and what keeps them from hearing of it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest

from auditor.errors import NotifyError
from auditor.history.table import TableHistory
from auditor.lasting import Changes
from auditor.notify import events
from auditor.notify.news import Night
from chalicelib.memory import Start
from chalicelib.newcomers import first, further
from chalicelib.nightly import LEASE
from tests.lambda_app.everybody import taken
from tests.lambda_app.nights import Killed, audit, close, killed, reopen
from tests.lambda_app.world import OPEN, OPEN_POLICY, add_listener, add_role, hook
from tests.notify.told import many

if TYPE_CHECKING:
    from datetime import tzinfo

    from tests.lambda_app.world import World

REFUSED = "codebuild-refused"


class Event(NamedTuple):
    """What a bus took."""

    role: str
    kind: str
    id: str


class Bus:
    """A bus that refuses what is about one role."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, refuses: str = "") -> None:
        self.events: list[Event] = []
        self.refuses = refuses
        hook(monkeypatch, "before-call.eventbridge.PutEvents", self._answer)

    def _answer(self, params: dict[str, Any], **_: object) -> Any:
        found = [self._entry(one) for one in json.loads(params["body"])["Entries"]]
        return SimpleNamespace(status_code=200, headers={}), {"Entries": found}

    def _entry(self, entry: dict[str, str]) -> dict[str, str]:
        detail = json.loads(entry["Detail"])
        if detail["role_name"] == self.refuses:
            return {"ErrorCode": "InternalFailure", "ErrorMessage": "not this one"}
        self.events.append(Event(detail["role_name"], entry["DetailType"], detail["id"]))
        return {"EventId": "1"}


def test_a_new_bus_that_refuses_one_event_gets_the_others_once(
    world: World,  # noqa: ARG001 - the account
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In all tries of all nights; what was open has one id, and what changes meanwhile its own."""
    for name in (REFUSED, "codebuild-other"):
        add_role(name, OPEN_POLICY)
    audit()
    monkeypatch.setenv("AUDITOR_EVENT_BUS", "default")
    bus = Bus(monkeypatch, refuses=REFUSED)
    for run in ("one", "one", "two", "two", "three"):
        if run == "three":
            close()
        with pytest.raises(NotifyError, match=r"events: .* lacks 1 event"):
            audit(run)
    bus.refuses = ""
    audit("four")
    audit("five")
    assert sorted((one.role, one.kind) for one in bus.events) == [
        (OPEN, "Finding New"),
        (OPEN, "Finding Resolved"),
        ("codebuild-other", "Finding New"),
        (REFUSED, "Finding New"),
    ]
    ids = {kind: {one.id for one in bus.events if one.kind == kind} for _, kind, _ in bus.events}
    assert [len(one) for one in ids.values()] == [1, 1]
    assert ids["Finding New"].isdisjoint(ids["Finding Resolved"])


def test_a_run_that_is_killed_while_a_new_bus_takes_its_events_leaves_their_id(
    world: World,  # noqa: ARG001 - the account
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody knows what was taken, so all comes once more, and under the same id."""
    audit()
    monkeypatch.setenv("AUDITOR_EVENT_BUS", "default")
    bus = Bus(monkeypatch)
    put = events.put
    with monkeypatch.context() as dying:
        dying.setattr(events, "put", lambda *a, **k: killed(put(*a, **k)))
        with pytest.raises(Killed):
            audit("one")
    monkeypatch.setattr("chalicelib.nightly._now", later)
    audit("two")
    audit("three")
    first_time, second_time = bus.events
    assert first_time == second_time


def later() -> datetime:
    """Return a time at which no killed run is waited for any more."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=LEASE)


@pytest.mark.parametrize("new", [True, False])
def test_what_flips_while_a_bus_refuses_another_event_is_told_each_time(
    world: World,  # noqa: ARG001 - the account
    monkeypatch: pytest.MonkeyPatch,
    new: bool,
) -> None:
    """Resolved, reopened and resolved again are three events, for a bus that is new or isn't."""
    with monkeypatch.context() as before:
        Bus(before)
        if not new:
            before.setenv("AUDITOR_EVENT_BUS", "default")
        audit()
    add_role(REFUSED, OPEN_POLICY)
    monkeypatch.setenv("AUDITOR_EVENT_BUS", "default")
    bus = Bus(monkeypatch, refuses=REFUSED)
    for change in (None, close, reopen, close):
        if change is not None:
            change()
        with suppress(NotifyError):
            audit()
    kinds = [one.kind.removeprefix("Finding ") for one in bus.events if one.role == OPEN]
    assert kinds == [*(["New"] * new), "Resolved", "Reopened", "Resolved"]


def test_a_channel_switched_on_in_a_night_that_is_overtaken_hears_what_is_open(
    world: World,  # noqa: ARG001 - the account
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was told nothing, for the night was out of date: so it is new the next night, too."""
    at_hour(monkeypatch, 1)
    audit()
    chat = boto3.client("sns").create_topic(Name="chat")["TopicArn"]
    queue = add_listener(chat, "chat")
    record = TableHistory.record

    def overtaken(history: TableHistory, run: str, *more: Any) -> Any:
        monkeypatch.setattr(TableHistory, "record", record)
        with monkeypatch.context() as hand:
            hand.delenv("AUDITOR_CHAT_TOPIC_ARN")
            at_hour(hand, 4)
            audit("by hand")
        return record(history, run, *more)

    monkeypatch.setenv("AUDITOR_CHAT_TOPIC_ARN", chat)
    monkeypatch.setattr(TableHistory, "record", overtaken)
    at_hour(monkeypatch, 3)
    audit("overtaken")
    assert taken(queue) == []
    at_hour(monkeypatch, 5)
    audit()
    (heard,) = taken(queue)
    assert OPEN in heard["Message"]
    audit()
    assert taken(queue) == []


def test_a_slow_bus_gets_all_that_is_open_in_several_tries() -> None:
    """A thousand findings, of which a try has time for a part: each comes once, under one id."""
    news = many(1_000)
    night = Night(news.report, Changes(), "one", "outbox", known=news.changes.new)
    start, got = Start("id"), list[str]()
    for night_ in (night, night._replace(run_id="two"), night._replace(run_id="three")):
        told = first(night_, start)
        assert told is not None
        assert told.earlier_id == "id"
        now = [one.id for one in told.changes.still][:400]
        got += now
        start = further(start, night_, told, frozenset(now))
    last = first(night, start)
    assert last is not None
    assert last.changes == Changes()
    assert sorted(got) == sorted(one.id for one in news.changes.new)


def at_hour(monkeypatch: pytest.MonkeyPatch, hour: int) -> None:
    """Set the time of the audits to come."""

    class Fixed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime(2026, 11, 23, hour, tzinfo=tz)

    monkeypatch.setattr("chalicelib.run.datetime", Fixed)
