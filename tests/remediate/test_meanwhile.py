"""What changes under a run's hands, and what was never to be changed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auditor.errors import InputError
from auditor.remediate.fingerprint import fingerprint
from auditor.remediate.journal_file import FileJournal
from tests.remediate.apply_fate import Gate, Shortcut, gated
from tests.remediate.apply_world import ACCOUNT, GUARD, TRUST, World, allow, outcomes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from auditor.account import Role
    from tests.collect.wire import Request

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


def poisoned(aws: World, when: str) -> Callable[..., None]:
    """Somebody has the managed policy allow everything, as ``when`` is to be changed."""
    done: list[str] = []

    def rule(request: Request) -> None:
        if request.fields.get("RoleName") == when and not done:
            done.append(when)
            aws.iam.create_policy_version(
                PolicyArn=GUARD, PolicyDocument=allow("*"), SetAsDefault=True
            )

    return rule


@pytest.mark.parametrize("at", [0, 1, 3])
def test_a_policy_that_is_poisoned_meanwhile(
    aws: World, wire: Gate, journal: FileJournal, at: int
) -> None:
    """A managed policy that is changed during a run ends it: no further role gets it, and the
    roles that have it are read and decided again, those before included.
    """
    plan = aws.plan(*NAMES)
    wire.on(ATTACH, poisoned(aws, NAMES[at]))
    results = aws.apply(plan, journal)
    expected = [*["attached"] * (at + 1), *["stopped"] * (len(NAMES) - at - 1)]
    assert list(outcomes(results).values()) == expected
    for one in results:
        assert "WAS CHANGED DURING THE RUN" in one.message
        has_it = one.outcome == "attached"
        assert bool(aws.on(one.role_name)[0]) is has_it
        if has_it:
            assert one.standing is not None
            assert one.standing.verdict == "exposed"
            assert "NOT WHAT THE PLAN PROMISED: exposed (proven)" in one.message
    aws.iam.set_default_policy_version(PolicyArn=GUARD, VersionId="v1")
    wire.rules.clear()
    assert {one.standing for one in aws.apply(plan, journal)} == {plan.changes[0].after}


def test_a_policy_that_is_poisoned_at_the_very_end(aws: World, journal: FileJournal) -> None:
    """A change after the last role was done and before the roles are decided is seen, too."""
    plan = aws.plan("a", "b")
    seen: list[str] = []

    class Eyes(Shortcut):
        def role(self, name: str) -> Role | None:
            seen.append(name)
            found = super().role(name)
            if seen == ["a", "a", "b", "b"]:  # the last look at the last role
                aws.iam.create_policy_version(
                    PolicyArn=GUARD, PolicyDocument=allow("*"), SetAsDefault=True
                )
            return found

    results = aws.apply(plan, journal, reader=Eyes())
    assert seen == ["a", "a", "b", "b", "a", "b"]
    assert {one.standing and one.standing.verdict for one in results} == {"exposed"}
    assert all("WAS CHANGED DURING THE RUN" in one.message for one in results)


def test_undo_takes_off_a_poisoned_policy(aws: World, journal: FileJournal) -> None:
    """What a plan attached is taken back, whatever it says by now."""
    plan = aws.plan("a")
    aws.apply(plan, journal)
    aws.iam.create_policy_version(PolicyArn=GUARD, PolicyDocument=allow("*"), SetAsDefault=True)
    assert outcomes(aws.undo(plan, journal)) == {"a": "detached"}


def test_a_policy_that_goes_meanwhile(aws: World, journal: FileJournal) -> None:
    """A managed policy that somebody deletes during a run ends it."""
    plan = aws.plan("a", "b")

    class Eyes(Shortcut):
        def role(self, name: str) -> Role | None:
            if name == "b":
                aws.iam.detach_role_policy(RoleName="a", PolicyArn=GUARD)
                aws.iam.delete_policy(PolicyArn=GUARD)
            return super().role(name)

    a, b = aws.apply(plan, journal, reader=Eyes())
    assert (a.outcome, b.outcome) == ("attached", "stopped")
    assert b.message == f"{GUARD} isn't in the account any more"
    assert a.standing is not None
    assert a.standing.verdict == "exposed"


def test_a_plan_may_be_forged(aws: World, journal: FileJournal) -> None:
    """A plan that names a role which isn't CodeBuild's, or is AWS's own, is refused for it, though
    its fingerprint fits.
    """
    ec2 = json.dumps(TRUST).replace("codebuild", "ec2")
    for name, path in (("sender", "/"), ("linked", "/aws-service-role/x.amazonaws.com/")):
        aws.iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=ec2)
        aws.iam.put_role_policy(RoleName=name, PolicyName="m", PolicyDocument=allow("ses:*"))
    plan = aws.plan("a")
    changes = [
        plan.changes[0].model_copy(
            update={
                "role_arn": role.arn,
                "role_name": role.name,
                "role_id": role.role_id,
                "seen": fingerprint(role),
            }
        )
        for role in aws.account().roles
        if role.name in ("sender", "linked")
    ]
    forged = plan.model_copy(update={"changes": tuple(changes)})
    results = aws.apply(forged, journal)
    assert {one.role_name: one.message for one in results} == {
        "sender": "it isn't known to be a CodeBuild role, and only those are changed",
        "linked": "it is a service-linked role: AWS's own, and never changed",
    }
    assert set(outcomes(results).values()) == {"changed"}
    assert aws.on("sender")[0] == aws.on("linked")[0] == []


def test_an_old_plan_is_remarked_on(aws: World, journal: FileJournal) -> None:
    """A plan's age is said; what it saw is held against the roles as ever."""
    plan = aws.plan("a")
    old = plan.model_copy(update={"created_at": aws.now - timedelta(days=2_000)})
    assert outcomes(aws.apply(old, journal)) == {"a": "attached"}
    assert any("it was made 2,000 days ago" in line for line in aws.said)
    aws.said.clear()
    aws.apply(plan, journal)
    assert not any("days ago" in line for line in aws.said)


@pytest.mark.parametrize("run", ["apply", "undo"])
def test_another_partition(aws: World, journal: FileJournal, run: str) -> None:
    """Credentials of another partition are refused, though the account's number is the same."""
    plan = aws.plan("a")
    aws.apply(plan, journal)
    who = f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/admin/someone"
    with pytest.raises(InputError, match="is about the partition aws, and these credentials"):
        getattr(aws, run)(plan, journal, who=who)


def test_what_was_changed_when_the_policy_was_made(aws: World, journal: FileJournal) -> None:
    """A policy that was made and can't be seen yet isn't told as nothing."""
    plan = aws.plan("a")
    aws.iam.delete_policy(PolicyArn=GUARD)

    class Blind(Shortcut):
        def managed(self, arn: str) -> None:  # noqa: ARG002 - as it is called
            return None

    (result,) = aws.apply(plan, journal, reader=Blind(), create_policy=True)
    assert result.outcome == "stopped"
    assert result.message.endswith(
        "it was created, and can't be seen yet: run it again; no role was changed"
    )
