"""The sender lets mail through to the simulator, within its scope, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from auditor.corrective.documents import SIZE_MAX, Document, guard, sender, size_of
from auditor.corrective.scope import Scope
from tests.corrective.requests import (
    KEYED,
    SIMULATED,
    check,
    concrete,
    lists,
    resources,
    send,
    statement,
)
from tests.corrective.strategies import ACCOUNT, NOW, scopes
from tests.judge.calls import SENDS, Subject
from tests.judge.concrete import Reading
from tests.judge.verdicts import verdict

REAL = ("someone@example.com",)
TO = (SIMULATED[0],)


def subject(*documents: Document, partition: str = "aws") -> Subject:
    return Subject(documents, arn=f"arn:{partition}:iam::{ACCOUNT}:role/codebuild-case")


@given(scopes())
@settings(max_examples=150, deadline=None)
def test_every_combination_is_simulator_only(scope: Scope) -> None:
    """Whatever the options, a role with the sender alone has ``simulator_only``; so it has, with
    the guard beside it.
    """
    document = sender(scope)

    assert size_of(document) <= SIZE_MAX
    for documents in ((document,), (document, guard())):
        report = verdict(subject(*documents, partition=scope.partition))
        assert (report.verdict, report.findings) == ("simulator_only", ())


def touched(listed: str | list[str]) -> dict[str, str]:
    """Return a resource of each type, in one region and this account: allowed ones, where some are
    listed.
    """
    if isinstance(listed, str):
        return resources()
    region = concrete(listed[0].split(":")[3])
    found = resources(region)
    for pattern in reversed(listed):
        place, resource = pattern.split(":")[3], pattern.split(":", 5)[5]
        if concrete(place) == region:
            kind, _, name = concrete(resource).partition("/")
            found[kind] = f"{':'.join(pattern.split(':')[:3])}:{region}:{ACCOUNT}:{kind}/{name}"
    return found


@given(scopes())
@settings(max_examples=60, deadline=None)
def test_every_combination_judged(scope: Scope) -> None:
    """By evaluators that share no code with ours: each address of the simulator gets through, for
    exactly the actions that are named and wherever the policy says; nobody else ever does.
    """
    document = sender(scope)
    role = subject(document, partition=scope.partition)
    named = set(statement(document)["Action"])
    places = touched(statement(document)["Resource"])
    keys: dict[str, str] = {"aws__CurrentTime": NOW.strftime("%Y-%m-%dT%H:%M:%SZ")}
    if scope.from_address is not None:
        keys["ses__FromAddress"] = concrete(scope.from_address)

    for action in SENDS:
        for recipients, simulated in lists():
            if action not in KEYED:
                assert not send(role, action, None, Reading.MOST, places, **keys)
                continue
            passes = simulated and action in named
            for reading in Reading:
                answer = send(role, action, recipients, reading, places, **keys)
                assert answer is passes, (action, recipients, reading)
        if action in KEYED:
            assert not send(role, action, None, Reading.MOST, places, **keys)
    for arn in places.values():
        assert not check(role, "ses:SendBounce", arn, Reading.MOST)


def test_alone_it_is_this() -> None:
    """Without options it allows the two plain sends, on everything, to the simulator."""
    assert sender() == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AllowMailToTheSimulatorOnly",
                "Effect": "Allow",
                "Action": ["ses:SendEmail", "ses:SendRawEmail"],
                "Resource": "*",
                "Condition": {
                    "ForAllValues:StringLike": {"ses:Recipients": "*@simulator.amazonses.com"},
                    "Null": {"ses:Recipients": "false"},
                },
            }
        ],
    }


@pytest.mark.parametrize(
    ("scope", "inside", "outside"),
    [
        (
            Scope(identities=("example.com",)),
            resources(identity="example.com"),
            resources(identity="example.org"),
        ),
        (Scope(regions=("eu-west-1",)), resources("eu-west-1"), resources("eu-west-2")),
        (Scope(identities=("*.example.com",)), resources(identity="a.example.com"), resources()),
    ],
)
def test_a_resource_outside_is_denied(
    scope: Scope, inside: dict[str, str], outside: dict[str, str]
) -> None:
    """Mail as another identity, or in another region, isn't allowed."""
    role = subject(sender(scope))
    assert send(role, "ses:SendEmail", TO, Reading.LEAST, inside)
    outside = {"identity": outside["identity"]}
    assert not send(role, "ses:SendEmail", TO, Reading.MOST, outside)


def test_configuration_sets_and_templates_outside_are_denied() -> None:
    """Where some are named, a check on another one fails."""
    scope = Scope(KEYED, configuration_sets=("ci",), templates=("welcome",))
    role = subject(sender(scope))
    for kind in ("configuration-set", "template", "custom-verification-email-template"):
        name = "ci" if kind == "configuration-set" else "welcome"
        start = f"arn:aws:ses:eu-west-1:{ACCOUNT}:{kind}/"
        for action in ("ses:SendTemplatedEmail", "ses:SendCustomVerificationEmail"):
            call = {kind: start + name, "identity": resources()["identity"]}
            assert _on(role, action, call, kind)
            assert not _on(role, action, {**call, kind: start + "other"}, kind)


def _on(role: Subject, action: str, places: dict[str, str], kind: str) -> bool:
    from tests.judge.concrete import Request, allows

    context: dict[str, Any] = {"ses:recipients": TO}
    return allows(role.policies, None, Request(action, places[kind], context), Reading.LEAST)


def test_another_sender_is_denied() -> None:
    """With --from, mail from another address isn't allowed, nor from one that isn't told."""
    role = subject(sender(Scope(from_address="*@example.com")))
    assert send(role, "ses:SendEmail", TO, Reading.LEAST, ses__FromAddress="ci@example.com")
    for other in ("ci@example.org", "ci@mail.example.com", "example.com"):
        assert not send(role, "ses:SendEmail", TO, Reading.MOST, ses__FromAddress=other)
    assert not send(role, "ses:SendEmail", TO, Reading.MOST)


@pytest.mark.parametrize(("seconds", "passes"), [(-1, False), (0, True), (60, True), (61, False)])
def test_the_window_includes_its_ends(seconds: int, passes: bool) -> None:
    """Mail is allowed from the first second of the window to its last."""
    scope = Scope(not_before=NOW, not_after=NOW + timedelta(minutes=1))
    at = (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
    role = subject(sender(scope))
    for reading in Reading:
        assert send(role, "ses:SendEmail", TO, reading, aws__CurrentTime=at) is passes


def test_a_window_is_written_in_utc() -> None:
    """Times of another zone come out as the same moment, as IAM reads it."""
    moment = datetime.fromisoformat("2027-01-01T01:30:00+02:00")
    written = statement(sender(Scope(not_before=moment)))["Condition"]["DateGreaterThanEquals"]
    assert written == {"aws:CurrentTime": "2026-12-31T23:30:00Z"}


def test_a_wider_allow_beside_it_stays_open() -> None:
    """The sender takes nothing away: beside an open policy the role is as exposed as before."""
    wide: Document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}],
    }
    assert verdict(subject(wide, sender())).verdict == "exposed"
    assert send(subject(wide, sender()), "ses:SendEmail", REAL, Reading.LEAST)
