"""``--format table``: for people."""

from auditor.report.interface import Format
from auditor.report.table import render

FORMAT = Format(extension=".txt", media_type="text/plain", render=render)
