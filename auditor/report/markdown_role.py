"""One exposed role in Markdown: its proof, and what to do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from auditor.report.facts import findings_with_values
from auditor.report.inert import block, code
from auditor.report.words import (
    confirmed_words,
    others_words,
    projects_words,
    statement_words,
    verdict_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from auditor.findings import Finding, RoleReport

_PROJECTS: Final = 5  # named of each role


def section(role: RoleReport) -> str:
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
