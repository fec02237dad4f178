"""The table's block for one exposed role: its worst witness in words, and what opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from auditor.report.words import (
    others_words,
    projects_words,
    some,
    statement_words,
    verdict_words,
    visible,
    worst_finding,
)

if TYPE_CHECKING:
    from rich.console import Console

    from auditor.findings import Finding, RoleReport, Witness

_SHOWN = 5  # of each list; the JSON report has all
_STYLES = {"high": "bold red", "medium": "red", "low": "yellow", "info": "cyan"}


def add_exposed(console: Console, role: RoleReport) -> None:
    """Print the block of one role: its worst finding in full, the others in a line each."""
    console.print()
    console.print(
        Padding(
            Text.assemble(
                (visible(role.name), "bold"),
                "  ",
                (verdict_words(role), "bold red"),
                overflow="fold",
            ),
            (0, 0, 0, 2),
        )
    )
    rows = Table.grid(padding=(0, 2, 0, 0))
    rows.add_column(width=9)
    rows.add_column(overflow="fold")
    rows.add_row("role", Text(visible(role.arn)))
    if role.projects:
        rows.add_row("projects", Text(projects_words(role.projects, _SHOWN)))
    worst = worst_finding(role)
    if worst is not None:
        _finding(rows, worst)
    for line in others_words(finding for finding in role.findings if finding is not worst):
        rows.add_row("also", Text(line))
    console.print(Padding(rows, (0, 0, 0, 4)))


def _finding(rows: Table, finding: Finding) -> None:
    rows.add_row("finding", _title(finding))
    if finding.witness is not None:
        for label, text in _request(finding.witness):
            rows.add_row(label, Text(text))
    if finding.statements:
        opened = [statement_words(ref) for ref in finding.statements]
        rows.add_row("opened by", Text(some(opened, _SHOWN, joint="; ")))
    rows.add_row("fix", Text(visible(finding.remediation)))


def _title(finding: Finding) -> Text:
    return Text.assemble(
        (visible(finding.severity), _STYLES[finding.severity]),
        f" {visible(finding.rule)}: {visible(finding.title)}",
    )


def _request(witness: Witness) -> list[tuple[str, str]]:
    """Return the witness as labelled lines: the call, from what, to whom, with which context."""
    to: list[str] = []
    rest: list[str] = []
    for key, value in sorted(witness.context.items()):
        values = [value] if isinstance(value, str) else list(value)
        if key.lower() == "ses:recipients":
            to = values
        else:
            rest.append(f"{visible(key)} = {some(values, _SHOWN)}")
    lines = [("call", visible(witness.action)), ("from", some(witness.resources, _SHOWN))]
    lines.append(("to", some(to, _SHOWN) or "anyone (the call carries no recipients to check)"))
    lines.extend(("with", line) for line in rest)
    return lines
