"""When a request needs nothing of the environment or the sender: what weighs it high or medium."""

from __future__ import annotations

import pytest

from tests.engine.cases import allow, identity

FROM = "ses:FromAddress"


def plain(*statements: dict[str, object]) -> bool:
    (exposure,) = identity(*statements).decide().exposures
    return exposure.plain


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringNotEquals": {FROM: "boss@example.com"}}, True),
        ({"StringNotLike": {FROM: "*@example.com"}}, True),
        ({"StringLike": {FROM: "*@*"}}, True),
        ({"StringLike": {FROM: "*@example.com"}}, False),
        ({"StringLike": {FROM: ["*@example.com", "*@*"]}}, True),
        ({"StringLike": {FROM: "*@*"}, "StringEquals": {FROM: "boss@example.com"}}, False),
        ({"StringEquals": {FROM: "boss@example.com"}, "StringLike": {FROM: "*"}}, False),
    ],
)
def test_any_sender_is_plain_and_a_given_one_is_not(
    condition: dict[str, object], expected: bool
) -> None:
    """Every one of a sender's conditions must leave it free."""
    assert plain(allow("ses:SendEmail", **condition)) == expected


def test_the_plain_one_of_two_ways_is_found() -> None:
    """A way that asks for a network is passed over for one that holds where the key is left out."""
    network = allow("ses:SendEmail", IpAddress={"aws:SourceIp": "10.0.0.0/8"})
    optional = allow("ses:SendEmail", StringEqualsIfExists={"aws:SourceVpc": "vpc-1"})
    assert not plain(network)
    assert plain(optional)
    assert plain(network, optional)
    assert plain(optional, network)


def test_a_plain_way_that_names_the_sender_is_found_behind_another() -> None:
    """``*@*`` leaves the sender free, though the key is always there to be looked at."""
    network = allow("ses:SendEmail", IpAddress={"aws:SourceIp": "10.0.0.0/8"})
    anybody = allow("ses:SendEmail", StringLike={FROM: "*@*"})
    assert plain(network, anybody)
    assert plain(anybody, network)
