"""Two audits in a row: what happened in between is told, and nothing that nobody looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from auditor.account import Account, PolicyText, Project, Role
from auditor.exceptions import suppress
from auditor.lasting import RoleException
from auditor.life import annotated, live
from tests.life.world import (
    ACCOUNT,
    CLOSED,
    LOOSE,
    NOTHING,
    ODD,
    OPEN,
    Audits,
    account,
    arn,
    mail,
    names,
    role,
)

SEND = "unrestricted-send"
UNREAD = PolicyText("odd", "arn:aws:iam::123456789012:policy/odd", "managed", None, "not read")


def test_fixed_broken_and_renamed() -> None:
    """A role mended is resolved, one broken is new, one renamed is both, one as before is open."""
    audits = Audits()
    first = account(
        role("fixed", OPEN), role("old", OPEN), role("broken", CLOSED), role("as", OPEN)
    )
    _, before = audits.next(first)
    second = account(
        role("fixed", CLOSED), role("new", OPEN), role("broken", OPEN), role("as", OPEN)
    )
    _, changes = audits.next(second)

    assert names(before) == {"new": [f"as: {SEND}", f"fixed: {SEND}", f"old: {SEND}"]}
    assert names(changes) == {
        "new": [f"broken: {SEND}", f"new: {SEND}"],
        "still": [f"as: {SEND}"],
        "resolved": [f"fixed: {SEND}", f"old: {SEND}"],
    }


@pytest.mark.parametrize(
    ("after", "resolved"),
    [
        (role("r", trusts=False), True),
        (role("r", NOTHING, trusts=False), True),
        (role("r", OPEN, trusts=False), False),
        # Whatever limits it, it isn't decided here: nobody audits this role.
        (role("r", CLOSED, trusts=False), False),
        (role("r", {"NotAction": "s3:*", "Resource": "*"}, trusts=False), False),
        (role("r", {"Action": "*", "Resource": "*"}, trusts=False), False),
        (role("r", {"Aktion": "s3:*", "Resource": "*"}, trusts=False), False),
        (replace(role("r", trusts=False), attached=(UNREAD,)), False),
        (role("other", trusts=False), True),
    ],
)
def test_a_role_that_left_codebuild_is_resolved_once_it_can_not_send(
    after: Role, resolved: bool
) -> None:
    """Not all regions were looked at: it may be used there, but does no harm any more."""
    audits = Audits()
    audits.next(account(role("r", OPEN)), everywhere=False)
    _, changes = audits.next(account(after), everywhere=False)
    assert names(changes) == ({"resolved": [f"r: {SEND}"]} if resolved else {})


def test_what_an_identity_grants_outlives_the_roles_own_policies() -> None:
    """A role without any policy sends where an SES identity's policy lets it."""
    audits = Audits()
    audits.next(account(role("r"), ses=[mail("eu-west-1", "r")]), everywhere=False)
    assert audits.known
    left = account(role("r", trusts=False), ses=[mail("eu-west-1", "r")])
    assert not audits.next(left, everywhere=False)[1]


def test_reopened_keeps_when_it_was_first_seen() -> None:
    """What comes back is reopened, first seen when it first was, and resolved no more."""
    audits = Audits()
    audits.next(account(role("r", OPEN)))
    first = audits.now
    audits.next(account(role("r", CLOSED)))
    _, changes = audits.next(account(role("r", OPEN)))

    (one,) = changes.reopened
    assert (one.first_seen, one.last_seen) == (first, audits.now)
    assert (one.status, one.resolved_at) == ("open", None)
    assert names(audits.next(account(role("r", OPEN)))[1]) == {"still": [f"r: {SEND}"]}


def test_a_role_made_again_under_its_name_is_reopened() -> None:
    """Deleted, its findings are resolved; made anew with the same ARN, they are reopened."""
    audits = Audits()
    audits.next(account(role("r", OPEN)))
    assert names(audits.next(account())[1]) == {"resolved": [f"r: {SEND}"]}
    assert names(audits.next(account())[1]) == {}
    assert names(audits.next(account(role("r", OPEN)))[1]) == {"reopened": [f"r: {SEND}"]}


LIVE: dict[str, Any] = {"ses": (mail("eu-west-1"),)}
FILE: dict[str, Any] = {"not_evaluated": ("projects", "scps", "identity-policies")}


@pytest.mark.parametrize(
    ("second", "globs", "everywhere"),
    [
        pytest.param(account(role("r", ODD)), (), True, id="the role is undetermined"),
        pytest.param(
            account(role("r", CLOSED, ODD), role("other", OPEN)), (), True, id="it is, in part"
        ),
        pytest.param(account(role("r", OPEN)), ("other*",), True, id="filtered by --role"),
        pytest.param(account(), ("other*",), True, id="deleted, and filtered by --role"),
        pytest.param(
            account(failures=("iam:GetAccountAuthorizationDetails",)),
            (),
            True,
            id="sweep cut short",
        ),
        pytest.param(
            account(failures=("account.json: RoleDetailList[3]",)), (), True, id="entry unreadable"
        ),
        pytest.param(account(failures=("something new",)), (), True, id="a failure nobody knows"),
        pytest.param(
            account(role("r", OPEN, trusts=False), failures=("codebuild:ListProjects eu-west-1",)),
            (),
            True,
            id="its project's region not read",
        ),
        pytest.param(
            account(
                role("r", OPEN, trusts=False), failures=("codebuild:BatchGetProjects eu-west-1",)
            ),
            (),
            True,
            id="its project not read",
        ),
        pytest.param(
            account(role("r", OPEN, trusts=False), failures=("account:ListRegions",)),
            (),
            True,
            id="regions not known",
        ),
        pytest.param(
            account(role("r", OPEN, trusts=False)), (), False, id="limited to some regions"
        ),
        pytest.param(
            account(role("r", OPEN, trusts=False), **FILE), (), True, id="a file without projects"
        ),
        pytest.param(
            Account("210987654321", "aws", [], ses=LIVE["ses"]), (), True, id="another account"
        ),
    ],
)
def test_what_was_not_looked_at_is_not_resolved(
    second: Account, globs: tuple[str, ...], everywhere: bool
) -> None:
    """An audit that couldn't see the role, or not whole, leaves its findings open."""
    audits = Audits()
    first = role("r", OPEN, trusts=False)
    first.projects = (Project("web", "eu-west-1", "arn:aws:codebuild:eu-west-1:…:project/web"),)
    assert names(audits.next(account(first))[1]) == {"new": [f"r: {SEND}"]}

    _, changes = audits.next(second, globs=globs, everywhere=everywhere)

    assert changes.resolved == ()
    (known,) = (one for one in audits.known.values() if one.role_arn == arn("r"))
    assert known.status == "open"


@pytest.mark.parametrize(
    ("second", "globs", "everywhere"),
    [
        pytest.param(account(role("r", CLOSED)), (), True, id="mended"),
        pytest.param(account(), (), True, id="deleted"),
        pytest.param(account(**FILE), (), False, id="deleted, says a file of all roles"),
        pytest.param(account(role("r", OPEN, trusts=False)), (), True, id="no longer CodeBuild's"),
        pytest.param(account(role("r", CLOSED)), ("r",), True, id="mended, and asked for"),
        pytest.param(account(), ("*/r",), True, id="deleted, and asked for"),
        pytest.param(
            account(role("r", CLOSED), failures=("iam:GetAccountAuthorizationDetails",)),
            (),
            True,
            id="mended, others not read",
        ),
        pytest.param(
            account(failures=("codebuild:ListProjects eu-west-1", "sesv2:GetAccount eu-west-1")),
            (),
            True,
            id="deleted, regions not read",
        ),
        pytest.param(
            account(role("r", CLOSED), failures=("organizations:DescribePolicy p-1",)),
            (),
            False,
            id="mended, projects and SCPs not read",
        ),
    ],
)
def test_what_was_looked_at_is_resolved(
    second: Account, globs: tuple[str, ...], everywhere: bool
) -> None:
    """An audit that saw that it is gone resolves it, incomplete or not."""
    audits = Audits()
    audits.next(account(role("r", OPEN)))

    _, changes = audits.next(second, globs=globs, everywhere=everywhere)

    assert names(changes) == {"resolved": [f"r: {SEND}"]}
    assert changes.resolved[0].resolved_at == audits.now


@pytest.mark.parametrize(
    ("second", "resolved"),
    [
        ({"ses": (mail("eu-west-1"),)}, True),
        ({"ses": (mail("us-east-1"),)}, False),
        ({"not_evaluated": ("identity-policies",)}, False),
        ({"ses": (mail("eu-west-1"),), "failures": ("sesv2:GetAccount eu-west-1",)}, True),
        (
            {"ses": (mail("eu-west-1"),), "failures": ("sesv2:ListEmailIdentities eu-west-1",)},
            False,
        ),
        (
            {
                "ses": (mail("eu-west-1"), mail("us-east-1")),
                "failures": ("sesv2:GetEmailIdentityPolicies us-east-1",),
            },
            True,
        ),
        (
            {
                "ses": (mail("eu-west-1"), mail("us-east-1")),
                "failures": ("sesv2:GetEmailIdentityPolicies (every region)",),
            },
            False,
        ),
    ],
)
def test_a_grant_of_an_identity_needs_its_region_read(
    second: dict[str, Any], resolved: bool
) -> None:
    """A finding that rests on an SES identity's policy is resolved where that region was read."""
    audits = Audits()
    _, before = audits.next(account(role("r", NOTHING), ses=(mail("eu-west-1", "r"),)))
    assert names(before) == {"new": ["r: identity-policy-grant"]}

    _, changes = audits.next(account(role("r", NOTHING), **second))

    assert bool(changes.resolved) == resolved


def test_advice_is_not_resolved_by_an_exposure() -> None:
    """Advice is given on roles that aren't exposed: where one is, nobody looked for it."""
    audits = Audits()
    _, before = audits.next(account(role("r", LOOSE)))
    assert "r: missing-null-check" in names(before)["new"]

    _, changes = audits.next(account(role("r", OPEN, LOOSE)))
    assert changes.resolved == ()

    _, changes = audits.next(account(role("r", CLOSED)))
    assert f"r: {SEND}" in names(changes)["resolved"]
    assert "r: missing-null-check" in names(changes)["resolved"]


def test_an_exposed_role_that_could_not_be_read_whole() -> None:
    """An exposed role with a policy that can't be read may still have what isn't found any more."""
    audits = Audits()
    raw = {"Action": "ses:SendRawEmail", "Resource": "*"}
    audits.next(account(role("r", OPEN, raw)))
    report, changes = audits.next(account(role("r", raw, ODD)))
    assert report.roles[0].verdict == "exposed"
    assert report.roles[0].notes
    assert changes.resolved == ()

    _, changes = audits.next(account(role("r", raw)))
    assert [one.action for one in changes.resolved] == ["ses:SendEmail"]


def test_a_chain_needs_all_roles_read() -> None:
    """That a role may become an exposed one is resolved only where all roles were read."""
    audits = Audits()
    become = {"Action": "sts:AssumeRole", "Resource": arn("other")}
    other = role("other", OPEN, trusts=False)
    assumed = {"AWS": arn("r")}
    text = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": assumed, "Action": "sts:AssumeRole"}]}  # fmt: skip
    other = replace(other, trust=PolicyText("t", None, "trust", text))
    _, before = audits.next(account(role("r", become), other))
    assert names(before) == {"new": ["r: assumable-sender"]}

    _, changes = audits.next(account(role("r", become), failures=("iam:GetAccountAuth…",)))
    assert changes.resolved == ()
    _, changes = audits.next(account(role("r", become, OPEN)))
    assert changes.resolved == ()
    _, changes = audits.next(account(role("r", become)))
    assert "r: assumable-sender" in names(changes)["resolved"]


def excepted(day: date) -> RoleException:
    return RoleException("r", "*", "known", "team", day)


def test_suppressed_and_reopened_when_the_exception_ends() -> None:
    """An exception takes a finding out of what is open; expired, it is reopened, and told so."""
    audits = Audits()
    one = account(role("r", OPEN))
    _, changes = audits.next(one)
    assert names(changes) == {"new": [f"r: {SEND}"]}
    for expected in ({"suppressed": [f"r: {SEND}"]}, {}, {"reopened": [f"r: {SEND}"]}):
        report, looked = audits.look(one)
        report = suppress(report, [excepted(date(2026, 11, 26))], report.generated_at)
        audits.known, changes = live(audits.known, report, looked)
        assert names(changes) == expected
        assert bool(changes) == bool(expected)


def test_a_suppressed_finding_is_resolved_too() -> None:
    """A role that is mended while an exception covers it is resolved, not suppressed for ever."""
    audits = Audits()
    report, looked = audits.look(account(role("r", OPEN)))
    report = suppress(report, [excepted(date(2027, 1, 1))], report.generated_at)
    audits.known, changes = live(audits.known, report, looked)
    assert names(changes) == {"suppressed": [f"r: {SEND}"]}

    assert names(audits.next(account(role("r", CLOSED)))[1]) == {"resolved": [f"r: {SEND}"]}


def test_each_finding_gets_its_life() -> None:
    """The report says of each finding what it is, and lists what is resolved."""
    audits = Audits()
    audits.next(account(role("gone", OPEN), role("still", OPEN), role("back", OPEN)))
    first = audits.now
    audits.next(account(role("gone", OPEN), role("still", OPEN), role("back", CLOSED)))
    known = audits.known
    report, looked = audits.look(
        account(role("still", OPEN), role("back", OPEN), role("new", OPEN), role("r", OPEN))
    )
    report = suppress(report, [excepted(date(2027, 1, 1))], report.generated_at)
    after, changes = live(known, report, looked)

    told = annotated(report, after, changes)

    lives = {
        one.name: finding.life
        for one in told.roles
        for finding in (*one.findings, *(each.finding for each in one.suppressed))
    }
    assert {name: life.status for name, life in lives.items() if life} == {
        "still": "open",
        "back": "reopened",
        "new": "new",
        "r": "suppressed",
    }
    assert lives["still"]
    assert (lives["still"].first_seen, lives["still"].last_seen) == (first, audits.now)
    assert [one.role_arn for one in told.resolved or ()] == [arn("gone")]
    assert report.resolved is None


def test_an_older_audit_does_not_undo_a_later_one() -> None:
    """Two audits that end out of order leave what the later one saw."""
    audits = Audits()
    audits.next(account(role("fixed", OPEN), role("broken", CLOSED), role("back", OPEN)))
    early = audits.look(account(role("fixed", OPEN), role("broken", CLOSED), role("back", OPEN)))
    late = audits.look(account(role("fixed", CLOSED), role("broken", OPEN), role("back", OPEN)))

    known, _ = live(audits.known, *late)
    known_after, changes = live(known, *early)

    assert not changes
    assert {one.role_arn: one.status for one in known_after.values()} == {
        arn("fixed"): "resolved",
        arn("broken"): "open",
        arn("back"): "open",
    }
    assert known_after == known


def test_times_are_whole_seconds_in_utc() -> None:
    """Whatever clock an audit ran by, its times are stored in one form."""
    audits = Audits()
    report, looked = audits.look(account(role("r", OPEN)))
    odd = datetime.fromisoformat("2026-11-24T05:30:00.123456+02:30")
    known, _ = live({}, replace(report, generated_at=odd), looked)

    (one,) = known.values()
    assert one.first_seen == datetime(2026, 11, 24, 3, tzinfo=UTC)
    assert one.first_seen.tzinfo is UTC
    assert one.role_arn.split(":")[4] == ACCOUNT
