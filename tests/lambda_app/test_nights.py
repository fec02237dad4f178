"""Audits in a row: what changed between them is told, once, whatever happens to the runs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from auditor.errors import AuditorError
from auditor.history.table import TableHistory
from auditor.notify import sns
from chalicelib.memory import Memory
from chalicelib.nightly import BusyError
from tests.lambda_app.nights import (
    Killed,
    audit,
    close,
    killed,
    refuse,
    reopen,
    set_policy,
    told,
)
from tests.lambda_app.world import HISTORY, OPEN, OPEN_POLICY, SIMULATOR, add_role, hook

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo

    from tests.lambda_app.world import World

NEW = ("changes", {"new": [OPEN]})
CLEARED = ("all-clear", {"resolved": [OPEN]})


def test_roles_are_fixed_broken_and_renamed(world: World) -> None:
    """Exactly what changed is said, each thing once, and nothing in nights without a change."""
    add_role("codebuild-old-name", OPEN_POLICY)
    audit()
    assert told(world) == [("changes", {"new": ["codebuild-old-name", OPEN]})]
    audit()
    assert told(world) == []

    close(OPEN)  # fixed
    set_policy(SIMULATOR, OPEN_POLICY)  # broken
    iam = boto3.client("iam")  # renamed
    iam.delete_role_policy(RoleName="codebuild-old-name", PolicyName="mail")
    iam.delete_role(RoleName="codebuild-old-name")
    boto3.client("codebuild").delete_project(name="project-of-codebuild-old-name")
    add_role("codebuild-new-name", OPEN_POLICY)
    reply = audit()
    ((occasion, changes),) = told(world)
    assert occasion == "changes"
    assert set(changes) == {"new", "resolved"}
    assert changes["new"] == ["codebuild-new-name", SIMULATOR]
    # Where projects are looked for in some regions only, a role that is no more is gone for sure.
    assert changes["resolved"] == ["codebuild-old-name", OPEN]
    assert {kind: n for kind, n in reply["changes"].items() if n} == {"new": 2, "resolved": 2}
    audit()
    assert told(world) == []


def test_all_clear_comes_once_and_what_comes_back_is_reopened(world: World) -> None:
    """The last one closed is good news, once; open again it is no new finding."""
    audit()
    close()
    audit()
    audit()
    reopen()
    audit()
    assert told(world) == [NEW, CLEARED, ("changes", {"reopened": [OPEN]})]


@pytest.mark.parametrize(
    ("where", "name"),
    [
        (TableHistory, "claim"),  # stored, nobody told
        (sns, "send"),  # on the way to the topic
    ],
)
def test_a_run_killed_before_it_told_is_told_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch, where: object, name: str
) -> None:
    """What was stored and not told isn't lost, and isn't told twice."""
    with monkeypatch.context() as first:
        first.setattr(where, name, killed)
        with pytest.raises(Killed):
            audit("request")
    assert told(world) == []

    audit("request")  # Lambda tries again, with the same id
    audit()
    assert told(world) == [NEW]


def test_a_run_killed_after_it_told_says_it_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told, and killed before everything was noted: the topic has heard it."""
    with monkeypatch.context() as first:
        first.setattr(TableHistory, "told", killed)
        with pytest.raises(Killed):
            audit("request")
    audit("request")
    assert told(world) == [NEW]


def test_killed_between_an_answer_and_its_note_it_comes_again_as_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one way to hear something twice: then it has the same id, by which a receiver knows."""
    with monkeypatch.context() as first:
        first.setattr(Memory, "keep", killed)
        with pytest.raises(Killed):
            audit("request")
    audit("request")
    first_id, second_id = (json.loads(body)["id"] for body in world.heard())
    assert first_id == second_id


@pytest.mark.parametrize("event_id", ["9bb62c8b-52c0-493f-a28c-ed48cad73a5e", "", "by-hand"])
def test_an_event_delivered_twice_is_told_once(
    world: World, monkeypatch: pytest.MonkeyPatch, event_id: str
) -> None:
    """EventBridge delivers at least once: two invocations, one message."""
    if event_id not in ("", "by-hand"):  # then even a message that every run sends comes once
        monkeypatch.setenv("AUDITOR_ALWAYS_NOTIFY", "true")
    audit(event_id=event_id)
    audit(event_id=event_id)
    assert told(world) == [NEW]


def test_two_runs_at_once(world: World) -> None:
    """While one run tells, another fails, so that it comes again; then all is told once."""
    client: Any = boto3.client("dynamodb")
    other = TableHistory(client, HISTORY, "123456789012", clock=_now, lease=600)
    assert other.claim("somebody else") is not None
    with pytest.raises(BusyError, match="tried again later"):
        audit()
    assert told(world) == []

    boto3.client("dynamodb").delete_item(
        TableName=HISTORY, Key={"pk": {"S": "telling#123456789012"}, "sk": {"S": "telling"}}
    )
    audit()
    assert told(world) == [NEW]


def _now() -> datetime:
    return datetime.now(UTC)


def test_an_incomplete_audit_resolves_nothing_it_did_not_look_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where IAM can't be read what was open stays open: said once, and that it is over once."""
    audit()
    with monkeypatch.context() as gap:
        hook(gap, "before-call.iam.GetAccountAuthorizationDetails", refuse)
        for _ in range(2):
            with pytest.raises(AuditorError, match="no role could be audited"):
                audit()
    bodies = [json.loads(body) for body in world.heard()]
    assert [body["occasion"] for body in bodies] == ["changes", "reading"]
    gap_told = bodies[1]
    assert gap_told["complete"] is False
    assert gap_told["changes"] == []
    assert [one["role_arn"].rpartition("/")[2] for one in gap_told["unseen"]] == [OPEN]

    close()
    audit()
    assert told(world) == [CLEARED]


def unreadable(parsed: dict[str, Any], **_: object) -> None:
    """Make the simulator's policy one that IAM itself would refuse."""
    for role in parsed["RoleDetailList"]:
        if role["RoleName"] == SIMULATOR:
            role["RolePolicyList"][0]["PolicyDocument"] = "{nonsense"


def test_an_undetermined_role_is_open_until_it_is_decided(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be decided is told like a finding, once, and all clear waits for it."""
    audit()
    close()
    with monkeypatch.context() as odd:
        hook(odd, "after-call.iam.GetAccountAuthorizationDetails", unreadable)
        audit()
        audit()
    audit()
    assert told(world) == [
        NEW,
        ("changes", {"new": [SIMULATOR], "resolved": [OPEN]}),
        ("all-clear", {"resolved": [SIMULATOR]}),
    ]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Set the day of the audits to come: of November 2026, in which the 23rd is a Monday."""

    def set_day(day: int) -> None:
        class Fixed(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return datetime(2026, 11, day, 3, tzinfo=tz)

        monkeypatch.setattr("chalicelib.run.datetime", Fixed)

    return set_day


def test_once_a_week_what_is_open_is_told_again(
    world: World, clock: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the digest's day, once however often it runs; nothing where nothing is open."""
    monkeypatch.setenv("AUDITOR_DIGEST_DAY", "MON")
    for day in (22, 23, 23, 24, 30):
        clock(day)
        audit()
    assert told(world) == [NEW, ("digest", {}), ("digest", {})]
