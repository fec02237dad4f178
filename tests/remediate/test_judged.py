"""After a real apply, two evaluators that share no code with the auditor judge each role.

They are those of ``tests/judge``: an evaluator of its own, and the peer where it is installed.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from auditor.corrective.documents import guard
from auditor.remediate.journal_file import FileJournal
from auditor.remediate.plan import PlanRequest, plan
from tests.judge.calls import Call, Subject, reaches, real, succeeds
from tests.judge.concrete import Reading
from tests.judge.roles import random_role
from tests.judge.verdicts import peer_of, samples
from tests.remediate.apply_fate import Shortcut
from tests.remediate.apply_world import GUARD, NOW, TRUST, World, outcomes, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from auditor.account import Role
    from auditor.remediate.model import Plan

ROLES = 110
"""Random roles, of which some thirty are accepted by IAM and exposed."""
CALLS = 60
"""Sampled for each role, dense where its own policies draw lines."""


class Judged(NamedTuple):
    """An account of random roles, before and after its plan was applied."""

    plan: Plan
    before: dict[str, Role]
    after: dict[str, Role]
    undone: dict[str, Role]


def _make(aws: World, number: int) -> None:
    """Make a random role, with its policies as far as IAM accepts them."""
    subject = random_role(random.Random(f"remedy/{number}"))  # noqa: S311 - the same every time
    name = f"r{number:03}"
    more: dict[str, Any] = {}
    try:
        if subject.boundary is not None:
            edge = aws.iam.create_policy(
                PolicyName=f"edge-{name}", PolicyDocument=json.dumps(subject.boundary)
            )
            more["PermissionsBoundary"] = edge["Policy"]["Arn"]
        more["Tags"] = [{"Key": key, "Value": value} for key, value in subject.tags.items()]
        aws.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **more)
        for at, document in enumerate(subject.policies):
            aws.iam.put_role_policy(
                RoleName=name, PolicyName=f"p{at}", PolicyDocument=json.dumps(document)
            )
    except aws.iam.exceptions.MalformedPolicyDocumentException:
        return


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judged]:
    with pytest.MonkeyPatch.context() as patch, world(patch) as aws:
        aws.deploy_guard()
        for number in range(ROLES):
            _make(aws, number)
        account = aws.known = aws.account()
        before = {role.arn: role for role in account.roles}
        request = PlanRequest(existing=Shortcut().managed(GUARD))
        made = plan(account, request, now=NOW)
        path: Path = tmp_path_factory.mktemp("judged") / "j"
        results = aws.apply(made, FileJournal(path), reader=Shortcut(), max_changes=ROLES)
        assert set(outcomes(results).values()) == {"attached"}
        promised = {one.role_arn: one.after for one in made.changes}
        assert {one.role_arn: one.standing for one in results} == promised
        after = {role.arn: role for role in aws.account().roles}
        aws.undo(made, FileJournal(path), reader=Shortcut())
        yield Judged(made, before, after, {role.arn: role for role in aws.account().roles})


def _subject(role: Role) -> Subject:
    """The role as the judges take it: what AWS holds, and nothing that the auditor made of it."""
    return Subject(
        tuple(text.document for text in (*role.inline, *role.attached)),
        None if role.boundary is None else role.boundary.document,
        role.arn,
        role.role_id,
        role.tags,
    )


def _passing(subject: Subject, calls: list[Call]) -> list[tuple[str, Call]]:
    """The calls that one of the judges lets through, in the reading that gives most access."""
    peer = peer_of(subject)
    checks = {"judge": None, **({} if peer is None else {"peer": peer.allows})}
    return [
        (who, call)
        for who, check in checks.items()
        for call in calls
        if succeeds(subject, call, Reading.MOST, check)
    ]


def test_nobody_can_be_mailed(judged: Judged) -> None:
    """On each of thirty random exposed roles no sampled call to anybody real is let through after
    the plan was applied, by either evaluator; before, many were.
    """
    assert len(judged.plan.changes) >= 30
    open_before = 0
    for number, change in enumerate(judged.plan.changes):
        before = _subject(judged.before[change.role_arn])
        after = _subject(judged.after[change.role_arn])
        calls = [one for one in samples(before, CALLS, number) if reaches(one) == "real"]
        calls += [one for one in samples(after, CALLS, number) if reaches(one) == "real"]
        calls += [_to_one(one) for one in calls if "ses:Recipients" in one.context]
        open_before += bool(_passing(before, calls))
        assert _passing(after, calls) == [], change.role_arn
    assert open_before >= 25


def _to_one(call: Call) -> Call:
    """The same call, to its first real recipient and one of the simulator's."""
    person = next(one for one in call.context["ses:Recipients"] if real(one))
    recipients = ("success@simulator.amazonses.com", person)
    return Call(call.action, call.resources, {**call.context, "ses:Recipients": recipients})


def test_the_simulator_is_still_reached(judged: Judged) -> None:
    """What reached the simulator before does after, unless the plan said that it wouldn't."""
    kept = 0
    for number, change in enumerate(judged.plan.changes):
        before = _subject(judged.before[change.role_arn])
        after = _subject(judged.after[change.role_arn])
        lower = [
            one
            for one in samples(before, CALLS, number)
            if reaches(one) == "simulator"
            and all(text == text.lower() for text in one.context["ses:Recipients"])
        ]
        reached = [call for who, call in _passing(before, lower) if who == "judge"]
        then = [call for who, call in _passing(after, lower) if who == "judge"]
        if any(one.code == "simulator-lost" for one in change.warnings):
            continue
        assert then == reached, change.role_arn
        kept += bool(reached)
    assert kept >= 10


def test_nothing_else_is_changed(judged: Judged) -> None:
    """Of each role the policy attached is all that is new, and undo leaves it as it was."""
    changed = {change.role_arn for change in judged.plan.changes}
    assert judged.before.keys() == judged.after.keys() == judged.undone.keys()
    for arn, role in judged.before.items():
        expected = [*_said(role)[0], *([guard()] if arn in changed else [])]
        assert _said(judged.after[arn]) == (expected, *_said(role)[1:])
        assert _said(judged.undone[arn]) == _said(role)


def _said(role: Role) -> tuple[Any, ...]:
    return (
        [text.document for text in role.attached],
        [(text.name, text.document) for text in role.inline],
        None if role.boundary is None else (role.boundary.arn, role.boundary.document),
        role.role_id,
        dict(role.tags),
        role.trust.document,
    )
