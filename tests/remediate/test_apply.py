"""What apply does with each role, and says of it, when the account isn't what the plan saw."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auditor.corrective.documents import guard
from auditor.errors import InputError
from auditor.remediate.journal_file import FileJournal
from auditor.remediate.model import Standing
from auditor.remediate.run import PAUSE
from tests.remediate.apply_world import (
    ACCOUNT,
    GUARD,
    INLINE,
    NOW,
    WHO,
    World,
    allow,
    outcomes,
    steps,
    world,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.remediate.model import Way

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


@pytest.mark.parametrize("way", ["attach", "inline"])
def test_roles_are_closed(aws: World, journal: FileJournal, way: Way) -> None:
    """Each role gets the policy, is decided anew, and keeps all else; each step is recorded."""
    plan = aws.plan("web", "mail", way=way)
    aws.sleep(3600)
    results = aws.apply(plan, journal)
    assert [(one.role_name, one.outcome, one.message) for one in results] == [
        ("web", "attached", ""),
        ("mail", "attached", ""),
    ]
    assert [one.standing and one.standing.verdict for one in results] == ["simulator_only"] * 2
    assert [one.before and one.before.verdict for one in results] == ["exposed"] * 2
    for name in ("web", "mail"):
        assert aws.on(name) == (([GUARD], ["mail"]) if way == "attach" else ([], ["mail", INLINE]))
        assert steps(journal, plan, name) == ["attaching", "attached", "decided"]
    entry = journal.entries(plan.id)[-1]
    assert (entry.who, entry.role_name, entry.after, entry.at >= NOW + timedelta(hours=1)) == (
        WHO,
        "mail",
        results[1].standing,
        True,
    )
    assert aws.said[-3:] == [
        "1 of 2: web: attached",
        "2 of 2: mail: attached",
        "deciding 2 roles anew",
    ]
    if way == "inline":
        answer = aws.iam.get_role_policy(RoleName="web", PolicyName=INLINE)
        assert answer["PolicyDocument"] == guard()


def test_twice_is_once(aws: World, journal: FileJournal) -> None:
    """The same plan again finds all done: nothing is changed, and undo knows what it knew."""
    plan = aws.plan("web", "mail")
    aws.apply(plan, journal)
    before, entries = aws.details(), journal.entries(plan.id)
    results = aws.apply(plan, journal)
    assert outcomes(results) == {"web": "already", "mail": "already"}
    assert {one.message for one in results} == {"an earlier run of this plan attached it"}
    assert {one.standing for one in results} == {CLOSED}
    assert (aws.details(), journal.entries(plan.id)) == (before, entries)


@pytest.mark.parametrize("way", ["attach", "inline"])
def test_what_was_there_is_left(aws: World, journal: FileJournal, way: Way) -> None:
    """A policy that somebody else put there since is recorded as theirs, once."""
    plan = aws.plan("web", way=way)
    if way == "attach":
        aws.iam.attach_role_policy(RoleName="web", PolicyArn=GUARD)
    else:
        aws.iam.put_role_policy(
            RoleName="web", PolicyName=INLINE, PolicyDocument=json.dumps(guard(), indent=2)
        )
    before = aws.details()
    for _ in range(2):
        (result,) = aws.apply(plan, journal)
        assert result.outcome == "already"
        assert result.message == "somebody else did; undo will leave it there"
    (entry,) = journal.entries(plan.id)
    assert (entry.step, entry.was_there) == ("attached", True)
    assert aws.details() == before


@pytest.mark.parametrize("change", ["policy", "tag", "boundary", "inline of our name"])
def test_a_role_that_changed_is_left_alone(aws: World, journal: FileJournal, change: str) -> None:
    """Whatever changed of a role since the plan was made, it is left alone; others are done."""
    plan = aws.plan("web", "mail", way="inline" if change.startswith("inline") else "attach")
    if change == "policy":
        aws.iam.put_role_policy(RoleName="web", PolicyName="more", PolicyDocument=allow("s3:*"))
    elif change == "tag":
        aws.iam.tag_role(RoleName="web", Tags=[{"Key": "a", "Value": "b"}])
    elif change == "boundary":
        aws.iam.put_role_permissions_boundary(RoleName="web", PermissionsBoundary=GUARD)
    else:
        aws.iam.put_role_policy(RoleName="web", PolicyName=INLINE, PolicyDocument=allow("s3:*"))
    before = aws.on("web")
    web, mail = aws.apply(plan, journal)
    assert (web.outcome, mail.outcome) == ("changed", "attached")
    assert web.message == (
        f"its inline policy {INLINE} says something else, and is never overwritten"
        if change.startswith("inline")
        else "it isn't what the plan saw: make a new plan for it"
    )
    assert web.standing is None
    assert aws.on("web") == before
    assert steps(journal, plan, "web") == []


@pytest.mark.parametrize("anew", [False, True])
def test_a_role_that_is_gone(aws: World, journal: FileJournal, *, anew: bool) -> None:
    """A role that was deleted is told so; one made anew under its name is another, left alone."""
    plan = aws.plan("web", "mail")
    aws.iam.delete_role_policy(RoleName="web", PolicyName="mail")
    aws.iam.delete_role(RoleName="web")
    if anew:
        aws.role("web", "ses:SendEmail")
    web, mail = aws.apply(plan, journal)
    assert (web.outcome, mail.outcome) == ("gone", "attached")
    assert web.message == (
        "another role has its name now: left alone" if anew else "there is no such role any more"
    )
    if anew:
        assert aws.on("web") == ([], ["mail"])


def test_no_more_than_asked_for(aws: World, journal: FileJournal) -> None:
    """The run stops at its limit, counting what it changed alone; the next run goes on there."""
    aws.role("deploy", "ses:SendEmail")
    plan = aws.plan("web", "mail", "deploy")
    first = aws.apply(plan, journal, max_changes=1)
    assert outcomes(first) == {"web": "attached", "mail": "limit", "deploy": "limit"}
    assert aws.on("mail") == ([], ["mail"])
    second = aws.apply(plan, journal, max_changes=1)
    assert outcomes(second) == {"web": "already", "mail": "attached", "deploy": "limit"}
    assert outcomes(aws.apply(plan, journal, max_changes=0))["deploy"] == "limit"


def test_changes_keep_their_distance(aws: World, journal: FileJournal) -> None:
    """Two changes a second, and no pause before the first, nor for roles that aren't changed."""
    aws.role("deploy", "ses:SendEmail")
    plan = aws.plan("web", "mail", "deploy")
    aws.apply(plan, journal)
    assert aws.slept == [PAUSE, PAUSE]
    aws.apply(plan, journal)
    assert aws.slept == [PAUSE, PAUSE]


def test_a_policy_that_isnt_ours(aws: World, journal: FileJournal) -> None:
    """Where the managed policy says something else, nothing is attached, and each role says why."""
    plan = aws.plan("web", "mail")
    aws.iam.create_policy_version(PolicyArn=GUARD, PolicyDocument=allow("ses:*"), SetAsDefault=True)
    before = aws.details()
    results = aws.apply(plan, journal, create_policy=True)
    assert outcomes(results) == {"web": "stopped", "mail": "stopped"}
    assert all("says something else in the account" in one.message for one in results)
    assert (aws.details(), journal.plans()) == (before, [])


def test_an_inline_plan_needs_no_managed_policy(aws: World, journal: FileJournal) -> None:
    """What the managed policy says doesn't matter where none is attached."""
    plan = aws.plan("web", way="inline")
    aws.iam.delete_policy(PolicyArn=GUARD)
    assert outcomes(aws.apply(plan, journal)) == {"web": "attached"}


def test_a_policy_that_isnt_there(aws: World, journal: FileJournal) -> None:
    """Without leave to make it nothing is done; with it, it is made as ours, and attached."""
    plan = aws.plan("web")
    aws.iam.delete_policy(PolicyArn=GUARD)
    (result,) = aws.apply(plan, journal)
    assert result.outcome == "stopped"
    assert result.message.startswith(f"{GUARD} isn't in the account: deploy it, or allow")
    (result,) = aws.apply(plan, journal, create_policy=True)
    assert result.outcome == "attached"
    made = aws.iam.get_policy(PolicyArn=GUARD)["Policy"]
    assert made["Path"] == "/auditor/"
    assert made["Description"] == "Denies mail to anyone but the SES mailbox simulator."
    assert made["Tags"] == [{"Key": "managed-by", "Value": "auditor"}]
    assert f"{GUARD}: created" in aws.said


@pytest.mark.parametrize(
    ("tamper", "what"),
    [
        ({"account_id": "210987654321"}, "is about account 210987654321, and these credentials"),
        ({"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}, "isn't ours to attach"),
        ({"policy_arn": f"arn:aws:iam::{ACCOUNT}:policy/other"}, "isn't ours to attach"),
        ({"policy_sha256": "0" * 64}, "another text of the guard"),
        ({"policy": "sender"}, "isn't ours to attach"),
    ],
)
def test_a_plan_that_was_tampered_with(
    aws: World, journal: FileJournal, tamper: dict[str, str], what: str
) -> None:
    """A plan for another account, policy or text is refused before anything is read or changed."""
    plan = aws.plan("web").model_copy(update=tamper)
    with pytest.raises(InputError, match=what):
        aws.apply(plan, journal)
    assert aws.on("web") == ([], ["mail"])


def test_a_role_of_another_account(aws: World, journal: FileJournal) -> None:
    """A plan whose change names another account's role is refused as a whole."""
    plan = aws.plan("web")
    change = plan.changes[0].model_copy(update={"role_arn": "arn:aws:iam::210987654321:role/web"})
    with pytest.raises(InputError, match="isn't its account's"):
        aws.apply(plan.model_copy(update={"changes": (change,)}), journal)


def test_a_hostile_name_is_shown_plainly(aws: World, journal: FileJournal) -> None:
    """A plan's file is anybody's: what it calls a role steers no terminal, and finds no role."""
    plan = aws.plan("web")
    change = plan.changes[0].model_copy(update={"role_name": "web\x1b[2J\nok"})
    (result,) = aws.apply(plan.model_copy(update={"changes": (change,)}), journal)
    assert result.outcome in ("gone", "refused")
    assert "1 of 1: web\\x1b[2J ok: " in aws.said[-1]
    assert aws.on("web") == ([], ["mail"])
