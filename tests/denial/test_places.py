"""What is told twice is one, what differs is two: in a short text as in a long one."""

from __future__ import annotations

import pytest

from auditor.denial.find import find

ROLE = "arn:aws:sts::123456789012:assumed-role/builds/AWSCodeBuild-1"
SES = "arn:aws:ses:eu-west-1:123456789012:"
TWO = (("SendEmail", "identity/example.com"), ("SendRawEmail", "configuration-set/x"))


def refused(call: str, name: str) -> str:
    return f"User `{ROLE}' is not authorized to perform `ses:{call}' on resource `{SES}{name}'"


@pytest.mark.parametrize("around", ["", "x" * 2_000])
def test_two_refusals_are_two(around: str) -> None:
    """Two different refusals are both told, however near each other and the text's ends."""
    found = find("\n".join((around, *(refused(*one) for one in TWO), around)))
    assert [one.action for one in found.denials] == ["ses:SendEmail", "ses:SendRawEmail"]
    assert [one.times for one in found.denials] == [1, 1]
    again = find("\n".join(refused(*TWO[0]) for _ in range(3)))
    assert [(one.times, one.lines) for one in again.denials] == [(3, (1, 2, 3))]


def test_mail_beside_another_service() -> None:
    """A refusal of another service in the line before doesn't hide mail's."""
    other = f"User: {ROLE} is not authorized to perform: s3:GetObject"
    found = find(f"{other}\n{refused(*TWO[0])}")
    assert [one.what for one in found.others] == ["s3:GetObject"]
    assert [one.action for one in found.denials] == ["ses:SendEmail"]


def test_two_problems_are_two() -> None:
    """Two addresses that aren't verified are both told, and the same one twice is one."""
    line = "Email address is not verified. The following identities failed the check in region"
    found = find(f"{line} EU-WEST-1: a@example.com\n{line} US-EAST-1: b@example.com")
    assert [dict(one.details)["region"] for one in found.troubles] == ["EU-WEST-1", "US-EAST-1"]
    (same,) = find(f"{line} EU-WEST-1: a@example.com\n" * 2).troubles
    assert same.times == 2
