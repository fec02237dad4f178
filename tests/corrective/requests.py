"""Single requests to judge the two policies by, with evaluators that share no code with ours."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tests.judge.calls import ACCOUNT, SENDS, Call, Subject, known, succeeds
from tests.judge.concrete import Reading, Request, allows
from tests.judge.verdicts import peer_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.corrective.documents import Document
    from tests.judge.concrete import Values

SIMULATED: Final = (
    "success@simulator.amazonses.com",
    "bounce@simulator.amazonses.com",
    "ooto@simulator.amazonses.com",
    "complaint@simulator.amazonses.com",
    "suppressionlist@simulator.amazonses.com",
    "bounce+order-17@simulator.amazonses.com",
)
"""https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html"""
REAL: Final = (
    "someone@example.com",
    "success@simulator.amazonses.com.example.com",
    "success@not-simulator.amazonses.com",
    "success@mail.simulator.amazonses.com",
    "success@simulator.amazonses.org",
    "success@simulator-amazonses.com",
    "simulator.amazonses.com@example.com",
    "success@amazonses.com",
)
MIXED: Final = ((SIMULATED[0], REAL[0]), (REAL[0], SIMULATED[0]), (*SIMULATED, REAL[1]))
KEYED: Final = tuple(name for name, send in SENDS.items() if send.recipients)
KINDS: Final = ("identity", "configuration-set", "template", "custom-verification-email-template")


def resources(region: str = "eu-west-1", **named: str) -> dict[str, str]:
    """Return a resource of each type that SES's sends may touch."""
    names = {"identity": "example.com"} | {key.replace("_", "-"): one for key, one in named.items()}
    return {k: f"arn:aws:ses:{region}:{ACCOUNT}:{k}/{names.get(k, 'one')}" for k in KINDS}


def lists() -> Iterator[tuple[tuple[str, ...], bool]]:
    """Yield lists of recipients, and whether all of them are the simulator's."""
    yield from (((one,), True) for one in SIMULATED)
    yield from (((one,), False) for one in REAL)
    yield from ((several, False) for several in MIXED)
    yield SIMULATED, True


def send(
    subject: Subject,
    action: str,
    recipients: tuple[str, ...] | None,
    reading: Reading,
    places: Mapping[str, str] | None = None,
    **context: str,
) -> bool:
    """Tell whether a send goes through. All evaluators at hand must agree on it."""
    keys: dict[str, Values] = {name.replace("__", ":"): value for name, value in context.items()}
    if recipients is not None:
        keys["ses:Recipients"] = recipients
    call = Call(action, dict(places or resources()), keys)
    answer = succeeds(subject, call, reading)
    peer = peer_of(subject)
    if peer is not None:
        assert succeeds(subject, call, reading, peer.allows) is answer, call
    return answer


def check(subject: Subject, action: str, resource: str, reading: Reading) -> bool:
    """Tell whether one check of any service's action passes. The evaluators must agree."""
    context = known(subject, Call(action, {"any": resource}, {}))
    request = Request(action, resource, context)
    answer = allows(subject.policies, subject.boundary, request, reading)
    peer = peer_of(subject)
    if peer is not None:
        assert peer.allows(subject, request) is answer, request
    return answer


def concrete(pattern: str) -> str:
    """Return a text that a pattern of ``*`` and ``?`` matches."""
    return re.sub(r"\?", "1", pattern.replace("*", "x"))


def statement(document: Document) -> dict[str, Any]:
    """Return the one statement of a sender."""
    statements = document["Statement"]
    assert isinstance(statements, list)
    (one,) = statements
    assert isinstance(one, dict)
    return one
