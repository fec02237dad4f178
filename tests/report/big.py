"""A report of five thousand findings, for formats with limits."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from tests import examples

if TYPE_CHECKING:
    from auditor.findings import Report, RoleReport

ROLES = 5_000


@cache
def exposed() -> Report:
    """One account with as many exposed roles, each with a finding of its own."""
    return examples.report(*(_role(number) for number in range(ROLES)))


def _role(number: int) -> RoleReport:
    name = f"codebuild-{number:04}"
    finding = replace(examples.OPEN, id=f"{number:016x}", title=f"{name} may mail anyone")
    arn = examples.role_arn(name)
    projects = (examples.project(name),)
    return replace(examples.WEB, arn=arn, name=name, projects=projects, findings=(finding,))
