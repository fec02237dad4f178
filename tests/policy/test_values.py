"""The values that operators compare: numbers, moments, addresses, ARNs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.globs import like
from auditor.policy import values
from auditor.policy.values import Comparison, Within, arn, iso, moment, network, number

relaxed = settings(deadline=None, max_examples=300)
ANY = st.text(max_size=20) | st.text("0123456789-+.:TZe/", max_size=30)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", "5"),
        ("-5.50", "-5.5"),
        ("+1", "1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("007", "7"),
        ("1e3", None),
        ("0x10", None),
        ("", None),
        (" 5", None),
        ("1_000", None),
        ("٣", None),
        ("NaN", None),
        ("Infinity", None),
        ("--5", None),
        ("1.2.3", None),
        ("9" * 120, "9" * 120),
        ("9" * 121, None),
    ],
)
def test_numbers(text: str, value: str | None) -> None:
    """Integers and decimals are read exactly; anything else isn't a number."""
    assert number(text) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-23T03:00:00Z", 1795402800),
        ("2026-11-23T05:00:00+02:00", 1795402800),
        ("2026-11-23T03:00:00", 1795402800),
        ("2026-11-23T03:00Z", 1795402800),
        ("2026-11-23T03:00:00.5Z", "1795402800.5"),
        ("2026-11-23", 1795392000),
        ("2026-11", 1793491200),
        ("1795402800", 1795402800),
        ("-1", -1),
        ("2026", None),
        ("2026-13-01", None),
        ("2026-02-30", None),
        ("tomorrow", None),
        ("", None),
        ("9999-12-31T23:59:59Z", values.CLOCK_END),
        ("0001-01-01T00:00:00+23:59", -62135683140),
        ("2026-11-23T03:00:00Z" + "0" * 200, None),
    ],
)
def test_moments(text: str, at: int | str | None) -> None:
    """ISO 8601 (the W3C profile) and epoch seconds are read; a bare year is either, so neither.

    https://www.w3.org/TR/NOTE-datetime
    """
    assert moment(text) == (None if at is None else Decimal(at))


@relaxed
@given(st.integers(0, values.CLOCK_END))
def test_a_clock_shows_what_it_reads(second: int) -> None:
    """Writing a second and reading it back gives the second, in both of the clock's forms."""
    assert moment(iso(second)) == second
    if len(str(second)) != 4:
        assert moment(str(second)) == second


@relaxed
@given(ANY)
def test_any_text_is_a_value_or_none(text: str) -> None:
    """No text makes a reader fail."""
    for read in (number, moment, network, values.decoded):
        read(text)
    arn(like(text))


@relaxed
@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-9, max_value=9),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-9, max_value=9),
)
def test_comparisons_are_those_of_numbers(mine: Decimal, other: Decimal) -> None:
    """Exactly one of less, equal and greater holds, and the inclusive ones are their unions."""
    held = {
        relation: Comparison("numeric", relation, other).matches(f"{mine:f}")
        for relation in ("<", "==", ">", "<=", ">=")
    }
    assert held == {
        "<": mine < other,
        "==": mine == other,
        ">": mine > other,
        "<=": mine <= other,
        ">=": mine >= other,
    }


@pytest.mark.parametrize(
    ("block", "address", "inside"),
    [
        ("203.0.113.0/24", "203.0.113.255", True),
        ("203.0.113.0/24", "203.0.114.0", False),
        ("203.0.113.5", "203.0.113.5", True),
        ("203.0.113.5/24", "203.0.113.77", True),
        ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
        ("2001:DB8:1234:5678::/64", "203.0.113.5", False),
        ("0.0.0.0/0", "::1", False),
        ("0.0.0.0/0", "not an address", False),
    ],
)
def test_addresses(block: str, address: str, inside: bool) -> None:
    """IPv4 and IPv6 blocks hold their own addresses and no others.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_policies_elements_condition_operators.html#Conditions_IPAddress
    """
    made = network(block)
    assert made is not None
    assert Within(made).matches(address) is inside


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("arn:aws:sns:*:*:*", "arn:aws:sns:eu-west-1:123456789012:topic", True),
        ("arn:aws:sns:*:*:*", "arn:aws:sqs:eu-west-1:123456789012:topic", False),
        ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a:b/c", True),
        ("arn:*:sns:*:*:*", "arn:aws:x:sns:1:2:3", False),
        ("arn:aws:sns:*:topic", "arn:aws:sns:eu-west-1:123456789012:topic", None),
        ("*", "arn:aws:sns:eu-west-1:123456789012:topic", None),
        ("arn:aws:sns:*:*:*", "not an arn", False),
    ],
)
def test_arns_are_compared_part_by_part(pattern: str, text: str, matches: bool | None) -> None:
    """Wildcards of the first five parts don't cross a colon; fewer than six parts are no ARN.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_policies_elements_condition_operators.html#Conditions_ARN
    """
    made = arn(like(pattern))
    assert (made is None) == (matches is None)
    if made is not None:
        assert made.matches(text) is matches


def test_now_is_where_calendars_end() -> None:
    """A clock never shows a moment behind the year 9999."""
    assert iso(values.CLOCK_END + 10) == iso(values.CLOCK_END)
    assert datetime.fromtimestamp(values.CLOCK_END, UTC).year == 9999
