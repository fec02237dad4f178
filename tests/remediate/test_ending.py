"""Runs that end early: what they come to first, what is left, and what is said of that."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from auditor.remediate.interface import JournalError
from auditor.remediate.journal_file import FileJournal
from tests.collect.wire import refuse
from tests.remediate.apply_fate import Gate, gated
from tests.remediate.apply_world import ACCOUNT, TRUST, World, allow, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


ATTACH = "iam:AttachRolePolicy"
NAMES = ("a", "b", "c", "d")


@pytest.fixture
def wire() -> Gate:
    return Gate()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, wire: Gate) -> Iterator[World]:
    with gated(monkeypatch, wire, NAMES, "ses:*") as made:
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "j")


def test_refused_roles_dont_stand_in_the_way(aws: World, wire: Gate, journal: FileJournal) -> None:
    """Roles that AWS refuses, however many, are tried last by the next run, of any plan."""
    more = [f"r{number}" for number in range(5)]
    for name in more:
        aws.role(name, "ses:*")
    plan = aws.plan(*more, *NAMES)
    no = refuse("AccessDenied", "no", 403)
    for call in (ATTACH, "iam:DetachRolePolicy"):
        wire.on(call, lambda one: no(one) if one.fields["RoleName"] in more else None)
    results = aws.apply(plan, journal)
    assert [one.role_name for one in results] == [*more, *NAMES]
    assert outcomes(results) == dict.fromkeys(more, "refused") | dict.fromkeys(NAMES, "stopped")
    another = plan.model_copy(update={"id": "plan-20261123T040000Z-0123abcd"})
    results = aws.apply(another, journal)
    assert [one.role_name for one in results] == [*more, *NAMES]
    assert outcomes(results) == dict.fromkeys(more, "refused") | dict.fromkeys(NAMES, "attached")


def test_roles_that_alone_are_refused(aws: World, wire: Gate, journal: FileJournal) -> None:
    """Refusals that are about one role say nothing of the next ones, and end no run."""
    more = [f"r{number}" for number in range(6)]
    for name in more:
        aws.role(name, "ses:*")
    plan = aws.plan(*more, "a")
    full = refuse("LimitExceeded", "full", 409)
    wire.on(ATTACH, lambda one: full(one) if one.fields["RoleName"] in more else None)
    assert outcomes(aws.apply(plan, journal))["a"] == "attached"


def test_undo_tries_refused_roles_last(aws: World, wire: Gate, journal: FileJournal) -> None:
    """Undo comes to the roles that were refused before after all others."""
    more = [f"_{number}" for number in range(5)]
    for name in more:
        aws.role(name, "ses:*")
    plan = aws.plan(*more, *NAMES)
    aws.apply(plan, journal)
    no = refuse("AccessDenied", "no", 403)
    wire.on("iam:DetachRolePolicy", lambda one: no(one) if one.fields["RoleName"] in more else None)
    assert set(outcomes(aws.undo(plan, journal)).values()) == {"refused", "stopped"}
    results = aws.undo(plan, journal)
    assert outcomes(results) == dict.fromkeys(more, "refused") | dict.fromkeys(NAMES, "detached")


def test_no_more_time(aws: World, journal: FileJournal) -> None:
    """Once time is up no further role is begun; what was done is decided and told."""
    plan = aws.plan(*NAMES)
    results = aws.apply(plan, journal, until=lambda: len(journal.entries(plan.id)) >= 4)
    assert outcomes(results) == {"a": "attached", "b": "attached", "c": "stopped", "d": "stopped"}
    assert results[0].standing is not None
    assert results[3].message == "the run's time was up: run it again for the rest"
    aws.apply(plan, journal)
    results = aws.undo(plan, journal, until=lambda: not aws.on("a")[0])
    assert outcomes(results) == {"a": "detached", **dict.fromkeys("bcd", "stopped")}


def test_a_chain_that_a_limit_cuts(aws: World, journal: FileJournal) -> None:
    """Where a role is open through one that the run didn't come to, that one is named."""
    arn = aws.iam.get_role(RoleName="b")["Role"]["Arn"]
    let_in = json.dumps(TRUST).replace(
        '{"Service"', f'{{"AWS": "arn:aws:iam::{ACCOUNT}:root", "Service"'
    )
    aws.iam.update_assume_role_policy(RoleName="b", PolicyDocument=let_in)
    become = json.loads(allow("sts:AssumeRole"))
    become["Statement"][0]["Resource"] = arn
    aws.iam.put_role_policy(RoleName="a", PolicyName="become", PolicyDocument=json.dumps(become))
    account = aws.account()
    plan = aws.plan("a", "b", account=account)
    promised = plan.changes[1].after
    changes = tuple(one.model_copy(update={"after": promised}) for one in plan.changes)
    plan = plan.model_copy(update={"changes": changes})
    results = aws.apply(plan, journal, max_changes=1)
    assert results[0].message == (
        "NOT WHAT THE PLAN PROMISED: exposed (proven) instead of simulator_only; not all of the"
        " plan is done yet, on which this may hang: b"
    )
    results = aws.apply(plan, journal)
    assert {one.standing for one in results} == {promised}


def test_a_lock_that_is_lost(aws: World, journal: FileJournal) -> None:
    """A run that finds its hold on the journal lost makes no further call that changes anything."""
    plan = aws.plan("a", "b")
    kept: list[None] = []

    def keep() -> None:
        kept.append(None)
        if len(kept) == 2:  # the first is at the role's beginning, the second before the call
            raise JournalError("the lock ran out")

    class Leased(FileJournal):
        @contextmanager
        def lock(self, owner: str) -> Iterator[Callable[[], None]]:
            with super().lock(owner):
                yield keep

    results = aws.apply(plan, Leased(journal._path))
    assert outcomes(results) == {"a": "stopped", "b": "stopped"}
    assert aws.on("a")[0] == []
    assert results[1].message == "the lock ran out"
