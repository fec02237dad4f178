"""Listening: own messages are taken, others stay, and it ends in time. On moto's SQS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from auditor.smoke.result import Sent
from auditor.smoke.scenarios import SCENARIOS, address
from auditor.smoke.wait import Clock, Heard, listen
from tests.smoke.records import envelope, record
from tests.smoke.world import read_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SENT = [Sent("v2", one, address(one, "run"), f"id-{one.mailbox}") for one in SCENARIOS]
EVENTS = {
    "success": "Delivery",
    "bounce": "Bounce",
    "ooto": "Delivery",
    "complaint": "Complaint",
    "suppressionlist": "Bounce",
}


class Time:
    """A clock that only sleeping moves (and each look at it, a little)."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def clock(self) -> Clock:
        return Clock(self.look, self.sleep)

    def look(self) -> float:
        self.now += 0.01
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Queue:
    """A queue of moto's, and SQS calls that answer at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
        read_once(monkeypatch)
        self.sqs: Any = boto3.Session(region_name="eu-west-1").client("sqs")
        self.url: str = self.sqs.create_queue(QueueName="mail")["QueueUrl"]
        self.time = Time()
        self.waits: list[int] = []
        self.takes = 0.0  # seconds of each call that receives
        hooks: Any = self.sqs.meta.events  # the stubs don't know that a hook may return something
        hooks.register("provide-client-params.sqs.ReceiveMessage", self._quick)

    def _quick(self, params: dict[str, Any], **_: object) -> dict[str, Any]:
        # the time that SQS would have waited for a message passes on our clock instead
        self.waits.append(params["WaitTimeSeconds"])
        self.time.now += self.takes
        self.time.now += 0 if self.count() else params["WaitTimeSeconds"]
        return {**params, "WaitTimeSeconds": 0}

    def put(self, *bodies: object) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps(body)
            self.sqs.send_message(QueueUrl=self.url, MessageBody=text)

    def put_many(self, bodies: Iterable[object]) -> None:
        every = list(bodies)
        for ten in (every[n : n + 10] for n in range(0, len(every), 10)):
            entries = [{"Id": str(n), "MessageBody": json.dumps(one)} for n, one in enumerate(ten)]
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def put_own(self, *mailboxes: str) -> None:
        for one in SENT:
            if one.scenario.mailbox in mailboxes:
                kind = EVENTS[one.scenario.mailbox]
                self.put(envelope(record(kind, str(one.message_id), one.address)))

    def listen(self, seconds: float = 60) -> Heard:
        return listen(self.sqs, self.url, SENT, seconds, self.time.clock())

    def count(self, state: str = "") -> int:
        name = f"ApproximateNumberOfMessages{state}"
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return int(found["Attributes"][name])


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queue]:
    with mock_aws():
        yield Queue(monkeypatch)


def test_it_ends_when_all_is_there(queue: Queue) -> None:
    """With every expected event in the queue, nobody waits, and nothing of the run is left."""
    queue.put_own(*EVENTS)
    heard = queue.listen()
    assert [str(events[0]) for events in heard.events.values()] == [
        "Delivery",
        "Bounce (Permanent, General)",
        "Delivery",
        "Complaint",
        "Bounce (Permanent, General)",
    ]
    assert (heard.others, heard.odd, heard.trouble, heard.remarks) == (0, (), None, ())
    assert (queue.count(), queue.count("NotVisible"), queue.time.slept) == (0, 0, [])


def test_what_is_not_ours_stays_visible(queue: Queue) -> None:
    """Other runs' events and messages without event are counted, kept, and visible afterwards."""
    others = [record("Delivery", f"of-another-run-{n}", SENT[0].address) for n in range(23)]
    queue.put("hello", *others)
    queue.put_own(*EVENTS)
    heard = queue.listen()
    assert (heard.others, len(heard.odd)) == (23, 1)
    assert all(heard.events.values())
    assert (queue.count(), queue.count("NotVisible")) == (24, 0)


def test_a_crowded_queue_is_looked_through(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own events behind many receives' worth of others' are found at once; the others stay."""
    monkeypatch.setattr("auditor.smoke.wait._BATCH", 1)  # moto is slow with hundreds of messages
    queue.put_many(record("Delivery", f"of-another-run-{n}") for n in range(45))
    queue.put_own(*EVENTS)
    heard = queue.listen()
    assert all(heard.events.values())
    assert len(queue.waits) == 50
    assert (heard.others, heard.cut, heard.remarks) == (45, False, ())
    assert (queue.count(), queue.count("NotVisible"), queue.time.slept) == (45, 0, [])


def test_a_queue_that_holds_too_much(queue: Queue) -> None:
    """Where SQS is too slow to show all that is there, it ends in time, says so, gives all back."""
    queue.put_many(record("Delivery", f"of-another-run-{n}") for n in range(60))
    queue.put_own(*EVENTS)
    queue.takes = 2.0
    heard = queue.listen(7)
    assert not any(heard.events.values())
    assert heard.cut
    assert any("may hold more messages" in one for one in heard.remarks)
    assert queue.time.now <= 7 + 5 + queue.takes
    assert (queue.count(), queue.count("NotVisible")) == (65, 0)


@pytest.mark.parametrize("seconds", [0, 0.5, 7, 60])
@pytest.mark.parametrize("crowded", [True, False])
def test_it_ends_in_time(queue: Queue, seconds: float, crowded: bool) -> None:
    """Without the events it listens for as long as it was told, and a second longer at most."""
    if crowded:
        queue.put(*(record("Delivery", f"other-{n}") for n in range(12)))
    heard = queue.listen(seconds)
    assert not any(heard.events.values())
    assert seconds <= queue.time.now <= seconds + 2
    assert len(queue.waits) <= 60
    assert queue.count("NotVisible") == 0


def test_other_runs_are_not_starved(queue: Queue) -> None:
    """Others' messages are looked at now and then, not all the time: each look counts for SQS."""
    queue.put(record("Delivery", "of-another-run"))
    queue.listen(60)
    assert queue.time.slept[:4] == [1, 2, 4, 8]
    (message,) = queue.sqs.receive_message(
        QueueUrl=queue.url, AttributeNames=["ApproximateReceiveCount"], WaitTimeSeconds=0
    )["Messages"]
    assert int(message["Attributes"]["ApproximateReceiveCount"]) <= 11


def test_what_came_before_the_queue_broke_counts(queue: Queue) -> None:
    """A queue that goes away while we listen is named, and what was heard of it isn't lost."""
    queue.put_own("success")

    def vanish(**_: object) -> None:
        if not queue.count():
            queue.sqs.delete_queue(QueueUrl=queue.url)

    queue.sqs.meta.events.register("after-call.sqs.DeleteMessageBatch", vanish)
    heard = queue.listen()
    assert str(heard.events["id-success"][0]) == "Delivery"
    assert heard.trouble is not None
    assert heard.trouble.kind == "queue-unreadable"
    assert queue.url in heard.trouble.message


@pytest.mark.parametrize("operation", ["DeleteMessageBatch", "ChangeMessageVisibilityBatch"])
def test_what_may_not_be_deleted_is_said(queue: Queue, operation: str) -> None:
    """A refusal to delete or give back costs a remark, not the result."""

    def refuse(**_: object) -> None:
        error = {"Error": {"Code": "AccessDenied", "Message": "not you"}}
        raise ClientError(error, operation)  # type: ignore[arg-type]  # no more is read of it

    queue.sqs.meta.events.register(f"provide-client-params.sqs.{operation}", refuse)
    queue.put(record("Delivery", "of-another-run"))
    queue.put_own(*EVENTS)
    heard = queue.listen()
    assert all(heard.events.values())
    assert heard.trouble is None
    assert any("AccessDenied: not you" in one for one in heard.remarks)


def test_an_interrupt_gives_everything_back(queue: Queue) -> None:
    """Ctrl-C in the middle leaves other runs' messages visible."""
    queue.put(record("Delivery", "of-another-run"))
    calls = []

    def interrupt(**_: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt

    queue.sqs.meta.events.register("before-call.sqs.ReceiveMessage", interrupt)
    with pytest.raises(KeyboardInterrupt):
        queue.listen()
    assert (queue.count(), queue.count("NotVisible")) == (1, 0)
