"""The table under runs that are killed, doubled or at once: what changed is told, and once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from auditor.history.table import LEASE
from tests.history.conftest import (
    ALL,
    START,
    Clock,
    Killed,
    Watched,
    found,
    history,
    make_table,
    run,
    said,
)

EXPECTED = ["new c", "reopened b", "resolved a"]


def prepared(client: Any, clock: Clock, table: str) -> None:
    """A history in which b was resolved and a is open."""
    make_table(client, table)
    kept, sent = history(client, clock, table), list[list[str]]()
    for day, names in enumerate((("a", "b"), ("a",))):
        run(kept, f"before-{day}", found(*names, day=day), sent)


def test_killed_at_any_call_and_run_again(dynamodb: Any, clock: Clock) -> None:
    """Wherever a run is killed, run again it has told what changed, and once but for one place.

    That place is between telling and the confirmation's write: there the same is told twice.
    """
    report = found("b", "c", day=2)
    whole = Watched(dynamodb)
    prepared(dynamodb, clock, "whole")
    run(history(whole, clock, "whole"), "r", report, [])
    assert len(whole.calls) > 8

    twice = []
    for number in range(1, len(whole.calls) + 1):
        for place in ("die_before", "die_after"):
            table = f"{place}-{number}"
            prepared(dynamodb, clock, table)
            dying = Watched(dynamodb)
            setattr(dying, place, number)
            sent: list[list[str]] = []
            with pytest.raises(Killed):
                run(history(dying, clock, table), "r", report, sent)
            run(history(dynamodb, clock, table), "r", report, sent)

            assert sorted({text for texts in sent for text in texts}) == sorted(EXPECTED)
            assert {tuple(texts) for texts in sent} == {tuple(EXPECTED)}
            if len(sent) > 1:
                twice.append((place, whole.calls[number - 1], len(sent)))
            dynamodb.delete_table(TableName=table)
    assert twice == [("die_before", "transact_write_items", 2)]


def test_killed_before_telling_by_a_process_that_never_returns(dynamodb: Any, clock: Clock) -> None:
    """What a killed run should have told, the next night's run tells with its own, once."""
    kept = history(dynamodb, clock)
    kept.record("first", found("a"), ALL)
    assert kept.claim("attempt-1") is not None  # and then it was killed
    clock.now += timedelta(days=1)
    sent: list[list[str]] = []

    run(kept, "second", found("a", "b", day=1), sent, attempt="attempt-2")

    assert sent == [["new a", "new b"]]


def test_delivered_twice_at_once(dynamodb: Any, clock: Clock) -> None:
    """Of two deliveries of one run, side by side, one tells; the other has nothing left to tell."""
    one, two = history(dynamodb, clock), history(dynamodb, clock)
    assert (one.state("r"), two.state("r")) == ("new", "new")
    one.record("r", found("a"), ALL)
    two.record("r", found("a", seconds=1), ALL)
    outbox = one.claim("attempt-1")
    assert outbox
    assert said(outbox) == ["new a"]
    assert two.claim("attempt-2") is None
    one.told("r", outbox)

    assert two.state("r") == "told"
    late = two.claim("attempt-2")
    assert late is not None
    assert not late.changes


def test_two_runs_that_store_at_once(dynamodb: Any, clock: Clock) -> None:
    """One run writes between another's reading and writing: each change is stored and told once."""
    kept, sent = history(dynamodb, clock), list[list[str]]()
    run(kept, "before", found("a"), sent)
    watched = Watched(dynamodb)
    other = history(dynamodb, clock)
    watched.before_write = lambda: other.record("late", found("b", "c", day=2), ALL)

    history(watched, clock).record("early", found("a", "b", "d", day=1), ALL)
    run(kept, "late", found("b", "c", day=2), sent)

    assert sent == [["new a"], ["new b", "new c", "new d", "resolved a"]]
    known = kept.known()
    assert known["id-a"].status == "resolved"  # as the later of the two saw it
    assert known["id-b"].first_seen == START + timedelta(days=1)
    assert known["id-b"].last_seen == START + timedelta(days=2)


def test_a_claim_runs_out(dynamodb: Any, clock: Clock) -> None:
    """Who tells for longer than the lease is taken for dead; what is told twice has the same id."""
    kept = history(dynamodb, clock)
    kept.record("r", found("a"), ALL)
    first = kept.claim("one")
    clock.now += timedelta(seconds=LEASE - 1)
    assert kept.claim("two") is None
    clock.now += timedelta(seconds=1)
    second = kept.claim("two")

    assert first
    assert second
    assert first.id == second.id
    assert said(first) == said(second) == ["new a"]
    kept.told("r", first)  # the first was only slow: the other's claim stays
    assert kept.claim("three") is None
    kept.told("r", second)
    assert kept.claim("three") is not None


def test_what_changes_while_it_is_told_is_told_next(dynamodb: Any, clock: Clock) -> None:
    """A confirmation is for what was told, not for what happened to the finding meanwhile."""
    kept = history(dynamodb, clock)
    kept.record("one", found("a", "b"), ALL)
    outbox = kept.claim("x")
    assert outbox
    kept.record("two", found("b", day=1), ALL)
    kept.told("one", outbox)

    rest = kept.claim("x")
    assert rest
    assert said(rest) == ["resolved a"]
    assert rest.id != outbox.id


def test_what_is_told_while_another_run_stores_stays_told(dynamodb: Any, clock: Clock) -> None:
    """A run that had read a finding as untold doesn't write it back so, once it was told."""
    kept = history(dynamodb, clock)
    kept.record("one", found("a"), ALL)
    watched = Watched(dynamodb)

    def tell() -> None:
        outbox = kept.claim("x")
        assert outbox
        assert said(outbox) == ["new a"]
        kept.told("one", outbox)

    watched.before_write = tell
    history(watched, clock).record("two", found("a", day=1), ALL)

    rest = kept.claim("x")
    assert rest
    assert not rest.changes
    assert kept.known()["id-a"].last_seen == START + timedelta(days=1)
