"""``--format asff``: for AWS Security Hub."""

from auditor.report.asff import render
from auditor.report.interface import Format

FORMAT = Format(extension=".json", media_type="application/json", render=render)
