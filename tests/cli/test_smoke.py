"""``auditor smoke`` end to end: the real command line on moto's SES, SNS and SQS."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args
from xml.etree import ElementTree as ET  # the tests' own documents

import boto3
import pytest
from moto import mock_aws

from auditor.cli import main
from auditor.collect import clients
from auditor.corrective.documents import guard, sender
from auditor.policy.parse import parse
from auditor.smoke.scenarios import ACTIONS, SCENARIOS
from auditor.smoke.tell import ADVICE
from auditor.smoke.trouble import Kind
from tests.cli.conftest import page, role, run
from tests.smoke.records import record
from tests.smoke.world import (
    ACCOUNT,
    OUTSIDE,
    REGION,
    Answer,
    World,
    listening,
    mailed_outside,
    read_once,
    recipients,
    text_of,
    told,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMMANDS = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")
FROM = ("--from", "ci@example.com", "--label", "run-7")
OPEN = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Action": "ses:*", "Resource": "*"},
}
GRANTS = {  # of an identity: readable as JSON, and nothing that IAM would accept
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": "*", "Action": "ses:*", "Resource": "*",
                  "Condition": {"StringLikes": {"ses:Recipients": "*"}}},
}  # fmt: skip


class Cli:
    """The command line in an account, with what was heard and what AWS is made to answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.world = World(boto3.Session(region_name=REGION))
        self.outside: list[str] = []  # whom a test means to have mailed beyond the simulator
        self.slept: list[float] = []
        self._capsys, self._monkeypatch = capsys, monkeypatch
        self._hooks: list[tuple[str, Callable[..., Any]]] = []
        opened = clients.open_session

        def open_session(*args: Any, **arguments: Any) -> boto3.Session:
            session = opened(*args, **arguments)
            for name, hook in self._hooks:
                session.events.register(name, hook)
            return session

        monkeypatch.setattr(clients, "open_session", open_session)
        listening(monkeypatch, lambda: self.world)

    def answer(self, what: str, status: int, code: str, message: str, times: int = 10**6) -> Answer:
        """Let AWS answer this to calls such as ``sesv2.SendEmail``."""
        hook = Answer(status, code, message, times)
        self._hooks.append((f"before-send.{what}", hook))
        # botocore's pauses between tries, which this test needn't wait for
        self._monkeypatch.setattr("botocore.endpoint.time.sleep", self.slept.append)
        return hook

    def assume(self, name: str, *documents: object) -> None:
        """Run as a role with these policies from now on."""
        arn = self.world.role(name, *documents)
        sts = boto3.client("sts", region_name=REGION)
        found = sts.assume_role(RoleArn=arn, RoleSessionName="AWSCodeBuild-1")["Credentials"]
        self._monkeypatch.setenv("AWS_ACCESS_KEY_ID", found["AccessKeyId"])
        self._monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", found["SecretAccessKey"])
        self._monkeypatch.setenv("AWS_SESSION_TOKEN", found["SessionToken"])

    def run(self, *args: str) -> tuple[int, str, str]:
        """Return status, standard output and standard error."""
        status = main(["smoke", *FROM, *args])
        shown = self._capsys.readouterr()
        assert all(line.isprintable() for line in (shown.out + shown.err).splitlines())
        return status, shown.out, shown.err

    def checks(self, *args: str) -> tuple[int, dict[str, Any], dict[str, dict[str, Any]]]:
        """Return status, the JSON report, and its checks by ``via name``."""
        status, out, _ = self.run("--format", "json", *args)
        report = json.loads(out)
        assert report["passed"] == (status == 0) == all(one["passed"] for one in report["checks"])
        return status, report, {f"{one['via']} {one['name']}": one for one in report["checks"]}

    def listen(self, *args: str, seconds: int = 0) -> tuple[str, ...]:
        return ("--events", self.world.url, "--wait", str(seconds), *args)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    """An account where all is well. At the end, nobody outside the simulator has mail."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "CODEBUILD_BUILD_ID"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    read_once(monkeypatch)
    with mock_aws():
        found = Cli(monkeypatch, capsys)
        yield found
        assert mailed_outside() == found.outside


@pytest.mark.parametrize("field", ["eventType", "notificationType"])
@pytest.mark.parametrize("raw", ["true", "false"])
def test_all_is_well(cli: Cli, field: str, raw: str) -> None:
    """Five mails by each operation, their events seen in both formats and deliveries: status 0."""
    cli.world.field = field
    cli.world.sns.set_subscription_attributes(
        SubscriptionArn=cli.world.subscription,
        AttributeName="RawMessageDelivery",
        AttributeValue=raw,
    )
    ways = [part for via in ACTIONS for part in ("--via", via)]
    status, out, err = cli.run(*ways, "--template", "welcome", *cli.listen())
    assert (status, err) == (0, "")
    lines = [line.split() for line in out.splitlines() if line.startswith("ok ")]
    assert [line[1:3] for line in lines] == [[v, s.mailbox] for v in ACTIONS for s in SCENARIOS]
    assert "20 of 20 as expected; 20 mails went to simulator.amazonses.com, none elsewhere" in out
    assert set(recipients()) == {f"{s.mailbox}+run-7@simulator.amazonses.com" for s in SCENARIOS}


def test_without_a_queue(cli: Cli) -> None:
    """Without --events an accepted mail is as expected; the report says that no more is known."""
    status, report, checks = cli.checks("--configuration-set", "mail")
    assert (status, len(checks)) == (0, 5)
    assert report["events"] == "not asked"
    assert "nobody asked" in checks["v2 bounce"]["message"]


@pytest.mark.usefixtures("cli")
def test_the_label_is_the_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a build its id labels the mail."""
    monkeypatch.setenv("CODEBUILD_BUILD_ID", "web:4b2a3f1e-9c1d")
    assert main(["smoke", "--from", "ci@example.com"]) == 0
    assert "success+web-4b2a3f1e-9c1d@simulator.amazonses.com" in set(recipients())


NOT_ALLOWED = (
    "User: arn:aws:sts::123456789012:assumed-role/codebuild-web/AWSCodeBuild-1 is not authorized to"
    " perform: ses:SendEmail on resource: arn:aws:ses:eu-west-1:123456789012:identity/example.com"
)
UNVERIFIED = (
    "Email address is not verified. The following identities failed the check in region EU-WEST-1: "
)


@pytest.mark.parametrize(
    ("via", "what", "status", "code", "message", "problem"),
    [
        ("v2", "sesv2.SendEmail", 403, "AccessDeniedException", NOT_ALLOWED, "denied"),
        ("v1", "ses.SendEmail", 403, "AccessDenied", NOT_ALLOWED, "denied"),
        ("raw", "ses.SendRawEmail", 403, "AccessDenied", NOT_ALLOWED, "denied"),
        ("v2", "sesv2.SendEmail", 429, "TooManyRequestsException", "Slow down", "throttled"),
        ("v1", "ses.SendEmail", 400, "Throttling", "Maximum sending rate exceeded.", "throttled"),
        ("v2", "sesv2.SendEmail", 400, "MessageRejected", f"{UNVERIFIED}ci@example.com",
         "unverified-identity"),
        ("v1", "ses.SendEmail", 400, "MessageRejected", f"{UNVERIFIED}ci@example.com",
         "unverified-identity"),
        ("v2", "sesv2.SendEmail", 400, "MessageRejected",
         f"{UNVERIFIED}success+run-7@simulator.amazonses.com", "sandbox"),
        ("v2", "sesv2.SendEmail", 400, "SendingPausedException", "Paused", "paused"),
        ("v2", "sesv2.SendEmail", 400, "AccountSuspendedException", "Suspended", "paused"),
        ("v1", "ses.SendEmail", 400, "ConfigurationSetSendingPausedException", "Paused", "paused"),
        ("v1", "ses.SendEmail", 400, "ConfigurationSetDoesNotExist", "No set", "not-found"),
        ("v2", "sesv2.SendEmail", 404, "NotFoundException", "No set", "not-found"),
        ("v2", "sesv2.SendEmail", 400, "MessageRejected", "Too big", "rejected"),
        ("v2", "sesv2.SendEmail", 403, "ExpiredTokenException", "Expired", "credentials"),
        ("v2", "sesv2.SendEmail", 500, "InternalFailure", "\x1b[31mOops\n", "rejected"),
    ],
)  # fmt: skip
def test_a_refused_mail_is_named(
    cli: Cli, via: str, what: str, status: int, code: str, message: str, problem: str
) -> None:
    """Each reason why AWS takes no mail has its name, AWS's words and an advice; status 1."""
    answer = cli.answer(what, status, code, message)
    found, report, checks = cli.checks("--via", via, *cli.listen())
    assert (found, len(checks)) == (1, 5)
    if problem != "sandbox":  # which names one recipient: the others' mail says otherwise
        assert {one["problem"] for one in checks.values()} == {problem}
    assert checks[f"{via} success"]["problem"] == problem
    words = " ".join("".join(c if c.isprintable() else " " for c in message).split())
    assert words in checks[f"{via} success"]["message"]
    retried = problem == "throttled" or status >= 500
    assert answer.tries == len(SCENARIOS) * (8 if retried else 1)
    assert list(recipients()) == []
    assert (report["policy"] is not None) == (problem == "denied")


def test_a_denial_comes_with_the_policy_that_allows_it(cli: Cli) -> None:
    """The policy allows the denied actions, for this sender, account and region, and parses."""
    cli.answer("ses", 403, "AccessDenied", NOT_ALLOWED)
    ways = ("--via", "v2", "--via", "raw", "--via", "templated", "--template", "welcome")
    status, out, _ = cli.run(*ways, "--configuration-set", "mail")
    assert status == 1
    assert "'auditor denial' explains" in out
    document = json.loads(out[out.index("\n{") :])
    (statement,) = document["Statement"]
    assert parse(document).statements
    assert statement["Action"] == ["ses:SendRawEmail", "ses:SendTemplatedEmail"]
    start = f"arn:aws:ses:{REGION}:{ACCOUNT}"
    assert statement["Resource"] == [
        f"{start}:identity/example.com",
        f"{start}:identity/ci@example.com",
        f"{start}:configuration-set/mail",
        f"{start}:template/welcome",
    ]
    assert len(list(recipients())) == 5, "what wasn't denied was sent"


def test_an_unverified_sender(cli: Cli) -> None:
    """SES itself refuses a sender that it doesn't know."""
    status, _, checks = cli.checks("--from", "ci@example.org")
    assert (status, checks["v2 success"]["problem"]) == (1, "unverified-identity")


def test_a_template_that_is_not_there(cli: Cli) -> None:
    """SES itself refuses a template that it doesn't have."""
    status, _, checks = cli.checks("--via", "templated", "--template", "nowhere")
    assert (status, checks["templated success"]["problem"]) == (1, "not-found")


def test_one_event_is_missing(cli: Cli) -> None:
    """The mail whose event doesn't come fails, with what was seen of it; the others pass."""
    cli.world.stories["bounce"] = told("Send")
    status, _, checks = cli.checks(*cli.listen(seconds=1))
    assert status == 1
    assert [name for name, one in checks.items() if not one["passed"]] == ["v2 bounce"]
    assert checks["v2 bounce"]["problem"] == "event-missing"
    assert checks["v2 bounce"]["message"] == (
        "accepted, but no Bounce (Permanent) came in 1 s; seen: Send"
    )


@pytest.mark.parametrize(
    ("mailbox", "kind"),
    [("success", "Bounce"), ("bounce", "Reject"), ("complaint", "Rendering Failure")],
)
def test_an_event_that_should_not_be(cli: Cli, mailbox: str, kind: str) -> None:
    """An event of another type than the simulator promises fails its mail, and is named."""
    cli.world.stories[mailbox] = told(kind)
    status, _, checks = cli.checks(*cli.listen())
    found = checks[f"v2 {mailbox}"]
    assert (status, found["problem"]) == (1, "unexpected-event")
    assert kind in found["message"]


def test_an_event_about_somebody_else(cli: Cli) -> None:
    """If SES says that our mail went to another address too, that is told loudly."""

    def astray(event: dict[str, Any]) -> dict[str, Any]:
        event["mail"]["destination"].append("person@example.org")
        return event

    cli.world.mangle = astray
    status, _, checks = cli.checks(*cli.listen())
    assert status == 1
    assert {one["problem"] for one in checks.values()} == {"unexpected-event"}
    assert "person@example.org" in checks["v2 success"]["message"]


def test_events_of_another_run(cli: Cli) -> None:
    """Another run's events satisfy nothing, are counted, and are visible to it afterwards."""
    for scenario in SCENARIOS:
        to = f"{scenario.mailbox}+run-6@simulator.amazonses.com"
        cli.world.put(record(scenario.expects[0].kind, f"other-{scenario.mailbox}", to))
    cli.world.stories = {}
    status, report, checks = cli.checks(*cli.listen())
    assert status == 1
    assert {one["problem"] for one in checks.values()} == {"event-missing"}
    assert report["other_messages"] == 5
    assert cli.world.left() == (5, 0)


def test_own_events_are_taken_out_of_the_queue(cli: Cli) -> None:
    """Of a run that heard everything nothing is left but what came after it was satisfied."""
    cli.world.stories = {
        name: told(*story.events[-1:]) for name, story in cli.world.stories.items()
    }
    cli.world.stories["ooto"] = told("Delivery")
    cli.world.put("somebody else's")
    status, _, _ = cli.checks(*cli.listen())
    assert (status, cli.world.left()) == (0, (1, 0))


@pytest.mark.parametrize("body", ["{", "[" * 9999, '{"Message": 7}', '{"mail": 7}', "\x1b[31m"])
def test_malformed_messages(cli: Cli, body: str) -> None:
    """Messages that nobody can read cost nothing, stay where they are, and are said."""
    if body.isprintable():
        cli.world.put(body)
    else:
        cli.world.put(json.dumps({"eventType": body, "mail": {"messageId": body}}))
    status, report, _ = cli.checks(*cli.listen())
    assert status == 0
    assert report["odd_messages"] + report["other_messages"] == 1
    assert cli.world.left()[1] == 0


def test_events_that_are_broken_on_the_way(cli: Cli) -> None:
    """If the events themselves can't be read, they are missing, and the report says what came."""
    cli.world.mangle = lambda event: json.dumps(event)[:-2]
    status, report, checks = cli.checks(*cli.listen())
    assert status == 1
    assert {one["problem"] for one in checks.values()} == {"event-missing"}
    assert any("isn't a JSON object" in remark for remark in report["remarks"])


def test_a_queue_that_is_not_there(cli: Cli) -> None:
    """A queue that can't be read fails each mail by that name; the mails were sent all the same."""
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/nowhere"
    status, report, checks = cli.checks("--events", url)
    assert (status, report["events"]) == (1, "unreadable")
    assert {one["problem"] for one in checks.values()} == {"queue-unreadable"}
    assert all(one["message_id"] for one in checks.values())


def test_refused_as_it_should_be(cli: Cli) -> None:
    """A closed role's mail outside is tried once an operation, and IAM's refusal is a pass."""
    cli.assume("codebuild-web", sender())
    refusal = Refusing(cli)
    status, report, checks = cli.checks("--refused", "--via", "v2", "--via", "v1", "--via", "raw")
    assert (status, report["role"]) == (0, "codebuild-web")
    assert [checks[f"{via} refused"]["passed"] for via in ("v2", "v1", "raw")] == [True] * 3
    assert "mails the simulator alone" in checks["v2 refused"]["message"]
    assert refusal.denied == 3


class Refusing:
    """Makes AWS refuse mail to anybody but the simulator, as the role's policy does."""

    def __init__(self, cli: Cli, code: str = "AccessDenied", message: str = NOT_ALLOWED) -> None:
        self.denied = 0
        self.answer = Answer(400, code, message)
        cli._hooks += [("before-send.ses", self), ("before-send.sesv2", self)]

    def __call__(self, request: Any, **arguments: Any) -> Any:
        text = text_of(request)
        if OUTSIDE in text or OUTSIDE.replace("@", "%40") in text:
            self.denied += 1
            return self.answer(request, **arguments)
        return None


def test_an_open_roles_mail_outside_is_not_tried(cli: Cli) -> None:
    """Where the role can mail real people, that is the finding: nothing is sent to show it."""
    cli.assume("codebuild-web", OPEN)
    status, _, checks = cli.checks("--refused")
    assert (status, checks["v2 refused"]["problem"]) == (1, "open")
    assert "can mail real people by ses:SendEmail" in checks["v2 refused"]["message"]
    assert checks["v2 refused"]["recipient"] is None


def test_an_undecidable_roles_mail_outside_is_not_tried(cli: Cli) -> None:
    """A doubt, here an identity's policy that nobody understands, is no proof: not attempted."""
    cli.assume("codebuild-web", sender())
    make: Any = boto3.client
    make("sesv2", region_name=REGION).create_email_identity_policy(
        EmailIdentity="example.com", PolicyName="sharing", Policy=json.dumps(GRANTS)
    )
    status, _, checks = cli.checks("--refused")
    assert (status, checks["v2 refused"]["problem"]) == (1, "not-attempted")
    assert "can't be decided" in checks["v2 refused"]["message"]
    assert checks["v2 refused"]["recipient"] is None


def test_a_person_or_an_unreadable_role(cli: Cli) -> None:
    """Without a role, or without its policies, nothing outside is tried."""
    assert "aren't a role's" in cli.checks("--refused")[2]["v2 refused"]["message"]
    cli.assume("codebuild-web", sender())
    cli.answer("iam.GetRole", 403, "AccessDenied", "not you")
    status, _, checks = cli.checks("--refused")
    assert (status, checks["v2 refused"]["problem"]) == (1, "not-attempted")
    assert "AccessDenied: not you" in checks["v2 refused"]["message"]


def test_mail_that_had_to_be_refused_is_taken(cli: Cli) -> None:
    """If AWS takes what it was proven to refuse, that is the loudest failure there is."""
    cli.assume("codebuild-web", OPEN, guard())
    cli.outside = [OUTSIDE]
    status, out, _ = cli.run("--refused")
    assert status == 1
    assert re.search(
        r"^FAIL  v2  refused +accepted: AWS ACCEPTED mail to nobody@", out, re.MULTILINE
    )
    assert "1 elsewhere" in out


def test_the_sandbox_is_no_refusal(cli: Cli) -> None:
    """Mail that only the sandbox stops was let through by IAM: that isn't a pass."""
    cli.assume("codebuild-web", sender())
    Refusing(cli, "MessageRejected", f"{UNVERIFIED}{OUTSIDE}")
    status, _, checks = cli.checks("--refused")
    assert (status, checks["v2 refused"]["problem"]) == (1, "sandbox")


def test_the_roles_policies_from_a_snapshot(cli: Cli, tmp_path: Path) -> None:
    """A snapshot's role of the caller's name is decided, with the identities' policies as now."""
    cli.assume("codebuild-web")
    cli.answer("iam", 403, "AccessDenied", "not you")
    closed = role("codebuild-web", **sender()["Statement"][0])  # type: ignore[index]  # a list
    path = tmp_path / "snapshot.json"
    path.write_text(page(closed), encoding="utf-8")
    refusal = Refusing(cli)
    assert cli.checks("--refused", "--snapshot", str(path))[0] == 0
    assert refusal.denied == 1
    path.write_text(page(role("other", Action="s3:*", Resource="*")), encoding="utf-8")
    checks = cli.checks("--refused", "--snapshot", str(path))[2]
    assert "no role codebuild-web" in checks["v2 refused"]["message"]


def test_junit(cli: Cli, tmp_path: Path) -> None:
    """CodeBuild's report has a test case a check; what could not be checked is an error."""
    cli.world.stories["bounce"] = told("Send")
    path = tmp_path / "smoke.xml"
    args = ("--format", "junit", "--output", str(path), "--refused", *cli.listen())
    status, out, err = cli.run(*args)
    assert (status, out) == (1, "")
    assert "4 of 6 as expected" in err
    (suite,) = ET.fromstring(path.read_text("ascii"))  # noqa: S314 - our own document
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "6", "failures": "1", "errors": "1", "skipped": "0"}
    found = {case.get("name"): [one.tag for one in case] for case in suite.iter("testcase")}
    assert found["success"] == ["system-out"]
    assert (found["bounce"], found["refused"]) == (["failure"], ["error"])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--label", "a b"), "--label"),
        (("--via", "smtp"), "--via"),
        (("--via", "templated"), "--template"),
        (("--wait", "901"), "--wait"),
        (("--events", "mail"), "--events"),
        (("--region", "mars"), "--region"),
        (("--snapshot", "x"), "--refused"),
        (("--output", ""), "--output"),
        (("--from", "a@example.com, b@example.com"), "--from"),
    ],
)
def test_wrong_usage(cli: Cli, args: tuple[str, ...], words: str) -> None:
    """Wrong usage is one line and status 2, and nothing is sent."""
    status, out, err = cli.run(*args)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert list(recipients()) == []


def test_without_credentials() -> None:
    """Without credentials it says so in one line, with status 2."""
    environ = {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    done = run("smoke", *FROM, environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no credentials that AWS takes" in done.stderr
    assert done.stderr.count("\n") == 1


def test_refused_credentials(cli: Cli) -> None:
    """Credentials that AWS doesn't take end the run before anything is sent."""
    cli.answer("sts", 403, "ExpiredToken", "The security token included in the request is expired")
    status, out, err = cli.run()
    assert (status, out) == (2, "")
    assert "no credentials that AWS takes (ExpiredToken" in err
    assert list(recipients()) == []


def test_without_sts(cli: Cli) -> None:
    """Where STS alone doesn't answer, the test runs, and says what it can't know."""
    cli.answer("sts", 500, "InternalFailure", "down")
    status, report, checks = cli.checks("--refused")
    assert (status, report["role"]) == (1, None)
    assert checks["v2 success"]["passed"]
    assert checks["v2 refused"]["problem"] == "not-attempted"


def test_the_docs_quote_the_help() -> None:
    """docs/commands.md has the help, to the letter."""
    shown = run("smoke", "--help").stdout.rstrip()
    assert f"$ auditor smoke --help\n{shown}\n```" in COMMANDS


def test_every_problem_has_an_advice_and_a_line_in_the_docs() -> None:
    """docs/commands.md explains each problem that a check can have."""
    assert set(get_args(Kind)) == set(ADVICE)
    assert {kind for kind in ADVICE if f"`{kind}`" not in COMMANDS} == set()


def test_the_docs_have_every_scenario() -> None:
    """docs/commands.md tells of each address what SES must tell, and may."""
    for scenario in SCENARIOS:
        row = next(line for line in COMMANDS.splitlines() if f"`{scenario.mailbox}+LABEL" in line)
        _, must, may = (cell.strip() for cell in row.strip("|").split("|"))
        for words, events in ((must, scenario.expects), (may, scenario.may)):
            assert bool(words) == bool(events)
            for event in events:
                assert event.kind.lower() in words
                assert (event.bounce or "").lower() in words
