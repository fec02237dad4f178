"""Nights in a row: what is told is so that night, whoever heard what before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from auditor.errors import NotifyError
from auditor.history.table import TableHistory
from tests.lambda_app.nights import Killed, audit, close, killed, reopen, set_policy, told
from tests.lambda_app.test_nights_life import SENDER, excepted, on
from tests.lambda_app.world import OPEN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lambda_app.world import World

__all__ = ["on"]  # a fixture


def grades(world: World) -> list[tuple[str, str, dict[str, str] | None]]:
    """Take each change that the topic got: its kind, what the finding is, and what it was."""
    bodies: list[dict[str, Any]] = [json.loads(body) for body in world.heard()]
    return [
        (one["change"], one["severity"], one.get("was"))
        for body in bodies
        for one in body["changes"]
    ]


HIGH, MEDIUM = ({"severity": one, "certainty": "proven"} for one in ("high", "medium"))


def test_nothing_is_worse_once_it_is_better(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack is dead, so the worsening waits for it; medium again, no channel hears of worse."""
    set_policy(OPEN, SENDER)
    audit()
    monkeypatch.setenv("AUDITOR_SLACK_WEBHOOK", "ssm:/auditor/webhook")
    reopen()
    with pytest.raises(NotifyError):
        audit()
    set_policy(OPEN, SENDER)
    for _ in range(2):
        with pytest.raises(NotifyError):
            audit()
    assert grades(world) == [
        ("new", "medium", None),
        ("worse", "high", MEDIUM),
        ("eased", "medium", HIGH),
    ]


def test_a_night_that_was_killed_makes_nothing_worse(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody heard that it was high, and the next night it isn't."""
    set_policy(OPEN, SENDER)
    audit()
    reopen()
    with monkeypatch.context() as end:
        end.setattr(TableHistory, "claim", killed)
        with pytest.raises(Killed):
            audit()
    set_policy(OPEN, SENDER)
    audit()
    assert grades(world) == [("new", "medium", None), ("eased", "medium", HIGH)]


def test_a_shared_file_tells_each_account_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch, on: Callable[..., None]
) -> None:
    """Another account's exception is told neither before its end nor after it."""
    close()
    excepted(monkeypatch, '"arn:aws:iam::999999999999:role/codebuild-x"', expires="2026-12-08")
    for day in (1, 2, 9, 10):
        on(day)
        audit()
    assert told(world) == []
