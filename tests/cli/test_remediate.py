"""``auditor remediate``: plan, apply and undo the whole way, through moto's server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import NOTHING, ODD, OPEN, SAFE, page, run
from tests.cli.remediate_world import FULL, GUARD, REGION, World, account

if TYPE_CHECKING:
    from collections.abc import Iterator


COMMANDS = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An account with two open roles and one that is safe."""
    with account(tmp_path) as made:
        yield made


def test_plan_apply_undo(world: World) -> None:
    """The plan changes nothing; apply closes what it says; undo restores every role to the byte."""
    before = world.everything()
    place = ("--region", REGION)
    planned = run("remediate", "plan", *place, "--output", world.path, environ=world.environ)
    plan = json.loads((world.folder / "plan.json").read_text())
    assert planned.returncode == 0
    assert f"auditor remediate apply {world.path} --create-policies" in planned.stdout

    assert world.everything() == before
    assert [one["role_name"] for one in plan["changes"]] == ["admin", "open"]
    assert plan["create_policy"] is True

    words = ("apply", world.path, "--create-policies", "--yes", *place)
    done = run("remediate", *words, environ=world.environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "admin: attached; exposed (proven) -> simulator only" in done.stdout
    assert f"auditor remediate undo {plan['id']}" in done.stdout
    assert f"apply {plan['id']}, account 123456789012\n" in done.stdout
    assert world.attached("open") == world.attached("admin") == [GUARD]
    assert world.attached("safe") == []

    done = run("remediate", "undo", plan["id"], *place, "--yes", environ=world.environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert "open: taken back; exposed (proven): EXPOSED AGAIN" in done.stdout
    assert world.everything() == before


def test_apply_twice_and_undo_twice(world: World) -> None:
    """Each may be run again: the second time changes nothing, and the status says all is well."""
    plan = world.plan()
    assert world.apply("--create-policies")[0] == 0
    closed = world.everything()
    status, out, _ = world.apply()
    assert (status, world.everything()) == (0, closed)
    assert "was there already" in out
    undo = ("undo", plan["id"], "--region", REGION, "--yes")
    assert [world.auditor(*undo)[0] for _ in range(2)] == [0, 0]
    assert world.attached("open") == []


def test_without_the_policy_nothing_is_done(world: World) -> None:
    """An account that lacks the managed policy gets none unless --create-policies says so; one
    line names the option.
    """
    world.plan()
    before = world.everything()
    status, out, err = world.apply()

    assert (status, out, err.count("\n")) == (2, "", 1)
    assert f"{GUARD} isn't in the account" in err
    assert "--create-policies" in err
    assert world.everything() == before


def test_a_role_that_changed_is_left_alone(world: World) -> None:
    """Each role is read again just before: one that isn't what the plan saw isn't touched."""
    world.plan()
    world.iam.put_role_policy(RoleName="open", PolicyName="more", PolicyDocument=json.dumps(FULL))
    world.iam.delete_role_policy(RoleName="admin", PolicyName="inline")
    world.iam.delete_role(RoleName="admin")
    status, out, _ = world.apply("--create-policies", "--format", "json")

    outcomes = {one["role_name"]: one["outcome"] for one in json.loads(out)["results"]}
    assert (status, outcomes) == (1, {"admin": "gone", "open": "changed"})
    assert world.attached("open") == []


def test_it_stops_after_max_changes(world: World) -> None:
    """What is over the limit is told, and the next run does it."""
    world.plan()
    status, out, _ = world.apply("--create-policies", "--max-changes", "1")
    assert status == 1
    assert "open" in out
    assert world.attached("open") == []
    assert world.apply("--max-changes", "1")[0] == 0
    assert world.attached("open") == [GUARD]


def test_roles_and_exceptions_are_chosen_by_globs(world: World) -> None:
    """--role and --except choose; what is left exposed is told by name, and by status 3."""
    assert [one["role_name"] for one in world.plan("--role", "op*")["changes"]] == ["open"]
    status, out, _ = world.auditor("plan", "--region", REGION, "--except", "admin")
    assert status == 3
    assert "it is excepted by admin" in out


def test_a_report_chooses_its_exposed_roles(world: World) -> None:
    """--report plans for what a scan found, and refuses another account's."""
    report = run("scan", "--region", REGION, "--role", "open", "--format", "json",
                 environ=world.environ).stdout  # fmt: skip
    file = world.folder / "report.json"
    file.write_text(report)
    assert [one["role_name"] for one in world.plan("--report", str(file))["changes"]] == ["open"]

    file.write_text(report.replace('"account_id": "123456789012"', '"account_id": "111111111111"'))
    status, _, err = world.auditor("plan", "--region", REGION, "--report", str(file))
    assert status == 2
    assert "111111111111" in err
    assert err.count("\n") == 1


def test_the_sender_opens_to_the_simulator_alone(world: World) -> None:
    """The sender goes to a role that is named, and its result is proven too."""
    world.iam.delete_role_policy(RoleName="safe", PolicyName="inline")
    plan = world.plan("--policy", "sender", "--role", "safe")
    (change,) = plan["changes"]
    assert (change["before"]["verdict"], change["after"]["verdict"]) == (
        "no_send",
        "simulator_only",
    )
    assert world.apply("--create-policies")[0] == 0
    assert world.attached("safe") == [
        "arn:aws:iam::123456789012:policy/auditor/ses-simulator-sender"
    ]


def test_a_plan_for_a_snapshot(tmp_path: Path) -> None:
    """Planning needs no AWS: a snapshot will do, and what can't be decided is said (status 3)."""
    path = tmp_path / "account.json"
    path.write_text(page(OPEN, SAFE, NOTHING, ODD))
    done = run("remediate", "plan", "--snapshot", str(path), "--format", "json")

    plan = json.loads(done.stdout)
    assert done.returncode == 3
    assert [one["role_name"] for one in plan["changes"]] == ["open"]
    assert {one["role_name"]: one["why"]["code"] for one in plan["left"]} == {"odd": "undetermined"}


def test_nobody_to_ask(world: World) -> None:
    """Without a terminal nothing is changed unless --yes is given."""
    plan = world.plan()
    for command in (("apply", world.path), ("undo", plan["id"])):
        status, out, err = world.auditor(*command)
        assert (status, out) == (2, "")
        assert "nobody can be asked here: give --yes" in err


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "isn't JSON"),
        ("[]", "isn't a plan"),
        ("{}", "no plan_version"),
        ('{"plan_version": "2"}', "version 2"),
        ('{"plan_version": "1"}', "id"),
    ],
)
def test_a_file_that_is_no_plan(tmp_path: Path, text: str, told: str) -> None:
    """One line says what is wrong with it, before anybody is asked or any call is made."""
    path = tmp_path / "plan.json"
    path.write_text(text)
    done = run("remediate", "apply", str(path), "--yes")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr


def test_a_plan_that_was_edited_is_refused(world: World) -> None:
    """A plan is what was proven: with another role written into it, it isn't applied."""
    plan = world.plan("--role", "open")
    text = (world.folder / "plan.json").read_text().replace('role/open"', 'role/safe"')
    (world.folder / "plan.json").write_text(
        text.replace('"role_name": "open"', '"role_name": "safe"')
    )
    status, _, err = world.apply("--create-policies")

    assert status == 2
    assert plan["id"] in err or "edited" in err or "changed" in err
    assert world.attached("safe") == []


@pytest.mark.parametrize("words", [(), ("plan",), ("apply",), ("undo",), ("list",)])
def test_the_help_is_quoted(words: tuple[str, ...]) -> None:
    """docs/commands.md has the help of each command, to the letter."""
    shown = run("remediate", *words, "--help").stdout.rstrip()
    name = " ".join(("auditor", "remediate", *words))
    assert f"$ {name} --help\n{shown}\n```" in COMMANDS
