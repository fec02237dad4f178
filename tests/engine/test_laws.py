"""Laws of the whole decision, on arbitrary roles."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.account import Account
from auditor.actions import BOUNCE, BULK, SEND_ACTIONS
from auditor.audit import audit
from auditor.domains import is_mailbox
from auditor.engine.constraints import SIMULATOR
from auditor.engine.evaluate import evaluate
from tests.engine.cases import ACCESS, ACCOUNT, NOW, Case, verdict
from tests.engine.sampling import requests
from tests.engine.strategies import cases, documents, statements

if TYPE_CHECKING:
    from auditor.account import Role
    from auditor.findings import RoleReport

CARRY = {action.name for action in SEND_ACTIONS if action.carries_recipients}
law = settings(
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@law
@given(cases())
def test_every_witness_replays_and_mails_somebody_real(case: Case) -> None:
    """A witness is allowed by the plain evaluator and has a valid mailbox outside the simulator."""
    found = case.decide()
    for exposure in found.exposures:
        request = exposure.request
        least = exposure.certainty == "proven"
        assert evaluate(request, case.caller, case.layers, least=least).allowed
        recipients = request.context.get("ses:Recipients")
        if exposure.action.name in CARRY:
            assert isinstance(recipients, tuple)
            assert 1 <= len(recipients) <= 50
            assert all(map(is_mailbox, recipients))
            assert not all(map(SIMULATOR.holds, recipients))
        else:
            assert recipients is None
            assert exposure.certainty == "possible"
    if found.simulator is not None:
        recipients = found.simulator.request.context["ses:Recipients"]
        assert all(map(SIMULATOR.holds, recipients))
        assert evaluate(found.simulator.request, case.caller, case.layers, least=False).allowed


@law
@given(cases())
def test_a_verdict_and_what_it_rests_on_agree(case: Case) -> None:
    """Exposed has exposures, simulator_only a simulator request, undetermined a reason."""
    found = case.decide()
    assert (found.verdict == "exposed") == bool(found.exposures)
    assert (found.verdict == "undetermined") == bool(found.reason)
    assert (found.verdict == "simulator_only") == (found.simulator is not None)
    assert (found.certainty == "proven") == any(e.certainty == "proven" for e in found.exposures)


def _real(request_action: str, recipients: object) -> bool:
    if request_action == BOUNCE:
        return False
    if request_action == BULK:
        return True
    assert isinstance(recipients, tuple)
    return not all(map(SIMULATOR.holds, recipients))


@law
@given(cases(), st.integers(0, 2**32))
def test_nothing_beside_a_safe_verdict_is_allowed(case: Case, seed: int) -> None:
    """Of many concrete requests none that contradicts the verdict is allowed.

    A safe verdict holds under the reading of most access, and one that isn't ``proven`` leaves no
    tied request that the reading of least access allows.
    """
    found = case.decide()
    if found.verdict == "undetermined" or found.certainty == "proven":
        return
    rng = Random(seed)  # noqa: S311 - a test's seed
    caller, layers = case.caller, case.layers
    if found.verdict != "exposed":
        for request in requests(case, rng, 150, least=False):
            recipients = request.context.get("ses:recipients")
            if request.action == BOUNCE:
                continue
            if found.verdict == "no_send" or _real(request.action, recipients):
                assert not evaluate(request, caller, layers, least=False).allowed, request
    for request in requests(case, rng, 150, least=True):
        if request.action not in (BOUNCE, BULK) and _real(
            request.action, request.context["ses:recipients"]
        ):
            assert not evaluate(request, caller, layers, least=True).allowed, request


@law
@given(cases(), statements(effect="Deny"), st.booleans())
def test_a_further_deny_never_adds_access(
    case: Case, statement: dict[str, object], own: bool
) -> None:
    """Adding a Deny, in a document of its own or in the boundary, leaves as much access or less."""
    more: object = {"Version": "2012-10-17", "Statement": statement}
    if own or not isinstance(case.boundary, dict):
        after = case._replace(documents=(*case.documents, more))
    else:
        entries = case.boundary["Statement"]
        boundary = {**case.boundary, "Statement": [*entries, statement]}
        after = case._replace(boundary=boundary)
    first, second = verdict(case), verdict(after)
    if {first, second} <= set(ACCESS):
        assert ACCESS[second] <= ACCESS[first]


@law
@given(cases(), statements(effect="Allow"), st.booleans())
def test_a_further_allow_never_removes_access(
    case: Case, statement: dict[str, object], first: bool
) -> None:
    """Adding an Allow, before or after the other documents, leaves as much access or more."""
    more: object = {"Version": "2012-10-17", "Statement": [statement]}
    documents_ = (more, *case.documents) if first else (*case.documents, more)
    before, after = verdict(case), verdict(case._replace(documents=documents_))
    if {before, after} <= set(ACCESS):
        assert ACCESS[after] >= ACCESS[before]


@law
@given(cases())
def test_a_boundary_that_allows_everything_changes_nothing(case: Case) -> None:
    """A boundary of ``Allow * on *`` limits nothing."""
    everything = {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"},
    }
    without = case._replace(boundary=None)
    assert verdict(without) == verdict(case._replace(boundary=everything))


@law
@given(cases())
def test_a_boundary_grants_nothing(case: Case) -> None:
    """Taking a boundary away never takes access away."""
    bounded, free = verdict(case), verdict(case._replace(boundary=None))
    if {bounded, free} <= set(ACCESS):
        assert ACCESS[bounded] <= ACCESS[free]


def _entries(document: object) -> list[dict[str, object]]:
    assert isinstance(document, dict)
    entries = document["Statement"]
    return entries if isinstance(entries, list) else [entries]


def _rewritten(case: Case, seed: int) -> Case:  # noqa: C901 - one way of rewriting a line
    """Return the same role in other words."""
    rng = Random(seed)  # noqa: S311 - a test's seed

    def case_of(text: str) -> str:
        return rng.choice((text, text.lower(), text.upper(), text.title()))

    def shape(value: object) -> object:
        if isinstance(value, list):
            value = list(value)
            rng.shuffle(value)
            if len(value) == 1 and rng.random() < 0.5:
                return value[0]
            return value
        return [value] if rng.random() < 0.5 else value

    def action(value: object) -> object:
        texts = value if isinstance(value, list) else [value]
        return shape([case_of(str(text)) for text in texts])

    def statement(entry: dict[str, object]) -> dict[str, object]:
        made: dict[str, object] = {}
        for name, value in rng.sample(sorted(entry.items()), len(entry)):
            if name in ("Action", "NotAction"):
                made[name] = action(value)
            elif name == "Condition":
                assert isinstance(value, dict)
                block: dict[str, dict[str, object]] = {}
                for operator, keys in rng.sample(sorted(value.items()), len(value)):
                    changed = block.setdefault(case_of(operator), {})
                    for key, values in keys.items():
                        changed[case_of(key)] = shape(values)
                made[name] = block
            elif name in ("Resource", "NotResource"):
                made[name] = shape(value)
            else:
                made[name] = value
        return made

    found: list[object] = []
    for document in case.documents:
        assert isinstance(document, dict)
        entries = [statement(entry) for entry in _entries(document)]
        rng.shuffle(entries)
        if len(entries) > 1 and rng.random() < 0.5:
            found.append({**document, "Statement": entries[:1]})
            entries = entries[1:]
        alone = len(entries) == 1 and rng.random() < 0.5
        found.append({**document, "Statement": entries[0] if alone else entries})
    rng.shuffle(found)
    return case._replace(documents=tuple(found))


@law
@given(cases(), st.integers(0, 2**32))
def test_the_same_role_in_other_words_has_the_same_verdict(case: Case, seed: int) -> None:
    """Order, lists of one, case of actions, operators and keys, and splitting change nothing.

    Statements may be reordered, and a document split in two, its statements' order aside.
    """
    assert verdict(case) == verdict(_rewritten(case, seed))


@law
@given(cases())
def test_one_statement_or_one_for_each_of_its_actions(case: Case) -> None:
    """A statement of several actions (or resources) is the same as one statement for each."""
    found: list[object] = []
    for document in case.documents:
        assert isinstance(document, dict)
        entries: list[dict[str, object]] = []
        for entry in _entries(document):
            name = next((n for n in ("Action", "Resource") if isinstance(entry.get(n), list)), None)
            raw = entry[name] if name else None
            if isinstance(raw, list) and raw:
                entries += [{**entry, str(name): one} for one in raw]
            else:
                entries.append(entry)
        found.append({**document, "Statement": entries})
    assert verdict(case) == verdict(case._replace(documents=tuple(found)))


@law
@given(cases(), st.sampled_from(("{", 7, "[]", {"Statement": 3}, {"Version": "2011-01-01"})))
def test_an_unreadable_document_leaves_nobody_safe_and_nothing_proven(
    case: Case, bad: object
) -> None:
    """A document that can't be read could hold anything: a Deny of all, or an Allow of all."""
    found = case._replace(documents=(*case.documents, bad)).decide()
    assert found.verdict in ("exposed", "undetermined")
    assert found.certainty in (None, "possible")
    assert all(exposure.certainty == "possible" for exposure in found.exposures)
    unbounded = case._replace(boundary=None)
    known = unbounded.decide()
    limited = case._replace(boundary=bad).decide()
    assert limited.certainty in (None, "possible")
    if known.verdict == "exposed":
        assert limited.verdict == "exposed"  # what the other documents expose, nothing denies yet
    elif known.verdict != "undetermined":
        # the identity policies alone are safe, and a boundary grants nothing; said with its reason
        assert limited.verdict == "undetermined"


@law
@given(documents())
def test_deciding_twice_gives_the_same(document: dict[str, object]) -> None:
    """A decision depends on its input alone, witnesses included."""
    case = Case((document,))
    first, second = case.decide(), case.decide()
    assert [e.request for e in first.exposures] == [e.request for e in second.exposures]
    assert first[:3] == second[:3]


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
@law
@given(case=cases())
def test_a_role_in_another_partition_behaves_alike(partition: str, case: Case) -> None:
    """Nothing but the partition's name and its regions depends on the partition."""
    moved = case._replace(partition=partition)
    found = moved.decide()
    for exposure in found.exposures:
        for arn in exposure.request.resources:
            assert arn.startswith(f"arn:{partition}:ses:")
        region = exposure.request.context["aws:RequestedRegion"]
        assert isinstance(region, str)
        assert region.startswith("cn-") == (partition == "aws-cn")
        assert region.startswith("us-gov-") == (partition == "aws-us-gov")
        assert all(f":ses:{region}:" in arn for arn in exposure.request.resources)


@law
@given(cases())
def test_each_action_is_decided_as_if_it_were_alone(case: Case) -> None:
    """What is said of one action doesn't hang on which others were asked about before it."""
    found = {one.action.name: one.certainty for one in case.decide().exposures}
    for action in SEND_ACTIONS:
        others = {"Effect": "Deny", "NotAction": action.name, "Resource": "*"}
        alone = case._replace(documents=(*case.documents, {"Statement": [others]})).decide()
        expected = {name: known for name, known in found.items() if name == action.name}
        assert {one.action.name: one.certainty for one in alone.exposures} == expected


@law
@given(st.lists(cases(), min_size=2, max_size=4), st.integers(0, 3))
def test_roles_audited_together_are_as_if_each_were_alone(several: list[Case], again: int) -> None:
    """Nothing remembered of one role shows in another: verdicts, witnesses and statements.

    Findings about other roles (who may run or become them) are left aside.
    """
    several = [*several, several[again % len(several)]]
    roles = [case.role(f"build-{at}") for at, case in enumerate(several)]

    def report(chosen: list[Role]) -> list[RoleReport]:
        found = audit(Account(ACCOUNT, "aws", chosen), now=datetime.fromtimestamp(NOW, UTC)).roles
        for role in found:
            role.findings = tuple(f for f in role.findings if f.rule not in ABOUT_OTHERS)
        return list(found)

    together = report(roles)
    assert together == [report([role])[0] for role in roles]
    assert together == report(roles[::-1])


ABOUT_OTHERS = ("assumable-sender", "self-granting")
