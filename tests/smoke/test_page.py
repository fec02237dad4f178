"""docs/testing-with-the-simulator.md: what it shows runs, and means what it says."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET  # the tests' own documents

import boto3
import pytest
import yaml
from botocore.loaders import Loader
from moto import mock_aws
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.ses.models import SESBackend

from auditor.cli import main
from auditor.collect import clients
from auditor.corrective.documents import guard, sender
from auditor.smoke.events import Event, judge, read_event
from auditor.smoke.scenarios import DOMAIN, OUTSIDE, SCENARIOS
from tests.cli.conftest import CLEAN
from tests.docs.pages import ROOT, fences, table
from tests.smoke.world import (
    REGION,
    Answer,
    World,
    listening,
    mailed_outside,
    read_once,
    recipients,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = (ROOT / "docs" / "testing-with-the-simulator.md").read_text("utf-8")
BUILDSPEC, TEMPLATE = fences(TEXT, "yaml")
POLICY, *EVENTS = (json.loads(block) for block in fences(TEXT, "json"))


def test_the_addresses() -> None:
    """The table has the five scenarios, in their order."""
    told = [row[0].strip("`") for row in table(TEXT)]
    assert told == [f"{one.mailbox}@{DOMAIN}" for one in SCENARIOS]


def test_nobody_else_is_mailed_on_the_page() -> None:
    """Every address on the page is the simulator's or the sender's, whatever the language."""
    found = set(re.findall(r"[\w.+{}$-]+@[\w.-]+\w", TEXT))
    assert {one for one in found if not one.endswith(f"@{DOMAIN}")} == {"ci@example.com"}


def test_the_python_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python block is a test that passes, and mails one labelled address."""
    read_once(monkeypatch)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("CODEBUILD_BUILD_ID", "web:4b2a3f1e")
    (block,) = fences(TEXT, "python")
    names: dict[str, Any] = {}
    with mock_aws():
        boto3.client("ses").verify_domain_identity(Domain="example.com")
        exec(compile(block, "page", "exec"), names)  # noqa: S102 - our own page
        names["test_a_bouncing_mail_is_sent"]()
        assert list(recipients()) == [f"bounce+web-4b2a3f1e@{DOMAIN}"]


SDK = """
export class SESv2Client { async send(command) {
  console.log("sent " + JSON.stringify(command.input)); return { MessageId: "1" }; } }
export class SendEmailCommand { constructor(input) { this.input = input; } }
"""


def test_the_node_test(tmp_path: Path) -> None:
    """The Node block is a test that passes, with a stand-in for the SDK, and mails one address."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node on this machine")
    (block,) = fences(TEXT, "javascript")
    package = tmp_path / "node_modules" / "@aws-sdk" / "client-sesv2"
    package.mkdir(parents=True)
    (package / "index.mjs").write_text(SDK, "utf-8")
    (package / "package.json").write_text('{"exports": "./index.mjs"}', "utf-8")
    (tmp_path / "mail.test.mjs").write_text(block, "utf-8")
    done = subprocess.run(  # noqa: S603 - our own page
        [node, "mail.test.mjs"],
        cwd=tmp_path,
        env=CLEAN | {"CODEBUILD_BUILD_ID": "web:4b2a3f1e"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    sent = re.search(r"sent (\{.*\})", done.stdout)
    assert sent
    asked = json.loads(sent[1])
    assert asked["Destination"] == {"ToAddresses": [f"bounce+web-4b2a3f1e@{DOMAIN}"]}
    assert set(asked) <= members("SendEmailRequest")


def members(shape: str) -> set[str]:
    """Return the members of a shape of SES v2, as AWS's own model has them."""
    model = Loader().load_service_model("sesv2", "service-2")["shapes"]
    return set(model[shape]["members"])


def test_the_dotnet_test() -> None:
    """The .NET block (there is no compiler here) names types and members that SES v2 has."""
    (block,) = fences(TEXT, "csharp")
    made = set(re.findall(r"new (\w+)", block)) - {"AmazonSimpleEmailServiceV2Client"}
    assert {"SendEmailRequest", "Destination", "EmailContent", "Message", "Body"} <= made
    set_ = set(re.findall(r"(\w+) = ", block)) - {"label", "text", "answer"}
    assert {"FromEmailAddress", "ToAddresses", "Simple", "Data"} <= set_
    assert set_ <= set().union(*map(members, made))
    assert "MessageId" in members("SendEmailResponse")
    for left, right in ("()", "{}", "[]"):
        assert block.count(left) == block.count(right)


@pytest.mark.parametrize("event", EVENTS, ids=lambda one: one["mail"]["destination"][0])
def test_the_events(event: dict[str, Any]) -> None:
    """Each event on the page is what its address must give."""
    found = read_event(json.dumps(event))
    assert isinstance(found, Event)
    (address,) = found.destination
    (scenario,) = (one for one in SCENARIOS if address.startswith(f"{one.mailbox}+"))
    assert judge(scenario, address, [found]) == ((), ())


def test_the_template(tmp_path: Path) -> None:
    """CloudFormation takes the template, and what it publishes is all that a scenario needs."""
    path = tmp_path / "events.yaml"
    path.write_text(TEMPLATE, "utf-8")
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(  # noqa: S603 - our own tool
        [linter, "--regions", REGION, "--", path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")
    (types,) = re.findall(r"MatchingEventTypes: \[(.*)\]", TEMPLATE)
    expected = {one.kind.lower() for scenario in SCENARIOS for one in scenario.expects}
    assert expected <= set(types.split(", "))


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
