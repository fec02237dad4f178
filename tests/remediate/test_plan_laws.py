"""What holds of every plan, over the corpus, random roles and random accounts."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from auditor.account import Account, PolicyText
from auditor.audit import audit
from auditor.remediate import plan as planning
from auditor.remediate.plan import PlanRequest, plan
from auditor.remediate.reading import plan_json, read_plan
from auditor.remediate.request import document_of
from auditor.remediate.tell import plan_text
from tests.corpus_runner.cases import CORPUS, account_of, read
from tests.judge.calls import Call, Subject, reaches, succeeds
from tests.judge.concrete import Reading
from tests.judge.roles import random_role
from tests.judge.verdicts import peer_of, role_of, samples
from tests.organizations.compare import NOW as THEN
from tests.organizations.compare import account_of as whole_account
from tests.organizations.compare import role_of as actor_role
from tests.organizations.randoms import random_world

from .plan_world import GUARD_ARN, MAIL, NOW, TO_SIMULATOR, account, managed, role

if TYPE_CHECKING:
    from auditor.account import Role
    from auditor.remediate.model import Plan

EXPOSED = [
    case
    for path in sorted(CORPUS.glob("*.json"))
    for case in read(path)
    if case.expect["verdict"] == "exposed"
]
UNSAMPLED = ("date-on-token-issue-time", "revoked-sessions-policy")
"""Dates compared with another key than the clock: the judge has no values to try for it."""
ROLES = 120
ACCOUNTS = 60


def _subject(found: Role, *more: object) -> Subject:
    """The judge's value for a role whose policies could all be read, with more policies."""
    return Subject(
        (*(one.document for one in found.inline), *more),
        None if found.boundary is None else found.boundary.document,
        found.arn,
        found.role_id,
        found.tags,
    )


def _to_simulator(call: Call) -> bool:
    """Whether a call mails the simulator alone, by its name as SES's pages write it."""
    found = call.context.get("ses:Recipients", ())
    return bool(found) and all(one.endswith("@simulator.amazonses.com") for one in found)


def _wrong(before: Subject, after: Subject, count: int, seed: int) -> list[Call]:
    """The sampled calls that a guard should have changed and didn't, or changed and shouldn't."""
    peer = peer_of(after)
    checks = [None] if peer is None else [None, peer.allows]
    return [
        call
        for call in samples(before, count, seed)
        for check in checks
        for reading in Reading
        if (reaches(call) == "real" and succeeds(after, call, reading, check))
        or (
            _to_simulator(call)
            and succeeds(before, call, reading)
            and not succeeds(after, call, reading)
        )
    ]


@pytest.mark.parametrize("case", EXPOSED, ids=lambda case: f"{case.theme}/{case.name}")
def test_corpus(case: Any) -> None:
    """Every exposed case of the corpus is closed by its change, the simulator as reachable as it
    was, says an evaluator of its own; or nothing is planned, and the plan says why.
    """
    found = plan(account_of(case.role), PlanRequest(), now=case.now)
    if not found.changes:
        (only,) = found.left
        assert only.why.code == "undetermined-after"
        assert case.expect["certainty"] == "possible"
        return
    (change,) = found.changes
    assert change.after.verdict in ("simulator_only", "no_send")
    assert change.proofs
    assert all(one.allowed_before and not one.allowed_after for one in change.proofs)
    if case.name not in UNSAMPLED:
        guarded = _subject(case.role, document_of("guard"))
        assert not _wrong(_subject(case.role), guarded, 30, 1)


@pytest.mark.parametrize("number", range(ROLES))
def test_random_role(number: int) -> None:
    """On random roles no sampled request to a person passes after the change, and no request to
    the simulator is lost; each proof says what the evaluator finds.
    """
    # Pseudo-random on purpose: the same roles in every run.
    subject = random_role(random.Random(f"plan/{number}"))  # noqa: S311
    found = plan(Account("123456789012", "aws", (role_of(subject),)), PlanRequest(), now=NOW)
    assert not found.left or found.left[0].why.code in ("undetermined", "undetermined-after")
    for change in found.changes:
        after = replace(subject, policies=(*subject.policies, document_of("guard")))
        assert not _wrong(subject, after, 40, number)
        assert all(one.allowed_before and not one.allowed_after for one in change.proofs)
        assert all(one.simulator_after for one in change.proofs if one.simulator_before)


def test_random_roles_are_varied() -> None:
    """Enough of the random roles are changed that the law means something."""
    found = [random_role(random.Random(f"plan/{number}")) for number in range(ROLES)]  # noqa: S311
    plans = [
        plan(Account("123456789012", "aws", (role_of(one),)), PlanRequest(), now=NOW)
        for one in found
    ]
    proofs = [proof for one in plans for change in one.changes for proof in change.proofs]
    assert sum(len(one.changes) for one in plans) >= 40
    assert any(proof.simulator_before for proof in proofs)
    assert any(proof.simulator_before is False for proof in proofs)
    assert any(proof.simulator_before is None for proof in proofs)


def _world_plan(number: int) -> tuple[Account, Plan]:
    world = random_world(random.Random(f"plan/{number}"))  # noqa: S311 - the same in every run
    whole = whole_account(world, [actor_role(one, one.trust) for one in world.actors])
    return whole, plan(whole, PlanRequest(), now=THEN)


@pytest.mark.parametrize("number", range(ACCOUNTS))
def test_random_account(number: int) -> None:
    """Roles that may become each other: what a plan promises is what an audit of the whole changed
    account finds, and no exposed role goes without a change or a reason.
    """
    before, found = _world_plan(number)
    policy = PolicyText("ses-simulator-guard", GUARD_ARN, "managed", document_of("guard"))
    to_change = {one.role_arn for one in found.changes}
    roles = [
        replace(one, attached=(policy,)) if one.arn in to_change else one for one in before.roles
    ]
    after = {one.arn: one for one in audit(replace(before, roles=roles), now=THEN).roles}
    for change in found.changes:
        assert after[change.role_arn].verdict == change.after.verdict
    exposed = {one.arn for one in audit(before, now=THEN).roles if one.verdict == "exposed"}
    assert exposed <= to_change | {one.role_arn for one in found.left}
    assert to_change <= exposed


def test_random_accounts_are_varied() -> None:
    """The random accounts have changes, roles exposed through others, and what stays open."""
    codes = {left.why.code for n in range(ACCOUNTS) for left in _world_plan(n)[1].left}
    assert {"assumable-sender", "still-exposed"} <= codes
    assert sum(len(_world_plan(n)[1].changes) for n in range(ACCOUNTS)) >= 20


@pytest.mark.parametrize("number", range(8))
def test_same_input_same_bytes(number: int) -> None:
    """Planning twice gives the same bytes, in whatever order the roles come; read back, the same
    plan.
    """
    before, found = _world_plan(number)
    turned = replace(before, roles=tuple(reversed(tuple(before.roles))))
    text = plan_json(found)
    assert plan_json(plan(turned, PlanRequest(), now=THEN)) == text
    assert read_plan(text, "plan.json") == found
    assert text.isascii()


def test_two_audits_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many roles are changed, the account is audited once as it is and once as it would
    be, without the roles that neither change nor matter; where nothing is changed, once.
    """
    sizes: list[int] = []

    def counted(one: Account, **how: Any) -> Any:
        roles = tuple(one.roles)
        sizes.append(len(roles))
        return audit(replace(one, roles=roles), **how)

    monkeypatch.setattr(planning, "audit", counted)
    safe = [role(f"safe{n}", TO_SIMULATOR) for n in range(5)]
    plan(account(*safe, *(role(f"open{n}", MAIL) for n in range(7))), PlanRequest(), now=NOW)
    assert sizes == [12, 7]
    sizes.clear()
    plan(account(*safe), PlanRequest(), now=NOW)
    assert sizes == [5]


def test_hostile_texts() -> None:
    """Names, tags and conditions that no UTF-8 carries, or that steer terminals, cost nothing."""
    bad = "\ud800\x1b[31m\u202ename\n"
    where = {"StringEquals": {"aws:SourceVpce": bad}}
    found = plan(
        account(
            role(bad, MAIL | {"Condition": where}, tags={bad: bad, "terraform": bad}),
            role("full", MAIL, attached=tuple(managed(f"{bad}{n}") for n in range(10))),
        ),
        PlanRequest(role_globs=(bad, "full", f"{bad}gone")),
        now=NOW,
    )
    assert len(found.changes) == 1
    assert {one.why.code for one in found.left} == {"quota", "no-such-role"}
    text = plan_text(found, "plan.json")
    assert all(line.isprintable() for line in text.splitlines())
    assert "\\x1b[31m\\u202e" in text
    # IAM has no such role, so the file isn't taken for a plan; but it can be written
    assert plan_json(found).isascii()
