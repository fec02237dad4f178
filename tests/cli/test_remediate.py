"""``auditor remediate``: plan, apply and undo the whole way, through moto's server."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from tests.cli.conftest import NOTHING, ODD, OPEN, SAFE, TRUST, page, run
from tests.collect import gaps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-west-1"
GUARD = "arn:aws:iam::123456789012:policy/auditor/ses-simulator-guard"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class World(NamedTuple):
    """An account over HTTP: how to reach it, its IAM, and the journal of this test."""

    environ: dict[str, str]
    iam: Any
    folder: Path

    def auditor(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command, and return status, standard output and standard error."""
        done = run("remediate", *arguments, environ=self.environ)
        return done.returncode, done.stdout, done.stderr

    def plan(self, *arguments: str) -> dict[str, Any]:
        """Plan into a file and return what is in it."""
        self.auditor("plan", "--region", REGION, "--output", self.path, *arguments)
        found: dict[str, Any] = json.loads((self.folder / "plan.json").read_text())
        return found

    def apply(self, *arguments: str) -> tuple[int, str, str]:
        """Apply the plan of the file."""
        return self.auditor("apply", self.path, "--region", REGION, "--yes", *arguments)

    @property
    def path(self) -> str:
        return str(self.folder / "plan.json")

    def everything(self) -> object:
        """Return all that IAM knows of the account's roles."""
        return self.iam.get_account_authorization_details(Filter=["Role"])["RoleDetailList"]

    def attached(self, role: str) -> list[str]:
        """Return the policies attached to a role."""
        found = self.iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return [one["PolicyArn"] for one in found]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An account with two open roles and one that is safe."""
    gaps.fill()
    moto_api_backend.reset()
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environ = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }
    session = boto3.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION
    )
    iam = session.client("iam", endpoint_url=environ["AWS_ENDPOINT_URL"])
    for name, document in (
        ("open", OPEN["RolePolicyList"][0]["PolicyDocument"]),
        ("admin", FULL),
        ("safe", SAFE["RolePolicyList"][0]["PolicyDocument"]),
    ):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document))
        session.client("codebuild", endpoint_url=environ["AWS_ENDPOINT_URL"]).create_project(
            name=f"project-{name}",
            source={"type": "S3", "location": "bucket/source.zip"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            serviceRole=f"arn:aws:iam::123456789012:role/{name}",
        )
    try:
        yield World(environ, iam, tmp_path)
    finally:
        server.stop()


def test_plan_apply_undo(world: World) -> None:
    """The plan changes nothing; apply closes what it says; undo restores every role to the byte."""
    before = world.everything()
    plan = world.plan()

    assert world.everything() == before
    assert [one["role_name"] for one in plan["changes"]] == ["admin", "open"]
    assert plan["create_policy"] is True

    status, out, err = world.apply("--create-policies")
    assert (status, err) == (0, "")
    assert "admin: attached; exposed (proven) -> simulator only" in out
    assert f"auditor remediate undo {plan['id']}" in out
    assert world.attached("open") == world.attached("admin") == [GUARD]
    assert world.attached("safe") == []

    status, out, err = world.auditor("undo", plan["id"], "--region", REGION, "--yes")
    assert (status, err) == (0, "")
    assert "open: taken back; exposed (proven): EXPOSED AGAIN" in out
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
    """An account that lacks the managed policy gets none unless --create-policies says so."""
    world.plan()
    before = world.everything()
    status, out, _ = world.apply()

    assert status == 1
    assert f"{GUARD} isn't in the account" in " ".join(out.split())
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
