"""The message about changes: what is different stands first, in every form."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from auditor.account import Failure
from auditor.lasting import ExceptionUse, Grade
from auditor.life import Changes
from auditor.notify.blocks import blocks
from auditor.notify.chat import notification
from auditor.notify.facts import lead
from auditor.notify.headline import headline
from auditor.notify.interface import News
from auditor.notify.message import MAX_BYTES, make_message
from auditor.report.json import role_to_dict
from tests import examples
from tests.notify import told
from tests.notify.test_message import parts
from tests.strategies import reports

if TYPE_CHECKING:
    from auditor.findings import Report
    from auditor.notify.interface import Occasion

LAW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@LAW
@given(reports())
def test_every_message_about_changes_fits_and_counts(report: Report) -> None:
    """The same where every finding of the report is new, and others couldn't be looked at."""
    news = told.of(report)
    message = make_message(news, role_to_dict)
    texts, body = parts(message)
    assert message.size() <= MAX_BYTES
    assert re.fullmatch(r"[A-Za-z0-9][ -~]{0,98}", message.subject)
    assert len(message.attributes) <= 10
    assert texts["email"].replace("\n", "").isprintable()
    assert len(body["changes"]) + body["omitted"]["changes"] == len(news.changes.new)
    assert len(body["unseen"]) + body["omitted"]["unseen"] == len(news.unseen)


def test_what_changed_leads() -> None:
    """Subject, text and JSON begin with what changed, and name what stays open unseen."""
    message = make_message(told.full(), role_to_dict)
    texts, body = parts(message)
    assert message.subject.startswith("auditor: 1 new, 1 reopened, 1 resolved, 1 suppressed; 2 exp")
    assert texts["email"].startswith("Changed: 1 new, 1 reopened, 1 resolved, 1 suppressed.\n2 exp")
    assert "\nNew:\n  codebuild-web: high unrestricted-send (ses:SendEmail)\n" in texts["email"]
    unseen = "Not looked at this time, so open as they were:\n  codebuild-gone: high"
    assert unseen in texts["email"]
    assert "  Plan it   auditor remediate plan --role codebuild-web\n" in texts["email"]
    assert "  Read      docs/rules/unrestricted-send.md\n" in texts["email"]
    assert "The whole report lies in s3://b/k\n" in texts["email"]
    assert "account 123456789012: Changed: 1 new" in texts["default"]
    assert (body["occasion"], body["id"], body["stored"]) == ("changes", "news-1", "s3://b/k")
    kinds = [(one["change"], one["finding_id"]) for one in body["changes"]]
    assert kinds[0] == ("new", told.NEW.id)
    assert kinds[2] == ("resolved", told.GONE.id)
    assert message.attributes["resolved"] == ("Number", "1")


def test_what_is_new_stands_before_what_is_known() -> None:
    """A possible exposure that is new is told before a proven one that was open."""
    news = told.full()._replace(changes=Changes(new=(told.REOPENED,)))
    email = parts(make_message(news, role_to_dict))[0]["email"]
    block = email[email.index("EXPOSED") :]
    assert block.index(examples.BATCH.name) < block.index(examples.WEB.name)


@pytest.mark.parametrize(
    ("occasion", "subject", "first"),
    [
        (
            "all-clear",
            "auditor: all clear; 0 exposed",
            "All clear: no CodeBuild role is left open.",
        ),
        ("digest", "auditor: still open; 0 exposed", "Still open this week."),
        ("report", "auditor: 0 exposed", "No exposed CodeBuild role was found."),
    ],
)
def test_why_it_is_sent(occasion: Occasion, subject: str, first: str) -> None:
    """All clear and the digest say so in the first words."""
    unseen = (told.GONE,) if occasion == "digest" else ()
    message = make_message(News(examples.clean(), occasion=occasion, unseen=unseen), role_to_dict)
    assert message.subject.startswith(subject)
    assert parts(message)[0]["email"].startswith(f"{first}\n")


def everywhere(news: News) -> list[str]:
    """Return what the mail, Slack and the chat say."""
    mail = parts(make_message(news, role_to_dict))[0]["email"]
    slack = "\n".join(str(block.get("text", {}).get("text", "")) for block in blocks(news))
    return [mail, slack, notification(news)["content"]["description"]]


def test_an_exception_that_ran_out_is_named_first() -> None:
    """Where an exposure is open because of it, who answered for it stands before the headline."""
    uses = (
        ExceptionUse(told.EXCEPTION, "expired"),
        ExceptionUse(told.EXCEPTION._replace(role="gone-<b>", owner="other"), "expired"),
        ExceptionUse(told.EXCEPTION._replace(role="nobody-*"), "unused"),
    )
    report = replace(examples.report(examples.WEB), exceptions=uses)
    for text in everywhere(News(report, occasion="digest")):
        line = "An exception expired on 2026-11-22, so this is open: codebuild-web (rule *; owner"
        assert f"{line} team@example.com; exceptions.yaml:2)" in text
        assert text.index(line) < text.index("1 exposed CodeBuild role")
        assert "Exception that covers nothing: nobody-* (rule *" in text
        assert "Exception that expired on 2026-11-22, and nothing of it is open: gone-" in text


def test_all_clear_names_the_excepted_apart() -> None:
    """What is excepted is neither open nor closed, and no message says both."""
    gone = News(examples.report(told.ACCEPTED), Changes(resolved=(told.GONE,)), "all-clear")
    for text in everywhere(gone):
        assert "No CodeBuild role is exposed without an exception; 1 is excepted" in text
    beside = replace(examples.BATCH, suppressed=())
    assert "; 1 more is excepted" in headline(News(examples.report(beside, told.ACCEPTED)))


LOST = (Failure("iam:GetAccountAuthorizationDetails", "no"),)
LEFT = "1 finding is open as before, not looked at"


@pytest.mark.parametrize(
    ("news", "expected"),
    [
        (News(examples.report(errors=LOST)), "No CodeBuild role was read; the audit is INCOMPLETE"),
        (
            News(examples.report(errors=LOST), unseen=(told.GONE,)),
            f"No CodeBuild role was read; {LEFT}; the audit is INCOMPLETE",
        ),
        (
            News(examples.report(examples.TESTS, errors=LOST)),
            "No exposed CodeBuild role was found in what could be read; the audit is INCOMPLETE",
        ),
        (
            News(examples.report(examples.TESTS), unseen=(told.GONE,)),
            f"{LEFT}; no other exposed CodeBuild role was found",
        ),
        (
            News(examples.report(told.ACCEPTED), unseen=(told.GONE,) * 2),
            "2 findings are open as before, not looked at; no other CodeBuild role is exposed ",
        ),
        (
            News(examples.report(examples.WEB), unseen=(told.GONE,)),
            f"1 exposed CodeBuild role: 1 can mail real people through SES (proven); {LEFT}",
        ),
    ],
)
def test_what_was_not_looked_at_is_no_good_news(news: News, expected: str) -> None:
    """In the first line of every channel; a mail's subject counts no exposed roles unread."""
    for text in everywhere(news):
        assert expected in text
    subject = make_message(news, role_to_dict).subject
    assert ("no role read" in subject) == (not news.report.roles)
    assert ("not looked at" in subject) == bool(news.unseen)


def test_a_weeks_word_on_gaps_alone_says_so() -> None:
    """With nothing open, nothing is called open: what could not be read is what is left."""
    news = News(examples.report(examples.TESTS, errors=LOST), occasion="digest")
    assert lead(news) == "Still not everything can be read this week"
    for text in everywhere(news):
        assert "till open" not in text
    assert make_message(news, role_to_dict).subject.startswith("auditor: still incomplete; 0")


def test_a_gap_alone_repeats_no_list() -> None:
    """Where only what could be read changed, roles that were told aren't told again."""
    for text in everywhere(News(examples.report(examples.WEB), occasion="reading")):
        assert examples.WEB.name not in text


def test_what_got_worse_is_told_with_what_it_is_now() -> None:
    """In every channel; filters on severity hear of it though an exception covers it."""
    covered = replace(
        told.NEW, status="suppressed", certainty="proven", was=Grade("medium", "possible")
    )
    changes = Changes(worse=(replace(told.NEW, certainty="proven"), replace(covered, id="f")))
    news = News(examples.report(told.ACCEPTED), changes, "changes")
    line = "codebuild-web: high unrestricted-send (ses:SendEmail), proven"
    for text in everywhere(news):
        assert "Worse than before" in text
        assert f"{line}\n" in text
        arrow = "->" if "Worse than before:\n" in text else "-&gt;"  # a mail's, or a chat's
        grades = f"medium {arrow} high, possible {arrow} proven"
        assert f"{line}; {grades}; an exception covers it" in text
    message = make_message(news, role_to_dict)
    assert message.attributes["worst_severity"] == ("String", "high")
    assert message.subject.startswith("auditor: 2 worse; 0 exposed")
    body = parts(message)[1]
    assert [(one["change"], one["severity"], one["status"]) for one in body["changes"]] == [
        ("worse", "high", "open"),
        ("worse", "high", "suppressed"),
    ]
    assert body["changes"][1]["was"] == {"severity": "medium", "certainty": "possible"}


def test_an_excepted_role_with_something_unread_says_what() -> None:
    """Its findings are covered and it counts all the same, so the note is what is to be told."""
    role = replace(told.ACCEPTED, notes=("policy odd: isn't JSON",))
    news = News(examples.report(role), Changes(reopened=(told.NEW,)), "changes")
    for text in everywhere(news):
        assert "policy odd: isn't JSON" in text
        why = "; an exception covers it, but something about the role could not be read"
        assert f"high unrestricted-send (ses:SendEmail){why}" in text
        assert "An exception covers this, but something about the role could not be read" in text
        assert "someone@example.com" in text
        assert "statement 0" in text


def test_worse_under_an_exception_comes_with_its_proof() -> None:
    """Who accepted less sees the role as any other: project, proof, statement and what it is."""
    worse = replace(told.NEW, status="suppressed")
    for text in everywhere(News(examples.report(told.ACCEPTED), Changes(worse=(worse,)))):
        assert "exposed, excepted" in text.lower()
        assert "someone@example.com" in text
        assert "statement 0" in text


def test_no_mail_promises_what_it_does_not_show() -> None:
    """The worst of each role is announced where a role is shown."""
    shown = "This mail shows the worst of each role."
    assert shown in everywhere(News(examples.report(examples.WEB)))[0]
    for occasion in ("all-clear", "exceptions"):
        news = News(examples.clean(), occasion=occasion)
        assert shown not in everywhere(news)[0]


def test_what_nothing_looks_at_says_what_ends_that() -> None:
    """A role that CodeBuild left, in the regions that are audited, is open until that is sure."""
    end = (
        "stays listed until its own policies let it send no more, until it is deleted, or until an"
        " audit of every region finds it unused"
    )
    for text in everywhere(News(examples.clean(), unseen=(told.GONE,), occasion="digest")):
        assert end in text
    broken = examples.report(errors=(Failure("codebuild:ListProjects eu-west-1", "no"),))
    for report in (broken, examples.report(replace(examples.ODD, arn=told.GONE.role_arn))):
        for text in everywhere(News(report, unseen=(told.GONE,), occasion="digest")):
            assert end not in text
