"""Laws of findings' lives, on arbitrary reports one after the other."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import auditor.report
from auditor.exceptions import suppress
from auditor.lasting import RoleException
from auditor.life import Changes, annotated, live, plain
from auditor.looked import Looked
from auditor.report.json import render
from tests.strategies import RULES, reports

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from auditor.findings import Report, RoleReport
    from auditor.life import Known

SCHEMA = json.loads((Path(auditor.report.__file__).parent / "report-1.schema.json").read_text())
LAW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
START = datetime(2026, 11, 23, tzinfo=UTC)


def exceptions() -> st.SearchStrategy[list[RoleException]]:
    return st.lists(
        st.builds(
            RoleException,
            role=st.sampled_from(("*", "?*", "a*", "nobody")),
            rule=st.sampled_from(("*", *RULES)),
            reason=st.just("because"),
            owner=st.just("team"),
            expires=st.dates(date(2026, 11, 22), date(2026, 11, 26)),
        ),
        max_size=3,
    )


def mended(role: RoleReport) -> RoleReport:
    """Return a role's report as it is once nothing is found any more."""
    return replace(
        role,
        verdict="no_send",
        certainty=None,
        reason=None,
        findings=(),
        notes=(),
        suppressed=(),
    )


@st.composite
def audits(draw: st.DrawFn) -> list[tuple[Report, Looked]]:
    """One to three audits, an hour or a day apart, each with what it looked at.

    Later ones have some of the first one's roles as they were, or without their findings.
    """
    found: list[tuple[Report, Looked]] = []
    now = START
    for _ in range(draw(st.integers(1, 3))):
        now += draw(st.sampled_from((timedelta(), timedelta(hours=1), timedelta(days=1))))
        report = draw(reports(max_roles=3))
        if found:
            old = [
                draw(st.sampled_from((one, mended(one))))
                for one in found[0][0].roles
                if draw(st.booleans())
            ]
            arns = {one.arn for one in old}
            new = [one for one in report.roles if one.arn not in arns]
            report = replace(report, roles=sorted((*old, *new), key=lambda one: one.arn))
        report = replace(report, generated_at=now)
        report = suppress(report, draw(exceptions()), now)
        looked = Looked(
            report.account_id,
            draw(st.none() | st.just(frozenset(plain(one.arn) for one in report.roles))),
            draw(st.sampled_from(((), ("a*",)))),
            draw(st.booleans()),
            frozenset(draw(st.sets(st.sampled_from(("", "eu-west-1"))))),
        )
        found.append((report, looked))
    return found


def lived(ones: Sequence[tuple[Report, Looked]]) -> dict[str, Known]:
    known: dict[str, Known] = {}
    for report, looked in ones:
        known, _ = live(known, report, looked)
    return known


@LAW
@given(audits())
def test_the_same_report_twice_changes_nothing(ones: list[tuple[Report, Looked]]) -> None:
    """A retried or doubled audit has no second effect, whatever went before it."""
    known = lived(ones)

    again, changes = live(known, *ones[-1])

    assert again == known
    assert not changes
    assert changes == Changes(still=changes.still)


@LAW
@given(audits(), st.randoms())
def test_order_does_not_matter(ones: list[tuple[Report, Looked]], mixed: random.Random) -> None:
    """Neither the order of roles in a report nor that of what is known makes a difference."""
    *before, (report, looked) = ones
    known = lived(before)
    roles, items = list(report.roles), list(known.items())
    mixed.shuffle(roles)
    mixed.shuffle(items)

    unique = len({f.id for r in roles for f in (*r.findings, *(s.finding for s in r.suppressed))})
    if unique == sum(len(r.findings) + len(r.suppressed) for r in roles):
        assert live(dict(items), replace(report, roles=roles), looked) == live(
            known, report, looked
        )


@LAW
@given(audits())
def test_what_is_found_is_never_resolved(ones: list[tuple[Report, Looked]]) -> None:
    """A finding of the latest audit is open, or suppressed by an exception, and nothing else."""
    report, looked = ones[-1]
    known, changes = live(lived(ones[:-1]), report, looked)

    covered = {one.finding.id for role in report.roles for one in role.suppressed}
    for role in report.roles:
        for finding in role.findings:
            assert known[finding.id].status == "open" or finding.id in covered
        for one in role.suppressed:
            assert known[one.finding.id].status in ("suppressed", "open")
    resolved = {one.id for one in changes.resolved}
    assert not resolved & {f.id for role in report.roles for f in role.findings}


@LAW
@given(audits())
def test_nothing_is_resolved_unless_its_role_was_looked_at(
    ones: list[tuple[Report, Looked]],
) -> None:
    """A resolved finding's role is decided and whole in the report, or known to be gone."""
    report, looked = ones[-1]
    _, changes = live(lived(ones[:-1]), report, looked)

    roles = {plain(one.arn): one for one in report.roles}
    for one in changes.resolved:
        role = roles.get(one.role_arn)
        if role is None:
            assert looked.roles is not None
            assert one.role_arn not in looked.roles or looked.projects
        else:
            assert role.verdict != "undetermined"
            assert not role.notes


@LAW
@given(audits())
def test_every_change_is_one_of_its_kind(ones: list[tuple[Report, Looked]]) -> None:
    """No finding is two things at once, and nothing that was known is forgotten."""
    before = lived(ones[:-1])
    after, changes = live(before, *ones[-1])

    ids = [one.id for kind in changes for one in kind]
    assert len(set(ids)) == len(ids)
    assert set(before) <= set(after)
    assert {one.id for one in changes.new}.isdisjoint(before)


@LAW
@given(audits())
def test_an_older_audit_changes_no_known_finding(ones: list[tuple[Report, Looked]]) -> None:
    """What a later audit left stays as it is, but for when it was first seen."""
    (early, looked), known = ones[0], lived(ones[1:])
    older = replace(early, generated_at=START - timedelta(days=1))

    after, changes = live(known, older, looked)

    for id_, one in known.items():
        assert replace(after[id_], first_seen=one.first_seen) == one
    assert not changes.reopened
    assert not changes.resolved


@LAW
@given(audits())
def test_the_report_stays_valid(ones: list[tuple[Report, Looked]]) -> None:
    """With exceptions, lives and resolved findings the JSON report keeps to its schema."""
    report, looked = ones[-1]
    told = annotated(report, *live(lived(ones[:-1]), report, looked))

    document = json.loads(render(told))
    Draft202012Validator(SCHEMA).validate(document)
    assert "resolved" in document
    for role in document["roles"]:
        for finding in (*role["findings"], *role["suppressed"]):
            assert finding["life"]["first_seen"] <= finding["life"]["last_seen"]
