"""``--format sarif``: for GitHub code scanning."""

from auditor.report.interface import Format
from auditor.report.sarif import render

FORMAT = Format(extension=".sarif", media_type="application/sarif+json", render=render)
