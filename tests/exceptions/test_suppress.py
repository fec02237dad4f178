"""Exceptions applied to a report: what they cover, what they never do, and how it is counted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import auditor.report
from auditor.account import Failure
from auditor.cli.remarks import remarks
from auditor.cli.status import FOUND, NOTHING, UNSURE, FailOn, exit_status
from auditor.exceptions import suppress
from auditor.findings import EXPOSING, Limits, Report, RoleReport
from auditor.lasting import RoleException
from auditor.looked import Looked
from auditor.report.json import render as json_report
from auditor.report.past import idle_uses
from auditor.report.table import render
from tests import examples
from tests.examples import BATCH, BOUNCE, BULK, NOW, ODD, OPEN, TESTS, WEB
from tests.strategies import RULES, reports

SCHEMA = json.loads((Path(auditor.report.__file__).parent / "report-1.schema.json").read_text())
LATER = date(2027, 1, 31)
GONE_BY = date(2026, 11, 1)
LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def on(role: str, rule: str = "*", expires: date = LATER, owner: str = "team") -> RoleException:
    return RoleException(role, rule, "because", owner, expires, "e.yaml:2")


def states(report: Report) -> list[str]:
    return [one.state for one in report.exceptions or ()]


def test_covered_findings_stand_apart() -> None:
    """The verdict stays, the finding moves, the counts follow, and the rest of the report too."""
    report = suppress(examples.full(), [on("codebuild-web", "unrestricted-send")], NOW)

    web = next(role for role in report.roles if role.name == "codebuild-web")
    assert (web.verdict, web.certainty) == ("exposed", "proven")
    assert web.findings == (BOUNCE,)
    assert [one.finding for one in web.suppressed] == [OPEN]
    assert web.accepted()
    assert report.summary() == {
        "roles": 5,
        "exposed": 1,
        "simulator_only": 1,
        "no_send": 1,
        "undetermined": 1,
        "suppressed": 1,
    }
    assert report.count("exposed", "proven") == 0
    assert states(report) == ["used"]


@pytest.mark.parametrize(
    ("glob", "covered"),
    [
        ("codebuild-web", True),
        ("codebuild-w?b", True),
        ("*", True),
        ("arn:aws:iam::123456789012:role/service-role/codebuild-web", True),
        ("*/codebuild-web", True),
        ("service-role/codebuild-web", False),
        ("CODEBUILD-WEB", False),
        ("codebuild", False),
        ("codebuild-[w]eb", False),
    ],
)
def test_which_roles_a_glob_names(glob: str, covered: bool) -> None:
    """A glob is matched whole, with case, against the role's name and its ARN."""
    report = suppress(examples.report(WEB), [on(glob)], NOW)

    assert bool(report.roles[0].suppressed) == covered
    assert states(report) == ["used" if covered else "unused"]


@pytest.mark.parametrize(
    ("now", "state"),
    [
        (datetime(2027, 1, 31, 23, 59, 59, tzinfo=UTC), "used"),
        (datetime(2027, 2, 1, tzinfo=UTC), "expired"),
        (datetime.fromisoformat("2027-02-01T00:30:00+01:00"), "used"),
        (datetime.fromisoformat("2027-01-31T23:30:00-01:00"), "expired"),
    ],
)
def test_it_holds_to_the_end_of_its_day_in_utc(now: datetime, state: str) -> None:
    """The day is inclusive, and UTC's, wherever the audit runs."""
    report = suppress(examples.report(WEB), [on("*", expires=LATER)], now)

    assert states(report) == [state]
    assert report.count("exposed") == (state == "expired")


PARTLY = replace(BATCH, certainty="proven", findings=(OPEN, BULK))


@pytest.mark.parametrize(
    ("role", "exceptions", "expected"),
    [
        (WEB, [on("*", "unrestricted-send")], (NOTHING, NOTHING)),
        (WEB, [on("*", "uncheckable-action")], (FOUND, FOUND)),
        (PARTLY, [on("*", "unrestricted-send")], (NOTHING, FOUND)),
        (PARTLY, [on("*", "uncheckable-action")], (FOUND, FOUND)),
        (PARTLY, [on("*", "uncheckable-action"), on("*", "unrestricted-send")], (NOTHING, NOTHING)),
        (replace(WEB, notes=("a policy could not be read",)), [on("*")], (FOUND, FOUND)),
        (ODD, [on("*")], (UNSURE, UNSURE)),
        (TESTS, [on("*")], (NOTHING, NOTHING)),
    ],
)
def test_the_exit_status_is_that_of_what_is_left(
    role: RoleReport, exceptions: list[RoleException], expected: tuple[int, int]
) -> None:
    """What nobody answers for counts, as certain as it is; what is unknown, nobody answers for."""
    report = suppress(examples.report(role), exceptions, NOW)
    thresholds: tuple[FailOn, FailOn] = ("exposed", "possible")

    assert tuple(exit_status(report, one) for one in thresholds) == expected


def test_an_incomplete_audit_stays_incomplete() -> None:
    """Exceptions for everything don't make a gap go away."""
    report = suppress(replace(examples.report(WEB), complete=False), [on("*")], NOW)

    assert exit_status(report, "possible") == UNSURE


def test_unused_and_expired_ones_are_told() -> None:
    """An exception that does nothing says so, in the table too; one that helps doesn't."""
    used, unused = on("codebuild-web"), on("gone", owner="nobody")
    expired = on("codebuild-web", expires=date(2026, 11, 22), owner="left")
    report = suppress(examples.report(WEB), [expired, unused, used], NOW)
    text = render(report)

    assert states(report) == ["expired", "unused", "used"]
    assert "Exceptions that cover nothing" in text
    assert "expired: until 2026-11-22, left: because" in text
    assert "unused: it covers nothing that this audit found (until 2027-01-31, nobody" in text
    assert "Suppressed: exceptions cover these findings" in text
    assert "Exceptions" not in render(suppress(examples.full(), [used], NOW))


FULL = replace(examples.report(WEB, examples.ODD), not_evaluated=())
ARN = "arn:aws:iam::{}:role/gone"
LOST = Failure("codebuild:ListProjects eu-west-1", "AccessDeniedException: no")


def looked(*names: str, globs: tuple[str, ...] = (), projects: bool = True) -> Looked:
    """What an audit looked at that read so many roles."""
    roles = frozenset(examples.role_arn(name) for name in names)
    return Looked(examples.ACCOUNT, roles, globs, projects, frozenset())


@pytest.mark.parametrize(
    ("one", "report", "seen", "state"),
    [
        # All that it could be about was looked at and decided.
        (on("codebuild-web", "missing-null-check"), FULL, None, "unused"),
        (on("gone"), FULL, looked("codebuild-web"), "unused"),
        (on(ARN.format(examples.ACCOUNT)), FULL, looked(), "unused"),
        (on("gone"), FULL, looked(projects=False), "unused"),
        (on("gone"), FULL, looked("other", globs=("web*",)), "unused"),
        # A role that could not be decided, or not in full.
        (on(examples.ODD.name), FULL, None, "unknown"),
        (on("*", "missing-null-check"), FULL, None, "unknown"),
        (on("web", "mixed-recipients"),
         examples.report(replace(WEB, name="web", notes=("unread",))), None, "unknown"),
        # What was left out: by the globs, by the regions, because it could not be read.
        (on("gone"), FULL, looked("gone", globs=("web*",)), "unknown"),
        (on("g*e"), FULL, looked("gone", projects=False), "unknown"),
        (on("gone"), FULL, looked()._replace(roles=None), "unknown"),
        (on("gone"), examples.report(WEB, errors=(LOST,)), looked("codebuild-web"), "unknown"),
        (on("gone"), replace(FULL, limits=Limits(("web*",), ())), None, "unknown"),
        # What the source can't contain.
        (on("codebuild-web", "identity-policy-grant"),
         replace(FULL, not_evaluated=("identity-policies",)), None, "unknown"),
        # Another account's: the file may serve several.
        (on(ARN.format("999999999999")), FULL, looked(), "unknown"),
        (on(ARN.format("999999999999"), expires=GONE_BY), FULL, looked(), "unknown"),
        (on(ARN.format("123456789012"), expires=GONE_BY), FULL, looked(), "expired"),
        (on(ARN.format("*"), expires=GONE_BY), FULL, looked(), "expired"),
    ],
)  # fmt: skip
def test_only_what_was_looked_at_and_decided_is_unused(
    one: RoleException, report: Report, seen: Looked | None, state: str
) -> None:
    """Nobody is told to remove an exception that may be needed; nor is it listed as idle."""
    after = suppress(report, [one], NOW, seen)
    assert states(after) == [state]
    assert bool(idle_uses(after)) == (state in ("unused", "expired"))
    assert any("covers nothing" in line for line in remarks(after, ())) == bool(idle_uses(after))
    Draft202012Validator(SCHEMA).validate(json.loads(json_report(after)))


def test_one_that_is_covered_twice() -> None:
    """The first in the file is named, and neither is unused."""
    first, second = on("codebuild-*"), on("codebuild-web", "unrestricted-send")
    report = suppress(examples.report(WEB), [first, second], NOW)

    assert states(report) == ["used", "used"]
    assert {one.exception for one in report.roles[0].suppressed} == {first}


def test_a_role_can_not_except_itself() -> None:
    """What a role's own text says covers nothing: no exception given, none applied."""
    named = replace(WEB, name="exceptions: [*]", projects=(examples.project("rule: '*'"),))
    report = suppress(examples.report(named), [], NOW)

    assert report.count("exposed") == 1
    assert report.exceptions == ()


@LAW
@given(
    reports(),
    st.lists(
        st.builds(
            on,
            st.sampled_from(("*", "?", "a*", "zz")),
            st.sampled_from(("*", *RULES)),
            st.dates(date(2026, 11, 22), date(2026, 11, 24)),
        ),
        max_size=4,
    ),
    st.integers(0, 72).map(
        lambda hours: datetime(2026, 11, 22, tzinfo=UTC) + timedelta(hours=hours)
    ),
)
def test_laws(report: Report, exceptions: list[RoleException], now: datetime) -> None:
    """Nothing is lost, verdicts stay, only valid matching exceptions cover, and twice is once."""
    after = suppress(report, exceptions, now)

    assert suppress(after, exceptions, now) == after
    assert suppress(after, [], now).summary() == report.summary()
    for before, role in zip(report.roles, after.roles, strict=True):
        assert (role.arn, role.verdict, role.certainty, role.reason, role.notes) == (
            before.arn,
            before.verdict,
            before.certainty,
            before.reason,
            before.notes,
        )
        both = [*role.findings, *(one.finding for one in role.suppressed)]
        assert sorted(map(repr, both)) == sorted(map(repr, before.findings))
        for one in role.suppressed:
            assert one.exception.expires >= now.date()
            assert one.exception.rule in ("*", one.finding.rule)
        left = [one for one in role.findings if one.severity in EXPOSING]
        if role.verdict == "exposed" and left:
            assert not role.accepted()
    assert after.count("undetermined") == report.count("undetermined")
    assert after.count("exposed") <= report.count("exposed")
