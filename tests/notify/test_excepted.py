"""Exceptions that ran out, soon will, or do nothing: told once, and in every channel."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auditor.account import Failure
from auditor.lasting import ExceptionUse, RoleException
from auditor.life import Changes
from auditor.notify import facts
from auditor.notify.interface import News
from auditor.notify.message import make_message
from auditor.notify.news import Heard, Night, after, news_of
from auditor.report.json import role_to_dict
from tests import examples
from tests.notify import told
from tests.notify.test_message import parts
from tests.notify.test_message_changes import everywhere

if TYPE_CHECKING:
    from auditor.findings import Report
    from auditor.lasting import ExceptionState

TODAY = examples.NOW.date()


def exception(days: int, **more: Any) -> RoleException:
    """An exception that has so many days left."""
    expires = date.fromordinal(TODAY.toordinal() + days)
    return told.EXCEPTION._replace(expires=expires, **more)


def report(*uses: tuple[RoleException, ExceptionState], complete: bool = True) -> Report:
    """A report without a finding, after so many exceptions."""
    errors = () if complete else (Failure("codebuild:ListProjects eu-west-1", "no"),)
    empty = examples.report(errors=errors)
    return replace(empty, exceptions=tuple(ExceptionUse(*use) for use in uses))


def follow(*reports: Report) -> list[str | None]:
    """Return what leads the message of each night, on one channel; None: there was none."""
    heard, found = Heard(), []
    for number, one in enumerate(reports):
        night = Night(one, Changes(), f"run-{number}", "outbox")
        news = news_of(night, heard)
        heard = after(night, heard, news)
        found.append(None if news is None else facts.lead(news))
    return found


LONG, SOON = exception(90), exception(7)
EXPIRED = exception(-1, role="old")


@pytest.mark.parametrize(
    ("nights", "expected"),
    [
        # Each once, and not again in the nights that follow.
        ([report((EXPIRED, "expired"))] * 3, ["Exceptions: 1 expired (old)", None, None]),
        ([report((LONG, "unused"))] * 2, ["Exceptions: 1 without effect (codebuild-web)", None]),
        (
            [report((SOON, "used"))] * 2,
            ["Exceptions: 1 within 7 days of the end (codebuild-web)", None],
        ),
        # One that helps and has long to go is no news; nor is a long one that isn't known.
        ([report((LONG, "used")), report((LONG, "unknown"))], [None, None]),
        # A week ahead, and when it is over.
        (
            [report((SOON, "used")), report((SOON, "expired"))],
            [
                "Exceptions: 1 within 7 days of the end (codebuild-web)",
                "Exceptions: 1 expired (codebuild-web)",
            ],
        ),
        # Whether one that ends soon covers anything isn't known: nothing is told, or told again.
        (
            [
                report((SOON, "unknown")),
                report((SOON, "used")),
                report((SOON, "unknown")),
                report((SOON, "used")),
            ],
            [None, "Exceptions: 1 within 7 days of the end (codebuild-web)", None, None],
        ),
        # Only what is new is counted.
        (
            [report((EXPIRED, "expired")), report((EXPIRED, "expired"), (LONG, "unused"))],
            ["Exceptions: 1 expired (old)", "Exceptions: 1 without effect (codebuild-web)"],
        ),
        # A night that couldn't tell doesn't make it news again; one on which it helped does.
        (
            [
                report((LONG, "unused")),
                report((LONG, "unknown"), complete=False),
                report((LONG, "unused")),
                report((LONG, "used")),
                report((LONG, "unused")),
            ],
            [
                "Exceptions: 1 without effect (codebuild-web)",
                "Not everything could be read this time",
                "Everything could be read again",
                None,
                "Exceptions: 1 without effect (codebuild-web)",
            ],
        ),
    ],
)
def test_each_is_told_once(nights: list[Report], expected: list[str | None]) -> None:
    """Where nothing else changed, too; every channel remembers what it was told."""
    assert follow(*nights) == expected


def test_beside_other_news_it_is_in_the_first_words() -> None:
    """One message says both, and nothing is left to tell."""
    one = replace(examples.report(examples.WEB), exceptions=(ExceptionUse(EXPIRED, "expired"),))
    night = Night(one, Changes(new=(told.NEW,)), "run", "outbox")
    news = news_of(night, Heard())
    assert news is not None
    assert news.occasion == "changes"
    assert facts.lead(news) == "Changed: 1 new; Exceptions: 1 expired (old)"
    assert news_of(night, after(night, Heard(), news)) is None


def test_the_first_words_name_two() -> None:
    """Whoever reads no more knows which; a file full of them doesn't fill the line."""
    many = report(*((exception(-1, role=f"r{n}"), "expired") for n in range(5)))
    assert follow(many) == ["Exceptions: 5 expired (r0, r1, 3 more)"]


def test_every_channel_names_them() -> None:
    """The mail, Slack and the chat say which, whose and until when; and no role is told again."""
    one = report((exception(3, role="soon"), "used"), (EXPIRED, "expired"), (LONG, "unused"))
    one = replace(one, roles=[examples.WEB])
    news = News(one, occasion="exceptions", exceptions="Exceptions: 1 expired (old)")
    last = TODAY + timedelta(days=3)
    for text in everywhere(news):
        assert f"Exception that expires in 3 days, {last} being its last day: soon (rule *" in text
        assert "Exception that expired on 2026-11-22, and nothing of it is open: old" in text
        assert "EXPOSED" not in text
    blind = report((EXPIRED, "expired"), complete=False)
    assert "nothing of it is open" not in everywhere(News(blind, occasion="exceptions"))[0]
    today = report((exception(0, role="soon"), "used"))
    assert "Exception that expires today" in everywhere(News(today))[0]


def test_machines_are_told_too() -> None:
    """The JSON body has each with its state; the subject says why there is a message."""
    one = report((SOON, "used"), (EXPIRED, "expired"), (LONG, "unused"), (LONG, "unknown"))
    news = News(one, occasion="exceptions", exceptions="Exceptions: 1 expired (old)")
    message = make_message(news, role_to_dict)
    body = parts(message)[1]
    assert [each["state"] for each in body["exceptions"]] == ["ending", "expired", "unused"]
    assert body["exceptions"][1] == {
        "role": "old",
        "rule": "*",
        "reason": "known",
        "owner": "team@example.com",
        "expires": "2026-11-22",
        "where": "exceptions.yaml:2",
        "state": "expired",
    }
    assert body["omitted"]["exceptions"] == 0
    assert message.subject.startswith("auditor: exceptions to look at; 0 exposed")


def test_very_many_fit_and_are_counted() -> None:
    """A file full of forgotten exceptions doesn't push the findings out."""
    many = report(
        *((exception(-1, role=f"r{n}", reason="x" * 9_999), "expired") for n in range(999))
    )
    message = make_message(News(replace(many, roles=[examples.WEB])), role_to_dict)
    body = parts(message)[1]
    assert len(body["exceptions"]) + body["omitted"]["exceptions"] == 999
    assert body["roles"]
