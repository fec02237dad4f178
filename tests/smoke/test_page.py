"""docs/testing-with-the-simulator.md: what it shows runs, and means what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.loaders import Loader
from moto import mock_aws

from auditor.smoke.events import Event, judge, read_event
from auditor.smoke.scenarios import DOMAIN, LABEL_MAX, SCENARIOS
from tests.cli.conftest import CLEAN
from tests.docs.pages import ROOT, fences, table
from tests.smoke.world import REGION, read_once, recipients

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


def test_every_label_fits() -> None:
    """Each language's block cuts its label to what every address of the simulator can carry."""
    for language in ("python", "javascript", "csharp"):
        (block,) = fences(TEXT, language)
        assert str(LABEL_MAX) in block


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
