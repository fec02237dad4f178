"""The table of condition operators against the examples of AWS's page, row by row.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import pytest

from auditor.errors import PolicyError
from auditor.policy.operators import OPERATORS, spelled

PAGE = (
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
)
NEGATED = {"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "NumericNotEquals",
           "DateNotEquals", "NotIpAddress", "ArnNotEquals", "ArnNotLike"}  # fmt: skip


def test_the_table_has_the_pages_operators_and_no_others() -> None:
    """Every operator of the page is a row, and every row an operator of the page."""
    assert sorted(row.name for row in OPERATORS.values()) == sorted(PAGE)
    assert {row.name for row in OPERATORS.values() if row.negated} == NEGATED
    families = {row.name for row in OPERATORS.values() if row.variables}
    assert families == {name for name in PAGE if name.startswith(("String", "Arn"))}


@pytest.mark.parametrize("name", PAGE)
def test_set_operators_and_if_exists_go_with_every_operator_but_null(name: str) -> None:
    """``ForAllValues:``, ``ForAnyValue:`` and ``IfExists``, in any case, go with all but Null."""
    row = OPERATORS[name.lower()]
    assert spelled(name) == (row, "", False)
    assert spelled(name.upper()).operator is row
    for prefix, quantifier in (("ForAllValues:", "all"), ("forANYvalue:", "any")):
        for suffix in ("", "IfExists", "IFEXISTS"):
            if name == "Null":
                with pytest.raises(PolicyError):
                    spelled(prefix + name + suffix)
            else:
                assert spelled(prefix + name + suffix) == (row, quantifier, bool(suffix))


@pytest.mark.parametrize(
    "name",
    ["", "String", "StringMatches", "NotStringLike", "BoolNot", "StringLikeIfExistsIfExists",
     "ForAllValues", "ForAllValues:", "ForAllValues:ForAnyValue:StringLike", "StringLike:",
     ":StringLike", "StringLike ", "ArnNotLikes", "DateBetween"],
)  # fmt: skip
def test_other_names_are_refused(name: str) -> None:
    """An operator that isn't IAM's is refused by its name."""
    with pytest.raises(PolicyError, match="unknown condition operator"):
        spelled(name)


@pytest.mark.parametrize(
    ("name", "value", "text", "matches"),
    [
        ("StringEquals", "iamuser-admin", "iamuser-admin", True),
        ("StringEquals", "iamuser-admin", "IAMuser-admin", False),
        ("StringEquals", "iamuser-*", "iamuser-admin", False),
        ("StringEqualsIgnoreCase", "johndoe", "JohnDoe", True),
        ("StringEqualsIgnoreCase", "john*", "johndoe", False),
        ("StringLike", "*@simulator.amazonses.com", "a@simulator.amazonses.com", True),
        ("StringLike", "*@simulator.amazonses.com", "a@Simulator.amazonses.com", False),
        ("StringLike", "a?c", "abc", True),
        ("StringLike", "a?c", "ac", False),
        ("NumericLessThanEquals", "10", "10", True),
        ("NumericLessThan", "10", "9.99", True),
        ("NumericGreaterThan", "10", "ten", False),
        ("DateGreaterThan", "2019-07-16T12:00:00Z", "2019-07-16T15:00:00Z", True),
        ("DateLessThan", "2019-07-16T15:00:00Z", "1563289199", True),
        ("DateEquals", "1563289200", "2019-07-16T15:00:00Z", True),
        ("Bool", "true", "TRUE", True),
        ("Bool", "False", "false", True),
        ("Bool", "true", "yes", False),
        ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
        ("BinaryEquals", "eA==", "eQ==", False),
        ("IpAddress", "203.0.113.0/24", "203.0.113.9", True),
        ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::9", True),
        (
            "ArnLike",
            "arn:aws:sns:*:*:TOPIC-ID",
            "arn:aws:sns:eu-west-1:123456789012:TOPIC-ID",
            True,
        ),
        ("ArnEquals", "arn:aws:sns:*:*:TOPIC-*", "arn:aws:sns:eu-west-1:1:TOPIC-ID", True),
        ("ArnLike", "arn:aws:sns:*:*:TOPIC-ID", "arn:aws:sns:a:b:c:TOPIC-ID", False),
    ],
)
def test_comparing_by_example(name: str, value: str, text: str, matches: bool) -> None:
    """What each family's positive comparison says of the page's examples."""
    made = OPERATORS[name.lower()].read(((value, False),))
    assert made is not None
    assert made.matches(text) is matches


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NumericEquals", "ten"),
        ("NumericEquals", "1e5"),
        ("NumericEquals", "1" * 41),
        ("DateEquals", "2026"),
        ("DateEquals", "today"),
        ("Bool", "yes"),
        ("BinaryEquals", "not base64!"),
        ("IpAddress", "203.0.113"),
        ("ArnLike", "arn:aws:sns:*"),
    ],
)
def test_a_value_of_another_kind_is_unread(name: str, value: str) -> None:
    """A value that its operator can't read is None: nobody knows what AWS makes of it."""
    assert OPERATORS[name.lower()].read(((value, False),)) is None
