"""Several plans on one role, and journals that know only a part: whose a policy is, and is left."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auditor.errors import InputError
from auditor.remediate.finish import LATE, finish
from auditor.remediate.journal_file import FileJournal
from auditor.remediate.known import plans_of
from tests.remediate.apply_fate import Fate, Killed, Shortcut
from tests.remediate.apply_world import GUARD, NOW, WHO, World, outcomes, steps, told, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.remediate.finish import Finished
    from auditor.remediate.model import Plan

LATER = "plan-20261123T040000Z-0123abcd"


@pytest.fixture
def fate() -> Fate:
    return Fate()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, fate: Fate) -> Iterator[World]:
    with world(monkeypatch) as made:
        made.eyes = Shortcut
        made.deploy_guard()
        fate.attach(made.session, monkeypatch)
        made.iam = made.session.client("iam")
        for name in ("a", "b"):
            made.role(name, "ses:SendEmail")
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "j")


def again(aws: World, *names: str) -> Plan:
    """A second plan, an hour later."""
    aws.sleep(3600)
    return aws.plan(*names).model_copy(update={"id": LATER})


def finished(aws: World, journal: FileJournal) -> list[Finished]:
    decide: Any = aws.decide(aws.known or aws.account())
    return finish(
        iam=aws.iam,
        reader=Shortcut(),
        journal=journal,
        decide=decide,
        who=WHO,
        clock=aws.clock,
        sleep=aws.sleep,
        progress=aws.said.append,
    )


def test_undo_leaves_what_a_later_plan_attached(aws: World, journal: FileJournal) -> None:
    """Undo of a plan whose policy somebody took off leaves the one that another plan put since."""
    first = aws.plan("a", "b")
    aws.apply(first, journal)
    aws.iam.detach_role_policy(RoleName="a", PolicyArn=GUARD)
    second = again(aws, "a")
    aws.apply(second, journal)
    for _ in range(2):
        results = told(aws.undo(first, journal))
        assert results["a"][0] == "absent"
        assert aws.on("a")[0] == [GUARD]
    assert aws.on("b")[0] == []
    assert "left there" in results["a"][1]
    assert outcomes(aws.undo(second, journal)) == {"a": "detached"}
    assert aws.on("a")[0] == []


def test_undo_in_the_other_order(aws: World, journal: FileJournal) -> None:
    """The later plan's undo takes its own, and the earlier one's finds nothing of its."""
    first = aws.plan("a")
    aws.apply(first, journal)
    aws.iam.detach_role_policy(RoleName="a", PolicyArn=GUARD)
    second = again(aws, "a")
    aws.apply(second, journal)
    assert outcomes(aws.undo(second, journal)) == {"a": "detached"}
    assert outcomes(aws.undo(first, journal)) == {"a": "absent"}


def test_applied_again_after_a_later_plan(aws: World, journal: FileJournal) -> None:
    """An earlier plan doesn't claim what a later one attached, and says whose it is."""
    first = aws.plan("a")
    aws.apply(first, journal)
    aws.iam.detach_role_policy(RoleName="a", PolicyArn=GUARD)
    aws.apply(again(aws, "a"), journal)
    for _ in range(2):
        assert told(aws.apply(first, journal)) == {
            "a": ("already", f"{LATER} did; undo will leave it there")
        }
    assert outcomes(aws.undo(first, journal)) == {"a": "already"}
    assert aws.on("a")[0] == [GUARD]


def killed(aws: World, fate: Fate, journal: FileJournal, *, after: bool) -> Plan:
    """A plan whose run was killed around its call, of which only the intent is known."""
    plan = aws.plan("a")
    fate.reset(3, "after" if after else "before")  # 1: the lock's owner, 2: the intent, 3: the call
    with pytest.raises(Killed):
        aws.apply(plan, journal)
    fate.reset()
    assert steps(journal, plan, "a") == ["attaching"]
    assert aws.on("a")[0] == ([GUARD] if after else [])
    (known,) = plans_of(journal)
    assert (known.plan_id, known.roles, known.on, known.open) == (plan.id, 1, 0, ("a",))
    return plan


@pytest.mark.parametrize("way", ["finish", "another plan", "a plan for the same role"])
def test_what_a_killed_run_attached_is_recorded(
    aws: World, fate: Fate, journal: FileJournal, way: str
) -> None:
    """What a run attached before it was killed is recorded for its plan by whatever run is next,
    and decided; undo of that plan then takes it back.
    """
    plan = killed(aws, fate, journal, after=True)
    if way == "finish":
        (found,) = finished(aws, journal)
        assert (found.plan_id, found.result.outcome) == (plan.id, "attached")
        assert found.result.standing is not None
        assert found.result.standing.verdict == "simulator_only"
    else:
        name = "b" if way == "another plan" else "a"
        results = aws.apply(again(aws, name), journal)
        assert [one.role_name for one in results] == [name]
        if name == "a":
            assert results[0].message == f"{plan.id} did; undo will leave it there"
    assert steps(journal, plan, "a") == ["attaching", "attached", "decided"]
    assert plans_of(journal)[0].open == ()
    assert finished(aws, journal) == []
    assert outcomes(aws.undo(plan, journal)) == {"a": "detached"}


def test_what_a_killed_run_never_did(aws: World, fate: Fate, journal: FileJournal) -> None:
    """An intent whose call never came stays open as long as it might come, and no longer."""
    plan = killed(aws, fate, journal, after=False)
    assert finished(aws, journal) == []
    assert plans_of(journal)[0].open == ("a",)
    aws.now += LATE + timedelta(seconds=1)
    assert finished(aws, journal) == []
    assert plans_of(journal)[0].open == ()
    assert outcomes(aws.undo(plan, journal)) == {"a": "absent"}


def test_what_another_plan_did_instead(aws: World, fate: Fate, journal: FileJournal) -> None:
    """What a later plan attached isn't recorded for the plan whose run was killed before it."""
    plan = killed(aws, fate, journal, after=False)
    second = again(aws, "a")
    assert outcomes(aws.apply(second, journal)) == {"a": "attached"}
    assert finished(aws, journal) == []
    assert outcomes(aws.undo(plan, journal)) == {"a": "absent"}
    assert aws.on("a")[0] == [GUARD]
    assert outcomes(aws.undo(second, journal)) == {"a": "detached"}


def test_the_plans_of_a_journal(aws: World, journal: FileJournal) -> None:
    """Each plan is told with its first entry's time, its roles, and those that have the policy."""
    assert plans_of(journal) == []
    first = aws.plan("a", "b")
    aws.apply(first, journal)
    second = again(aws, "a")
    aws.apply(second, journal)
    aws.undo(first, journal, roles=["b"])
    one, two = plans_of(journal)
    assert (one.plan_id, one.account_id, one.policy, one.who) == (
        first.id,
        "123456789012",
        "guard",
        WHO,
    )
    assert (one.at, one.roles, one.on, one.open) == (NOW, 2, 1, ())
    assert two.at >= NOW + timedelta(hours=1)
    assert (two.plan_id, two.roles, two.on) == (second.id, 1, 0)


def test_undo_of_single_roles(aws: World, journal: FileJournal) -> None:
    """Undo takes back from the roles that are named, by name or ARN, and tells of no others."""
    plan = aws.plan("a", "b")
    aws.apply(plan, journal)
    assert outcomes(aws.undo(plan, journal, roles=["b"])) == {"b": "detached"}
    assert aws.on("a")[0] == [GUARD]
    with pytest.raises(InputError, match=r"knows of no role c\\x1b that this plan touched"):
        aws.undo(plan, journal, roles=["a", "c\x1b"])
    assert aws.on("a")[0] == [GUARD]
    arn = plan.changes[0].role_arn
    assert outcomes(aws.undo(plan, journal, roles=[arn])) == {"a": "detached"}


def test_two_journals(aws: World, tmp_path: Path) -> None:
    """What was on a role before a plan, and isn't any more, isn't said to be there; exposure is."""
    plan = aws.plan("a", "b")
    mine, other = FileJournal(tmp_path / "mine"), FileJournal(tmp_path / "other")
    aws.apply(plan, other)
    assert outcomes(aws.apply(plan, mine)) == {"a": "already", "b": "already"}
    aws.undo(plan, other, roles=["a"])
    assert told(aws.undo(plan, mine)) == {
        "a": ("absent", "it was on the role before this plan, and isn't any more; EXPOSED"),
        "b": ("already", "it was on the role before this plan: left there"),
    }


def test_a_damaged_journal_makes_nobody_the_owner(
    aws: World, journal: FileJournal, tmp_path: Path
) -> None:
    """With lines that can't be read nothing is concluded from what isn't in the others: a policy
    isn't said to be somebody else's, nor recorded as that.
    """
    plan = aws.plan("a", "b")
    aws.apply(plan, journal)
    lines = (tmp_path / "j").read_text().splitlines()
    whole = "\n".join(lines) + "\n"
    cut = [line[:40] if '"role_name":"a"' in line else line for line in lines]
    (tmp_path / "j").write_text("".join(f"{line}\n" for line in cut))
    damaged = FileJournal(tmp_path / "j")
    results = aws.apply(plan, damaged)
    assert outcomes(results) == {"a": "already", "b": "already"}
    assert results[0].message == (
        "whose it is can't be told, as the journal has lines that can't be read: undo will not"
        " touch it"
    )
    assert steps(damaged, plan, "a") == []
    assert len(damaged.lost()) == 3
    with pytest.raises(InputError, match=r"knows of no role a that this plan touched; .*line 1 "):
        aws.undo(plan, damaged, roles=["a"])
    (tmp_path / "j").write_text(whole)
    assert outcomes(aws.undo(plan, FileJournal(tmp_path / "j"))) == {
        "a": "detached",
        "b": "detached",
    }
