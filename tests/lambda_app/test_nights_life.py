"""Nights in a row: what gets worse, what exceptions do and don't keep silent, and late audits."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from auditor.history.table import TableHistory
from tests.lambda_app.nights import audit, close, refuse, reopen, set_policy, told
from tests.lambda_app.world import OPEN, OPEN_POLICY, TRUST, add_role, hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.findings import Report
    from tests.lambda_app.world import World

SENDER = json.loads(json.dumps(OPEN_POLICY))
SENDER["Statement"][0]["Condition"] = {"StringLike": {"ses:FromAddress": "*@example.com"}}


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Turn the clock that audits see to a day of December 2026."""

    def turn(day: int, hour: int = 3) -> None:
        class Then(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:  # type: ignore[override]
                return datetime(2026, 12, day, hour, tzinfo=tz)

        monkeypatch.setattr("chalicelib.run.datetime", Then)

    turn(1)
    return turn


def excepted(monkeypatch: pytest.MonkeyPatch, *roles: str, expires: str = "2099-12-31") -> None:
    """Deploy a file with an exception for each role."""
    lines = (
        f'  - {{role: {name}, rule: "*", reason: r, owner: o, expires: {expires}}}\n'
        for name in roles
    )
    boto3.client("ssm").put_parameter(
        Name="/auditor/exceptions",
        Value="exceptions:\n" + "".join(lines),
        Type="String",
        Overwrite=True,
    )
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", "ssm:/auditor/exceptions")


def bodies(world: World) -> list[dict[str, Any]]:
    return [json.loads(body) for body in world.heard()]


def test_worse_is_told_once_with_its_severity(world: World) -> None:
    """Medium becomes high: the topic hears it, and what is said when it is over was said before."""
    set_policy(OPEN, SENDER)
    audit()
    reopen()
    assert audit()["message_id"]
    audit()
    close()
    audit()
    said = [(one["occasion"], one["changes"][0]) for one in bodies(world)]
    assert [(why, one["change"], one["severity"]) for why, one in said] == [
        ("changes", "new", "medium"),
        ("changes", "worse", "high"),
        ("all-clear", "resolved", "high"),
    ]


def test_under_an_exception_worse_is_told_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception for medium doesn't keep silent that it is high, and goes on to cover it."""
    set_policy(OPEN, SENDER)
    excepted(monkeypatch, OPEN)
    audit()
    reopen()
    reply = audit()
    audit()
    assert reply["summary"]["exposed"] == 0
    assert told(world) == [("changes", {"suppressed": [OPEN]}), ("changes", {"worse": [OPEN]})]


def test_an_excepted_role_that_counts_all_the_same_is_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once when something about it can't be read, once when it can; it is open in between."""

    def odd(parsed: dict[str, Any], **_: object) -> None:
        for role in parsed["RoleDetailList"]:
            if role["RoleName"] == OPEN:
                role["RolePolicyList"].append({"PolicyName": "odd", "PolicyDocument": "{nonsense"})

    excepted(monkeypatch, OPEN)
    audit()
    world.heard()
    with monkeypatch.context() as bad:
        hook(bad, "after-call.iam.GetAccountAuthorizationDetails", odd)
        assert audit()["summary"]["exposed"] == 1
        (body,) = bodies(world)
        assert [one["change"] for one in body["changes"]] == ["reopened"]
        assert [role["name"] for role in body["roles"]] == [OPEN]
        assert body["unseen"] == []
        assert audit()["message_id"] is None
    audit()
    assert told(world) == [("changes", {"suppressed": [OPEN]})]


def test_no_all_clear_where_nothing_was_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Roles that were excepted from the first night, and are closed then, are plain changes."""
    add_role("codebuild-a", OPEN_POLICY)
    excepted(monkeypatch, OPEN, "codebuild-a")
    audit()
    for name in (OPEN, "codebuild-a"):
        close(name)
        audit()
    assert [(why, set(kinds)) for why, kinds in told(world)] == [
        ("changes", {"suppressed"}),
        ("changes", {"resolved"}),
        ("changes", {"resolved"}),
    ]


def test_exceptions_alone_are_told_once(
    world: World, monkeypatch: pytest.MonkeyPatch, on: Callable[..., None]
) -> None:
    """Without effect, within a week of the end, expired: with nothing else to tell, too."""
    close()
    excepted(monkeypatch, "codebuild-gone", expires="2026-12-03")
    for day in (1, 2, 4, 5):
        on(day)
        audit()
    assert [(one["occasion"], one["exceptions"][0]["state"]) for one in bodies(world)] == [
        ("exceptions", "unused"),
        ("exceptions", "expired"),
    ]


def test_an_audit_that_read_no_role_accuses_no_exception(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What covers a role that couldn't be read isn't unused."""
    excepted(monkeypatch, OPEN)
    audit()
    world.heard()
    hook(monkeypatch, "before-call.codebuild.ListProjects", refuse)
    close()
    audit()
    (body,) = bodies(world)
    assert body["complete"] is False
    assert body["exceptions"] == []


@pytest.mark.parametrize("known", [True, False])
def test_an_older_audit_that_ends_later_tells_nothing_false(
    world: World, monkeypatch: pytest.MonkeyPatch, on: Callable[..., None], known: bool
) -> None:
    """One by hand overtakes the nightly one: no second all clear, and nothing new that is gone."""
    if not known:
        close()
    audit()
    reopen()
    record = TableHistory.record

    def overtaken(history: TableHistory, run_id: str, report: Report, *more: Any) -> Any:
        monkeypatch.setattr(TableHistory, "record", record)
        close()
        on(2, 4)
        audit("by hand")
        return record(history, run_id, report, *more)

    monkeypatch.setattr(TableHistory, "record", overtaken)
    on(2)
    audit("nightly")
    on(3)
    audit()
    first = [("changes", {"new": [OPEN]}), ("all-clear", {"resolved": [OPEN]})]
    assert told(world) == (first if known else [])


def test_a_role_that_codebuild_left_in_some_regions_says_what_ends_it(world: World) -> None:
    """With regions set it may be another region's: told once, and open until it can't send."""
    audit()
    boto3.client("codebuild").delete_project(name=f"project-of-{OPEN}")
    trust = json.dumps(TRUST).replace("codebuild", "ec2")
    iam = boto3.client("iam")
    iam.update_assume_role_policy(RoleName=OPEN, PolicyDocument=trust)
    audit()
    audit()
    assert told(world) == [("changes", {"new": [OPEN]}), ("reading", {})]
    close()
    audit()
    audit()
    assert told(world) == [("all-clear", {"resolved": [OPEN]})]
