"""Undo takes back what its plan put on roles, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from auditor.corrective.documents import guard
from auditor.errors import InputError
from auditor.remediate.journal_file import FileJournal
from auditor.remediate.model import Standing, text_of
from auditor.remediate.run import PAUSE
from tests.collect.wire import Request, fail, refuse
from tests.remediate.apply_fate import Gate, gated
from tests.remediate.apply_world import (
    GUARD,
    INLINE,
    World,
    outcomes,
    remembered,
    steps,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from botocore.awsrequest import AWSResponse

    from auditor.remediate.model import Way

DETACH = "iam:DetachRolePolicy"
OPEN = Standing(verdict="exposed", certainty="proven")


@pytest.fixture
def wire() -> Gate:
    return Gate()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, wire: Gate) -> Iterator[World]:
    with gated(monkeypatch, wire, ("a", "b"), "ses:SendEmail") as made:
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> FileJournal:
    return FileJournal(tmp_path / "j")


@pytest.mark.parametrize("way", ["attach", "inline"])
def test_roles_are_as_before(aws: World, journal: FileJournal, way: Way) -> None:
    """Every role is what it was to the byte; each that can mail people again is said to be open."""
    before = aws.details()
    plan = aws.plan("b", "a", way=way)
    aws.apply(plan, journal)
    assert aws.details() != before
    results = aws.undo(plan, journal)
    assert told(results) == dict.fromkeys("ab", ("detached", "EXPOSED AGAIN"))
    assert {one.standing for one in results} == {OPEN}
    assert aws.details() == before
    assert steps(journal, plan, "a") == [
        *("attaching", "attached", "decided"),
        *("detaching", "detached", "decided"),
    ]
    assert journal.entries(plan.id)[-1].after == OPEN
    assert aws.slept == [PAUSE, PAUSE]
    assert aws.iam.get_policy(PolicyArn=GUARD)["Policy"]["DefaultVersionId"] == "v1"


def test_twice_is_once(aws: World, journal: FileJournal) -> None:
    """Undone again, a plan changes nothing, also where somebody attached the policy since."""
    plan = aws.plan("a", "b")
    aws.apply(plan, journal)
    aws.undo(plan, journal)
    aws.iam.attach_role_policy(RoleName="a", PolicyArn=GUARD)
    before, entries = aws.details(), journal.entries(plan.id)
    results = aws.undo(plan, journal)
    before_ = "this plan's was taken back before"
    assert told(results) == {
        "a": ("absent", f"{before_}; what is there now isn't this plan's: left there"),
        "b": ("absent", f"{before_}; EXPOSED AGAIN"),
    }
    assert (aws.details(), journal.entries(plan.id)) == (before, entries)


def test_applied_again_and_undone_again(aws: World, journal: FileJournal) -> None:
    """A plan may be applied anew after it was undone, and undone again."""
    before = aws.details()
    plan = aws.plan("a", "b")
    for _ in range(2):
        assert set(outcomes(aws.apply(plan, journal)).values()) == {"attached"}
        assert set(outcomes(aws.undo(plan, journal)).values()) == {"detached"}
        assert aws.details() == before


@pytest.mark.parametrize("way", ["attach", "inline"])
def test_what_was_there_stays(aws: World, journal: FileJournal, way: Way) -> None:
    """A policy that was on the role before the plan touched it is left there."""
    plan = aws.plan("a", "b", way=way)
    if way == "attach":
        aws.iam.attach_role_policy(RoleName="a", PolicyArn=GUARD)
    else:
        aws.iam.put_role_policy(RoleName="a", PolicyName=INLINE, PolicyDocument=text_of(guard()))
    aws.apply(plan, journal)
    results = aws.undo(plan, journal)
    assert told(results) == {
        "a": ("already", "it was on the role before this plan: left there"),
        "b": ("detached", "EXPOSED AGAIN"),
    }
    assert aws.on("a") == (([GUARD], ["mail"]) if way == "attach" else ([], ["mail", INLINE]))


@pytest.mark.parametrize("way", ["attach", "inline"])
def test_what_somebody_else_took(aws: World, journal: FileJournal, way: Way) -> None:
    """A policy that isn't there any more is no error, once and for all."""
    plan = aws.plan("a", way=way)
    aws.apply(plan, journal)
    if way == "attach":
        aws.iam.detach_role_policy(RoleName="a", PolicyArn=GUARD)
    else:
        aws.iam.delete_role_policy(RoleName="a", PolicyName=INLINE)
    results = aws.undo(plan, journal)
    assert told(results) == {"a": ("absent", "it wasn't on the role; EXPOSED AGAIN")}
    results = aws.undo(plan, journal)
    assert told(results) == {"a": ("absent", "this plan's was taken back before; EXPOSED AGAIN")}


@pytest.mark.parametrize("anew", [False, True])
def test_a_role_that_is_gone(aws: World, journal: FileJournal, *, anew: bool) -> None:
    """A deleted role is said to be gone; one made anew under its name keeps what it has."""
    plan = aws.plan("a", "b")
    aws.apply(plan, journal)
    aws.iam.detach_role_policy(RoleName="a", PolicyArn=GUARD)
    aws.iam.delete_role_policy(RoleName="a", PolicyName="mail")
    aws.iam.delete_role(RoleName="a")
    if anew:
        aws.role("a", "ses:SendEmail")
        aws.iam.attach_role_policy(RoleName="a", PolicyArn=GUARD)
    a, b = aws.undo(plan, journal)
    assert (a.outcome, b.outcome) == ("gone", "detached")
    assert a.message == (
        "another role has its name now: left alone" if anew else "there is no such role any more"
    )
    if anew:
        assert aws.on("a") == ([GUARD], ["mail"])


def test_an_inline_policy_that_was_rewritten(aws: World, journal: FileJournal) -> None:
    """An inline policy of our name that says something else is somebody's work: left alone."""
    plan = aws.plan("a", way="inline")
    aws.apply(plan, journal)
    text = text_of(guard()).replace('"Resource":"*"', '"Resource":["*"]')
    aws.iam.put_role_policy(RoleName="a", PolicyName=INLINE, PolicyDocument=text)
    (result,) = aws.undo(plan, journal)
    assert result.outcome == "changed"
    assert "doesn't say what this plan put there: left alone" in result.message
    assert aws.on("a") == ([], ["mail", INLINE])
    aws.iam.put_role_policy(
        RoleName="a", PolicyName=INLINE, PolicyDocument=json.dumps(guard(), indent=1)
    )
    assert outcomes(aws.undo(plan, journal)) == {"a": "detached"}


def test_a_plan_that_nobody_applied(aws: World, journal: FileJournal) -> None:
    """A plan that the journal doesn't know is one clear line."""
    plan = aws.plan("a").model_copy(update={"id": "plan-\x1b[31m"})
    with pytest.raises(InputError, match=r"^plan-\\x1b\[31m: this journal knows of no role"):
        aws.undo(plan, journal)


def test_another_account(aws: World, journal: FileJournal) -> None:
    """A plan of another account is refused before anything is read or changed."""
    plan = aws.plan("a")
    aws.apply(plan, journal)
    with pytest.raises(InputError, match="is about account 123456789012, and these credentials"):
        aws.undo(plan, journal, who="arn:aws:iam::210987654321:user/me")
    assert aws.on("a")[0] == [GUARD]


def test_a_journal_that_was_tampered_with(aws: World, journal: FileJournal) -> None:
    """An entry that names a policy which isn't ours takes nothing off."""
    plan = aws.plan("a")
    aws.apply(plan, journal)
    other = aws.policy("other", "s3:*")
    aws.iam.attach_role_policy(RoleName="a", PolicyArn=other)
    last = journal.entries(plan.id)[-1]
    journal.record(last.model_copy(update={"policy_arn": other, "step": "attached"}))
    (result,) = aws.undo(plan, journal)
    assert (result.outcome, result.message) == ("refused", f"the journal names {other}: not ours")
    assert sorted(aws.on("a")[0]) == sorted([GUARD, other])


def test_a_refusal(aws: World, wire: Gate, journal: FileJournal) -> None:
    """What AWS refuses to take off is said to be there still, and the next undo takes it."""
    plan = aws.plan("a", "b")
    aws.apply(plan, journal)
    no = refuse("AccessDenied", "no", 403)
    wire.on(DETACH, lambda one: no(one) if one.fields["RoleName"] == "a" else None)
    results = aws.undo(plan, journal)
    assert told(results) == {
        "a": (
            "refused",
            "AccessDenied: no (these credentials may not do it); it is still on the role",
        ),
        "b": ("detached", "EXPOSED AGAIN"),
    }
    wire.rules.clear()
    results = aws.undo(plan, journal)
    assert outcomes(results) == {"a": "detached", "b": "absent"}
    assert aws.on("a") == ([], ["mail"])


@pytest.mark.parametrize("carried_out", [False, True])
def test_silence(
    aws: World, wire: Gate, journal: FileJournal, tmp_path: Path, *, carried_out: bool
) -> None:
    """No answer is neither yes nor no: the role is looked at, and what can't be told is unknown."""
    plan = aws.plan("a")
    aws.apply(plan, journal)
    lost = fail(ReadTimeoutError(endpoint_url="https://iam.amazonaws.com/"))
    another = boto3.client("iam", region_name="us-east-1")

    def silent(request: Request) -> AWSResponse | None:
        if carried_out and wire.tries(DETACH) == 1:
            another.detach_role_policy(RoleName="a", PolicyArn=GUARD)
        return lost(request)

    wire.on(DETACH, silent)
    (result,) = aws.undo(plan, journal)
    if carried_out:
        assert (result.outcome, result.message) == ("detached", "EXPOSED AGAIN")
        assert wire.tries(DETACH) == 8
    else:
        assert result.outcome == "unknown"
        assert result.message.endswith("it can still be seen on the role: run it again to be sure")
        assert remembered(plan, tmp_path / "j")["a"][0]
        wire.rules.clear()
        assert outcomes(aws.undo(plan, journal)) == {"a": "detached"}
    assert aws.on("a") == ([], ["mail"])
    assert not remembered(plan, tmp_path / "j")["a"][0]
