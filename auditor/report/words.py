"""A report's values in plain words, for reports that people read. Strings in, strings out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from auditor.findings import EXPOSING, SEVERITIES
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.account import Project
    from auditor.findings import Closed, Finding, Limit, Report, RoleReport, StatementRef

# What a source may not contain, for people. Other names are shown as they are.
NOT_EVALUATED = {
    "projects": "CodeBuild projects (roles were found by their trust policy)",
    "scps": "service control policies (they may deny more)",
    "identity-policies": "policies on SES identities (they may allow more)",
}
_VERDICTS = {
    "exposed": "EXPOSED",
    "undetermined": "undetermined",
    "simulator_only": "simulator only",
    "no_send": "no send",
}
_WORST_FIRST = ("exposed", "undetermined", "excepted", "simulator_only", "no_send")
_NUMBERED: Final = re.compile("([^0-9]*)([0-9]*)")


def verdict_words(role: RoleReport) -> str:
    """Return ``EXPOSED possible``, ``EXCEPTED proven``, ``simulator only``, …

    An exposure is as certain as what no exception covers of it, like in the counts.
    """
    if role.accepted():
        return f"EXCEPTED {role.certainty}"
    word, certainty = _VERDICTS[role.verdict], role.open_certainty()
    return f"{word} {certainty}" if certainty else word


Badness = tuple[int, bool, int, tuple[tuple[str, int, str], ...], str]


def badness(role: RoleReport) -> Badness:
    """Return a sort key that puts the worst first: proven before possible, then by severity.

    Roles whose exposure exceptions cover stand after the undecided ones. What is alike stands by
    ARN, and numbers in ARNs count as such: ``build-9`` stands before ``build-10``.
    """
    kind = "excepted" if role.accepted() else role.verdict
    possible = (role.open_certainty() or role.certainty) == "possible"
    counting = [one.severity for one in role.findings]
    if EXPOSING.isdisjoint(counting):
        counting += [one.finding.severity for one in role.suppressed]
    severity = min(map(SEVERITIES.index, counting), default=len(SEVERITIES))
    return _WORST_FIRST.index(kind), possible, severity, natural(role.arn), role.arn


def natural(text: str) -> tuple[tuple[str, int, str], ...]:
    """Return a sort key that takes runs of digits for numbers, however long they are."""
    return tuple(
        (words, len(digits.lstrip("0")), digits.lstrip("0"))
        for words, digits in _NUMBERED.findall(text)
    )


def others_words(findings: Iterable[Finding]) -> list[str]:
    """Return a line for each severity and rule: the actions it is about, or else its titles."""
    groups: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        what = finding.witness.action if finding.witness else finding.title
        groups.setdefault((finding.severity, finding.rule), []).append(what)
    return [
        visible(f"{severity} {rule}: {', '.join(dict.fromkeys(what))}")
        for (severity, rule), what in groups.items()
    ]


def confirmed_words(role: RoleReport) -> list[tuple[str, str]]:
    """Return what AWS's simulator says of a role's witnesses, and the style to say it in."""
    asked = [f for f in role.findings if f.confirmation is not None and f.witness is not None]
    lines = []
    for finding in asked:
        found, witness = finding.confirmation, finding.witness
        if found is not None and witness is not None and found.outcome != "agrees":
            loud = found.outcome == "disagrees"
            word = "DISAGREES" if loud else "no answer"
            line = visible(f"{word} on {witness.action}: {found.message}")
            lines.append((line, "bold red" if loud else "yellow"))
    agreed = sum(f.confirmation.outcome == "agrees" for f in asked if f.confirmation)
    if agreed:
        lines.append((f"agrees on {count(agreed, 'witness', 'witnesses')}", ""))
    return lines


def some(items: Sequence[str], at_most: int, *, joint: str = ", ") -> str:
    """Join the items, visible; beyond ``at_most`` they are counted instead."""
    shown = joint.join(visible(item) for item in items[:at_most])
    rest = len(items) - at_most
    return f"{shown} and {rest} more" if rest > 0 else shown


def projects_words(projects: Sequence[Project], at_most: int) -> str:
    """Return ``web (eu-west-1), nightly (eu-west-1) and 3 more``."""
    return some([f"{project.name} ({project.region})" for project in projects], at_most)


def statement_words(ref: StatementRef) -> str:
    """Return ``Allow in statement 0 "Mail" of inline policy deploy``."""
    sid = f' "{visible(ref.sid)}"' if ref.sid else ""
    if ref.layer == "trust":
        return visible(f"{ref.effect} in statement {ref.index}{sid} of {ref.role}'s trust policy")
    if ref.layer == "permissions-boundary":
        kind = "permissions boundary"
    elif ref.layer == "identity":
        kind = f"{ref.kind} policy"
    else:
        kind = ref.layer
    # an ARN tells two policies of one name apart; AWS's own need none
    arn = f" ({ref.policy_arn})" if ref.policy_arn and ref.kind != "aws-managed" else ""
    whose = f"{ref.role}'s " if ref.role else ""
    where = visible(f"{whose}{kind} {ref.policy}{arn}")
    return f"{visible(ref.effect)} in statement {ref.index}{sid} of {where}"


_CLOSED: Final = {
    ("own_allows", "simulator_only"): "The Allows reach the simulator alone",
    ("own_allows", "no_send"): "No send fits the Allows",
    ("each", "simulator_only"): "Each of these alone keeps its sends within the simulator",
    ("each", "no_send"): "Each of these alone ends its sends",
    ("together", "simulator_only"): "Together these keep its sends within the simulator",
    ("together", "no_send"): "Together these end its sends",
}
_ONE: Final = {
    "simulator_only": "This keeps its sends within the simulator",
    "no_send": "This ends its sends",
}


def closed_words(role: RoleReport) -> str | None:
    """Return how a role is closed, in a few words; None where that isn't known."""
    closed = role.closed
    if closed is None:
        return None
    if closed.how == "no_allow":
        return "No statement allows a send to an address of its choosing"
    if closed.how == "each" and len(closed.by) == 1:
        return _ONE.get(role.verdict)
    return _CLOSED.get((closed.how, role.verdict))


def limits_words(closed: Closed) -> list[str]:
    """Return what closes a role, a line each."""
    lines = [limit_words(one) for one in closed.by]
    return [*lines, f"and {closed.more:,} more"] if closed.more else lines


def limit_words(limit: Limit) -> str:
    """Return where a statement stands that closes a role, or which layer leaves its sends out."""
    if limit.statement is not None:
        return statement_words(limit.statement)
    return visible(f"what isn't allowed by {limit.what}")


def count(number: int, noun: str, many: str = "") -> str:
    """Return ``1 role``, ``2 roles``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {many or noun + 's'}"


def limited_words(report: Report) -> list[str]:
    """Return what the audit was limited to, a sentence each; none where it was the whole."""
    if report.limits is None:
        return []
    roles, regions = report.limits
    told = [f"only roles that match {some(roles, _NAMED)} were audited"] if roles else []
    if regions:
        where = some(regions, _NAMED)
        told.append(f"CodeBuild projects and SES identities were looked for in {where} only")
    return told


_NAMED: Final = 10  # globs or regions in a sentence; the JSON report has them all


def summary_words(report: Report) -> str:
    """Return the one line that says it all."""
    counts = report.summary()
    exposed = f"{counts['exposed']:,} exposed"
    if counts["exposed"]:
        proven = report.count("exposed", "proven")
        exposed += f" ({proven:,} proven, {counts['exposed'] - proven:,} possible)"
    parts = [
        exposed,
        f"{counts['undetermined']:,} undetermined",
        f"{counts['simulator_only']:,} simulator only",
        f"{counts['no_send']:,} no send",
    ]
    if covered := sum(role.accepted() for role in report.roles):
        parts.insert(2, f"{covered:,} excepted")
    if counts["suppressed"]:
        parts.append(f"{count(counts['suppressed'], 'finding')} suppressed")
    return f"{count(counts['roles'], 'role')}: {', '.join(parts)}."
