"""``--format csv``: for spreadsheets and databases."""

from auditor.report.csv import render
from auditor.report.interface import Format

FORMAT = Format(extension=".csv", media_type="text/csv", render=render, closings=True)
