"""What messages say of a role, a finding or a change, in words that every channel can use."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from auditor.findings import EXPOSING
from auditor.notify.interface import is_open, worst_first
from auditor.rules.catalogue import RULES
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from auditor.findings import Finding, Report, RoleReport, StatementRef, Witness
    from auditor.life import Changes, Kind, Known
    from auditor.notify.interface import News, Reading

TEXT_LIMIT: Final = 300  # characters of one name, title, reason or error
LIST_LIMIT: Final = 5  # entries of one list

HEADINGS: Final[Mapping[Kind, str]] = {
    "new": "New",
    "reopened": "Reopened",
    "worse": "Worse than before",
    "eased": "Less grave than before",
    "resolved": "Resolved",
    "suppressed": "Covered by an exception",
}
"""The kinds of changes, in the order in which they are told."""

READINGS: Final[Mapping[Reading, str]] = {
    "": "",
    "incomplete": "Not everything could be read this time",
    "complete": "Everything could be read again",
    "left": "A role with open findings is no longer used by CodeBuild in the audited regions",
}

_OTHER_PAGE: Final = "docs/how-it-decides.md"


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    r"""Return other people's text fit for one line: the unprintable as ``\x1b``, and not too long.

    A line break in a name could forge a line of a message, a bidi override turn its words around.
    """
    shown = visible(text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."


def count(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is one."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def some(items: Sequence[str], limit: int = TEXT_LIMIT) -> str:
    """Return the first items, cleaned, and how many are left."""
    shown = ", ".join(clean(item, limit) for item in items[:LIST_LIMIT])
    rest = len(items) - LIST_LIMIT
    return f"{shown} and {rest} more" if rest > 0 else shown


def values(value: str | tuple[str, ...]) -> str:
    """Return the values of a context key."""
    return some([value] if isinstance(value, str) else value)


def recipients(witness: Witness) -> str:
    """Return whom a request would mail."""
    told = values(dict(witness.context).get("ses:Recipients", ()))
    return told or "anyone (the call carries no recipients to check)"


def statement(ref: StatementRef) -> str:
    """Return where a statement stands."""
    sid = f' "{clean(ref.sid)}"' if ref.sid else ""
    policy = clean(ref.policy_arn or ref.policy)
    if ref.role:
        policy += f" of role {clean(ref.role)}"
    return f"{clean(ref.effect)} in statement {ref.index}{sid} of {clean(ref.kind)} policy {policy}"


def title(finding: Finding) -> str:
    """Return a finding in one line."""
    return f"{clean(finding.severity)} {clean(finding.rule)}: {clean(finding.title)}"


def rule_page(rule: str) -> str:
    """Return the page that explains a rule."""
    known = RULES.get(rule)
    return _OTHER_PAGE if known is None else known.page


def plan_command(role_name: str) -> str:
    """Return the command that plans what closes a role."""
    return f"auditor remediate plan --role {shlex.quote(clean(role_name))}"


def scan_command(role_name: str) -> str:
    """Return the command that looks at a role anew."""
    return f"auditor scan --role {shlex.quote(clean(role_name))}"


def role_name(arn: str) -> str:
    """Return the name at the end of a role's ARN."""
    return arn.rpartition("/")[2]


def verdict(role: RoleReport) -> str:
    """Return a role's verdict, and how certain what no exception covers is."""
    if role.accepted():
        return "exposed, excepted"
    sure = role.open_certainty()
    return f"{role.verdict}, {sure}" if sure else role.verdict


def change_counts(changes: Changes) -> dict[str, int]:
    """Return how many changes of each kind there are."""
    return {kind: len(getattr(changes, kind)) for kind in HEADINGS}


def change_words(changes: Changes) -> str:
    """Return the counts of what changed in a few words; empty where nothing did."""
    counts = change_counts(changes)
    return ", ".join(f"{number} {kind}" for kind, number in counts.items() if number)


def shown(role: RoleReport) -> RoleReport:
    """Return a role with the findings that a message shows.

    Where exceptions cover all that exposes it, and it is told all the same, these are shown.
    """
    if role.verdict != "exposed" or any(one.severity in EXPOSING for one in role.findings):
        return role
    return replace(role, findings=(*(one.finding for one in role.suppressed), *role.findings))


def covered_why(role: RoleReport) -> str:
    """Return why a role is told of which exceptions cover all that exposes it; else empty."""
    if shown(role) is role or not role.suppressed:
        return ""
    if role.accepted():
        return "An exception covers it"
    return "An exception covers this, but something about the role could not be read, so it counts"


def change_line(known: Known, kind: Kind | None = None, report: Report | None = None) -> str:
    """Return one change in a line: the role, how bad, the rule, and what could be sent.

    :param report: the audit's, which tells why a finding that an exception covers counts again.
    """
    what = f" ({clean(known.action)})" if known.action else ""
    name = clean(role_name(known.role_arn))
    more = ""
    if kind in ("worse", "eased"):
        more = f", {known.certainty}" if known.certainty else ""
        more += _grades(known)
        if known.status == "suppressed":
            more += "; an exception covers it"
    elif kind == "resolved" and known.excepted:
        more = "; an exception covered it"
    elif kind == "reopened" and report is not None and _covered(known, report):
        more = "; an exception covers it, but something about the role could not be read"
    return f"{name}: {clean(known.severity)} {clean(known.rule)}{what}{more}"


def _covered(known: Known, report: Report) -> bool:
    """Tell whether an exception covers a finding of a role that counts all the same."""
    return any(
        one.finding.id == known.id
        for role in report.roles
        if role.arn == known.role_arn
        for one in role.suppressed
    )


def _grades(known: Known) -> str:
    """Return how grave a finding was, and is; empty where that isn't known, or is the same."""
    if known.was is None:
        return ""
    pairs = zip(known.was, known.grade(), strict=True)
    told = [f"{before} -> {now}" for before, now in pairs if before and now and before != now]
    return f"; {', '.join(told)}" if told else ""


def change_lines(changes: Changes) -> Iterator[tuple[Kind, Known]]:
    """Yield every change by kind, as they are told."""
    for kind in HEADINGS:
        for one in getattr(changes, kind):
            yield kind, one


def changed_first(roles: Iterable[RoleReport], changes: Changes) -> list[RoleReport]:
    """Return roles with those before that something new or worse was found on; else in order."""
    arrived = {one.role_arn for one in (*changes.new, *changes.reopened, *changes.worse)}
    return sorted(roles, key=lambda role: role.arn not in arrived)


def roles_told(news: News) -> list[RoleReport]:
    """Return the roles that a message for people shows, the most important first.

    None where only what could be read changed, or exceptions: what is open was told before.
    """
    if news.occasion in ("reading", "exceptions"):
        return []
    worse = {one.role_arn for one in news.changes.worse if one.status == "suppressed"}
    excepted = [role for role in news.report.roles if role.arn in worse and role.accepted()]
    return changed_first([*worst_first(news.report), *excepted], news.changes)


def lead(news: News) -> str:
    """Return the first words of a message: what changed, or why it is sent."""
    return "; ".join(filter(None, (READINGS[news.reading], _lead(news), news.exceptions)))


def _lead(news: News) -> str:
    changed = change_words(news.changes)
    if news.occasion == "all-clear":
        rest = f" ({changed})" if changed else ""
        return f"All clear: no CodeBuild role is left open{rest}"
    if news.occasion == "digest":
        if is_open(news.report) or news.unseen:
            return "Still open this week"
        return "Still not everything can be read this week"
    return f"Changed: {changed}" if changed else ""


def unseen_why(news: News) -> str:
    """Return what ends that findings are told as open that nothing looks at; empty: reading does.

    Where everything could be read, their roles are still there, and known to no project and no
    trust that this audit sees. Whether one of another region uses them, it can't know.
    """
    roles = {role.arn for role in news.report.roles}
    if not news.report.complete or all(one.role_arn in roles for one in news.unseen):
        return ""
    return (
        "A role that CodeBuild no longer uses in the audited regions stays listed until its own"
        " policies let it send no more, until it is deleted, or until an audit of every region"
        " finds it unused"
    )
