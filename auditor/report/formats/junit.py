"""``--format junit``: for the test reports of CodeBuild and other pipelines."""

from auditor.report.interface import Format
from auditor.report.junit import render

FORMAT = Format(extension=".xml", media_type="application/xml", render=render)
