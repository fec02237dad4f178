"""Events on a bus in moto: what a rule's queue gets, sizes, and entries that are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError
from moto import mock_aws

from auditor.life import Changes
from auditor.notify import events
from auditor.notify.interface import PartlyToldError
from auditor.report.json import role_to_dict
from tests import examples
from tests.notify import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_events import EventBridgeClient

    from auditor.notify.interface import News

REGION = "eu-west-1"


class Bus:
    """A client that keeps what it is given, and refuses what it is told to.

    moto neither counts bytes nor refuses single entries.
    """

    def __init__(self, *refusals: set[str]) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.refusals = list(refusals)

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's
        """Answer as EventBridge does: an entry each, in order."""
        self.calls.append(Entries)
        refused = self.refusals.pop(0) if self.refusals else set()
        return {
            "Entries": [
                {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
                if json.loads(one["Detail"])["finding_id"] in refused
                else {"EventId": "1"}
                for one in Entries
            ]
        }


def put(client: Any, news: News, bus: str = "security") -> str:
    return events.put(client, bus, news, render_role=role_to_dict)


def size(entry: dict[str, Any]) -> int:
    """Return an entry's size as EventBridge's page counts it."""
    texts = (entry["Source"], entry["DetailType"], entry["Detail"], *entry["Resources"])
    return 14 + sum(len(text.encode()) for text in texts)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[EventBridgeClient]:
    """EventBridge in moto, with a bus."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        made = boto3.client("events", region_name=REGION)
        made.create_event_bus(Name="security")
        yield made


def test_what_arrives(client: EventBridgeClient) -> None:
    """A rule on the source and the detail type brings an event to a queue, the finding in it."""
    sqs = boto3.client("sqs", region_name=REGION)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    pattern = {"source": ["auditor"], "detail-type": ["Finding New"]}
    client.put_rule(Name="new", EventBusName="security", EventPattern=json.dumps(pattern))
    arn = f"arn:aws:sqs:{REGION}:123456789012:q"
    client.put_targets(Rule="new", EventBusName="security", Targets=[{"Id": "1", "Arn": arn}])

    assert put(client, told.full()) == "4 events"

    (message,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    event = json.loads(message["Body"])
    assert event["source"] == "auditor"
    assert event["resources"] == [examples.WEB.arn]
    detail = event["detail"]
    assert (detail["change"], detail["severity"]) == ("new", "high")
    assert detail["projects"] == ["web (eu-west-1)"]
    assert detail["plan"] == "auditor remediate plan --role codebuild-web"
    assert detail["rule_page"] == "docs/rules/unrestricted-send.md"
    assert detail["finding"] == role_to_dict(examples.WEB)["findings"][0]  # type: ignore[index]  # a list


def test_each_kind_has_its_type() -> None:
    """New, reopened, resolved, suppressed; what is gone has no finding, and nothing to plan."""
    bus = Bus()
    put(bus, told.full())
    (entries,) = bus.calls
    assert [one["DetailType"] for one in entries] == [
        *("Finding New", "Finding Reopened", "Finding Resolved", "Finding Suppressed")
    ]
    gone = json.loads(entries[2]["Detail"])
    assert (gone["finding"], gone["plan"], gone["verdict"]) == (None, None, None)


def test_what_was_open_before_a_bus_is_new_to_it_under_an_id_of_its_own() -> None:
    """So an event that comes in two nights is known as the same one; what changes has its own."""
    bus = Bus()
    changes = told.CHANGES._replace(still=(replace(told.GONE, id="earlier-one"),))
    put(bus, told.full()._replace(changes=changes, earlier_id="earlier"))
    (entries,) = bus.calls
    ids = [json.loads(one["Detail"])["id"] for one in entries]
    assert ids == [*["news-1"] * 4, "earlier"]
    assert entries[-1]["DetailType"] == "Finding New"
    assert json.loads(entries[-1]["Detail"])["change"] == "new"


@pytest.mark.parametrize("number", [1, 5_000])
def test_many_events(number: int) -> None:
    """Ten entries a call at most, each call under 256 KB, each change once."""
    bus = Bus()
    assert put(bus, told.many(number)).startswith(f"{number} event")
    for entries in bus.calls:
        assert 0 < len(entries) <= 10
        assert sum(map(size, entries)) < 256 * 1024
    sent = [json.loads(one["Detail"])["finding_id"] for call in bus.calls for one in call]
    assert len(sent) == len(set(sent)) == number


def test_giants_are_cut_and_large_ones_travel_alone() -> None:
    """An event over 256 KB keeps what identifies it; large ones share no call that is too large."""
    sizes = (300_000, 100_000, 100_000, 100_000)
    roles = []
    for n, length in enumerate(sizes):
        finding = replace(examples.OPEN, id=f"{n}", remediation="x" * length)
        arn = examples.role_arn(f"r{n}")
        roles.append(replace(examples.WEB, name=f"r{n}", arn=arn, findings=(finding,)))
    new = tuple(told.known(role, role.findings[0]) for role in roles)
    bus = Bus()
    put(bus, told.full()._replace(report=examples.report(*roles), changes=Changes(new=new)))
    assert all(sum(map(size, call)) < 256 * 1024 for call in bus.calls)
    details = [json.loads(one["Detail"]) for call in bus.calls for one in call]
    assert [one.get("cut", False) for one in details] == [True, False, False, False]
    assert [one["role_name"] for one in details] == ["r0", "r1", "r2", "r3"]


def test_a_refused_entry_is_tried_once_more_alone() -> None:
    """Entries that the bus refuses are sent again, and the others aren't."""
    bus = Bus({told.NEW.id})
    assert put(bus, told.full()) == "4 events"
    assert [len(call) for call in bus.calls] == [4, 1]


def test_what_is_refused_to_the_end_is_told() -> None:
    """What the bus took is known, so that only the rest is sent the next time."""
    bus = Bus({told.NEW.id}, {told.NEW.id})
    with pytest.raises(PartlyToldError) as caught:
        put(bus, told.full())
    assert "lacks 1 event of 4: ThrottlingException: slow down" in str(caught.value)
    assert caught.value.taken == {told.REOPENED.id, told.GONE.id, told.ADVICE.id}


def test_a_call_that_fails(client: EventBridgeClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's own errors, such as no credentials, are one clear line."""
    monkeypatch.setattr(client._request_signer, "_credentials", None)  # type: ignore[attr-defined]
    with pytest.raises(PartlyToldError, match="Unable to locate credentials") as caught:
        put(client, told.full())
    assert caught.value.taken == frozenset()


def test_a_dead_bus_is_asked_once() -> None:
    """5,000 changes and no answer: one call, nothing taken, and all of it is said to be missing."""
    calls: list[int] = []

    class Dead:
        def put_events(self, Entries: list[Any]) -> NoReturn:  # noqa: N803 - boto3's
            calls.append(len(Entries))
            raise ConnectTimeoutError(endpoint_url="https://events.example.com")

    with pytest.raises(PartlyToldError, match="lacks 5000 events of 5000") as caught:
        put(Dead(), told.many(5_000))
    assert calls == [10]
    assert caught.value.taken == frozenset()


def test_a_slow_bus_gets_no_more_than_its_time() -> None:
    """When the time is over no call begins; what the bus took by then isn't sent again."""
    bus = Bus()
    with pytest.raises(PartlyToldError, match="time for the bus is over") as caught:
        events.put(
            bus,  # type: ignore[arg-type]  # the one method that is used
            "security",
            told.many(100),
            render_role=role_to_dict,
            in_time=lambda: len(bus.calls) < 3,
        )
    assert (len(bus.calls), len(caught.value.taken)) == (3, 30)
