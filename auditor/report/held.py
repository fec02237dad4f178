"""A report that was held against earlier audits, with what it could say nothing about."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from auditor.findings import Report

if TYPE_CHECKING:
    from auditor.life import Known


@dataclass(slots=True)
class HeldReport(Report):
    """A report, and the findings of earlier audits that are neither in it nor resolved by it.

    ``unseen`` are these: their role was undetermined or left out, or a later audit than this one
    is known to have seen them.
    """

    unseen: tuple[Known, ...] = ()


def held(report: Report, unseen: tuple[Known, ...]) -> HeldReport:
    """Return the report with the findings that it could say nothing about."""
    values = {one.name: getattr(report, one.name) for one in fields(Report)}
    return HeldReport(**values, unseen=unseen)


def unseen(report: Report) -> tuple[Known, ...] | None:
    """Return the findings that an audit could say nothing about; None where nobody looked."""
    return report.unseen if isinstance(report, HeldReport) else None
