"""Holds one verdict of the auditor against the judge's two evaluators."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from auditor.account import Account, PolicyText, Role
from auditor.audit import audit

from .calls import SENDS, Call, Subject, flaws, known, reaches, succeeds
from .concrete import Reading
from .peer import Beyond, Peer, find
from .sampling import sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from auditor.findings import RoleReport, Witness

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
RANK = ("no_send", "simulator_only", "possible", "proven")


class Complaint(NamedTuple):
    """A disagreement: who says what, on which call."""

    who: str
    what: str
    call: Call | None


def role_of(subject: Subject) -> Role:
    """Return the auditor's value for a subject."""
    service = {"Service": "codebuild.amazonaws.com"}
    trust = {"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
    bound = subject.boundary
    return Role(
        arn=subject.arn,
        name=subject.arn.rsplit("/", 1)[-1],
        role_id=subject.role_id,
        tags=subject.tags,
        trust=PolicyText("trust", None, "trust", {"Version": "2012-10-17", "Statement": trust}),
        inline=tuple(
            PolicyText(f"policy-{n}", None, "inline", doc) for n, doc in enumerate(subject.policies)
        ),
        attached=(),
        boundary=None if bound is None else PolicyText("boundary", None, "boundary", bound),
    )


def verdict(subject: Subject) -> RoleReport:
    """Return the auditor's report on one role alone in its account."""
    account = Account(subject.arn.split(":")[4], subject.partition, (role_of(subject),))
    (report,) = audit(account, now=NOW).roles
    return report


def call_of(witness: Witness) -> Call:
    """Return a witness as a call: each ARN under the resource type that it names."""
    kinds = {arn.split(":", 5)[5].split("/")[0]: arn for arn in witness.resources}
    return Call(witness.action, kinds, dict(witness.context))


def peer_of(subject: Subject) -> Peer | None:
    """Return the peer on this role, or None where it isn't installed or has no opinion."""
    if find() is None:
        return None
    nothing = Call("ses:SendEmail", {"identity": f"arn:x:ses::{subject.arn.split(':')[4]}:"}, {})
    facts = known(subject, nothing)
    try:
        return Peer(subject, facts)
    except Beyond:
        return None


def judge_witnesses(subject: Subject, report: RoleReport, peer: Peer | None) -> Iterator[Complaint]:
    """Yield what is wrong with a report's witnesses: each must be allowed, possible and real."""
    for finding in report.findings:
        if finding.witness is None or finding.witness.action not in SENDS:
            continue
        call = call_of(finding.witness)
        proven = finding.certainty == "proven"
        reading = Reading.LEAST if proven else Reading.MOST
        broken = flaws(subject, call, now=NOW.timestamp())
        if broken and (proven or broken != ["the identity isn't the sender's"]):
            yield Complaint("ties", f"{finding.certainty} witness: {', '.join(broken)}", call)
            continue
        if report.verdict == "exposed" and reaches(call) != "real":
            yield Complaint("judge", "the witness reaches nobody real", call)
        if not succeeds(subject, call, reading):
            yield Complaint("judge", f"{finding.certainty} witness isn't allowed", call)
        if peer and not succeeds(subject, call, reading, peer.allows):
            yield Complaint("peer", f"{finding.certainty} witness isn't allowed", call)


def evaluators_disagree(subject: Subject, peer: Peer, count: int, seed: int) -> list[Call]:
    """Return sampled calls that the judge's own evaluator and the peer answer differently."""
    found = []
    for call in samples(subject, count, seed):
        for reading in Reading:
            ours = succeeds(subject, call, reading)
            if ours is not succeeds(subject, call, reading, peer.allows):
                found.append(call)
    return found


def samples(subject: Subject, count: int, seed: int) -> Iterator[Call]:
    """Yield the calls to try on a role: the same ones for the same seed."""
    documents = [*subject.policies, *([] if subject.boundary is None else [subject.boundary])]
    rng = random.Random(seed)  # noqa: S311 - samples, not secrets: the same ones every time
    return sample(subject, documents, NOW.timestamp(), count, rng)


def found_by_sampling(
    subject: Subject, peer: Peer | None, count: int, seed: int
) -> Iterator[tuple[int, str, Call]]:
    """Yield (rank of the verdict that a call proves at least, who says so, the call)."""
    best = {"judge": 0, "peer": 0}
    checks = {"judge": None} if peer is None else {"judge": None, "peer": peer.allows}
    for call in samples(subject, count, seed):
        real = reaches(call) == "real"
        for who, check in checks.items():
            if best[who] == 3 or not succeeds(subject, call, Reading.MOST, check):
                continue
            rank = 1
            if real:
                rank = 3 if succeeds(subject, call, Reading.LEAST, check) else 2
            if rank > best[who]:
                best[who] = rank
                yield rank, who, call
        if min(best[who] for who in checks) == 3:
            return


def judge(subject: Subject, count: int, seed: int) -> tuple[RoleReport, list[Complaint]]:
    """Return the auditor's report on a role, and every disagreement with it."""
    report = verdict(subject)
    peer = peer_of(subject)
    complaints = list(judge_witnesses(subject, report, peer))
    if report.verdict == "undetermined":
        return report, [Complaint("judge", f"undetermined: {report.reason}", None)]
    said = report.certainty if report.verdict == "exposed" else report.verdict
    if said is not None and said != "proven":
        for rank, who, call in found_by_sampling(subject, peer, count, seed):
            if rank > RANK.index(said):
                complaints.append(Complaint(who, f"{said}, but {RANK[rank]} by this call", call))
    return report, complaints
