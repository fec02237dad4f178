"""Documents made to hang, crash or mislead: each is decided, or undetermined by name."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from auditor.account import Account
from auditor.audit import audit
from tests.engine.cases import (
    ACCOUNT,
    NOW,
    SIMULATOR,
    Case,
    Json,
    allow,
    deny,
    document,
    identity,
    verdict,
)

TO = "ses:Recipients"


def audited(case: Case) -> str:
    """Return the verdict of the whole audit, findings drafted and all."""
    report = audit(Account(ACCOUNT, "aws", [case.role()]), now=datetime.fromtimestamp(NOW, UTC))
    found = report.roles[0]
    assert found.verdict != "undetermined" or found.reason
    return f"{found.verdict} {found.certainty}" if found.certainty else found.verdict


def clauses(count: int, keys: int, seed: int) -> tuple[list[Json], list[list[tuple[int, bool]]]]:
    """Return random 3-SAT as Denies: a variable is whether a key is "t", a Deny is one clause."""
    rng = Random(seed)  # noqa: S311 - a test's seed
    made: list[Json] = []
    problem: list[list[tuple[int, bool]]] = []
    for _ in range(count):
        chosen = [(at, rng.random() < 0.5) for at in rng.sample(range(keys), 3)]
        block: dict[str, dict[str, object]] = {}
        for at, positive in chosen:
            operator = "StringEquals" if positive else "StringNotEquals"
            block.setdefault(operator, {})[f"aws:Key{at}"] = "t"
        made.append(deny("ses:SendEmail", **block))
        problem.append(chosen)
    return made, problem


@pytest.mark.parametrize("seed", range(12))
def test_satisfiability_problems_are_solved(seed: int) -> None:
    """Denies that encode a small 3-SAT problem: exposed if and only if some assignment serves."""
    keys = 8
    denies, problem = clauses(42, keys, seed)
    solvable = any(
        all(any(bool(mask >> at & 1) != positive for at, positive in clause) for clause in problem)
        for mask in range(1 << keys)
    )
    found = verdict(identity(allow("ses:SendEmail"), *denies))
    assert found == ("exposed proven" if solvable else "no_send")


def test_a_hard_satisfiability_problem_is_decided_or_named() -> None:
    """Near the threshold, with a hundred keys, the budget ends the search and says so."""
    denies, _ = clauses(430, 100, 1)
    found = identity(allow("ses:SendEmail"), *denies).decide()
    assert found.verdict in ("exposed", "no_send", "undetermined")
    if found.verdict == "undetermined":
        assert found.reason is not None
        assert "budget" in found.reason


def test_forty_denies_of_four_conditions() -> None:
    """Each Deny has four ways round it, on shared keys: the plainest are found at once."""
    denies = [
        deny(
            StringEquals={f"aws:Key{at}": "t"},
            StringNotEquals={f"aws:Other{at}": "t"},
            ForAnyValue__StringLike={TO: f"*u{at}*"},
            NotIpAddress={"aws:SourceIp": f"10.{at}.0.0/16"},
        )
        for at in range(40)
    ]
    assert audited(identity(allow(), *denies)) == "exposed proven"


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([allow(ForAllValues__StringEquals={TO: [f"u{n}@b.example" for n in range(5_000)]})],
         "exposed proven"),
        ([allow(), deny(ForAnyValue__StringLike={TO: [f"*u{n}@*" for n in range(5_000)]})],
         "exposed proven"),
        ([allow("ses:SendEmail", ForAllValues__StringLike={TO: [f"u{n}*" for n in range(1_000)]}),
          deny(ForAnyValue__StringLike={TO: [f"u{n}*" for n in range(1_000)]})], "no_send"),
        ([allow("ses:SendEmail", [f"arn:aws:ses:*:*:identity/d{n}.net" for n in range(1_000)])],
         "exposed proven"),
        ([{"Effect": "Allow", "Action": "ses:SendEmail",
           "NotResource": [f"arn:aws:ses:eu-west-{n % 3}:*:identity/{n}.net" for n in range(600)]}],
         "exposed proven"),
        ([allow("ses:SendEmail", ForAllValues__StringLike={TO: SIMULATOR}, Null={TO: "false"})]
         * 1_000, "simulator_only"),
        ([allow("s3:*")] * 5_000, "no_send"),
    ],
    ids=["literals", "complement", "covered", "identities", "not-resource", "allows", "others"],
)  # fmt: skip
def test_thousands_of_values_and_statements(statements: list[Json], expected: str) -> None:
    """Sizes far beyond IAM's limits are decided."""
    assert audited(identity(*statements)) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringLike": {"aws:x": "${" * 5_000}}, "exposed proven"),
        ({"StringLike": {"aws:x": "${a}" * 2_000}}, "exposed possible"),
        ({"StringLike": {"aws:x": "${*}" * 2_000}}, "exposed proven"),
        ({"StringLike": {"aws:x": "${aws:PrincipalTag/a, '*'}" * 500}}, "exposed proven"),
        ({"NumericLessThan": {"aws:x": "9" * 1_000}}, "exposed possible"),
        ({"NumericLessThan": {"aws:x": 1e300}}, "exposed possible"),
        ({"NumericEquals": {"aws:x": "-" + "9" * 39}}, "exposed proven"),
        (
            {
                "NumericGreaterThan": {"aws:x": "0." + "0" * 37 + "1"},
                "NumericLessThan": {"aws:X": "0." + "0" * 37 + "2"},
            },
            "exposed proven",
        ),
        ({"DateGreaterThan": {"aws:CurrentTime": "99999999999999"}}, "no_send"),
        ({"DateGreaterThan": {"aws:CurrentTime": "0001-01-01T00:00:00+23:59"}}, "exposed proven"),
        ({"StringLike": {"aws:\ud800\u202e": "\ud800*"}}, "exposed proven"),
        ({"ForAllValues:StringLike": {TO: ["\ud800*@\u202e", "*@ex\u00e4mple.com"]}}, "no_send"),
        ({"ForAllValues:StringLike": {TO: "*\x00*"}}, "no_send"),
        ({"StringEquals": {"": ""}}, "no_send"),
        ({"StringEquals": {"aws:": ""}}, "exposed proven"),
        ({"IpAddress": {"aws:SourceIp": ["::/0", "0.0.0.0/0", "x" * 1_000]}}, "exposed proven"),
    ],
)
def test_odd_values(condition: Json, expected: str) -> None:
    """Floods of variables, huge numbers, far dates and odd Unicode have their plain meaning."""
    assert audited(identity(allow("ses:SendEmail", **condition))) == expected


def test_hard_patterns_are_named() -> None:
    """Patterns that no budget is enough for leave the role undetermined, and why is said."""
    hard = [f"*a{'?' * 22}{end}*" for end in "bcd"]
    found = identity(
        allow("ses:SendEmail", StringLike={"aws:UserAgent": "*b" + "?" * 25}),
        deny(StringLike={"aws:UserAgent": [*hard, "*b" + "?" * 24 + "b*"]}),
    ).decide()
    assert found.verdict in ("exposed", "undetermined")
    if found.verdict == "undetermined":
        assert found.reason is not None
        assert "too complex" in found.reason


def test_more_members_than_a_request_holds_are_never_claimed() -> None:
    """Sixty Denies that each ask for a member of their own fit no request of fifty recipients."""
    denies = [deny(ForAllValues__StringNotLike={TO: f"u{at}@*"}) for at in range(60)]
    found = identity(allow("ses:SendEmail"), *denies).decide()
    assert found.verdict in ("no_send", "undetermined")
    few = identity(allow("ses:SendEmail"), *denies[:40]).decide()
    recipients = few.exposures[0].request.context["ses:Recipients"]
    assert len(recipients) <= 50


def test_one_hostile_document_leaves_other_roles_alone() -> None:
    """What one role's policies exhaust is their own."""
    denies, _ = clauses(430, 100, 2)
    hostile = identity(allow("ses:SendEmail"), *denies).role("hostile")
    plain = Case((document(allow("ses:SendEmail")),)).role("plain")
    moment = datetime.fromtimestamp(NOW, UTC)
    report = audit(Account(ACCOUNT, "aws", [hostile, plain]), now=moment)
    assert {one.name: one.certainty for one in report.roles}["plain"] == "proven"
