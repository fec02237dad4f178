"""What apply sees and says after a change: late, not at all, or not what was promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auditor.collect.single import RoleReader
from auditor.errors import AuditorError
from auditor.remediate.interface import JournalError
from auditor.remediate.journal_file import FileJournal
from auditor.remediate.model import Standing
from auditor.remediate.run import PAUSE, WAITS
from tests.remediate.apply_world import World, outcomes, remembered, steps, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.account import Role
    from auditor.remediate.model import Entry

CLOSED = Standing(verdict="simulator_only")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world(monkeypatch) as made:
        made.deploy_guard()
        made.role("web", "ses:SendEmail")
        made.role("mail", "ses:*")
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "j")


def test_a_promise_that_isnt_kept(aws: World, journal: FileJournal) -> None:
    """A verdict that isn't what the plan promised is said aloud, and recorded."""
    plan = aws.plan("web", "mail")
    still = Standing(verdict="exposed", certainty="possible")
    lost = Standing(verdict="undetermined", reason="a policy\x1b[31m that can't be read")

    def decide(roles: list[Role]) -> dict[str, Standing]:
        return {role.arn: still if role.name == "web" else lost for role in roles}

    web, mail = aws.apply(plan, journal, decide=decide)
    assert (web.outcome, web.standing) == ("attached", still)
    assert web.message == (
        "NOT WHAT THE PLAN PROMISED: exposed (possible) instead of simulator_only"
    )
    assert mail.message == (
        "NOT WHAT THE PLAN PROMISED: undetermined (a policy\\x1b[31m that can't be read) instead of"
        " simulator_only"
    )
    assert [entry.after for entry in journal.entries(plan.id) if entry.step == "decided"] == [
        still,
        lost,
    ]


def test_roles_that_cannot_be_decided(aws: World, journal: FileJournal) -> None:
    """A verdict that can't be had is said to be missing, and the next run makes up for it."""
    plan = aws.plan("web", "mail")

    def fails(_: object) -> dict[str, Standing]:
        raise AuditorError("no time")

    results = aws.apply(plan, journal, decide=fails)
    assert {(one.outcome, one.message, one.standing) for one in results} == {
        ("attached", "not decided again: no time", None)
    }
    results = aws.apply(plan, journal, decide=lambda _: {})
    assert all(
        "not decided again: it isn't among the CodeBuild roles" in o.message for o in results
    )
    assert steps(journal, plan, "web") == ["attaching", "attached"]
    results = aws.apply(plan, journal)
    assert {one.standing for one in results} == {CLOSED}
    assert steps(journal, plan, "web") == ["attaching", "attached", "decided"]


class Slow(RoleReader):
    """IAM as seen from where a change arrives late: so many reads still give the old role."""

    def __init__(self, client: Any, late: int) -> None:
        super().__init__(client)
        self._late = late
        self._old: dict[str, Role | None] = {}
        self._reads: dict[str, int] = {}

    def role(self, name: str) -> Role | None:
        self._reads[name] = self._reads.get(name, 0) + 1
        if self._reads[name] == 1:
            self._old[name] = super().role(name)
        return self._old[name] if self._reads[name] <= self._late else super().role(name)


def test_a_change_that_is_seen_late(aws: World, journal: FileJournal) -> None:
    """IAM's changes are seen after a while: what is decided on is the role as it is then."""
    plan = aws.plan("web")
    (result,) = aws.apply(plan, journal, reader=Slow(aws.iam, 4))
    assert (result.outcome, result.standing, result.message) == ("attached", CLOSED, "")
    assert aws.slept == list(WAITS[:3])


def test_a_change_that_isnt_seen_in_time(aws: World, journal: FileJournal) -> None:
    """After a bounded wait the run goes on, says so, and never decides on the old role."""
    plan = aws.plan("web", "mail")
    web, mail = aws.apply(plan, journal, reader=Slow(aws.iam, 99))
    assert web.outcome == mail.outcome == "attached"
    assert web.standing is None
    assert web.message == (
        "AWS accepted it, and it can't be seen yet; not decided again: run it again for that"
    )
    assert aws.slept == [*WAITS, PAUSE, *WAITS]
    assert {one.standing for one in aws.apply(plan, journal)} == {CLOSED}


class Failing(FileJournal):
    """A journal whose disk is full when a step of one role is to be recorded."""

    def __init__(self, path: Path, step: str) -> None:
        super().__init__(path)
        self.step = step

    def record(self, entry: Entry) -> None:
        if entry.step == self.step:
            raise JournalError("the disk is full")
        super().record(entry)


def test_no_intent_no_change(aws: World, tmp_path: Path) -> None:
    """Where an intent can't be recorded nothing is done, to this role or the next."""
    plan = aws.plan("web", "mail")
    results = aws.apply(plan, Failing(tmp_path / "j", "attaching"))
    assert outcomes(results) == {"web": "stopped", "mail": "stopped"}
    assert {one.message for one in results} == {"the disk is full"}
    assert aws.on("web") == aws.on("mail") == ([], ["mail"])


@pytest.mark.parametrize("step", ["attached", "decided"])
def test_what_is_done_is_said_without_a_journal(aws: World, tmp_path: Path, step: str) -> None:
    """Where what was done can't be recorded it is said all the same; the next run mends it."""
    plan = aws.plan("web", "mail")
    web, mail = aws.apply(plan, Failing(tmp_path / "j", step))
    assert (web.outcome, web.message, web.standing) == (
        "attached",
        "the disk is full",
        CLOSED,
    )
    assert mail.outcome == ("stopped" if step == "attached" else "attached")
    aws.apply(plan, FileJournal(tmp_path / "j"))
    assert remembered(plan, tmp_path / "j") == dict.fromkeys(
        ("web", "mail"), (True, True, False, True)
    )
