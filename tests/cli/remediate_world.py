"""An account over HTTP for ``auditor remediate``: moto's server, and the command beside it."""

from __future__ import annotations

import io
import json
import os
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from auditor.cli import main
from tests.cli.conftest import CLEAN, OPEN, SAFE, TRUST
from tests.collect import gaps
from tests.quick_sessions import share_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

ACCOUNT_ID = "123456789012"
REGION = "eu-west-1"
GUARD = f"arn:aws:iam::{ACCOUNT_ID}:policy/auditor/ses-simulator-guard"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def command(*arguments: str, environ: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run ``auditor remediate`` in this process: status, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.MonkeyPatch.context() as own:
        for name in [*os.environ]:
            if name not in CLEAN:
                own.delenv(name)
        for name, value in (environ or {}).items():
            own.setenv(name, value)
        own.setattr("auditor.remediate.run.PAUSE", 0)
        share_models(own)
        status = main(["remediate", *arguments])
    return status, out.getvalue(), err.getvalue()


class World(NamedTuple):
    """An account over HTTP: how to reach it, its IAM, and the journal of this test."""

    environ: dict[str, str]
    iam: Any
    folder: Path

    def auditor(self, *arguments: str) -> tuple[int, str, str]:
        """Run the command in this process: status, standard output and standard error."""
        return command(*arguments, environ=self.environ)

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

    def undo(self, plan_id: str, *arguments: str) -> tuple[int, str, str]:
        """Take a plan back."""
        return self.auditor("undo", plan_id, "--region", REGION, "--yes", *arguments)

    def client(self, service: str) -> Any:
        """Return a client of this account."""
        session = boto3.Session(
            aws_access_key_id="testing", aws_secret_access_key="testing", region_name=REGION
        )
        made: Any = session.client(service, endpoint_url=self.environ["AWS_ENDPOINT_URL"])  # type: ignore[call-overload]  # any service
        return made

    def add_role(self, name: str, document: object) -> None:
        """Make a CodeBuild role with an inline policy, and a project that uses it."""
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        self.iam.put_role_policy(
            RoleName=name, PolicyName="inline", PolicyDocument=json.dumps(document)
        )
        self.client("codebuild").create_project(
            name=f"project-{name}",
            source={"type": "S3", "location": "bucket/source.zip"},
            artifacts={"type": "NO_ARTIFACTS"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
            serviceRole=f"arn:aws:iam::{ACCOUNT_ID}:role/{name}",
        )


@contextmanager
def account(folder: Path) -> Iterator[World]:
    """Give an account with two open roles and one that is safe."""
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
        "XDG_STATE_HOME": str(folder / "state"),
    }
    made = World(environ, None, folder)
    made = made._replace(iam=made.client("iam"))
    for name, document in (
        ("open", OPEN["RolePolicyList"][0]["PolicyDocument"]),
        ("admin", FULL),
        ("safe", SAFE["RolePolicyList"][0]["PolicyDocument"]),
    ):
        made.add_role(name, document)
    try:
        yield made
    finally:
        server.stop()
