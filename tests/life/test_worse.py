"""A finding that gets worse under one id, and what an exception keeps silent of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from auditor.account import PolicyText
from auditor.exceptions import suppress
from auditor.lasting import Grade, RoleException
from auditor.life import annotated, live
from tests.life.world import OPEN, Audits, account, mail, names, role

if TYPE_CHECKING:
    from auditor.account import Account, Role
    from auditor.findings import Report
    from auditor.life import Changes

SENDER: dict[str, Any] = {
    **OPEN,
    "Condition": {"StringLike": {"ses:FromAddress": "*@example.com"}},
}
POSSIBLE: dict[str, Any] = {
    **OPEN,
    "Condition": {"StringLike": {"ses:Recipients": "*@example.com"}},
}
SEND = "r: unrestricted-send"
EXCEPTION = RoleException("r", "*", "known", "team", date(2027, 1, 1))


def unread(one: Role) -> Role:
    """The role with one more policy, that can't be read."""
    odd = PolicyText("odd", None, "inline", "{nonsense")
    return replace(one, inline=(*one.inline, odd))


def excepted(audits: Audits, one: Account) -> tuple[Report, Changes]:
    """The next audit, with an exception for the role."""
    report, looked = audits.look(one)
    report = suppress(report, [EXCEPTION], report.generated_at, looked)
    audits.known, changes = live(audits.known, report, looked)
    return report, changes


def test_a_severity_that_rises_is_a_change_told_once() -> None:
    """Medium to high under one id is ``worse``, falling is ``eased``; each tells what it was."""
    audits = Audits()
    audits.next(account(role("r", SENDER)))
    report, changes = audits.next(account(role("r", OPEN)))
    assert names(changes) == {"worse": [SEND]}
    assert changes
    assert changes.worse[0].severity == "high"
    told = annotated(report, audits.known, changes)
    assert [one.life.status for one in told.roles[0].findings if one.life] == ["worse"]

    for statement, kind, was in (
        (OPEN, "still", None),
        (SENDER, "eased", Grade("high", "proven")),
        (OPEN, "worse", Grade("medium", "proven")),
    ):
        changes = audits.next(account(role("r", statement)))[1]
        assert names(changes) == {kind: [SEND]}
        assert [one.was for ones in changes for one in ones] == [was]
        assert [one.was for one in audits.known.values()] == [None]


def test_possible_becomes_proven() -> None:
    """Of one severity, proven is worse than possible."""
    audits = Audits()
    audits.next(account(role("r", SENDER), ses=(mail("eu-west-1"),)))
    (id_,) = audits.known
    audits.known = {id_: replace(audits.known[id_], certainty="possible")}
    assert names(audits.next(account(role("r", SENDER)))[1]) == {"worse": [SEND]}
    assert names(audits.next(account(role("r", SENDER)))[1]) == {"still": [SEND]}


def test_an_older_history_knows_no_certainty() -> None:
    """What was taken down without it is not worse for that, and has it from then on."""
    audits = Audits()
    audits.next(account(role("r", OPEN)))
    (id_,) = audits.known
    audits.known = {id_: replace(audits.known[id_], certainty=None)}
    assert names(audits.next(account(role("r", OPEN)))[1]) == {"still": [SEND]}
    assert audits.known[id_].certainty == "proven"


def test_what_could_not_be_read_makes_nothing_better() -> None:
    """A role is only possibly open while a policy of it can't be read: no news when it can."""
    audits = Audits()
    audits.next(account(role("r", OPEN)))
    report, changes = audits.next(account(unread(role("r", OPEN))))
    assert report.roles[0].certainty == "possible"
    assert names(changes) == {"still": [SEND]}
    assert names(audits.next(account(role("r", OPEN)))[1]) == {"still": [SEND]}


def test_an_exception_for_less_does_not_keep_more_silent() -> None:
    """Accepted as medium and high now: that is told, and the finding stays covered."""
    audits = Audits()
    excepted(audits, account(role("r", SENDER)))
    report, changes = excepted(audits, account(role("r", OPEN)))
    assert names(changes) == {"worse": [SEND]}
    assert changes.worse[0].status == "suppressed"
    told = annotated(report, audits.known, changes)
    assert [one.finding.life.status for one in told.roles[0].suppressed if one.finding.life] == [
        "worse"
    ]
    assert not excepted(audits, account(role("r", OPEN)))[1]


def test_an_excepted_role_that_counts_all_the_same_is_reopened() -> None:
    """No exception covers what can't be read: told once when that begins, and when it ends."""
    audits = Audits()
    excepted(audits, account(role("r", OPEN)))
    bad = account(unread(role("r", OPEN)))
    report, changes = excepted(audits, bad)
    assert report.count("exposed") == 1
    assert names(changes) == {"reopened": [SEND]}
    assert not excepted(audits, bad)[1]
    assert names(excepted(audits, account(role("r", OPEN)))[1]) == {"suppressed": [SEND]}


@pytest.mark.parametrize("covered", [True, False])
def test_resolved_says_whether_it_had_been_excepted(covered: bool) -> None:
    """Only what was open is closed by its end; and what comes back has forgotten it."""
    audits = Audits()
    if covered:
        excepted(audits, account(role("r", OPEN)))
    else:
        audits.next(account(role("r", OPEN)))
    (gone,) = audits.next(account(role("r")))[1].resolved
    assert gone.excepted == covered
    (back,) = audits.next(account(role("r", OPEN)))[1].reopened
    assert not back.excepted
