"""The last lines of a scan: what it came to, what was written, what changed, what to do next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from auditor.cli.places import STDIN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from auditor.findings import Report
    from auditor.report.interface import Again


def again(
    *,
    snapshot: str | None,
    profile: str | None,
    now: str | None,
    regions: Sequence[str],
    roles: Sequence[str],
    exceptions: str | None,
) -> Again:
    """Return what points other commands at what a scan was about: its source and its limits."""
    from auditor.report.interface import Again

    source = [*given("--snapshot", snapshot)]
    if snapshot is None:  # with one, these two have no effect
        source += given("--profile", profile)
        source += given("--region", *regions)
    source += given("--now", now)
    limits = (*given("--role", *roles), *given("--exceptions", exceptions))
    return Again((*source, *limits), tuple(source), snapshot == STDIN)


def given(option: str, *values: str | None) -> Iterator[str]:
    """Yield the words that give an option its values, each by itself; None stands for none."""
    for value in values:
        if value is None:
            continue
        if value.startswith("-") and value != STDIN:  # else it would be read as an option
            yield f"{option}={value}"
        else:
            yield from (option, value)


def wanted(format_: str, output: Path | None) -> bool:
    """Tell whether the last lines are of use: not where the same screen has a table that ends so.

    Nor in a log beside a report on standard output, which belongs to whoever reads that.
    """
    if output is not None:
        return True
    if sys.stderr is None or not sys.stderr.isatty():
        return False
    return not (format_ == "table" and sys.stdout is not None and sys.stdout.isatty())


def last_lines(
    report: Report, again: Again, *, output: Path | None, stored: Path | None
) -> Iterator[str]:
    """Yield what the scan came to, and what to do next.

    :param output: the file that has the report, None where standard output got it.
    :param stored: the baseline that was written, if any.
    """
    from auditor.report.past import changes_words
    from auditor.report.steps import first_step
    from auditor.report.words import limited_words, summary_words

    gaps = [f"LIMITED AUDIT: {words}." for words in limited_words(report)]
    gaps += [] if report.complete else ["INCOMPLETE AUDIT."]
    changes = changes_words(report)
    yield " ".join([*gaps, summary_words(report), *([changes] if changes else [])])
    written = [] if output is None else [f"The report is in {output}."]
    written += [] if stored is None else [f"What is known now is in {stored}."]
    first = first_step(report, again)
    yield " ".join([*written, first.text, first.shell()]).rstrip()
