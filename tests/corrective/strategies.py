"""Arbitrary scopes for the sender: every option, together with every other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from auditor.actions import SEND_ACTIONS
from auditor.corrective.scope import Scope

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

NOW: Final = datetime(2026, 11, 23, 3, tzinfo=UTC)
ACCOUNT: Final = "123456789012"
REGIONS: Final = {
    "aws": ("*", "eu-west-1", "us-*", "ap-southeast-?"),
    "aws-cn": ("*", "cn-north-1", "cn-*"),
    "aws-us-gov": ("*", "us-gov-west-1", "us-gov-*"),
}
IDENTITIES: Final = (
    "example.com",
    "ci@example.com",
    "build+tests@mail.example.com",
    "*.example.com",
    "*@example.com",
    "*",
    "example.???",
    "xn--bcher-kva.example",
)
NAMES: Final = ("welcome", "Order_Confirmed-2", "ci-*", "*", "?")
SENDERS: Final = (
    "ci@example.com",
    "*@example.com",
    "*@*.example.com",
    "build+??@example.com",
    "*@*",
)
KEYED: Final = {action.name: action for action in SEND_ACTIONS if action.carries_recipients}


def some(*values: str) -> SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=3).map(tuple)


@st.composite
def scopes(draw: DrawFn) -> Scope:
    """Scopes that hold together: each has requests that it is meant to let through at ``NOW``."""
    names = draw(st.lists(st.sampled_from(sorted(KEYED)), min_size=1, max_size=5))
    listed = {kind for n in names for kind in (*KEYED[n].required, *KEYED[n].optional)}
    partition = draw(st.sampled_from(sorted(REGIONS)))
    regions = draw(st.lists(st.sampled_from(REGIONS[partition]), min_size=1, max_size=3))
    account = draw(st.sampled_from(("*", ACCOUNT)))

    def named(kind: str, values: tuple[str, ...]) -> tuple[str, ...]:
        if kind not in listed:
            return ()
        start = f"arn:{partition}:ses:{regions[0]}:{account}:{kind}/"
        arn = st.sampled_from(values).map(lambda name: start + name)
        return tuple(draw(st.lists(st.sampled_from(values) | arn, max_size=3)))

    spelled = st.sampled_from((str, str.lower, lambda name: name.partition(":")[2]))
    offset = timezone(timedelta(hours=draw(st.integers(-12, 14))))
    seconds = st.integers(0, 10**7).map(lambda n: timedelta(seconds=n))
    opens = draw(st.none() | seconds.map(lambda n: (NOW - n).astimezone(offset)))
    closes = draw(st.none() | seconds.map(lambda n: (NOW + n).astimezone(offset)))
    return Scope(
        actions=tuple(draw(spelled)(name) for name in names),
        identities=named("identity", IDENTITIES),
        configuration_sets=named("configuration-set", NAMES),
        templates=named("template", NAMES) or named("custom-verification-email-template", NAMES),
        from_address=draw(st.none() | st.sampled_from(SENDERS)),
        not_before=opens,
        not_after=closes,
        partition=partition,
        account=account,
        regions=tuple(regions),
    )
