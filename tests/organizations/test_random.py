"""Random accounts against the independent evaluator; ``run.py`` does the same on many more."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.judge.calls import Subject

from . import compare as comparing
from .cases import CODEBUILD
from .compare import Complaint, compare, level, report_on
from .randoms import random_world
from .world import Actor, World

SEED = "organizations"
ACCOUNTS = 240
MAILS = {"Statement": {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}}
CLOSED = {"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}
OPEN_LEVEL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def _world(number: int) -> World:
    # Pseudo-random on purpose: the same accounts in every run.
    return random_world(random.Random(f"{SEED}/{number}"))  # noqa: S311


@pytest.mark.parametrize("number", range(ACCOUNTS))
def test_random_account(number: int) -> None:
    """Proofs hold, safe verdicts survive every sampled request, and chains are all found."""
    _report, complaints = compare(_world(number), 90, number)
    assert not complaints, complaints


def test_random_accounts_are_varied() -> None:
    """The accounts have every verdict and rule in question, so that agreement means something."""
    reports = [report_on(_world(number)) for number in range(ACCOUNTS)]
    roles = [role for report in reports for role in report.roles]
    kinds = [level(role) for role in roles]
    rules = [finding.rule for role in roles for finding in role.findings]

    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    assert set(counts) == {"proven", "possible", "simulator_only", "no_send"}
    assert min(counts.values()) >= 5, counts
    assert rules.count("assumable-sender") >= 25
    assert rules.count("identity-policy-grant") >= 25


def _account(*documents: object, levels: tuple[tuple[object, ...], ...] | None = None) -> World:
    arn = "arn:aws:iam::123456789012:role/build"
    subject = Subject(documents, arn=arn, role_id="AROABUILD")
    return World((Actor("build", subject, CODEBUILD),), levels)


def _complaints(monkeypatch: pytest.MonkeyPatch, told: World, really: World) -> list[Complaint]:
    """Return what is said of a report on one account where another one is the truth."""
    report, own = report_on(told), comparing.alone(told, told.actors[0])
    monkeypatch.setattr(comparing, "report_on", lambda _world: report)
    monkeypatch.setattr(comparing, "alone", lambda _world, _actor: own)
    return compare(really, 60, 1)[1]


def test_a_false_alarm_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that an SCP forbids draws a complaint: the comparison can fail."""
    shut = _account(MAILS, levels=((OPEN_LEVEL,), ()))
    (complaint, *_) = _complaints(monkeypatch, _account(MAILS), shut)
    assert complaint.what == "unrestricted-send: proven isn't allowed"


def test_a_false_all_clear_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open role that is called safe draws a complaint."""
    complaints = _complaints(monkeypatch, _account(CLOSED), _account(MAILS))
    assert "no_send, but proven" in {complaint.what for complaint in complaints}


def test_a_missed_chain_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chain that the report doesn't tell draws a complaint."""
    world = _account(CLOSED)
    build = world.actors[0]
    arn = "arn:aws:iam::123456789012:role/mailer"
    trust = {
        "Statement": {
            "Effect": "Allow",
            "Principal": {"AWS": build.subject.arn},
            "Action": "sts:AssumeRole",
        }
    }
    mailer = Actor("mailer", Subject((MAILS,), arn=arn, role_id="AROAMAILER"), trust)
    whole = replace(world, actors=(build, mailer))
    assert compare(whole, 10, 1)[1] == []
    told = replace(world, actors=(build, replace(mailer, trust={"Statement": []})))
    report = report_on(told)
    monkeypatch.setattr(comparing, "report_on", lambda _world: report)

    (complaint,) = compare(whole, 10, 1)[1]
    assert complaint.what.startswith("no_send (None), but proven by {'build': {'mailer': 'proven'}")
