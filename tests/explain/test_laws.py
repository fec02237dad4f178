"""Laws of explanations: what is said to expose does, and what is said to close does."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from auditor.account import PolicyText, Role
from auditor.audit import audit
from auditor.engine.evaluate import evaluate
from auditor.explain.json import to_dict
from auditor.explain.judge import judge
from auditor.explain.keeping import limits
from auditor.explain.page import Page
from auditor.explain.story import explain
from auditor.explain.tell import render
from auditor.explain.world import World, world_of
from auditor.policy.parse import load
from auditor.standing import Standing
from tests.corpus_runner.cases import CORPUS, Case, account_of, read
from tests.judge.roles import random_role

if TYPE_CHECKING:
    from auditor.engine.layers import Located
    from auditor.explain.closing import Closing
    from auditor.explain.story import Story

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
THEMES = sorted(path.stem for path in CORPUS.glob("*.json"))
SEEDS = range(60)


@cache
def cases(theme: str) -> tuple[Case, ...]:
    return tuple(read(CORPUS / f"{theme}.json"))


def role_of(seed: int) -> Role:
    """A random role that looks like people's."""
    subject = random_role(random.Random(seed))  # noqa: S311 - the same roles each time
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
    boundary = subject.boundary
    return Role(
        arn=subject.arn,
        name=subject.arn.rpartition("/")[2],
        role_id=subject.role_id,
        tags=subject.tags,
        trust=PolicyText("trust", None, "trust", trust),
        inline=tuple(
            PolicyText(f"policy-{n}", None, "inline", document)
            for n, document in enumerate(subject.policies)
        ),
        attached=(),
        boundary=None
        if boundary is None
        else PolicyText("boundary", "arn:aws:iam::123456789012:policy/b", "boundary", boundary),
    )


def told(role: Role, now: datetime = NOW) -> tuple[Story, World]:
    account = account_of(role)
    standing = Standing(account, int(now.timestamp()))
    return explain(account, role, now), world_of(standing, role)


def with_statement(source: PolicyText, where: Located, statement: object) -> PolicyText:
    """The policy with one statement put in place of another, if it is the one that is meant."""
    if source is not where.source:
        return source
    top: dict[str, Any] = json.loads(json.dumps(load(source.document)))
    if isinstance(top["Statement"], list):
        top["Statement"][where.statement.index] = statement
    else:
        top["Statement"] = statement
    return PolicyText(source.name, source.arn, source.kind, top)


def changed(role: Role, closing: Closing) -> Role:
    """The role with a suggested change made to it by hand, as its reader would."""
    inline, boundary = role.inline, role.boundary
    if closing.document is not None:
        inline = (*inline, PolicyText("added", None, "inline", closing.document))
    if closing.place is not None:
        inline = tuple(with_statement(p, closing.place, closing.statement) for p in inline)
        if boundary is not None:
            boundary = with_statement(boundary, closing.place, closing.statement)
    return Role(
        role.arn, role.name, role.role_id, role.tags, role.trust, inline, role.attached, boundary
    )


def check(role: Role, now: datetime = NOW) -> Story:
    """Hold every law on one role."""
    story, world = told(role, now)
    for way in story.ways:
        names = {one.action.name for one in way.exposures}
        for closing in way.closings:
            if world.unread:
                continue  # what isn't there can't be changed by hand
            report = audit(account_of(changed(role, closing)), now=now).roles[0]
            left = {f.witness.action for f in report.findings if f.witness and f.severity != "low"}
            assert not names & left, closing.what
            assert report.verdict == closing.verdict, closing.what
        assert (way.exposures[0].certainty == "possible") == bool(way.doubts)
        for one in way.exposures:
            outcome = judge(one.request, world).outcome
            assert outcome == ("allowed" if one.certainty == "proven" else "not decided")
        for heard in way.missed:
            assert heard.fate == "resource" or heard.failed, heard
    if story.guard is not None and not world.unread:
        report = audit(account_of(changed(role, story.guard)), now=now).roles[0]
        assert report.verdict == story.guard.verdict
        assert report.verdict in ("no_send", "simulator_only")
    assert (story.keeping is not None) == (story.own.verdict in ("no_send", "simulator_only"))
    if story.keeping is not None:
        for removal in (*story.keeping.matter, *story.keeping.pairs):
            _exposes(world, removal.limits, removal.after)
    return story


def _exposes(world: World, taken: Any, after: Any) -> None:
    """Without the limits that are named, the plain evaluator allows the witness too."""
    edits = [one.edit for one in taken if one.edit is not None]
    layers = [one.layer for one in taken if one.layer is not None]
    without = world.edited(*edits).without(*layers)
    assert after.exposures
    for exposure in after.exposures:
        judged = evaluate(
            exposure.request,
            without.caller,
            without.layers,
            without.identities,
            least=exposure.question.setting.least,
        )
        assert judged.allowed


@pytest.mark.parametrize("theme", THEMES)
def test_every_case_of_the_corpus_is_explained(theme: str) -> None:
    """The verdict is the corpus's, changes close, removals expose, and the page is 80 wide."""
    for case in cases(theme):
        story = check(case.role, case.now)
        wanted = case.expect["verdict"], case.expect["certainty"]
        assert (story.verdict, story.certainty) == wanted, case.name
        text = render(story)
        assert all(len(line) <= 80 for line in text.splitlines()), case.name
        assert text.replace("\n", "").isprintable(), case.name
        assert json.loads(json.dumps(to_dict(story)))["verdict"] == story.verdict


@pytest.mark.parametrize("seed", SEEDS)
def test_random_roles_are_explained(seed: int) -> None:
    """The laws hold on roles that nobody thought of."""
    check(role_of(seed))


def test_the_laws_are_not_held_by_silence() -> None:
    """Among the random roles are many ways, changes and removals for the laws to be about."""
    stories = [told(role_of(seed))[0] for seed in SEEDS]
    ways = [way for story in stories for way in story.ways]
    kept = [story.keeping for story in stories if story.keeping is not None]

    assert len(ways) > 20
    assert sum(len(way.closings) for way in ways) > 30
    assert any(c.place is not None for way in ways for c in way.closings)
    assert sum(len(one.matter) for one in kept) > 5
    assert any(one.idle for one in kept)


def test_what_is_not_said_to_matter_does_not() -> None:
    """Every limit is in one list: its removal exposes, changes no verdict, or leaves it open."""
    for seed in SEEDS:
        story, world = told(role_of(seed))
        if story.keeping is None:
            continue
        found = story.keeping
        listed = [
            *(one.limits[0].what for one in (*found.matter, *found.unclear)),
            *(limit.what for limit in found.idle),
        ]
        assert sorted(listed) == sorted(limit.what for limit in limits(world))


def test_twice_the_same_page() -> None:
    """One role and one time give one text."""
    for seed in range(8):
        pages = [render(told(role_of(seed))[0], Page(100)) for _ in range(2)]
        assert pages[0] == pages[1]
