"""``auditor scan`` against an account: the whole way, through moto's server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from tests.cli.conftest import CLEAN, OPEN, SAFE, TRUST, run
from tests.collect import gaps

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION = "eu-west-1"
NOW = ("--now", "2026-11-23T03:00:00Z")


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, str]]:
    """An account with an open and a safe role, each used by a project; the settings to reach it."""
    gaps.fill()
    moto_api_backend.reset()  # what other servers of this process were told
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
    }
    try:
        session = boto3.Session(
            aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION
        )
        iam = session.client("iam", endpoint_url=environ["AWS_ENDPOINT_URL"])
        codebuild = session.client("codebuild", endpoint_url=environ["AWS_ENDPOINT_URL"])
        for role in (OPEN, SAFE):
            name = role["RoleName"]
            arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
            document = json.dumps(role["RolePolicyList"][0]["PolicyDocument"])
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
            codebuild.create_project(
                name=f"project-{name}",
                source={"type": "S3", "location": "bucket/source.zip"},
                artifacts={"type": "NO_ARTIFACTS"},
                environment={
                    "type": "LINUX_CONTAINER",
                    "image": "aws/codebuild/standard:7.0",
                    "computeType": "BUILD_GENERAL1_SMALL",
                },
                serviceRole=arn["Role"]["Arn"],
            )
        yield environ
    finally:
        server.stop()
        moto_api_backend.reset()


def test_an_account_is_audited(account: dict[str, str]) -> None:
    """Roles and projects are read from AWS, and standard output has the report alone."""
    done = run("scan", "--region", REGION, "--format", "json", *NOW, environ=account)
    assert (done.returncode, done.stderr) == (1, "")
    document = json.loads(done.stdout)
    assert document["complete"] is True
    assert {
        role["name"]: (role["verdict"], [project["name"] for project in role["projects"]])
        for role in document["roles"]
    } == {
        "open": ("exposed", ["project-open"]),
        "safe": ("simulator_only", ["project-safe"]),
    }


@pytest.mark.parametrize("region", ["mars-1", "\x1b[31m"], ids=ascii)
def test_unknown_region(account: dict[str, str], region: str) -> None:
    """A region that doesn't exist is one line and status 2, beside others that do."""
    done = run("scan", "--region", REGION, "--region", region, environ=account)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr[:-1].isprintable()
    assert "there is no such region" in done.stderr


def test_progress_on_a_terminal(account: dict[str, str], tmp_path: Path) -> None:
    """A person at a terminal sees, on standard error, what takes so long."""
    import pty

    parent, child = pty.openpty()
    path = tmp_path / "report.json"
    with os.fdopen(parent, "rb", buffering=0) as screen, path.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "auditor", "scan", "--region", REGION, "--format", "json", *NOW],
            stdout=out,
            stderr=child,
            env=CLEAN | account | {"TERM": "xterm"},
        )
        os.close(child)
        shown = b""
        try:
            while chunk := screen.read(65536):
                shown += chunk
        except OSError:  # Linux's way to say that the terminal's other side is closed
            pass
        assert process.wait(60) == 1
    assert json.loads(path.read_bytes())["summary"]["exposed"] == 1
    assert b"\x1b[" in shown, "there is a spinner"
    assert b"Traceback" not in shown
