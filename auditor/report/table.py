"""The report for people: an overview of all roles, then the proof for each that matters.

What a reader must act on stands last, just above the prompt. Every text of the report is shown
through ``text.visible`` and as ``rich.text.Text``, so no name is ever read as markup. What is
drawn is ASCII. Names are folded onto more lines, never cut.
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from auditor.report.detail import add_exposed
from auditor.report.interface import PLAIN
from auditor.report.json import timestamp
from auditor.report.past import arrived, changes_words, excepted, gone, idle, left
from auditor.report.steps import next_steps
from auditor.report.words import (
    NOT_EVALUATED,
    badness,
    count,
    limited_words,
    some,
    summary_words,
    verdict_words,
)
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Report, RoleReport
    from auditor.report.interface import Again, Look

NARROWEST = 40  # below this nothing is readable; the terminal may wrap it
_FOUR_COLUMNS = 60  # below this the columns' headings would be broken
_COMMAND = 4  # cells before a command
_STYLES = {
    "exposed": "bold red",
    "undetermined": "bold yellow",
    "simulator_only": "green",
    "no_send": "green",
}
_RULED = box.Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)


def render(report: Report, look: Look = PLAIN) -> str:
    """Return the report as text no wider than the look's width (at least 40 cells)."""
    console = _console(look)
    roles = sorted(report.roles, key=badness)
    exposed = [role for role in roles if role.verdict == "exposed" and not role.accepted()]
    undecided = [role for role in roles if role.verdict == "undetermined"]
    noted = [r for r in roles if r.findings and (r.verdict != "exposed" or r.accepted())]

    _head(console, report)
    _limits(console, report)
    _changes(console, report)
    if roles:
        console.print(_overview(roles, console.width))
    else:
        console.print(Text("No CodeBuild role was found."))
    if exposed:
        _heading(console, "Exposed: these roles can (proven) or may (possible) mail real people")
        reach = report.reach()
        if reach is not None:
            console.print(_indented(reach))
        for role in exposed:
            add_exposed(console, role)
    if undecided:
        _heading(console, "Undetermined: these roles could not be decided, so don't count as safe")
        for role in undecided:
            _entry(console, role.name, role.reason or "no reason was recorded")
    if noted:
        _heading(console, "Also worth knowing")
        for role in noted:
            lines = [f"{f.severity} {f.rule}: {f.title}" for f in role.findings]
            _entry(console, role.name, *lines)
    for heading, entries in _EXCEPTED.items():
        _list(console, heading, entries(report))
    _gaps(console, report)
    _verdict(console, report, exposed, undecided, look.again)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO given below
    return "".join(f"{line.rstrip()}\n" for line in text.split("\n")[:-1])


_EXCEPTED = {
    "Suppressed: exceptions cover these findings, which don't count": excepted,
    "Exceptions that cover nothing": idle,
}


def _changes(console: Console, report: Report) -> None:
    """Say what changed, as messages do first, and what nothing can be said about."""
    changes = changes_words(report)
    if changes is None:
        return
    console.print(Text(changes, "bold"))
    for one in arrived(report):
        _list(console, f"{one.status.capitalize()} since earlier audits", one.entries)
    _list(console, "Resolved since earlier audits", gone(report))
    for heading, found in left(report):
        _list(console, heading, found)
    console.print()


def _list(console: Console, heading: str, entries: Sequence[tuple[str, list[str]]]) -> None:
    if entries:
        _heading(console, heading)
    for name, lines in entries:
        _entry(console, name, *lines)


def _console(look: Look) -> Console:
    """Return a console that knows nothing of this process's environment or terminal."""
    return Console(
        file=StringIO(),
        width=max(NARROWEST, look.width),
        color_system="standard" if look.color else None,
        force_terminal=look.color,
        force_jupyter=False,
        force_interactive=False,
        legacy_windows=False,
        no_color=not look.color,
        highlight=False,
        markup=False,
        emoji=False,
        _environ={},
    )


def _head(console: Console, report: Report) -> None:
    console.print(
        Text.assemble(
            ("Can CodeBuild roles mail real people through SES?", "bold"),
            f"\nAccount {visible(report.account_id)}, {timestamp(report.generated_at)}",
            ("  INCOMPLETE AUDIT" if not report.complete else "", "bold red"),
            "\n",
        )
    )


def _overview(roles: Sequence[RoleReport], width: int) -> Table:
    table = Table(
        box=_RULED, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold"
    )
    if width < _FOUR_COLUMNS:  # each role's block below has its projects
        table.add_column("Verdict", width=16, overflow="fold")
        table.add_column("Role", width=width - 16 - 3, overflow="fold")
        for role in roles:
            table.add_row(_verdict_text(role), Text(visible(role.name)))
        return table
    verdict, findings, padding = 16, 8, 3 * 2 + 3  # the box keeps a cell between two columns
    rest = width - verdict - findings - padding
    name = rest * 3 // 5
    table.add_column("Verdict", width=verdict, overflow="fold")
    table.add_column("Role", width=name, overflow="fold")
    table.add_column("Projects", width=rest - name, overflow="fold")
    table.add_column("Findings", width=findings, overflow="fold", justify="right")
    for role in roles:
        table.add_row(
            _verdict_text(role),
            Text(visible(role.name)),
            Text(some([project.name for project in role.projects], 2) or "-"),
            Text(str(len(role.findings) + len(role.suppressed))),
        )
    return table


def _verdict_text(role: RoleReport) -> Text:
    return Text(verdict_words(role), "yellow" if role.accepted() else _STYLES[role.verdict])


def _gaps(console: Console, report: Report) -> None:
    """Say everything that was not audited, and why."""
    if report.errors:
        what = "could not be read" if not report.complete else "went wrong on the way"
        _heading(console, f"{count(len(report.errors), 'thing')} {what}")
        for error in report.errors:
            _entry(console, error.where, error.message)
    if report.unresolved_projects:
        _heading(console, "Projects whose role was not audited")
        for unresolved in report.unresolved_projects:
            name = f"{unresolved.project.name} ({unresolved.project.region})"
            _entry(console, name, f"{unresolved.role_arn}: {unresolved.reason}")
    if report.not_evaluated:
        _heading(console, "Not evaluated: the source doesn't contain it")
        for gap in report.not_evaluated:
            console.print(_indented(NOT_EVALUATED.get(gap, gap)))


def _limits(console: Console, report: Report) -> None:
    for words in limited_words(report):
        console.print(Text(visible(f"LIMITED AUDIT: {words}."), "bold yellow"))


def _verdict(
    console: Console,
    report: Report,
    exposed: Sequence[RoleReport],
    undecided: Sequence[RoleReport],
    again: Again,
) -> None:
    """Close with the counts, and with what to do about them."""
    console.print()
    _limits(console, report)
    if not report.complete:
        warning = "INCOMPLETE AUDIT: roles or projects may be missing from this report."
        console.print(Text(warning, "bold red"))
    part = report.limits is not None or not report.complete  # green is for the whole account
    unsure = undecided or part or any(role.accepted() for role in report.roles)
    style = "bold red" if exposed else "bold yellow" if unsure else "bold green"
    console.print(Text(summary_words(report), style))
    for step in next_steps(report, again):
        console.print(_indented(step.text))
        for line in step.lines(console.width - _COMMAND):
            # Never wrapped: a command that is broken elsewhere wouldn't run.
            console.print(Text(" " * _COMMAND + line), soft_wrap=True)


def _heading(console: Console, text: str) -> None:
    console.print(Text(f"\n{text}", "bold"))


def _entry(console: Console, name: str, *texts: str) -> None:
    """Print a name, and what there is to say of it on the lines below."""
    console.print(_indented(name))
    for text in texts:
        console.print(_indented(text, 4))


def _indented(text: str, cells: int = 2) -> Padding:
    return Padding(Text(visible(text), overflow="fold"), (0, 0, 0, cells))
