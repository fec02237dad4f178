"""Values of other kinds: any text, booleans, names of SES resources, accounts, user ids."""

from __future__ import annotations

import string
from dataclasses import replace
from typing import Final

from auditor.domains.mailbox import ATEXT
from auditor.domains.model import ALNUM, DEAD, Domain, always, finite

ANYTHING: Final = Domain(
    name="string",
    start=0,
    step=always,
    accepts=lambda _state: True,
    contains=lambda _text: True,
    fresh=(ALNUM, "-", "/"),
    open=True,
    nice=("example",),
    fillers=("", "x", "example", "1", "example-1", "/"),
)


TRUE_OR_FALSE: Final = finite("boolean", "true", "false")
API_VERSION: Final = replace(ANYTHING, name="SES API version", nice=("2", "1"))
FEEDBACK: Final = replace(ANYTHING, name="feedback address", nice=("bounces@example.com",))


def _spelled(prefix: str, nice: tuple[str, ...], chars: str, size: tuple[int, int]) -> Domain:
    """Return the texts of a prefix, then ``size`` (least, most) of these characters."""
    start, (least, most) = len(prefix), size
    allowed = frozenset(chars)

    def step(state: int, char: str) -> int:
        if state < start:
            return state + 1 if char == prefix[state] else DEAD
        return state + 1 if char in allowed and state < start + most else DEAD

    return Domain(
        name=prefix.rstrip("/:") or "name",
        start=0,
        step=step,
        accepts=lambda state: state >= start + least,
        contains=lambda text: (
            text.startswith(prefix)
            and least <= len(text) - start <= most
            and allowed.issuperset(text[start:])
        ),
        fresh=(*dict.fromkeys(prefix), chars),
        nice=nice,
    )


NAME_MAX: Final = 320
"""Characters of a resource's name: those of the longest address (RFC 3696's erratum)."""


def _named(kind: str, chars: str, *nice: str) -> Domain:
    """Return the sixth part of the ARNs of one resource type: ``kind/`` and a name."""
    prefix = f"{kind}/"
    counted = _spelled(prefix, tuple(prefix + name for name in nice), chars, (1, NAME_MAX))
    end = len(prefix) + 1
    return replace(
        counted,
        name=kind,
        step=lambda state, char: min(counted.step(min(state, end), char), end),
        accepts=lambda state: state >= end,
        fillers=("", "example.com", "sender@example.com", "example", "mail.", "x"),
        textual=True,
        counted=counted,
    )


_PLAIN = ALNUM + "-_"
RESOURCES: Final = {
    "identity": _named("identity", ALNUM + "-.@" + ATEXT, "example.com", "sender@example.com"),
    "template": _named("template", _PLAIN, "welcome", "newsletter"),
    "custom-verification-email-template": _named(
        "custom-verification-email-template", _PLAIN, "verify"
    ),
    "configuration-set": _named("configuration-set", _PLAIN, "default"),
}
"""The sixth part of the ARN of each resource type that a send is authorised on."""

ACCOUNT: Final = _spelled("", ("210987654321", "111122223333"), string.digits, (12, 12))
"""Account ids."""


def user_id(role_id: str) -> Domain:
    """Return the values of ``aws:userid`` for a session of a role: its id, ``:``, session name.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    prefix = f"{role_id}:"
    return _spelled(prefix, (f"{prefix}AWSCodeBuild-1",), ALNUM + "_+=,.@-", (2, 64))
