"""The table: what is stored, and what is to be told of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.examples import OPEN
from tests.history.conftest import (
    ALL,
    START,
    TABLE,
    Clock,
    found,
    history,
    run,
)

if TYPE_CHECKING:
    import pytest


def test_day_after_day(dynamodb: Any, clock: Clock) -> None:
    """New, still open, resolved and reopened are each told once, on the day they happen."""
    kept, sent = history(dynamodb, clock), list[list[str]]()
    days = [("a", "b"), ("a", "b"), ("b", "c"), ("b", "c"), ("a", "b")]
    for day, names in enumerate(days):
        run(kept, f"run-{day}", found(*names, day=day), sent)

    assert sent == [
        ["new a", "new b"],
        ["new c", "resolved a"],
        ["reopened a", "resolved c"],
    ]
    known = kept.known()
    assert {id_: one.status for id_, one in known.items()} == {
        "id-a": "open",
        "id-b": "open",
        "id-c": "resolved",
    }
    assert known["id-b"].first_seen == START
    assert known["id-b"].last_seen == START + timedelta(days=4)


def test_a_run_that_is_repeated(dynamodb: Any, clock: Clock) -> None:
    """A run delivered again is recognised; recorded again all the same, it changes nothing."""
    kept, sent = history(dynamodb, clock), list[list[str]]()
    assert kept.state("r") == "new"
    run(kept, "r", found("a"), sent)
    assert kept.state("r") == "told"
    run(kept, "r", found("a"), sent)
    assert not kept.record("r", found("a"), ALL)
    run(kept, "other", found("a"), sent)

    assert sent == [["new a"]]


def test_more_changes_than_a_transaction_holds(
    dynamodb: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are all stored, told and confirmed, in several transactions."""
    monkeypatch.setattr("auditor.history.client.BATCH", 4)
    kept, sent = history(dynamodb, clock), list[list[str]]()
    names = [f"r{n:02}" for n in range(11)]
    run(kept, "one", found(*names), sent)
    run(kept, "two", found(*names, day=1), sent)
    run(kept, "three", found(day=2), sent)

    assert sent == [[f"new {name}" for name in names], [f"resolved {name}" for name in names]]


def test_accounts_do_not_mix(dynamodb: Any, clock: Clock) -> None:
    """Several accounts may share a table, and other items may live in it."""
    dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": "plans"}, "sk": {"S": "plan-1"}})
    from auditor.history.table import TableHistory

    other = TableHistory(dynamodb, TABLE, "210987654321", clock=clock)
    other.record("r", found("a"), ALL)

    kept = history(dynamodb, clock)
    assert kept.known() == {}
    assert kept.state("r") == "new"
    assert other.state("r") == "recorded"


def test_days_are_counted_once(dynamodb: Any, clock: Clock) -> None:
    """The latest whole audit of a day is that day's; one limited to some roles is none's."""
    kept = history(dynamodb, clock)
    kept.record("1", found("a"), ALL)
    kept.record("3", found("a", "b", "c", seconds=60), ALL)
    kept.record("2", found("a", "b", seconds=30), ALL)
    kept.record("4", found("a", day=1), ALL)
    kept.record("5", found(day=2), ALL._replace(globs=("a",)))

    assert [(day.at.day, day.proven, day.complete) for day in kept.days()] == [
        (23, 3, True),
        (24, 1, True),
    ]


def test_only_what_is_over_expires(dynamodb: Any, clock: Clock) -> None:
    """An open finding is kept however long; a resolved one, a run and a day have their time."""
    kept = history(dynamodb, clock)
    kept.record("r", found("a", "b"), ALL)
    kept.record("s", found("b", day=1), ALL)
    items = dynamodb.scan(TableName=TABLE)["Items"]

    expiring = {
        item["sk"]["S"]: int(item["expires_at"]["N"]) for item in items if "expires_at" in item
    }
    assert set(expiring) == {"id-a", "r", "s", "2026-11-23", "2026-11-24"}
    assert all(at > START.timestamp() + 29 * 86400 for at in expiring.values())


def test_a_title_that_no_store_could_keep(dynamodb: Any, clock: Clock) -> None:
    """Names with lone surrogates are stored escaped, and found again."""
    report = found("a")
    odd = replace(OPEN, id="id-a", title="\ud800 \x00 \U0001f4e7")
    report.roles = [replace(report.roles[0], arn="arn:\udfff", findings=(odd,))]
    kept = history(dynamodb, clock)
    kept.record("r", report, ALL)

    assert kept.known()["id-a"].title == "\\ud800 \x00 \U0001f4e7"
    assert not kept.record("s", report, ALL)
    assert json.dumps(kept.known()["id-a"].role_arn) == '"arn:\\\\udfff"'
