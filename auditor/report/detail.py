"""The table's block for one exposed role: its worst witness in words, and what opens it.

Lines are folded here and printed as they are: a Rich table for each of thousands of roles takes
ten times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from auditor.report.words import (
    confirmed_words,
    others_words,
    projects_words,
    some,
    statement_words,
    verdict_words,
)
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from auditor.findings import Finding, RoleReport, Witness

_SHOWN = 5  # of each list; the JSON report has all
_STYLES = {"high": "bold red", "medium": "red", "low": "yellow", "info": "cyan"}
_LABEL = 15  # cells before the text: indent, label and gap


def add_exposed(console: Console, role: RoleReport) -> None:
    """Print the block of one role: its worst finding in full, the others in a line each."""
    head = Text.assemble((visible(role.name), "bold"), "  ", (verdict_words(role), "bold red"))
    block = Text("\n")
    for line in fold(console, head, console.width - 2):
        block.append_text(Text.assemble("  ", line, "\n"))
    for label, text in _rows(role):
        for number, line in enumerate(fold(console, text, console.width - _LABEL)):
            block.append(f"    {label:9}  " if number == 0 else " " * _LABEL)
            block.append_text(line)
            block.append("\n")
    console.print(block, end="", soft_wrap=True)


def fold(console: Console, text: Text, width: int) -> list[Text]:
    """Return the text as lines of at most ``width`` cells; words that are longer are broken."""
    if len(text) <= width and text.plain.isascii():
        return [text]
    return list(text.wrap(console, width, overflow="fold"))


def _rows(role: RoleReport) -> Iterator[tuple[str, Text]]:
    yield "role", Text(visible(role.arn))
    if role.projects:
        yield "projects", Text(projects_words(role.projects, _SHOWN))
    worst = role.worst()
    if worst is not None:
        yield from _finding(worst)
    for line, style in confirmed_words(role):
        yield "AWS says", Text(line, style)
    for note in role.notes:
        yield "note", Text(visible(note))
    for line in others_words(finding for finding in role.findings if finding is not worst):
        yield "also", Text(line)


def _finding(finding: Finding) -> Iterator[tuple[str, Text]]:
    yield (
        "finding",
        Text.assemble(
            (visible(finding.severity), _STYLES[finding.severity]),
            f" {visible(finding.rule)}: {visible(finding.title)}",
        ),
    )
    if finding.witness is not None:
        yield from _request(finding.witness)
    if finding.statements:
        opened = [statement_words(ref) for ref in finding.statements]
        yield "opened by", Text(some(opened, _SHOWN, joint="; "))
    yield "fix", Text(visible(finding.remediation))


def _request(witness: Witness) -> Iterator[tuple[str, Text]]:
    """Yield the witness: the call, from what, to whom, and with which context."""
    to: list[str] = []
    rest: list[str] = []
    for key, value in sorted(witness.context.items()):
        values = [value] if isinstance(value, str) else list(value)
        if key.lower() == "ses:recipients":
            to = values
        else:
            rest.append(f"{visible(key)} = {some(values, _SHOWN)}")
    yield "call", Text(visible(witness.action))
    yield "from", Text(some(witness.resources, _SHOWN))
    yield "to", Text(some(to, _SHOWN) or "anyone (the call carries no recipients to check)")
    for line in rest:
        yield "with", Text(line)
