"""docs/testing-with-the-simulator.md: its buildspec and its policy do what they say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET  # the tests' own documents

import boto3
import pytest
import yaml
from moto import mock_aws
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.ses.models import SESBackend

from auditor.cli import main
from auditor.collect import clients
from auditor.corrective.documents import guard, sender
from auditor.smoke.scenarios import DOMAIN, OUTSIDE, SCENARIOS
from tests.cli.conftest import CLEAN
from tests.smoke.world import REGION, Answer, World, listening, mailed_outside, recipients, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator

from tests.smoke.test_page import BUILDSPEC, POLICY


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, dict[str, str]]]:
    """An account over HTTP whose closed role builds, and whose SES refuses mail elsewhere."""
    moto_api_backend.reset()
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environ = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    session = boto3.Session("testing", "testing", region_name=REGION)
    try:
        world = World(session, environ["AWS_ENDPOINT_URL"])
        arn = world.role("codebuild-web", sender(), guard(), POLICY)
        sts = session.client("sts", endpoint_url=environ["AWS_ENDPOINT_URL"])
        found = sts.assume_role(RoleArn=arn, RoleSessionName="AWSCodeBuild-1")["Credentials"]
        environ["AWS_ACCESS_KEY_ID"] = found["AccessKeyId"]
        environ["AWS_SECRET_ACCESS_KEY"] = found["SecretAccessKey"]
        environ["AWS_SESSION_TOKEN"] = found["SessionToken"]
        listening(monkeypatch, lambda: world)
        heard = SESBackend.send_email

        def as_the_role_may(*args: Any, **arguments: Any) -> Any:
            if OUTSIDE in str(arguments):
                raise DeniedError
            return heard(*args, **arguments)

        monkeypatch.setattr(SESBackend, "send_email", as_the_role_may)
        yield world, environ
        assert mailed_outside() == []
    finally:
        server.stop()
        moto_api_backend.reset()


class DeniedError(JsonRESTError):
    """What IAM's refusal looks like."""

    code = 403

    def __init__(self) -> None:
        super().__init__("AccessDeniedException", "not authorized to perform: ses:SendEmail")


def test_the_buildspec(server: tuple[World, dict[str, str]], tmp_path: Path) -> None:
    """The buildspec's commands run as they stand there, and leave the report that it names."""
    world, environ = server
    spec = yaml.safe_load(BUILDSPEC)
    (report,) = spec["reports"].values()
    assert report["file-format"] == "JUNITXML"
    folder = Path(sys.executable).parent
    for command in spec["phases"]["build"]["commands"]:
        done = subprocess.run(  # noqa: S602 - a buildspec's commands are a shell's
            command,
            shell=True,
            cwd=tmp_path,
            env=CLEAN
            | environ
            | {
                "PATH": f"{folder}:{os.environ['PATH']}",
                "CODEBUILD_BUILD_ID": "web:4b2a3f1e",
                "MAIL_EVENTS_QUEUE": world.url,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr + (tmp_path / "smoke.xml").read_text()
    (name,) = report["files"]
    (suite,) = ET.parse(tmp_path / name).getroot()  # noqa: S314 - our own document
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("6", "0", "0")
    assert set(recipients()) == {f"{one.mailbox}+web-4b2a3f1e@{DOMAIN}" for one in SCENARIOS}


def test_the_policy_is_what_the_test_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the page allows beside sending is what is called, no more and no less."""
    called: set[str] = set()
    opened = clients.open_session

    def open_session(*args: Any, **arguments: Any) -> boto3.Session:
        session = opened(*args, **arguments)
        session.events.register("before-call", note)
        refusal = Answer(403, "AccessDeniedException", "not authorized")
        hooks: Any = session.events  # the stubs don't know that a hook may return something
        hooks.register(
            "before-send.sesv2.SendEmail",
            lambda request, **more: (
                refusal(request, **more) if OUTSIDE in text_of(request) else None
            ),
        )
        return session

    def note(model: Any, **_: object) -> None:
        called.add(f"{model.service_model.endpoint_prefix}:{model.name}")

    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "CODEBUILD_BUILD_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setattr(clients, "open_session", open_session)
    with mock_aws():
        world = World(boto3.Session(region_name=REGION))
        listening(monkeypatch, lambda: world)
        arn = world.role("codebuild-web", sender())
        policy = world.iam.create_policy(PolicyName="guard", PolicyDocument=json.dumps(guard()))
        world.iam.attach_role_policy(RoleName="codebuild-web", PolicyArn=policy["Policy"]["Arn"])
        sts = boto3.client("sts")
        found = sts.assume_role(RoleArn=arn, RoleSessionName="AWSCodeBuild-1")["Credentials"]
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", found["AccessKeyId"])
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", found["SecretAccessKey"])
        monkeypatch.setenv("AWS_SESSION_TOKEN", found["SessionToken"])
        world.put("somebody else's")
        args = ("--from", "ci@example.com", "--refused", "--events", world.url, "--wait", "0")
        assert main(["smoke", *args]) == 0
    # STS's GetCallerIdentity needs no permission; a batch is allowed as its single call is
    needed = {one.removesuffix("Batch").replace("email:", "ses:") for one in called}
    allowed = [one["Action"] for one in POLICY["Statement"]]
    named = {a for one in allowed for a in (one if isinstance(one, list) else [one])}
    assert named == needed - {"sts:GetCallerIdentity", "ses:SendEmail"}
