"""Which rule an exposure is told under: it is true of the witness, and obeying it helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auditor.audit import audit
from tests.explain.world import NOW, OPEN, SIMULATOR, account, role

if TYPE_CHECKING:
    from auditor.findings import Finding

TEAM = "*@team.example.net"
DENY = {"Effect": "Deny", "Action": "ses:SendEmail", "Resource": "*"}


def allow(operator: str, *values: str) -> list[dict[str, Any]]:
    return [{**OPEN, "Condition": {operator: {"ses:Recipients": list(values)}}}]


def deny(operator: str, *values: str) -> list[dict[str, Any]]:
    return [OPEN, {**DENY, "Condition": {operator: {"ses:Recipients": list(values)}}}]


def found(statements: list[dict[str, Any]]) -> Finding:
    """The finding about SendEmail of a role with these statements."""
    (report,) = audit(account(role(*statements)), now=NOW).roles
    (finding,) = [one for one in report.findings if one.severity in ("high", "medium")]
    return finding


def both(one: tuple[str, list[str]], other: tuple[str, list[str]]) -> list[dict[str, Any]]:
    """An Allow with two conditions on the recipients."""
    block = {operator: {"ses:Recipients": values} for operator, values in (one, other)}
    return [{**OPEN, "Condition": block}]


@pytest.mark.parametrize(
    ("statements", "rule"),
    [
        (allow("ForAllValues:StringLike", SIMULATOR, TEAM), "other-recipients-allowed"),
        (deny("ForAnyValue:StringNotLike", SIMULATOR, TEAM), "other-recipients-allowed"),
        # anybody gets it beside somebody who is named
        (allow("ForAnyValue:StringLike", TEAM), "mixed-recipients"),
        (allow("ForAnyValue:StringLike", SIMULATOR, TEAM), "mixed-recipients"),
        (allow("ForAnyValue:StringLike", SIMULATOR), "mixed-recipients"),
        (deny("ForAllValues:StringNotLike", SIMULATOR), "mixed-recipients"),
        # all but those that are named
        (allow("ForAllValues:StringNotLike", TEAM), "inverted-condition"),
        (allow("ForAnyValue:StringNotLike", TEAM), "inverted-condition"),
        (allow("ForAnyValue:StringNotLike", SIMULATOR), "inverted-condition"),
        (deny("ForAnyValue:StringLike", TEAM), "inverted-condition"),
        (deny("ForAnyValue:StringLike", SIMULATOR, TEAM), "inverted-condition"),
        (allow("ForAllValues:StringLike", "*@*amazonses.com"), "loose-recipient-pattern"),
        (deny("ForAnyValue:StringNotLike", "success@*"), "loose-recipient-pattern"),
    ],
)
def test_the_rule_is_the_one_that_the_witness_shows(
    statements: list[dict[str, Any]], rule: str
) -> None:
    """A rule that speaks of named addresses has one in its witness, one that mixes has several."""
    finding = found(statements)

    assert finding.rule == rule
    assert finding.witness is not None
    recipients = finding.witness.context["ses:Recipients"]
    assert (len(recipients) > 1) == (rule == "mixed-recipients")
    if rule == "other-recipients-allowed":
        assert all(one.endswith(TEAM[1:]) for one in recipients)


ODD_ARN = "arn:aws:ses*example.com"
"""Whether a star reaches over a colon, AWS leaves open: possible, whatever the recipients are."""


@pytest.mark.parametrize(
    ("statements", "rule"),
    [
        # whom the simulator's own condition shuts out matters more than a pattern for anybody
        (
            both(("ForAllValues:StringNotLike", [SIMULATOR]), ("ForAllValues:StringLike", ["*"])),
            "inverted-condition",
        ),
        (
            both(
                ("ForAllValues:StringNotLike", [TEAM, SIMULATOR]),
                ("ForAllValues:StringLike", ["*"]),
            ),
            "inverted-condition",
        ),
        (
            both(("ForAllValues:StringNotLike", [TEAM]), ("ForAllValues:StringLike", ["*"])),
            "other-recipients-allowed",
        ),
        # beside a condition that doesn't say how many must match
        (
            both(("StringLike", [SIMULATOR]), ("ForAllValues:StringLike", [SIMULATOR, TEAM])),
            "undefined-condition",
        ),
        (allow("StringLike", TEAM), "undefined-condition"),
        (deny("StringNotLike", SIMULATOR), "undefined-condition"),
        # possible for another reason
        (
            [{**allow("ForAllValues:StringLike", SIMULATOR, TEAM)[0], "Resource": ODD_ARN}],
            "other-recipients-allowed",
        ),
        (
            [{**OPEN, "Resource": ODD_ARN}, deny("ForAnyValue:StringNotLike", SIMULATOR, TEAM)[1]],
            "other-recipients-allowed",
        ),
        # proven, though a Deny doesn't say how many must match
        (deny("StringNotLike", TEAM, SIMULATOR), "other-recipients-allowed"),
        # a Deny of another action says nothing here
        (
            [OPEN, {**deny("ForAnyValue:StringLike", TEAM)[1], "Action": "ses:SendRawEmail"}],
            "unrestricted-send",
        ),
        # a Deny that holds elsewhere alone
        (
            [
                OPEN,
                {
                    **DENY,
                    "Condition": {
                        "ForAnyValue:StringNotLike": {"ses:Recipients": SIMULATOR},
                        "StringEquals": {"aws:RequestedRegion": "us-east-1"},
                    },
                },
            ],
            "unrestricted-send",
        ),
        # a condition that spares some, beside one that asks for a companion
        (
            [*allow("ForAnyValue:StringLike", TEAM), deny("ForAnyValue:StringLike", "*@b.org")[1]],
            "mixed-recipients",
        ),
        # the same of another action
        (
            [
                {**one, "Action": "ses:SendRawEmail"}
                for one in deny("ForAnyValue:StringNotLike", SIMULATOR, TEAM)
            ],
            "other-recipients-allowed",
        ),
        # that the key is there limits nobody
        ([{**OPEN, "Condition": {"Null": {"ses:Recipients": "false"}}}], "unrestricted-send"),
        # a condition on something else
        (
            [{**OPEN, "Condition": {"StringLike": {"ses:FromAddress": "*@example.com"}}}],
            "unrestricted-send",
        ),
    ],
)
def test_what_decides_beside_the_witness(statements: list[dict[str, Any]], rule: str) -> None:
    """Of several reasons the telling one is told, and nothing that doesn't bear on the request."""
    assert found(statements).rule == rule


HERE = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
SAME = {"ForAnyValue:StringNotLike": {"ses:Recipients": [SIMULATOR, TEAM]}}


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([OPEN, {**DENY, "Condition": SAME}], [0, 1]),
        ([OPEN, {**DENY, "Condition": SAME, "Action": "ses:SendRawEmail"},
          {**DENY, "Condition": SAME}], [0, 2]),
        ([*allow("ForAllValues:StringLike", TEAM), *allow("ForAllValues:StringLike", TEAM)], [0]),
        (deny("StringNotLike", SIMULATOR), [0, 1]),
        ([OPEN, {**DENY, "Condition": {**HERE, "StringNotLike": {"ses:Recipients": TEAM}}}], [0]),
        ([{**OPEN, "Resource": ODD_ARN}, {**DENY, "Condition": {**HERE, **SAME}}], [0]),
    ],
)  # fmt: skip
def test_the_statements_are_those_that_bear_on_the_request(
    statements: list[dict[str, Any]], told: list[int]
) -> None:
    """The Allow that lets it through, and the Denies of its action that it gets past."""
    (report,) = audit(account(role(*statements)), now=NOW).roles
    (finding,) = [
        one
        for one in report.findings
        if one.witness is not None and one.witness.action == "ses:SendEmail"
    ]
    assert [ref.index for ref in finding.statements] == told


@pytest.mark.parametrize(
    "pattern",
    [
        "*@simulator.example.com",
        "*@*amazonses.com",
        "*amazonses.com",
        *(f"{name}@*" for name in ("success", "bounce", "ooto", "complaint", "suppressionlist")),
    ],
)
def test_what_resembles_the_simulator(pattern: str) -> None:
    """A value that has the simulator's names in it was meant for it."""
    assert found(allow("ForAllValues:StringLike", pattern)).rule == "loose-recipient-pattern"


@pytest.mark.parametrize(
    "rule",
    [
        "other-recipients-allowed",
        "mixed-recipients",
        "inverted-condition",
        "loose-recipient-pattern",
        "undefined-condition",
    ],
)
def test_the_advice_names_the_operators_that_close(rule: str) -> None:
    """Each of these rules' advice has both conditions that close the role by themselves."""
    from auditor.rules.catalogue import RULES

    in_allow, in_deny = "ForAllValues:StringLike", "ForAnyValue:StringNotLike"
    assert f"{in_allow} in the Allow or {in_deny} in a Deny" in RULES[rule].remedy
    for statements in (allow(in_allow, SIMULATOR), deny(in_deny, SIMULATOR)):
        (report,) = audit(account(role(*statements)), now=NOW).roles
        assert report.verdict == "simulator_only"
