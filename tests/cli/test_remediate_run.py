"""Applying and undoing where something is in the way: a half-read account, a lost place, Ctrl-C."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from moto.core.exceptions import ServiceException
from moto.iam.responses import IamResponse

from tests.cli.conftest import OPEN, SAFE, page, run
from tests.cli.remediate_world import GUARD, World, account
from tests.lambda_app.world import add_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An account with two open roles and one that is safe."""
    with account(tmp_path) as made:
        yield made


class Refused(ServiceException):
    """AWS's refusal. (moto looks the error up by the module of its class.)"""

    code = "AccessDenied"
    message = "not authorized to perform it"


@pytest.fixture
def half_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on, nobody may read the account's roles in one sweep."""

    def refuse(_self: object) -> None:
        raise Refused

    monkeypatch.setattr(IamResponse, "get_account_authorization_details", refuse)


def test_undo_in_an_account_that_is_read_in_part(
    world: World, request: pytest.FixtureRequest
) -> None:
    """Everything is taken back; what the roles can do now isn't known, and isn't passed over."""
    plan = world.plan()
    assert world.apply("--create-policies")[0] == 0
    request.getfixturevalue("half_read")
    status, out, err = world.undo(plan["id"])

    assert world.attached("open") == world.attached("admin") == []
    assert status == 1
    assert "warning: not read: iam:GetAccountAuthorizationDetails: AccessDenied" in err
    assert "admin, open: could not be decided, because the account was read in part only" in err
    assert "open: taken back; undetermined" in out
    assert "no CodeBuild role" not in out


def test_apply_in_an_account_that_is_read_in_part(
    world: World, request: pytest.FixtureRequest
) -> None:
    """What can't be decided afterwards isn't what the plan promised: said, with status 1."""
    world.plan("--role", "open")
    request.getfixturevalue("half_read")
    status, out, err = world.apply("--create-policies")

    assert status == 1
    assert "warning: not read: iam:GetAccountAuthorizationDetails" in err
    assert "simulator only" not in out


def test_a_region_that_is_not_read_is_status_3(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All was done and decided, in an account of which a part is unknown: neither 0 nor 1."""
    from moto.codebuild.responses import CodeBuildResponse

    plan = world.plan()

    def refuse(_self: object) -> None:
        raise Refused

    monkeypatch.setattr(CodeBuildResponse, "list_projects", refuse)
    status, out, err = world.apply("--create-policies")
    assert status == 3
    assert "warning: not read: codebuild:ListProjects eu-west-1" in err
    assert "open: attached; exposed (proven) -> simulator only" in out
    assert world.undo(plan["id"])[0] == 3


def test_plans_are_listed_with_where_they_stand(world: World) -> None:
    """By default from the files of this machine, without AWS; as text and as JSON."""
    assert world.auditor("list") == (0, "No plan is known.\n", "")
    plan = world.plan()
    world.apply("--create-policies", "--max-changes", "1")
    away = world._replace(environ=world.environ | {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"})
    status, out, err = away.auditor("list")

    assert (status, err) == (0, "")
    assert plan["id"] in out
    assert "guard  account 123456789012" in out
    assert "on 1 of 1 role, by arn:aws:sts::123456789012:user/moto" in out
    found = json.loads(away.auditor("list", "--format", "json")[1])
    assert [(one["plan_id"], one["on"]) for one in found["plans"]] == [(plan["id"], 1)]
    world.undo(plan["id"])
    assert "on 0 of 1 role" in away.auditor("list")[1]


def test_one_role_can_be_taken_back(world: World) -> None:
    """``--role`` names it; the plan stays on the others, and can be taken back from them later."""
    plan = world.plan()
    world.apply("--create-policies")
    status, out, _ = world.undo(plan["id"], "--role", "open")
    assert status == 0
    assert "1 role: 1 taken back" in out
    assert (world.attached("open"), world.attached("admin")) == ([], [GUARD])

    status, _, err = world.undo(plan["id"], "--role", "opne")
    assert (status, err.count("\n")) == (2, 1)
    assert "opne" in err
    assert world.undo(plan["id"])[0] == 0
    assert world.attached("admin") == []


def test_a_table_as_the_journal(world: World) -> None:
    """The stack's journal serves the command line too: applied, listed, and taken back by it; and
    its lock keeps both apart.
    """
    client = world.client("dynamodb")

    class Session:
        def client(self, _name: str) -> Any:
            return client

    add_table("journal", Session())  # type: ignore[arg-type]  # a session for this one call
    plan = world.plan()
    place = ("--journal", "dynamodb:journal")
    held = {"pk": {"S": "lock"}, "sk": {"S": "lock"}, "owner": {"S": "the nightly run"}}
    client.put_item(TableName="journal", Item=held | {"expires_at": {"N": "99999999999"}})
    status, _, err = world.apply("--create-policies", *place)
    assert (status, world.attached("open")) == (2, [])
    assert "the nightly run" in err

    client.delete_item(TableName="journal", Key={key: held[key] for key in ("pk", "sk")})
    status, out, _ = world.apply("--create-policies", *place)
    assert status == 0
    assert (
        f"  auditor remediate undo {plan['id']} --journal dynamodb:journal --region eu-west-1\n"
        in out
    )
    assert f"{plan['id']}  " in world.auditor("list", *place)[1]
    assert world.undo(plan["id"])[0] == 2  # no file of this machine knows it
    assert world.undo(plan["id"], *place)[0] == 0
    assert world.attached("open") == []


@pytest.fixture(scope="module")
def plan_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A plan for a snapshot with an open role."""
    folder = tmp_path_factory.mktemp("plan")
    (folder / "account.json").write_text(page(OPEN, SAFE))
    done = run(
        *("remediate", "plan", "--snapshot", str(folder / "account.json"), "--format", "json")
    )
    assert done.returncode == 0
    return done.stdout


@pytest.mark.parametrize(
    ("command", "place", "told"),
    [
        ("apply", ".", "Is a directory"),
        ("apply", "plan.json", "isn't a journal"),
        ("apply", "plan.json/journal", "Not a directory"),
        ("apply", "", "no file is named"),
        ("undo", ".", "Is a directory"),
        ("undo", "dynamodb:", "no table is named"),
        ("undo", "mistyped.jsonl", "--journal mistyped.jsonl: there is no such file"),
        ("list", "plan.json", "isn't a journal"),
        ("list", "mistyped.jsonl", "--journal mistyped.jsonl: there is no such file"),
        ("list", "no/where.jsonl", "--journal no/where.jsonl: there is no such file"),
        ("list", "dynamodb:journal", "in which region?"),
    ],
)
def test_a_bad_place_for_the_journal(
    tmp_path: Path, plan_text: str, command: str, place: str, told: str
) -> None:
    """It is refused in one line, before AWS is asked anything, and nothing is written there."""
    (tmp_path / "plan.json").write_text(plan_text)
    words = {
        "apply": ("plan.json", "--yes"),
        "undo": ("plan-20261123T030000Z-0123abcd", "--yes"),
        "list": (),
    }[command]
    done = run("remediate", command, *words, "--journal", place, cwd=tmp_path)

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert told in done.stderr
    assert (tmp_path / "plan.json").read_text() == plan_text
    assert [one.name for one in tmp_path.iterdir()] == ["plan.json"]


def test_a_plan_that_no_journal_knows(tmp_path: Path) -> None:
    """Undo says where it looked, before it asks AWS or anybody."""
    environ = {"XDG_STATE_HOME": str(tmp_path)}
    done = run("remediate", "undo", "plan-20261123T030000Z-0123abcd", "--yes", environ=environ)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert f"no journal in {tmp_path}/auditor knows of such a plan" in done.stderr
