"""Whatever ends a run of apply or undo, running it again ends where an undisturbed run does."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from auditor.collect.single import RoleReader
from auditor.corrective.documents import guard
from auditor.remediate.interface import BusyError
from auditor.remediate.journal_file import FileJournal
from auditor.remediate.model import text_of
from tests.remediate.apply_fate import Fate, Killed, Shortcut, unlocked
from tests.remediate.apply_world import GUARD, INLINE, World, outcomes, remembered, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auditor.remediate.interface import Reader
    from auditor.remediate.model import Plan, Way

WRITES = ("AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy", "journal")


@pytest.fixture
def fate() -> Fate:
    return Fate()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, fate: Fate) -> Iterator[World]:
    with world(monkeypatch) as made:
        fate.attach(made.session, monkeypatch)
        made.iam = made.session.client("iam")
        yield made


def prepared(aws: World, way: Way) -> Plan:
    """Three exposed roles: one plain, one with all that a role can have, one guarded meanwhile."""
    aws.deploy_guard()
    aws.role("web", "ses:SendEmail")
    edge = aws.policy("edge", "ses:*", "s3:*")
    aws.role("mail", Path="/ci/", PermissionsBoundary=edge, Tags=[{"Key": "team", "Value": "mail"}])
    aws.iam.attach_role_policy(RoleName="mail", PolicyArn=aws.policy("send", "ses:SendRawEmail"))
    aws.role("late", "ses:SendEmail")
    plan = aws.plan("web", "mail", "late", way=way)
    assert {change.before.verdict for change in plan.changes} == {"exposed"}
    if way == "attach":
        aws.iam.attach_role_policy(RoleName="late", PolicyArn=GUARD)
    else:
        aws.iam.put_role_policy(RoleName="late", PolicyName=INLINE, PolicyDocument=text_of(guard()))
    return plan


def moments(seen: list[str]) -> list[tuple[int, str]]:
    """Every moment at which a run that did this may end.

    Ending it after a call that only reads is ending it before the next call.
    """
    found = [(number, "before") for number in range(1, len(seen) + 1)]
    found += [(number, "after") for number, call in enumerate(seen, 1) if call in WRITES]
    found += [(number, "torn") for number, call in enumerate(seen, 1) if call == "journal"]
    return found


def every_moment(
    aws: World, fate: Fate, plan: Plan, place: Path, eyes: Callable[[], Reader]
) -> list[str]:
    """Kill apply at each moment and run it again: all is as after a whole run. Undo: as before.

    Returns what a whole run calls.
    """
    clean = aws.details()
    fate.reset()
    results = aws.apply(plan, FileJournal(place / "whole"), reader=eyes())
    seen = list(fate.seen)
    fate.reset()
    applied, whole = aws.details(), remembered(plan, place / "whole")
    whole_run = {"web": "attached", "mail": "attached", "late": "already"}
    assert outcomes(results).items() <= whole_run.items()
    aws.undo(plan, FileJournal(place / "whole"), reader=eyes())
    assert aws.details() == clean != applied

    for number, when in moments(seen):
        path = place / f"{number}-{when}"
        fate.reset(number, when)
        with pytest.raises(Killed):
            aws.apply(plan, FileJournal(path), reader=eyes())
        fate.reset()
        aws.apply(plan, FileJournal(path), reader=eyes())
        assert (aws.details(), remembered(plan, path)) == (applied, whole), (number, when)
        aws.undo(plan, FileJournal(path), reader=eyes())
        assert aws.details() == clean, (number, when)
    return seen


def test_killed_at_any_call(aws: World, fate: Fate, tmp_path: Path) -> None:
    """Apply, killed at any call to AWS and run again, ends as if nothing had been; so does undo."""
    plan = prepared(aws, "attach")
    one = plan.model_copy(update={"changes": plan.changes[1:2]})
    seen = every_moment(aws, fate, one, tmp_path, lambda: RoleReader(aws.iam))
    assert {"GetRole", "GetPolicyVersion", "AttachRolePolicy", "journal"} <= set(seen)


@pytest.mark.parametrize("way", ["attach", "inline"])
def test_killed_at_any_change(aws: World, fate: Fate, tmp_path: Path, way: Way) -> None:
    """Apply, killed before or after any change or amid any journal line, and run again: likewise.

    Undo restores each role to the byte: nothing forgotten, and nothing taken that was there.
    """
    every_moment(aws, fate, prepared(aws, way), tmp_path, lambda: Shortcut(fate))


@pytest.mark.parametrize("way", ["attach", "inline"])
def test_undo_killed_at_any_change(aws: World, fate: Fate, tmp_path: Path, way: Way) -> None:
    """Undo, killed at any moment and run again, restores every role to the byte."""
    plan = prepared(aws, way)
    reader = Shortcut(fate)
    clean = aws.details()
    aws.apply(plan, FileJournal(tmp_path / "whole"), reader=reader)
    fate.reset()
    results = aws.undo(plan, FileJournal(tmp_path / "whole"), reader=reader)
    seen = list(fate.seen)
    assert outcomes(results) == {"web": "detached", "mail": "detached", "late": "already"}
    assert len(set(seen) & set(WRITES)) == 2

    for number, when in moments(seen):
        path = tmp_path / f"{number}-{when}"
        fate.reset()
        aws.apply(plan, FileJournal(path), reader=reader)
        fate.reset(number, when)
        with pytest.raises(Killed):
            aws.undo(plan, FileJournal(path), reader=reader)
        fate.reset()
        aws.undo(plan, FileJournal(path), reader=reader)
        assert aws.details() == clean, (number, when)
        assert not any(ours for ours, *_ in remembered(plan, path).values()), (number, when)


@pytest.mark.parametrize("way", ["attach", "inline"])
def test_apply_killed_and_undone(aws: World, fate: Fate, tmp_path: Path, way: Way) -> None:
    """Undo of a plan that was applied in part, whatever part it was, restores every role."""
    plan = prepared(aws, way)
    reader = Shortcut(fate)
    clean = aws.details()
    fate.reset()
    aws.apply(plan, FileJournal(tmp_path / "whole"), reader=reader)
    seen = list(fate.seen)
    aws.undo(plan, FileJournal(tmp_path / "whole"), reader=reader)
    begun = False
    for number, when in moments(seen):
        path = tmp_path / f"{number}-{when}"
        fate.reset(number, when)
        with pytest.raises(Killed):
            aws.apply(plan, FileJournal(path), reader=reader)
        fate.reset()
        if FileJournal(path).plans():
            begun = True
            aws.undo(plan, FileJournal(path), reader=reader)
        assert aws.details() == clean, (number, when)
        assert not any(ours for ours, *_ in remembered(plan, path).values()), (number, when)
    assert begun


def test_two_runs_interleaved(aws: World, fate: Fate, tmp_path: Path) -> None:
    """Without the lock, a whole second run at any moment of the first changes nothing of the end.

    That is what a lock that runs out under a run that hangs comes to.
    """
    plan = prepared(aws, "attach")
    reader = Shortcut(fate)
    clean = aws.details()
    fate.reset()
    aws.apply(plan, unlocked(FileJournal(tmp_path / "whole")), reader=reader)
    count = len(fate.seen)
    fate.reset()
    applied, whole = aws.details(), remembered(plan, tmp_path / "whole")
    aws.undo(plan, FileJournal(tmp_path / "whole"), reader=reader)
    for number in range(1, count + 1):
        path = tmp_path / str(number)
        fate.reset(number)
        fate.meanwhile = partial(aws.apply, plan, unlocked(FileJournal(path)), reader=reader)
        aws.apply(plan, unlocked(FileJournal(path)), reader=reader)
        assert fate.spent()
        assert (aws.details(), remembered(plan, path)) == (applied, whole), number
        aws.undo(plan, FileJournal(path), reader=reader)
        assert aws.details() == clean, number


def test_a_second_run_is_kept_out(aws: World, fate: Fate, tmp_path: Path) -> None:
    """While one run works, another of the same journal is refused, and says who is at work."""
    plan = prepared(aws, "attach")
    said = []

    def second() -> None:
        with pytest.raises(BusyError) as caught:
            aws.apply(plan, FileJournal(tmp_path / "j"), reader=Shortcut())
        said.append(str(caught.value))

    fate.reset(3)
    fate.meanwhile = second
    results = aws.apply(plan, FileJournal(tmp_path / "j"), reader=Shortcut(fate))
    assert outcomes(results) == {"web": "attached", "mail": "attached", "late": "already"}
    (line,) = said
    assert "arn:aws:sts::123456789012:assumed-role/admin/someone, applying plan-2026" in line
