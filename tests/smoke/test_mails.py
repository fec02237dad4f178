"""``auditor smoke`` end to end: mails that go out, and each reason why one doesn't."""

from __future__ import annotations

import json

import pytest

from auditor.cli import main
from auditor.policy.parse import parse
from auditor.smoke.scenarios import ACTIONS, SCENARIOS
from tests.smoke.cli import NOT_ALLOWED, UNVERIFIED, Cli
from tests.smoke.world import ACCOUNT, REGION, recipients


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


@pytest.mark.parametrize(
    ("reason", "word", "helps"),
    [
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        (" with an explicit deny in a service control policy", "explicit deny", False),
        (" with an explicit deny in an identity-based policy", "explicit deny", False),
        (" because no service control policy allows the ses:SendEmail action", "layer", False),
        (" because no permissions boundary allows the ses:SendEmail action", "layer", False),
        (" because no identity-based policy allows the ses:SendEmail action", "no policy", True),
        ("", "unless something denies it", True),
    ],
)
def test_no_policy_is_offered_against_a_deny(cli: Cli, reason: str, word: str, helps: bool) -> None:
    """Where AWS names a Deny or a layer around the role, no policy of the role's own is offered."""
    long = NOT_ALLOWED.replace("codebuild-web", "codebuild-" + "w" * 500)  # the reason comes last
    cli.answer("sesv2.SendEmail", 403, "AccessDeniedException", long + reason)
    _, report, checks = cli.checks()
    assert checks["v2 success"]["problem"] == "denied"
    assert word in checks["v2 success"]["advice"]
    assert (report["policy"] is not None) == helps
    _, out, _ = cli.run()
    assert word in out
    assert ('"Statement"' in out) == helps


def test_an_unverified_sender(cli: Cli) -> None:
    """SES itself refuses a sender that it doesn't know."""
    status, _, checks = cli.checks("--from", "ci@example.org")
    assert (status, checks["v2 success"]["problem"]) == (1, "unverified-identity")


def test_a_template_that_is_not_there(cli: Cli) -> None:
    """SES itself refuses a template that it doesn't have."""
    status, _, checks = cli.checks("--via", "templated", "--template", "nowhere")
    assert (status, checks["templated success"]["problem"]) == (1, "not-found")
