"""The journal as a DynamoDB table: kept once, in order, and never left locked."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ReadTimeoutError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from auditor.remediate.clients import dynamodb
from auditor.remediate.interface import BusyError, JournalError
from auditor.remediate.journal_table import LEASE, TableJournal
from tests.collect.wire import Request, fail, refuse
from tests.remediate.apply_entries import PLAN, entries, entry
from tests.remediate.apply_fate import Gate, Killed, Shortcut
from tests.remediate.apply_world import World, outcomes, steps, world

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSResponse

    from auditor.remediate.model import Entry

TABLE = "auditor-journal"


@pytest.fixture
def wire() -> Gate:
    return Gate()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, wire: Gate) -> Iterator[World]:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with world(monkeypatch) as made:
        wire.attach(made.session)
        dynamodb(made.session).create_table(
            TableName=TABLE,
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        yield made


def journal(aws: World, table: str = TABLE) -> TableJournal:
    return TableJournal(dynamodb(aws.session), table, clock=aws.clock)


def items(aws: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dynamodb(aws.session).scan(TableName=TABLE)["Items"]
    return found


def test_what_is_recorded_is_read_by_others(aws: World) -> None:
    """Entries come back as they were, each role's in order (the tenth after the ninth), by plan."""
    mine, other = journal(aws), journal(aws)
    web = [entry("web", "attaching", sequence=number) for number in (1, 2, 9, 10, 11)]
    longer = entry("web2", "attaching")
    for one in [*reversed(web), longer]:
        mine.record(one)
    other.record(entry("web", "attaching", plan_id="plan-20261124T030000Z-0123abcd"))
    assert other.entries(PLAN) == [*web, longer]
    assert other.entries(PLAN, web[0].role_arn) == web
    assert other.plans() == [PLAN, "plan-20261124T030000Z-0123abcd"]
    assert other.entries("plans") == []
    assert other.troubles() == []


def test_the_same_entry_twice_is_one(aws: World) -> None:
    """Recorded again, by this run or another, an entry changes nothing; nor does a third time."""
    one = entry("web", "attaching", sequence=3)
    for _ in range(3):
        journal(aws).record(one)
    assert journal(aws).entries(PLAN) == [one]


def test_two_runs_never_overwrite_each_other(aws: World) -> None:
    """An entry whose number another run has taken gets the next free one."""
    first, second = entry("web", "attaching"), entry("web", "attached")
    third = entry("web", "failed")
    for one in (first, second, third, second):
        journal(aws).record(one)
    assert journal(aws).entries(PLAN) == [
        first,
        second.model_copy(update={"sequence": 2}),
        third.model_copy(update={"sequence": 3}),
    ]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes over moto
)
@given(recorded=st.lists(entries(), max_size=6))
def test_nothing_recorded_is_lost(aws: World, recorded: list[Entry]) -> None:
    """However numbers collide, each different entry is there, with nothing of it changed."""
    mine = journal(aws)
    plan = f"plan-{len(items(aws))}"  # one of its own: the table outlives the example
    recorded = [one.model_copy(update={"plan_id": plan}) for one in recorded]
    for one in recorded:
        mine.record(one)

    def bare(one: Entry) -> Entry:
        return one.model_copy(update={"sequence": 0})

    assert {bare(one) for one in mine.entries(plan)} == {bare(one) for one in recorded}
    assert len(mine.entries(plan)) <= len(recorded)


def test_an_answer_that_was_lost(aws: World, wire: Gate) -> None:
    """A try that was carried out and whose answer got lost is made again, and leaves one entry."""
    lost = fail(ReadTimeoutError(endpoint_url="https://dynamodb.us-east-1.amazonaws.com/"))
    mine = journal(aws)
    other = journal(aws)
    one = entry("web", "attaching")

    def carried_out(request: Request) -> AWSResponse | None:
        if "entry" in request.fields["Item"] and wire.tries("dynamodb:PutItem") == 2:
            other.record(one)  # as the lost try would have
            return lost(request)
        return None

    wire.on("dynamodb:PutItem", carried_out)
    mine.record(one)
    assert mine.entries(PLAN) == [one]


def test_pages(aws: World, wire: Gate) -> None:
    """All pages of a long plan are read."""
    mine = journal(aws)
    recorded = [entry("web", "attaching", sequence=number) for number in range(1, 6)]
    for one in recorded:
        mine.record(one)
    client = dynamodb(aws.session)
    query = client.query
    client.query = lambda **asked: query(**asked, Limit=2)
    assert TableJournal(client, TABLE, clock=aws.clock).entries(PLAN) == recorded
    assert wire.tries("dynamodb:Query") == 3


def test_reads_are_consistent(aws: World, wire: Gate) -> None:
    """What was recorded a moment ago is always seen: every read asks for that.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html
    """
    mine = journal(aws)
    for _ in range(2):
        mine.record(entry("web", "attaching"))
    mine.entries(PLAN)
    mine.plans()
    reads = [r for r in wire.seen if r.call in ("dynamodb:Query", "dynamodb:GetItem")]
    assert len(reads) == 3
    assert all(request.fields["ConsistentRead"] is True for request in reads)


def test_entries_never_expire(aws: World) -> None:
    """The attribute by which DynamoDB deletes items stands on the lock alone."""
    mine = journal(aws)
    mine.record(entry("web", "attaching"))
    with mine.lock("me"):
        held = items(aws)
    assert [item["pk"]["S"] for item in held if "expires_at" in item] == ["lock"]
    assert not [item for item in items(aws) if "expires_at" in item]


def test_unreadable_items_are_named(aws: World) -> None:
    """An item that is no entry is left out and said; other people's items are none of ours."""
    mine = journal(aws)
    mine.record(entry("web", "attaching"))
    client = dynamodb(aws.session)
    for sk, more in (("x\x1b", {"entry": {"S": "{}"}}), ("y", {}), ("z", {"entry": {"N": "1"}})):
        client.put_item(TableName=TABLE, Item={"pk": {"S": PLAN}, "sk": {"S": sk}, **more})
    assert mine.entries(PLAN) == [entry("web", "attaching")]
    assert mine.entries(PLAN) == [entry("web", "attaching")]
    assert mine.troubles() == [
        f"DynamoDB table {TABLE}: item {PLAN} {name} can't be read and is left out"
        for name in ("x\\x1b", "z")
    ]


def test_one_at_a_time(aws: World) -> None:
    """While one run holds it another is told who does, the same caller's too; then it is free."""
    with (
        journal(aws).lock("me\x1b[31m"),
        pytest.raises(BusyError, match=r"another run is at work \(me\\x1b\[31m [0-9a-f-]{36}\)"),
        journal(aws).lock("me\x1b[31m"),
    ):
        pass
    with journal(aws).lock("you") as keep:
        keep()


def test_a_crash_cannot_leave_it_closed(aws: World) -> None:
    """A lock that nobody released or renewed is free once its lease has ended, and not before."""
    crashed = journal(aws).lock("crashed")
    crashed.__enter__()
    aws.sleep(LEASE)
    with pytest.raises(BusyError), journal(aws).lock("me"):
        pass
    aws.sleep(1)
    with journal(aws).lock("me"):
        pass


def test_work_that_lasts(aws: World) -> None:
    """Renewed while working, the lock holds for as long as the work lasts."""
    with journal(aws).lock("me") as keep:
        for _ in range(10):
            aws.sleep(LEASE / 2)
            keep()
        with pytest.raises(BusyError), journal(aws).lock("you"):
            pass
    with journal(aws).lock("you"):
        pass


def test_renewing_is_rare(aws: World, wire: Gate) -> None:
    """Asking to keep the lock costs no call while a good part of its lease is left."""
    with journal(aws).lock("me") as keep:
        before = wire.tries("dynamodb:PutItem")
        for _ in range(9):
            aws.sleep(LEASE / 100)
            keep()
        assert wire.tries("dynamodb:PutItem") == before


def test_a_lock_that_was_lost(aws: World) -> None:
    """A run that hung until another took over is stopped, and leaves the other's lock alone."""
    with journal(aws).lock("slow") as keep:
        aws.now += timedelta(seconds=LEASE + 1)
        other = journal(aws).lock("quick")
        other.__enter__()
        for _ in range(2):
            with pytest.raises(JournalError, match=r"ran out, and another run \(quick "):
                keep()
    with pytest.raises(BusyError, match="quick"), journal(aws).lock("third"):
        pass


def test_a_lock_that_cannot_be_released(aws: World, wire: Gate) -> None:
    """What the run came to isn't lost for it: the lock ends by itself, and that is said."""
    wire.on("dynamodb:DeleteItem", refuse("AccessDeniedException", "not you"))
    mine = journal(aws)
    with mine.lock("me"):
        pass
    (said,) = mine.troubles()
    assert "could not be released, and ends by itself within 300 seconds" in said


@pytest.mark.parametrize(
    ("call", "use"),
    [
        ("PutItem", lambda one: one.record(entry("web", "attaching"))),
        ("Query", lambda one: one.entries(PLAN)),
        ("Query", lambda one: one.plans()),
        ("PutItem", lambda one: one.lock("me").__enter__()),
    ],
)
def test_a_table_that_refuses(aws: World, wire: Gate, call: str, use: Any) -> None:
    """A call that fails is one line with the table and AWS's words."""
    wire.on(f"dynamodb:{call}", refuse("ProvisionedThroughputExceededException", "too\nmuch"))
    with pytest.raises(JournalError) as caught:
        use(journal(aws))
    assert str(caught.value).startswith(f"DynamoDB table {TABLE}: ")
    assert "ProvisionedThroughputExceededException: too much" in str(caught.value)
    assert wire.tries(f"dynamodb:{call}") == 8


def test_no_such_table(aws: World) -> None:
    """A table that isn't there is an error before anything is changed."""
    with pytest.raises(JournalError, match="ResourceNotFoundException"):
        journal(aws, "nothing").record(entry("web", "attaching"))


def test_a_plan_applied_and_undone(aws: World, wire: Gate) -> None:
    """Apply and undo work on a table too, also after a run that was killed while it held it."""
    aws.iam = aws.session.client("iam")
    aws.deploy_guard()
    aws.role("web", "ses:SendEmail")
    before = aws.details()
    plan = aws.plan("web")
    mine = journal(aws)

    def killed(_: Request) -> AWSResponse:
        wire.on("dynamodb:DeleteItem", refuse("InternalServerError", "dead", 500))
        raise Killed

    wire.on("iam:AttachRolePolicy", killed)
    with pytest.raises(Killed):
        aws.apply(plan, mine, reader=Shortcut())
    wire.rules.clear()
    with pytest.raises(BusyError):
        aws.apply(plan, journal(aws), reader=Shortcut())
    aws.sleep(LEASE + 1)
    assert outcomes(aws.apply(plan, journal(aws), reader=Shortcut())) == {"web": "attached"}
    assert outcomes(aws.undo(plan, journal(aws), reader=Shortcut())) == {"web": "detached"}
    assert aws.details() == before
    assert steps(mine, plan, "web") == [
        *("attaching", "attached", "decided"),
        *("detaching", "detached", "decided"),
    ]
