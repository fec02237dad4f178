"""The auditor's verdicts against two evaluators that share no code with it.

Every proof it gives must be a request that they allow, and where it says that no real person can
be mailed, no sampled request to one may pass. ``run.py`` does the same on as many roles as asked.
"""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from moto.iam.aws_managed_policies import aws_managed_policies_data

from . import verdicts
from .calls import SENDS, Call, Subject, flaws
from .peer import find
from .roles import random_role
from .verdicts import Complaint, evaluators_disagree, judge, peer_of, verdict

if TYPE_CHECKING:
    from auditor.findings import RoleReport

SEED = "judge"
ROLES = 300
needs_peer = pytest.mark.skipif(
    find() is None, reason="the peer evaluator isn't installed: see tests/judge/README.md"
)


def _role(number: int) -> Subject:
    # Pseudo-random on purpose: the same roles in every run.
    return random_role(random.Random(f"{SEED}/{number}"))  # noqa: S311


def _said(complaints: list[Complaint]) -> str:
    return "\n".join(f"{c.who}: {c.what}: {c.call}" for c in complaints)


@pytest.mark.parametrize("number", range(ROLES))
def test_random_role(number: int) -> None:
    """Proofs hold, and safe verdicts survive every sampled request, on random roles."""
    _report, complaints = judge(_role(number), 120, number)
    assert not complaints, _said(complaints)


def test_random_roles_are_varied() -> None:
    """The random roles get every verdict often enough that agreement on them means something."""
    found = [verdict(_role(number)) for number in range(ROLES)]
    kinds = [report.certainty or report.verdict for report in found]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert set(counts) == {"proven", "possible", "simulator_only", "no_send"}
    assert min(counts.values()) >= 15, counts


def test_aws_managed_policies() -> None:
    """On each policy that AWS publishes the auditor and the judges agree."""
    policies = json.loads(aws_managed_policies_data)
    found = {}
    for number, (name, policy) in enumerate(policies.items()):
        _report, complaints = judge(Subject((policy["Document"],)), 12, number)
        if complaints:
            found[name] = _said(complaints)
    assert len(policies) > 1000
    assert not found


@needs_peer
def test_the_judges_agree_with_each_other() -> None:
    """The judge's own evaluator and the peer answer every sampled request alike."""
    compared = 0
    for number in range(150):
        subject = _role(number)
        peer = peer_of(subject)
        if peer is not None:
            compared += 1
            assert not evaluators_disagree(subject, peer, 24, number), subject
    assert compared >= 75


FREE = Subject(({"Statement": {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}},))
SHUT = Subject(({"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}},))


def _judged(monkeypatch: pytest.MonkeyPatch, subject: Subject, report: RoleReport) -> list[str]:
    monkeypatch.setattr(verdicts, "verdict", lambda _subject: report)
    _report, complaints = judge(subject, 60, 1)
    return [complaint.what.split(":")[0] for complaint in complaints if complaint.who != "peer"]


def test_a_false_all_clear_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open role that is called safe draws a complaint: the judge can tell."""
    assert "no_send, but proven by this call" in _judged(monkeypatch, FREE, verdict(SHUT))


def test_a_false_alarm_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A witness that the role's policies don't allow draws a complaint."""
    assert _judged(monkeypatch, SHUT, verdict(FREE)) == ["proven witness isn't allowed"]


@pytest.mark.parametrize(
    ("context", "broken"),
    [
        ({"ses:Recipients": ("nobody",)}, "recipients"),
        ({}, "recipients"),
        ({"ses:FromAddress": "a@example.org"}, "the identity isn't the sender's"),
        ({"aws:CurrentTime": "2020-01-01T00:00:00Z"}, "the clock"),
        ({"aws:RequestedRegion": "us-east-1"}, "aws:requestedregion is known"),
        ({"aws:PrincipalAccount": "999999999999"}, "aws:principalaccount is known"),
        ({"aws:SourceIp": "somewhere"}, "aws:sourceip isn't of its kind"),
        ({"aws:SecureTransport": "yes"}, "aws:securetransport isn't of its kind"),
        ({"ses:TenantName": "one", "s3:prefix": "x"}, "s3:prefix is never there"),
    ],
)
def test_a_broken_tie_is_noticed(context: dict[str, str | tuple[str, ...]], broken: str) -> None:
    """A witness that contradicts what is known, or its own ties, isn't a proof."""
    if broken != "recipients":
        context = {"ses:Recipients": ("someone@example.com",), **context}
    identity = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"
    call = Call("ses:SendEmail", {"identity": identity}, context)
    assert broken in flaws(FREE, call, now=verdicts.NOW.timestamp())


def test_every_send_is_tried() -> None:
    """Samples hold every send action, mixed recipients, and both kinds of address."""
    calls = list(verdicts.samples(_role(1), 300, 1))
    assert {call.action for call in calls} == set(SENDS)
    lists = [call.context.get("ses:Recipients", ()) for call in calls]
    assert any(len({"simulator" in a for a in recipients}) == 2 for recipients in lists)
