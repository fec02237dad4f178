"""Runs of apply and undo in any order, killed anywhere, seen late: in the end all is as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from auditor.errors import AuditorError
from auditor.remediate.interface import BusyError
from auditor.remediate.journal_file import FileJournal
from auditor.remediate.model import Standing
from auditor.remediate.run import WAITS
from tests.remediate.apply_fate import Fate, Killed, Shortcut
from tests.remediate.apply_world import GUARD, INLINE, World, outcomes, remembered, told, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.account import Role
    from auditor.remediate.model import Way


@pytest.fixture
def fate() -> Fate:
    return Fate()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, fate: Fate) -> Iterator[World]:
    with world(monkeypatch) as made:
        made.eyes = Shortcut
        made.deploy_guard()
        fate.attach(made.session, monkeypatch)
        made.iam = made.session.client("iam", config=made.iam.meta.config)
        for name in ("a", "b"):
            made.role(name, "ses:SendEmail")
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "j")


class Stale(Shortcut):
    """IAM as seen from where changes arrive late: so many reads give a role as it was."""

    def __init__(self, old: Role | None, reads: int) -> None:
        super().__init__()
        self._old = old
        self._reads = reads

    def role(self, name: str) -> Role | None:
        self._reads -= 1
        return self._old if self._reads >= 0 else super().role(name)


@pytest.mark.parametrize("at", [3, 4])
def test_a_policy_that_isnt_seen_yet(aws: World, fate: Fate, journal: FileJournal, at: int) -> None:
    """What a run attached a moment ago is taken off though no read shows it yet.

    The run was killed before it had AWS's answer, or right after recording it.
    """
    plan = aws.plan("a")
    before = Shortcut().role("a")
    fate.reset(at, "after")  # 1: the lock's owner, 2: the intent, 3: the call, 4: its answer
    with pytest.raises(Killed):
        aws.apply(plan, journal, reader=Shortcut())
    assert fate.seen[2] == "AttachRolePolicy"
    fate.reset()
    assert aws.on("a")[0] == [GUARD]
    assert outcomes(aws.undo(plan, journal, reader=Stale(before, 99)))["a"] == "detached"
    assert aws.on("a")[0] == []


def test_an_inline_policy_that_isnt_seen_yet(aws: World, fate: Fate, journal: FileJournal) -> None:
    """An inline policy is never deleted unseen, so it is waited for, and then taken off."""
    plan = aws.plan("a", way="inline")
    before = Shortcut().role("a")
    fate.reset(3, "after")
    with pytest.raises(Killed):
        aws.apply(plan, journal, reader=Shortcut())
    fate.reset()
    assert aws.on("a")[1] == ["mail", INLINE]
    assert outcomes(aws.undo(plan, journal, reader=Stale(before, 3))) == {"a": "detached"}
    assert aws.on("a")[1] == ["mail"]
    assert aws.slept == list(WAITS[:2])


def test_applied_right_after_undo(aws: World, journal: FileJournal, tmp_path: Path) -> None:
    """A policy still seen that undo took off a moment ago isn't taken for somebody else's."""
    plan = aws.plan("a")
    aws.apply(plan, journal)
    guarded = Shortcut().role("a")
    aws.undo(plan, journal)
    (result,) = aws.apply(plan, journal, reader=Stale(guarded, 3))
    assert (result.outcome, result.message) == ("attached", "")
    assert aws.on("a")[0] == [GUARD]
    assert remembered(plan, tmp_path / "j")["a"] == (True, True, False, True)


def test_roles_that_cannot_be_decided(aws: World, journal: FileJournal) -> None:
    """A verdict that can't be had after undo is said to be missing; the next undo has it."""
    plan = aws.plan("a")
    aws.apply(plan, journal)

    def fails(_: object) -> dict[str, Standing]:
        raise AuditorError("no time")

    results = aws.undo(plan, journal, decide=fails)
    assert told(results) == {"a": ("detached", "not decided again: no time")}
    results = aws.undo(plan, journal)
    assert told(results) == {"a": ("absent", "this plan's was taken back before; EXPOSED AGAIN")}
    assert journal.entries(plan.id)[-1].after == Standing(verdict="exposed", certainty="proven")
    entries = journal.entries(plan.id)
    results = aws.undo(plan, journal)
    assert told(results) == {"a": ("absent", "this plan's was taken back before; EXPOSED AGAIN")}
    assert journal.entries(plan.id) == entries


def test_a_second_undo_is_kept_out(aws: World, journal: FileJournal, tmp_path: Path) -> None:
    """While one run holds the journal, undo is refused before anything is read or changed."""
    plan = aws.plan("a")
    aws.apply(plan, journal)
    with journal.lock("me"), pytest.raises(BusyError, match=r"\(me\)"):
        aws.undo(plan, FileJournal(tmp_path / "j"))
    assert aws.on("a")[0] == [GUARD]


RUNS = st.tuples(
    st.sampled_from(["apply", "undo"]),
    st.integers(0, 20),
    st.sampled_from(["before", "after", "torn"]),
)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],  # shrinking takes minutes over moto
)
@given(runs=st.lists(RUNS, min_size=1, max_size=5), way=st.sampled_from(["attach", "inline"]))
def test_any_order_of_runs(
    aws: World, fate: Fate, tmp_path: Path, runs: list[tuple[str, int, str]], way: Way
) -> None:
    """However runs of apply and undo follow each other and are killed, undo restores every role.

    And a whole apply in their place leaves each role with the policy, and the journal knowing it.
    """
    fate.reset()
    plan = aws.plan("a", "b", way=way)
    before = aws.details()
    path = tmp_path / str(len(list(tmp_path.iterdir())))
    for what, at, when in [*runs, ("apply", 0, ""), ("undo", 0, "")]:
        fate.reset(at, when)
        journal = FileJournal(path)
        try:
            if what == "apply":
                aws.apply(plan, journal, reader=Shortcut(fate))
            elif journal.plans():
                aws.undo(plan, journal, reader=Shortcut(fate))
        except Killed:
            pass
        fate.reset()
        if (what, when) == ("apply", ""):
            given = ([GUARD], ["mail"]) if way == "attach" else ([], ["mail", INLINE])
            assert aws.on("a") == aws.on("b") == given
            assert set(remembered(plan, path).values()) == {(True, True, False, True)}
    assert aws.details() == before
    assert not any(ours for ours, *_ in remembered(plan, path).values())
