"""``--format json``: the stable face for scripts."""

from auditor.report.interface import Format
from auditor.report.json import render

FORMAT = Format(extension=".json", media_type="application/json", render=render, closings=True)
