"""The message: worst first, readable, and never too large for SNS."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.account import Failure, Project, UnresolvedProject
from auditor.findings import Report, RoleReport, StatementRef, Witness
from auditor.notify.email import cost, email_text
from auditor.notify.facts import clean
from auditor.notify.interface import News, is_open, worst_first
from auditor.notify.message import MACHINES, MAX_BYTES, SnsMessage, make_message
from auditor.report.json import role_to_dict
from tests import examples
from tests.notify import told
from tests.strategies import NASTY, reports

if TYPE_CHECKING:
    from collections.abc import Callable


LAW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def parts(message: SnsMessage) -> tuple[dict[str, str], Any]:
    """The text of every protocol, and the machines' body as values."""
    texts = json.loads(message.message)
    return texts, json.loads(texts["sqs"])


def held(message: SnsMessage, report: Report) -> dict[str, Any]:
    """Check what must hold of every message, and return the machines' body."""
    texts, body = parts(message)
    assert message.size() <= MAX_BYTES
    assert len(message.message.encode()) <= MAX_BYTES
    assert re.fullmatch(r"[A-Za-z0-9][ -~]{0,98}", message.subject)
    assert len(message.attributes) <= 10
    assert all(value and value.isprintable() for _, value in message.attributes.values())
    assert set(texts) == {"default", "email", *MACHINES}
    assert len({texts[protocol] for protocol in MACHINES}) == 1
    assert texts["default"].isprintable()
    assert texts["email"].replace("\n", "").isprintable()
    told = [role.arn for role in worst_first(report)]
    shown = [role["arn"] for role in body["roles"]]
    assert shown == [arn for arn in told if arn in set(shown)], "worst first"
    for verdict in ("exposed", "undetermined"):
        left = sum(1 for role in body["roles"] if role["verdict"] == verdict)
        assert body["omitted"][verdict] + left == body["summary"][verdict]
    assert body["omitted"]["errors"] + len(body["errors"]) == len(report.errors)
    assert body["summary"] == report.summary()
    return dict(body)


@LAW
@given(reports())
def test_every_message_fits_and_counts(report: Report) -> None:
    """Whatever a report holds, the message keeps to SNS's rules and says what it leaves out."""
    held(make_message(News(report), role_to_dict), report)


@LAW
@given(reports(), st.integers(16 * 1024, 64 * 1024))
def test_a_mail_keeps_to_its_budget(report: Report, budget: int) -> None:
    """The mail's text costs no more than it may."""
    assert cost(email_text(told.of(report), budget)) <= budget


GIANTS = {
    "ascii": "x" * 20_000,
    "emoji": "\U0001f4e7" * 5_000,
    "control": "\x00\x1b" * 5_000,
    "quotes": '"\\' * 5_000,
    "surrogates": "\ud800" * 5_000,
}


def giant(text: str) -> RoleReport:
    """A role with this text wherever a text can stand."""
    statement = StatementRef(text, text, text, text, text, 0, "Allow")
    witness = Witness("ses:SendEmail", (text,) * 9, {"ses:Recipients": (text,) * 50, text: text})
    finding = replace(
        examples.OPEN,
        title=text,
        remediation=text,
        witness=witness,
        statements=(statement,) * 9,
    )
    return RoleReport(
        examples.role_arn("giant"),
        text,
        (Project(text, text, text),) * 9,
        "exposed",
        "proven",
        None,
        (finding,) * 9,
    )


@pytest.mark.parametrize("text", GIANTS.values(), ids=GIANTS.keys())
def test_giant_texts_hide_nothing_else(text: str) -> None:
    """One role with megabytes of names costs its own place alone: the others are still told."""
    odd = replace(examples.ODD, reason=text * 20)
    report = examples.report(giant(text), examples.WEB, examples.BATCH, odd)
    report.errors = (Failure(text, text),) * 30
    report.complete = False
    report.not_evaluated = (text,) * 30
    report.unresolved_projects = (UnresolvedProject(Project(text, text, text), text, text),) * 30
    report.account_id = text
    message = make_message(News(report), role_to_dict)
    body = held(message, report)
    assert [role["name"] for role in body["roles"]] == [examples.WEB.name, examples.BATCH.name]
    assert body["omitted"] == {
        "exposed": 1,
        "undetermined": 1,
        "errors": 30,
        "unresolved_projects": 30,
        "changes": 0,
        "unseen": 0,
        "exceptions": 0,
    }
    email = parts(message)[0]["email"]
    for name in (examples.WEB.name, examples.BATCH.name, examples.ODD.name):
        assert name in email
    assert "INCOMPLETE" in email


@pytest.mark.parametrize("number", [1, 5_000])
def test_many_roles(number: int) -> None:
    """One exposed role is told in full; of 5,000 as many as fit, the rest counted everywhere."""
    names = [f"codebuild-{n:05}" for n in range(number)]
    roles = [replace(examples.WEB, name=name, arn=examples.role_arn(name)) for name in names]
    possible = replace(examples.BATCH, arn=examples.role_arn("codebuild-"))  # before all, by ARN
    report = examples.report(possible, *roles)
    message = make_message(News(report), role_to_dict)
    body = held(message, report)
    email = parts(message)[0]["email"]
    assert body["roles"][0] == role_to_dict(roles[0]), "proven before possible"
    if number == 1:
        assert body["omitted"]["exposed"] == 0
        assert "more role" not in email
    else:
        assert len(body["roles"]) > 30
        assert message.size() > MAX_BYTES * 0.95, "the room is used"
        shown = email.count("EXPOSED, PROVEN")
        assert f"... and {number + 1 - shown} more roles" in email


def test_email_reads_well() -> None:
    """The mail says who, what, to whom, by which statement, how to fix it and where to look."""
    email = parts(make_message(News(examples.full()), role_to_dict))[0]["email"]
    for line in (
        "2 exposed CodeBuild roles: 1 can mail real people through SES (proven)",
        "1 may mail real people through SES (possible); 1 role could not be decided",
        "; the audit is INCOMPLETE (1 error).\n",
        "EXPOSED, PROVEN: codebuild-web",
        "  Role      arn:aws:iam::123456789012:role/service-role/codebuild-web",
        "  Projects  web (eu-west-1)",
        "  Proof     ses:SendEmail",
        "    from    arn:aws:ses:eu-west-1:123456789012:identity/example.com",
        "    to      someone@example.com",
        '    by      Allow in statement 0 "Mail" of inline policy deploy',
        "  Fix       Limit the recipients to the simulator: docs/rules/unrestricted-send.md",
        "  Look at   auditor scan --role codebuild-web",
        "  Reason    inline policy legacy: Statement[0].Condition.StringLikes: IAM has no such",
        "    to      anyone (the call carries no recipients to check)",
    ):
        assert line in email
    order = [email.index(role.name) for role in (examples.WEB, examples.BATCH, examples.ODD)]
    assert order == sorted(order)
    assert examples.TESTS.name not in email, "safe roles are counted, not listed"


def test_attributes() -> None:
    """Subscriptions can filter on the worst severity, the counts, completeness and the account."""
    assert dict(make_message(News(examples.full()), role_to_dict).attributes) == {
        "worst_severity": ("String", "high"),
        "exposed": ("Number", "2"),
        "proven": ("Number", "1"),
        "undetermined": ("Number", "1"),
        "complete": ("String", "false"),
        "account_id": ("String", "123456789012"),
        "occasion": ("String", "report"),
        "new": ("Number", "0"),
        "reopened": ("Number", "0"),
        "resolved": ("Number", "0"),
    }
    empty = make_message(News(examples.report()), role_to_dict).attributes
    assert empty["worst_severity"] == ("String", "none")
    assert empty["complete"] == ("String", "true")


@pytest.mark.parametrize(
    ("make", "there"),
    [
        (examples.report, False),
        (examples.clean, False),
        (lambda: examples.report(replace(examples.LINTER, findings=(examples.BOUNCE,))), False),
        (lambda: examples.report(examples.WEB), True),
        (lambda: examples.report(examples.BATCH), True),
        (lambda: examples.report(examples.ODD), True),
    ],
    ids=["empty", "clean", "bounce", "proven", "possible", "undetermined"],
)
def test_what_is_open(make: Callable[[], Report], there: bool) -> None:
    """Exposed and undetermined roles are open; advice alone isn't."""
    assert is_open(make()) is there


@pytest.mark.parametrize("text", [*NASTY, *GIANTS.values()], ids=lambda t: ascii(t[:20]))
def test_clean(text: str) -> None:
    """Other people's text becomes one printable line of a limited length."""
    assert clean(text).isprintable()
    assert 0 < len(clean(text)) <= 300
    if text.isprintable() and len(text) <= 300:
        assert clean(text) == text
