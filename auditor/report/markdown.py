"""The report as Markdown: for a pull request's comment or a pipeline's summary.

Never longer than GitHub takes. What doesn't fit is left out whole, the safest first, and counted
in the last lines: the headline and the counts are always about the whole account.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from auditor.report.facts import findings_with_values, not_evaluated_words
from auditor.report.inert import block, cell, code
from auditor.report.interface import PLAIN
from auditor.report.json import timestamp
from auditor.report.past import arrived, changes_words, excepted, gone, idle
from auditor.report.words import (
    badness,
    confirmed_words,
    count,
    limited_words,
    others_words,
    projects_words,
    statement_words,
    summary_words,
    verdict_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from auditor.findings import Finding, Report, RoleReport
    from auditor.report.interface import Look

LONGEST: Final = 65_536
"""Bytes of UTF-8. GitHub refuses a comment of more characters: "body is too long"."""

_TABLE: Final = LONGEST // 4  # of it for the table of exposed roles
_LISTED: Final = LONGEST // 10  # and for each list: undetermined roles, errors, …
_TAIL: Final = 1_024  # kept free for the lines that say what was left out
_PROJECTS: Final = 5  # named of each role


def render(report: Report, look: Look = PLAIN) -> str:  # noqa: ARG001 - every format takes a look
    """Return the report as GitHub-flavoured Markdown of at most ``LONGEST`` bytes."""
    roles = sorted(report.roles, key=badness)
    exposed = [role for role in roles if role.verdict == "exposed" and not role.accepted()]
    page = _Page()
    for part in _head(report):
        page.add(part)
    for heading, entries in (
        ("New or reopened since earlier audits", arrived(report)),
        ("Resolved since earlier audits", gone(report)),
    ):
        if entries:
            page.add(f"### {heading}\n")
            page.fill(map(_entry, entries), _LISTED, "of the roles with changes are not listed")
            page.add("")
    if exposed:
        page.fill(_table(exposed), _TABLE, "of the exposed roles are not in the table")
    for heading, what, lines in _lists(report, roles):
        if lines:
            page.add(f"\n### {heading}\n")
            page.fill(lines, _LISTED, what)
    if exposed:
        page.add("\n## The exposed roles, worst first\n")
        page.fill(map(_section, exposed), page.room(), "of the exposed roles have no section")
    advised = [
        role for role in roles if role.findings and (role.verdict != "exposed" or role.accepted())
    ]
    if advised:
        page.add("\n## Also worth knowing\n")
        page.fill(map(_advice, advised), page.room(), "of the roles with advice are not listed")
    return page.text()


class _Page:
    """A text that grows, its size in bytes, and what didn't fit."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._left_out: list[str] = []
        self.size = 0

    def add(self, part: str) -> None:
        self._parts.append(f"{part}\n")
        self.size += len(part.encode()) + 1

    def fill(self, parts: Iterable[str], room: int, what: str) -> None:
        """Add the parts that fit into ``room`` bytes; the others are counted as ``what``."""
        end, missed = self.size + room, 0
        for part in parts:
            if self.size + len(part.encode()) + 1 <= end:
                self.add(part)
            else:
                missed += 1
        if missed:
            self._left_out.append(f"- {missed:,} {what}.")

    def room(self) -> int:
        """Return how many bytes are left."""
        return LONGEST - _TAIL - self.size

    def text(self) -> str:
        """Return the whole, with what was left out at its end."""
        if not self._left_out:
            return "".join(self._parts)
        tail = "\n## Left out, for lack of room\n\nThe JSON report has all of it.\n\n"
        return "".join((*self._parts, tail, "\n".join(self._left_out), "\n"))


def _head(report: Report) -> Iterator[str]:
    yield "# Can CodeBuild roles mail real people through SES?\n"
    yield f"{_headline(report)}\n"
    if not report.complete:
        yield "> **Incomplete audit**: roles or projects may be missing from this report.\n"
    for words in limited_words(report):
        yield f"> **Limited audit**: {code(words)}. The answer is about no other part.\n"
    when = code(timestamp(report.generated_at))
    changes = changes_words(report)
    if changes is not None:
        yield f"**{changes}**\n"
    yield f"{summary_words(report)} Account {code(report.account_id)}, {when}.\n"
    reach = report.reach()
    if reach is not None and report.count("exposed"):
        yield f"{code(reach)}\n"


def _headline(report: Report) -> str:
    # counted here, role by role: whatever is subtracted from a report's counts, an exposed role
    # must not be answered with a no
    every = [role for role in report.roles if role.verdict == "exposed"]
    exposed = [role.open_certainty() for role in every if not role.accepted()]
    more = f"; {len(every) - len(exposed):,} more excepted" if len(every) > len(exposed) else ""
    undecided = sum(role.verdict == "undetermined" for role in report.roles)
    if exposed:
        proven = exposed.count("proven")
        certain = f"{proven:,} proven, {len(exposed) - proven:,} possible"
        answer = "Yes" if proven else "Possibly"
        return f"**{answer}: {count(len(exposed), 'role')} exposed** ({certain}){more}."
    if undecided:
        which = count(undecided, "role")
        beyond = f" beyond {len(every):,} excepted" if every else ""
        return f"**Not decided: {which} undetermined**, and none known to be exposed{beyond}."
    if every:
        which = count(len(every), "role")
        return f"**Yes, but accepted: {which} exposed**, each covered by exceptions until they end."
    if report.limits is not None and not report.roles:
        return "**Not decided**: no CodeBuild role was found in the part that was audited."
    if not report.complete:
        return "**Not decided**: no role is known to be exposed, but the audit is incomplete."
    if not report.roles:
        return "**No CodeBuild role was found.**"
    if report.limits is not None:
        return "**No**, for the part of the account that was audited: the rest was not looked at."
    if report.unresolved_projects:
        return "**No**, as far as roles were audited: see below which projects' roles were not."
    if report.not_evaluated:
        return "**No**, as far as the source tells: see below what it doesn't contain."
    return "**No**: no CodeBuild role can."


def _table(exposed: Sequence[RoleReport]) -> Iterator[str]:
    yield "| | role | rule | call |\n|---|---|---|---|"
    for role in exposed:
        worst = role.worst()
        rule = cell(worst.rule) if worst else ""
        call = cell(worst.witness.action) if worst and worst.witness else ""
        yield f"| {verdict_words(role)} | {cell(role.name)} | {rule} | {call} |"


def _lists(report: Report, roles: Sequence[RoleReport]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield what else there is to say: heading, what one entry is, and the entries."""
    yield (
        "Undetermined: could not be decided, so they don't count as safe",
        "of the undetermined roles are not listed",
        [_item(r.name, r.reason or "") for r in roles if r.verdict == "undetermined"],
    )
    yield (
        "Excepted: exposed or advised, but exceptions cover it until a day",
        "of the roles with exceptions are not listed",
        list(map(_entry, excepted(report))),
    )
    yield (
        "Exceptions that cover nothing",
        "of these exceptions are not listed",
        list(map(_entry, idle(report))),
    )
    yield (
        "Could not be read" if not report.complete else "Went wrong on the way",
        "of the errors are not listed",
        [_item(error.where, error.message) for error in report.errors],
    )
    yield (
        "Projects whose role was not audited",
        "of these projects are not listed",
        [
            _item(f"{one.project.name} ({one.project.region})", f"{one.role_arn}: {one.reason}")
            for one in report.unresolved_projects
        ],
    )
    yield (
        "Not evaluated: the source doesn't contain it",
        "of the things not evaluated are not listed",
        [f"- {code(words)}" for words in not_evaluated_words(report)],
    )


def _advice(role: RoleReport) -> str:
    return _item(role.name, "; ".join(f"{f.severity} {f.rule}: {f.title}" for f in role.findings))


def _entry(entry: tuple[str, list[str]]) -> str:
    name, lines = entry
    return _item(name, "; ".join(lines)) if lines else f"- {code(name)}"


def _item(name: str, text: str) -> str:
    return f"- {code(name)}: {code(text)}"


def _section(role: RoleReport) -> str:
    """Return the section of one exposed role: its worst finding whole, the others in a line."""
    lines = [f"### {code(role.name)}: {verdict_words(role)}\n", f"- role: {code(role.arn)}"]
    if role.projects:
        lines.append(f"- projects: {code(projects_words(role.projects, _PROJECTS))}")
    worst = role.worst()
    for finding, values in findings_with_values(role):
        if finding is worst:
            lines += _finding(finding, values)
    lines += [f"- AWS's policy simulator: {code(line)}" for line, _ in confirmed_words(role)]
    lines += [f"- note: {code(note)}" for note in role.notes]
    others = others_words(finding for finding in role.findings if finding is not worst)
    lines += [f"- also: {code(line)}" for line in others]
    return "\n".join((*lines, ""))


def _finding(finding: Finding, values: Mapping[str, object]) -> Iterator[str]:
    yield f"- finding: **{finding.severity}** {code(finding.rule)}: {code(finding.title)}"
    yield f"- fix: {code(finding.remediation)}"
    if finding.statements:
        yield "- opened by:"
        yield from (f"  - {code(statement_words(ref))}" for ref in finding.statements)
    yield "- the request that AWS would allow:\n"
    yield _indented(block(json.dumps(values["witness"], indent=2), "json")) + "\n"


def _indented(text: str) -> str:
    """Return the lines as a part of a list's entry."""
    return "\n".join(f"  {line}" for line in text.split("\n"))
