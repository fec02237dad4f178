"""``--format markdown``: for pull requests and the summaries of pipelines."""

from auditor.report.interface import Format
from auditor.report.markdown import render

FORMAT = Format(extension=".md", media_type="text/markdown", render=render)
