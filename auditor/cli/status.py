"""What a report means for whoever called the command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from auditor.findings import Report

FailOn = Literal["exposed", "possible", "undetermined", "never"]

NOTHING = 0
FOUND = 1
UNSURE = 3


def exit_status(report: Report, fail_on: FailOn) -> int:
    """Return 1 for something at or above ``fail_on``, else 3 where the audit has gaps, else 0.

    ``exposed``: a proven exposure. ``possible``: any exposure. ``undetermined``: those, and
    undetermined roles. ``never``: always 0. Gaps are an incomplete audit or an undetermined role.
    Findings of severity ``low`` and ``info`` don't count.
    """
    if fail_on == "never":
        return NOTHING
    undetermined = report.count("undetermined")
    found = report.count("exposed", "proven" if fail_on == "exposed" else None)
    if fail_on == "undetermined":
        found += undetermined
    if found:
        return FOUND
    return UNSURE if undetermined or not report.complete else NOTHING
