"""Findings and the report that carries them: plain values, for ``report`` and ``notify``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, NamedTuple

from auditor.account import reach_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from auditor.account import Failure, PolicyText, Project, Role, SesRegion, UnresolvedProject
    from auditor.lasting import ExceptionUse, Known, Life, Resolved, RoleException

Verdict = Literal["exposed", "simulator_only", "no_send", "undetermined"]
Certainty = Literal["proven", "possible"]
Severity = Literal["high", "medium", "low", "info"]

SCHEMA_VERSION = "1"
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "info")
EXPOSING: frozenset[Severity] = frozenset({"high", "medium"})
"""Severities of findings that expose a role; the others are advice."""


class Witness(NamedTuple):
    """One request that AWS would allow: the proof of a finding.

    ``resources`` lists every ARN that the call is authorised on, the first being the identity (or
    the first resource type the action requires). ``context`` maps context keys to a string, or to
    a tuple of strings for multivalued keys; keys not listed are absent from the request.
    """

    action: str
    resources: tuple[str, ...]
    context: Mapping[str, str | tuple[str, ...]]


ConfirmationOutcome = Literal["agrees", "disagrees", "unanswered"]


class Confirmation(NamedTuple):
    """What AWS's own policy simulator says of a witness.

    ``decision`` is its word (``allowed``, ``implicitDeny``, ``explicitDeny``), None where it could
    not be asked. ``message`` is one sentence: what it takes into account, or why it wasn't asked.
    """

    outcome: ConfirmationOutcome
    decision: str | None
    message: str


@dataclass(frozen=True, slots=True)
class StatementRef:
    """Where a statement stands: layer, policy, index (from 0) and effect.

    ``layer`` is ``identity``, ``permissions-boundary``, ``scp``, ``identity-policy`` (an SES
    identity's) or ``trust`` (a role's trust policy, on the way to it).
    ``role`` names whose policy it is in a chain of roles, and is None elsewhere. ``source`` is the
    document: this role's, or that of one whose policies say the same (see ``Finding.roles``).
    """

    layer: str
    policy: str
    policy_arn: str | None
    kind: str
    sid: str | None
    index: int
    effect: str
    role: str | None = None
    source: PolicyText | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Finding:
    """One thing to know about a role. ``id`` depends on role, rule and action alone.

    ``confirmation`` is AWS's own answer about the witness, where it was asked for. ``life`` is what
    earlier audits knew of it, where they were looked up. ``roles`` are
    those whose policies the statements stand in, for formats that show a policy's text: the role
    itself, then those that it may become.
    """

    id: str
    rule: str
    severity: Severity
    certainty: Certainty
    title: str
    witness: Witness | None
    statements: tuple[StatementRef, ...]
    remediation: str
    confirmation: Confirmation | None = None
    life: Life | None = None
    roles: tuple[Role, ...] = field(default=(), compare=False, repr=False)


class Limit(NamedTuple):
    """What keeps a role from sending: a statement, or what a whole layer doesn't allow.

    ``what`` says which layer that is, where there is no ``statement``.
    """

    layer: str
    what: str | None
    statement: StatementRef | None


HowClosed = Literal["no_allow", "own_allows", "each", "together"]


class Closed(NamedTuple):
    """What keeps the requests of a role that isn't exposed from real people, or ends them all.

    ``how`` is ``no_allow`` (nothing allows a send), ``own_allows`` (what the Allows ``by`` let
    through mails the simulator at most), ``each`` (each of ``by`` is enough by itself) or
    ``together`` (all of ``by`` are needed). ``more`` counts what isn't listed. What the role may do
    as other roles that it may assume is no part of it.
    """

    how: HowClosed
    by: tuple[Limit, ...]
    more: int = 0


class Suppressed(NamedTuple):
    """A finding, and the exception that covers it."""

    finding: Finding
    exception: RoleException


@dataclass(slots=True)
class RoleReport:
    """The verdict on one role, with its findings ordered by severity, rule and action.

    ``reason`` is why the role is ``undetermined``. ``notes`` say what could not be read or decided
    about a role that is exposed all the same. ``suppressed`` are the findings that an exception
    covers, which are not among ``findings``; the verdict stays what it is. ``closed`` is what keeps
    the role from mailing real people, where that is so and could be told. ``source`` is the role as
    it was collected, for formats that show a policy's text.
    """

    arn: str
    name: str
    projects: tuple[Project, ...]
    verdict: Verdict
    certainty: Certainty | None
    reason: str | None
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    closed: Closed | None = None
    source: Role | None = field(default=None, compare=False, repr=False)

    def accepted(self) -> bool:
        """Tell whether the role is exposed, and exceptions cover every finding that exposes it.

        Never where something about it could not be read or decided: nobody answers for the unknown.
        """
        return (
            self.verdict == "exposed"
            and any(one.finding.severity in EXPOSING for one in self.suppressed)
            and not any(finding.severity in EXPOSING for finding in self.findings)
            and not self.notes
        )

    def open_certainty(self) -> Certainty | None:
        """Return how certain an exposure is that no exception covers; None where there is none."""
        if self.verdict != "exposed" or self.accepted():
            return None
        left = {finding.certainty for finding in self.findings if finding.severity in EXPOSING}
        if not self.suppressed or not left:
            return self.certainty
        return "proven" if "proven" in left else "possible"

    def worst(self) -> Finding | None:
        """Return the finding whose witness says most: severe, proven, by the best known action."""

        def key(finding: Finding) -> tuple[int, bool, bool]:
            action = finding.witness.action if finding.witness else ""
            severity = SEVERITIES.index(finding.severity)
            return severity, finding.certainty != "proven", action != "ses:SendEmail"

        return min((f for f in self.findings if f.witness), key=key, default=None)


class Limits(NamedTuple):
    """What an audit was limited to: a part of the account, so that no answer is about the whole.

    ``roles`` are globs on a role's name or ARN; ``regions`` are where CodeBuild projects and SES
    identities were looked for. Each is empty where it was not limited; at least one isn't.
    """

    roles: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(slots=True)
class Report:
    """One audit of one account. ``roles`` are ordered by ARN; ``generated_at`` is UTC, aware.

    ``limits`` is None where the whole account was audited, ``exceptions`` where none were given,
    ``resolved`` and ``unseen`` where earlier audits weren't looked up. ``unseen`` are the findings
    of these that are neither in this report nor resolved by it: their role was undetermined or left
    out. ``known_later`` are those that only a later audit is known to have seen: this one may have
    looked at their roles.
    """

    generated_at: datetime
    account_id: str
    complete: bool
    roles: Sequence[RoleReport]
    not_evaluated: tuple[str, ...]
    errors: tuple[Failure, ...]
    unresolved_projects: tuple[UnresolvedProject, ...] = ()
    api_calls: Mapping[str, int] = field(default_factory=dict)
    ses: tuple[SesRegion, ...] = ()
    limits: Limits | None = None
    exceptions: tuple[ExceptionUse, ...] | None = None
    resolved: tuple[Resolved, ...] | None = None
    unseen: tuple[Known, ...] | None = None
    known_later: tuple[Known, ...] = ()

    def reach(self) -> str | None:
        """Return whom mail from this account can reach (see ``reach_of``); None: nobody asked."""
        return reach_of(self.ses)

    def count(self, verdict: Verdict, certainty: Certainty | None = None) -> int:
        """Return how many roles have this verdict (and this certainty, where one is given).

        As exposed count those with an exposure that no exception covers, as certain as that is.
        """
        return sum(
            1
            for role in self.roles
            if role.verdict == verdict
            and not (role.suppressed and role.accepted())
            and certainty in (None, role.open_certainty() if role.suppressed else role.certainty)
        )

    def summary(self) -> dict[str, int]:
        """Return the counts of the report's ``summary``; ``suppressed`` counts findings."""
        return {
            "roles": len(self.roles),
            "exposed": self.count("exposed"),
            "simulator_only": self.count("simulator_only"),
            "no_send": self.count("no_send"),
            "undetermined": self.count("undetermined"),
            "suppressed": sum(len(role.suppressed) for role in self.roles),
        }
