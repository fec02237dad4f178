"""A finding that got worse, and audits that end out of order or by a wrong clock, as kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from auditor.history.file import compared, read, update
from auditor.lasting import Grade
from tests.history.conftest import ALL, START, TABLE, found, history, run, said

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.findings import Report
    from auditor.history.client import TableClient
    from tests.history.conftest import Clock


def medium(day: int = 0) -> Report:
    """A report in which role ``a`` is exposed under a condition."""
    report = found("a", day=day)
    roles = [
        replace(role, findings=tuple(replace(one, severity="medium") for one in role.findings))
        for role in report.roles
    ]
    return replace(report, roles=roles)


def test_worse_is_told_once(dynamodb: Any, clock: Clock) -> None:
    """Night after night: new, worse with its severity now, and then nothing."""
    kept, sent = history(dynamodb, clock), list[list[str]]()
    for number, report in enumerate((medium(), found("a", day=1), found("a", day=2))):
        run(kept, f"r{number}", report, sent)
    assert sent == [["new a"], ["worse a"]]
    assert kept.known()["id-a"].severity == "high"


def test_worse_survives_a_run_that_is_killed(dynamodb: Any, clock: Clock) -> None:
    """Stored and not told, it is told by whoever comes next."""
    kept, sent = history(dynamodb, clock), list[list[str]]()
    run(kept, "one", medium(), sent)
    kept.record("killed", found("a", day=1), ALL)
    run(kept, "two", found("a", day=2), sent)
    assert sent == [["new a"], ["worse a"]]


def test_new_and_worse_before_it_was_told(dynamodb: Any, clock: Clock) -> None:
    """It is new for who hears of it first, and worse for who was told that it is new."""
    kept = history(dynamodb, clock)
    kept.record("one", medium(), ALL)
    first = kept.claim("x")
    kept.record("two", found("a", day=1), ALL)
    outbox = kept.claim("x")
    assert first
    assert outbox
    assert said(outbox) == ["new a", "worse a"]
    assert outbox.id != first.id
    kept.told("two", outbox)
    rest = kept.claim("x")
    assert rest
    assert not rest.changes


def test_worse_that_was_over_before_it_was_told(dynamodb: Any, clock: Clock) -> None:
    """Stored as high and not told, medium again the next night: told as that, and as no worse."""
    kept, sent = history(dynamodb, clock), list[list[str]]()
    run(kept, "one", medium(), sent)
    kept.record("killed", found("a", day=1), ALL)
    first = kept.claim("killed")
    kept.record("two", medium(day=2), ALL)
    clock.now += timedelta(minutes=10)
    outbox = kept.claim("two")
    assert first
    assert outbox
    assert said(outbox) == ["eased a"]
    assert outbox.id != first.id
    assert [one.was for one in outbox.changes.eased] == [Grade("high", "proven")]
    kept.told("two", outbox)
    run(kept, "three", medium(day=3), sent)
    assert sent == [["new a"]]


def test_new_and_less_grave_before_it_was_told(dynamodb: Any, clock: Clock) -> None:
    """It is new for who hears of it first, and less grave for who was told that it is new."""
    kept = history(dynamodb, clock)
    kept.record("one", found("a"), ALL)
    kept.record("two", medium(day=1), ALL)
    outbox = kept.claim("x")
    assert outbox
    assert said(outbox) == ["new a", "eased a"]


def _older(client: TableClient) -> None:
    """Make the table's finding one that a version without certainties wrote."""
    found = client.query(
        TableName=TABLE,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "findings#123456789012"}},
    )
    (item,) = found["Items"]
    values = json.loads(item["known"]["S"])
    del values["certainty"]
    client.put_item(TableName=TABLE, Item={**item, "known": {"S": json.dumps(values)}})


def test_what_an_earlier_version_wrote_is_read(dynamodb: Any, clock: Clock, tmp_path: Path) -> None:
    """In the table and in a file: no certainty, no change, nothing lost."""
    kept, sent = history(dynamodb, clock), list[list[str]]()
    run(kept, "one", found("a"), sent)
    _older(dynamodb)
    run(kept, "two", found("a", day=1), sent)
    assert sent == [["new a"]]

    path = tmp_path / "b.json"
    update(path, lambda now: compared(now, found("a"), ALL).baseline)
    path.write_text(path.read_text().replace(', "certainty": "proven"', ""))
    before = read(path)
    assert before
    assert before.findings["id-a"].certainty is None
    assert not compared(before, found("a", day=1), ALL).changes


def test_an_older_audit_tells_nothing_that_a_later_one_knew_to_be_gone(
    dynamodb: Any, clock: Clock
) -> None:
    """Two runs that end out of order: what the later one didn't find, is not new."""
    kept, sent = history(dynamodb, clock), list[list[str]]()
    late, early = found(day=0, seconds=60), found("a")
    run(kept, "late", late, sent)
    assert kept.outdated(early)
    assert not kept.outdated(late)
    run(kept, "early", early, sent)
    assert sent == []
    # A later one that couldn't read everything knows no such thing.
    run(kept, "next", replace(found(day=3, seconds=60), complete=False), sent)
    run(kept, "before", found("b", day=3), sent)
    assert sent == [["new b"]]


def test_one_wrong_clock_stops_nothing(dynamodb: Any, clock: Clock) -> None:
    """An audit of next month doesn't keep those of today from resolving what it saw."""
    kept, sent = history(dynamodb, clock), list[list[str]]()
    run(kept, "ahead", found("a", day=30), sent)
    run(kept, "today", found(day=0), sent)
    assert sent == [["new a"], ["resolved a"]]
    assert kept.known()["id-a"].resolved_at == START
    assert [day.at for day in kept.days()] == [START]
    clock.now += timedelta(days=40)
    assert len(kept.days()) == 2
