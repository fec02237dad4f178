"""A name that may end elsewhere than it seems to gets into no policy and no command."""

from __future__ import annotations

import pytest

from auditor.denial.advice import advise
from auditor.denial.command import command_of
from auditor.denial.find import find

ROLE = "arn:aws:sts::123456789012:assumed-role/builds/AWSCodeBuild-1"
ARN = "arn:aws:ses:eu-west-1:123456789012:identity/mail.example.com"
CALL = f"User: {ROLE} is not authorized to perform: ses:SendEmail"
MESSAGE = f"{CALL} on resource: {ARN}"


def resources(text: str) -> list[str]:
    """What stands in policies for a text, the identities alone."""
    found = [one.resource for one in find(text).denials]
    return [one.text for one in found if one is not None and one.kind]


@pytest.mark.parametrize(
    "text",
    [
        f"{MESSAGE}\n{MESSAGE}",
        f"start\n{MESSAGE}\nretrying in 2 s\n{MESSAGE}\nfailed",
        f"start\n{MESSAGE}\nretrying\n{MESSAGE}\nfailed",
        f"{MESSAGE}\nTraceback (most recent call last):",
        f"{MESSAGE}\n    at send",
        f"{MESSAGE}\n=====\n",
        f"{MESSAGE}, retrying\n{MESSAGE}.\n",
    ],
)
def test_a_message_that_ends_in_its_line(text: str) -> None:
    """Lines after a message, other ones or itself, are no part of its last name."""
    assert resources(text) == [ARN]


@pytest.mark.parametrize("after", ["", "\nretrying in 2 s", f"\n{CALL}"])
def test_an_action_at_the_end_of_a_line(after: str) -> None:
    """An action alone, told twice, is found twice, and is no longer than it is."""
    (one,) = find(f"{CALL}{after}").denials
    assert (one.action, one.resource) == ("ses:SendEmail", None)
    assert one.times == 1 + after.count(CALL)


@pytest.mark.parametrize(
    "text",
    [
        f"{MESSAGE[:-1]}\nm",
        f"{MESSAGE}\ndone",
        f"{CALL} on resource `{ARN[:-4]}",
        f"{CALL} on resource: {ARN[:-4]}.example.c (truncated...)",
        f"{MESSAGE}...",
    ],
)
def test_a_name_that_may_be_cut(text: str) -> None:
    """Where a name may go on, or was cut off, there is a reason in the place of a policy."""
    (advice,) = advise(find(text).denials)
    assert advice.policy is None
    assert "Give the message whole" in advice.refusals[0]


PREFIXES = [
    "2026-11-23T03:00:00.123000+00:00 8f0c1111-2222-3333-4444-555555555555 ",
    *("E   ", "web_1  | ", "| ", "[ERROR] ", "> ", "    E   ", "[Container] 2026/11/23 03:00:00 "),
]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("width", [40, 80, 100])
def test_folded_after_a_prefix(prefix: str, width: int) -> None:
    """What a tool put before each line isn't part of the message that it folded."""
    lines = (MESSAGE[at : at + width] for at in range(0, len(MESSAGE), width))
    found = find("\n".join(f"{prefix}{line}" for line in lines))
    (one,) = found.denials
    assert one.principal is not None
    assert one.resource is not None
    assert (one.principal.text, one.resource.text) == (ROLE, ARN)


@pytest.mark.parametrize("width", range(40, 120, 7))
def test_a_prefix_that_nobody_knows(width: int) -> None:
    """A name with something else in its middle makes no command, and is in no policy."""
    lines = (MESSAGE[at : at + width] for at in range(0, len(MESSAGE), width))
    for advice in advise(find("\n".join(f"job-7# {line}" for line in lines)).denials):
        assert advice.principal is None or advice.principal.name in ("", "builds")
        assert command_of(advice) == "" or "--role-name=builds" in command_of(advice)
        assert all(one.resource is None or one.resource.text == ARN or not one.resource.kind
                   for one in advice.denials)  # fmt: skip
