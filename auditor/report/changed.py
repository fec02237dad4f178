"""What an audit changes, and what it could say nothing about, as lists for people have it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.findings import SEVERITIES
from auditor.life import plain
from auditor.report.words import natural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.findings import Finding, Report, RoleReport, Severity
    from auditor.lasting import Known, LifeStatus, Resolved

ARRIVED: Final[tuple[LifeStatus, ...]] = ("worse", "reopened", "new")
"""What is told as a change, the rarest first: it mustn't drown in a night of new roles."""


class Missed(NamedTuple):
    """Findings that are open as before. ``word`` is for counts, ``heading`` for lists.

    ``name`` is for machines, and ``whose`` says of which audits they are, where ``word`` doesn't.
    """

    name: str
    word: str
    whose: str
    heading: str
    findings: tuple[Known, ...]


def missed(report: Report) -> list[Missed]:
    """Return the findings that an audit could say nothing about; no kind that there is none of."""
    looked = {plain(role.arn) for role in report.roles}
    unseen = report.unseen or ()
    found = [
        Missed(
            "not_decided",
            "not decided",
            "of earlier audits ",
            "Not decided: these roles were looked at, but not all about them could be decided",
            tuple(one for one in unseen if one.role_arn in looked),
        ),
        Missed(
            "not_looked_at",
            "not looked at",
            "of earlier audits ",
            "Not looked at: found by earlier audits, and open as before",
            tuple(one for one in unseen if one.role_arn not in looked),
        ),
        Missed(
            "known_later",
            "known of a later audit alone",
            "",
            "Found by a later audit than this one, and open as before",
            report.known_later,
        ),
    ]
    return [one for one in found if one.findings]


def all_new(report: Report) -> bool:
    """Tell whether nothing that was found was known before: a list of what is new says nothing."""
    if report.resolved is None or report.resolved or missed(report):
        return False
    lives = {
        one.life.status for role in report.roles for one in every(role) if one.life is not None
    }
    return lives <= {"new", "suppressed"}


def every(role: RoleReport) -> Iterator[Finding]:
    """Yield what was found on a role, covered by exceptions or not."""
    yield from role.findings
    yield from (one.finding for one in role.suppressed)


class About(NamedTuple):
    """What a list says of one finding. ``what`` is its action, or else its title.

    ``since`` is a text as well: findings of a role that have the same stand in one line.
    """

    role: str
    since: str
    severity: Severity
    rule: str
    what: str


def by_role(found: Iterable[About]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return a role with its lines each, the gravest first; a line is since when, and what.

    What differs in its action alone is said once: ``high unrestricted-send: ses:SendEmail, …``.
    """
    roles: dict[str, dict[str, list[About]]] = {}
    for one in found:
        roles.setdefault(one.role, {}).setdefault(one.since, []).append(one)
    lines = {
        role: sorted((_gravest(ones), since, rules_words(ones)) for since, ones in by_time.items())
        for role, by_time in roles.items()
    }
    ordered = sorted(lines, key=lambda role: (lines[role][0][0], natural(role), role))
    return [(role, [(since, words) for _, since, words in lines[role]]) for role in ordered]


def rules_words(found: Iterable[About]) -> str:
    """Return ``high RULE: ACTION, ACTION; low RULE: ACTION``, the gravest first."""
    rules: dict[tuple[int, str, str], dict[str, None]] = {}
    for one in found:
        key = (SEVERITIES.index(one.severity), one.severity, one.rule)
        rules.setdefault(key, {})[one.what] = None
    return "; ".join(
        f"{severity} {rule}: {', '.join(rules[rank, severity, rule])}"
        for rank, severity, rule in sorted(rules)
    )


def _gravest(found: Iterable[About]) -> int:
    return min(SEVERITIES.index(one.severity) for one in found)


def about_known(one: Known | Resolved, since: str = "") -> About:
    """Return what a list says of a finding of other audits."""
    return About(one.role_arn, since, one.severity, one.rule, one.action or one.title)


def about(role: RoleReport, finding: Finding, since: str = "") -> About:
    """Return what a list says of a finding of this audit."""
    what = finding.witness.action if finding.witness else finding.title
    return About(role.arn, since, finding.severity, finding.rule, what)


class RuleChange(NamedTuple):
    """Roles with findings of one rule that changed alike, each once."""

    word: str
    severity: str
    rule: str
    roles: tuple[str, ...]


def arrived_by_rule(report: Report, status: LifeStatus) -> list[RuleChange]:
    """Return what is new, reopened or worse, by rule: the gravest first, by role's name."""
    return _grouped(
        (status, one.severity, one.rule, role.name)
        for role in report.roles
        for one in every(role)
        if one.life is not None and one.life.status == status
    )


def gone_by_rule(report: Report) -> list[RuleChange]:
    """Return what was resolved, by rule, by role's ARN: the role may be gone as well."""
    return _grouped(
        ("resolved", one.severity, one.rule, one.role_arn) for one in report.resolved or ()
    )


def _grouped(found: Iterable[tuple[str, Severity, str, str]]) -> list[RuleChange]:
    groups: dict[tuple[str, Severity, str], dict[str, None]] = {}
    for word, severity, rule, role in found:
        groups.setdefault((word, severity, rule), {})[role] = None
    ordered = sorted(groups.items(), key=lambda one: SEVERITIES.index(one[0][1]))
    return [RuleChange(*key, tuple(roles)) for key, roles in ordered]
