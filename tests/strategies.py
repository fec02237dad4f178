"""Arbitrary reports: consistent as an audit's are, with the worst text that anyone could choose."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from auditor.account import Failure, Identity, Project, SesRegion, UnresolvedProject
from auditor.findings import (
    SEVERITIES,
    Closed,
    Finding,
    Limit,
    Report,
    RoleReport,
    StatementRef,
    Witness,
)

if TYPE_CHECKING:
    from auditor.findings import Certainty, HowClosed, Severity, Verdict

RULES = (
    "assumable-sender",
    "identity-policy-grant",
    "inverted-condition",
    "loose-recipient-pattern",
    "missing-null-check",
    "mixed-recipients",
    "other-recipients-allowed",
    "self-granting",
    "uncheckable-action",
    "undefined-condition",
    "unrestricted-send",
)
WITH_RECIPIENTS = (
    "ses:SendEmail",
    "ses:SendRawEmail",
    "ses:SendTemplatedEmail",
    "ses:SendBulkTemplatedEmail",
    "ses:SendCustomVerificationEmail",
)
NASTY = (
    "\x1b[31mred\x1b[0m",
    "[bold]not markup[/bold]",
    "[/]",
    ":warning:",
    "line\nforged: line\r\n",
    "\u202etxt.exe\u202c",
    "\u2028",
    "\x00",
    "\x9b31m",
    "\ud800",  # JSON text may carry a lone surrogate
    "\U0001f4e7 mail",
    "\u90f5\u4fbf" * 30,
    "a" * 300,
    "e\u0301" * 50,
    '"quotes" and \\backslashes\\',
)


def texts(*, max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text at all, lone surrogates and control characters included; never empty."""
    anything = st.text(st.characters(), min_size=1, max_size=max_size)
    return st.one_of(anything, st.sampled_from(NASTY))


def projects() -> st.SearchStrategy[Project]:
    return st.builds(Project, texts(), st.sampled_from(("eu-west-1", "us-east-1")), texts())


def contexts() -> st.SearchStrategy[dict[str, str | tuple[str, ...]]]:
    keys = st.sampled_from(("aws:SourceIp", "aws:RequestedRegion", "ses:FromAddress", "aws:Tag/x"))
    values: st.SearchStrategy[str | tuple[str, ...]] = st.one_of(
        texts(), st.lists(texts(), max_size=3).map(tuple)
    )
    return st.dictionaries(keys, values, max_size=3)


@st.composite
def witnesses(draw: st.DrawFn) -> Witness:
    action = draw(st.sampled_from((*WITH_RECIPIENTS, "ses:SendBulkEmail", "ses:SendBounce")))
    resources = draw(st.lists(texts(), min_size=1, max_size=3))
    context = draw(contexts())
    if action in WITH_RECIPIENTS:
        others = draw(st.lists(st.just("success@simulator.amazonses.com"), max_size=2))
        context["ses:Recipients"] = (
            *others,
            draw(st.sampled_from(("someone@example.com", "a@b.c"))),
        )
    return Witness(action, tuple(resources), context)


def statements() -> st.SearchStrategy[StatementRef]:
    return st.builds(
        StatementRef,
        layer=st.sampled_from(("identity", "permissions-boundary", "scp", "identity-policy")),
        policy=texts(),
        policy_arn=st.none() | texts(),
        kind=st.sampled_from(("inline", "managed", "aws-managed", "boundary")),
        sid=st.none() | texts(),
        index=st.integers(0, 10_000),
        effect=st.sampled_from(("Allow", "Deny")),
    )


def _finding(
    severity: Severity, certainty: Certainty, witness: st.SearchStrategy[Witness | None]
) -> st.SearchStrategy[Finding]:
    return st.builds(
        Finding,
        id=st.text("0123456789abcdef", min_size=8, max_size=8),
        rule=st.sampled_from(RULES),
        severity=st.just(severity),
        certainty=st.just(certainty),
        title=texts(),
        witness=witness,
        statements=st.lists(statements(), max_size=3).map(tuple),
        remediation=texts(),
    )


ADVICE = st.one_of(
    _finding("low", "proven", witnesses()), _finding("info", "proven", st.none() | witnesses())
)
PROVEN = st.one_of(
    _finding("high", "proven", witnesses()), _finding("medium", "proven", witnesses())
)
POSSIBLE = _finding("medium", "possible", witnesses())


def closed() -> st.SearchStrategy[Closed]:
    """What closes a role: statements and whole layers."""
    limit = st.one_of(
        st.builds(Limit, st.sampled_from(("permissions-boundary", "scp")), texts(), st.none()),
        st.builds(Limit, st.just("identity"), st.none(), statements()),
    )
    how: st.SearchStrategy[HowClosed] = st.sampled_from(("own_allows", "each", "together"))
    some = st.builds(
        Closed, how, st.lists(limit, min_size=1, max_size=3).map(tuple), st.integers(0, 9)
    )
    return st.just(Closed("no_allow", ())) | some


def _ordered(findings: list[Finding]) -> tuple[Finding, ...]:
    def key(finding: Finding) -> tuple[int, str, str]:
        action = finding.witness.action if finding.witness else ""
        return SEVERITIES.index(finding.severity), finding.rule, action

    return tuple(sorted(findings, key=key))


@st.composite
def role_reports(draw: st.DrawFn, verdict: Verdict | None = None) -> RoleReport:
    """A role's report; where a verdict is given, with that one."""
    any_verdict: st.SearchStrategy[Verdict] = st.sampled_from(
        ("exposed", "simulator_only", "no_send", "undetermined")
    )
    found: Verdict = verdict if verdict is not None else draw(any_verdict)
    certainty: Certainty | None = None
    findings = draw(st.lists(ADVICE, max_size=2))
    if found == "exposed":
        certainty = draw(st.sampled_from(("proven", "possible")))
        findings += draw(st.lists(POSSIBLE, min_size=certainty == "possible", max_size=2))
        if certainty == "proven":
            findings += draw(st.lists(PROVEN, min_size=1, max_size=2))
    return RoleReport(
        arn=draw(texts()),
        name=draw(texts()),
        projects=tuple(draw(st.lists(projects(), max_size=4))),
        verdict=found,
        certainty=certainty,
        reason=draw(texts()) if found == "undetermined" else None,
        findings=_ordered(findings),
        notes=tuple(draw(st.lists(texts(), max_size=2))) if found == "exposed" else (),
        closed=draw(st.none() | closed()) if found in ("simulator_only", "no_send") else None,
    )


def ses_regions() -> st.SearchStrategy[SesRegion]:
    """What SES may do in a region, known or not."""
    known = st.none() | st.booleans()
    identity = st.builds(Identity, texts(), texts(), st.booleans(), st.just(()))
    identities = st.lists(identity, max_size=2).map(tuple)
    return st.builds(SesRegion, texts(), known, known, identities)


@st.composite
def reports(draw: st.DrawFn, max_roles: int = 4) -> Report:
    """A whole report, its roles ordered by ARN."""
    errors = tuple(draw(st.lists(st.builds(Failure, texts(), texts()), max_size=2)))
    roles = draw(st.lists(role_reports(), max_size=max_roles, unique_by=lambda role: role.arn))
    unresolved = st.lists(st.builds(UnresolvedProject, projects(), texts(), texts()), max_size=2)
    return Report(
        generated_at=draw(st.datetimes(timezones=st.just(UTC))),
        account_id=draw(st.sampled_from(("123456789012", "000000000000")) | texts()),
        complete=not errors,
        roles=sorted(roles, key=lambda role: role.arn),
        not_evaluated=tuple(
            draw(st.lists(st.sampled_from(("scps", "projects")) | texts(), max_size=2))
        ),
        errors=errors,
        unresolved_projects=tuple(draw(unresolved)),
        ses=tuple(draw(st.lists(ses_regions(), max_size=2))),
    )
