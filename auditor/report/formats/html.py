"""``--format html``: one page that needs nothing else, for those who decide and those who mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.report.interface import PLAIN, Format

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Report
    from auditor.life import Day
    from auditor.report.interface import Look


def render(report: Report, look: Look = PLAIN, history: Sequence[Day] = ()) -> str:
    """Return the report as a page. ``history`` are past audits, for the trend."""
    from auditor.report.page.build import render_page

    return render_page(report, history, look.again)


FORMAT = Format(
    extension=".html", media_type="text/html; charset=utf-8", render=render, closings=True
)
