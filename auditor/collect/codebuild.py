"""The CodeBuild projects of one region, and the roles that they name.

https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from auditor.account import Failure, Project
from auditor.collect.clients import AWS_ERRORS, describe, pages_of, understood
from auditor.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_codebuild import CodeBuildClient
    from mypy_boto3_codebuild.type_defs import ProjectTypeDef

    from auditor.collect.regions import RegionPlan

_LOG = logging.getLogger(__name__)
_BATCH = 100  # names in one BatchGetProjects call


class RoleUse(NamedTuple):
    """One project's use of one role, which is named as the project names it ("" if not at all)."""

    project: Project
    role: str


class RegionRead(NamedTuple):
    """What was read of one region. ``enabled`` is False where the account doesn't use it."""

    region: str
    uses: list[RoleUse]
    failures: list[Failure]
    enabled: bool = True


def read_region(client: CodeBuildClient, region: str, plan: RegionPlan) -> RegionRead:
    """Return every use of a role by a project of the region, as far as they can be read.

    Safe to call from any thread: everything it touches is its own.
    """
    names: list[str] = []
    failures: list[Failure] = []
    try:
        for page in pages_of(client.get_paginator("list_projects").paginate()):
            answer: Mapping[str, object] = page
            if "projects" not in answer:
                # botocore reads a web page (status 200) as an empty answer without a word; AWS
                # sends the list even if it is empty.
                why = "the answer holds no list of projects: something else answered for AWS"
                failures.append(Failure(f"codebuild:ListProjects {region}", why))
            names += page.get("projects", ())
    except AWS_ERRORS as error:
        if not names and plan.excuses(region, error):
            return RegionRead(region, [], [], enabled=False)
        failures.append(Failure(f"codebuild:ListProjects {region}", describe(error)))
    uses: list[RoleUse] = []
    for start in range(0, len(names), _BATCH):
        batch = names[start : start + _BATCH]
        try:
            found, lost = _read_batch(client, batch, region)
        except AWS_ERRORS as error:
            found, lost = [], f"{describe(error)} ({len(batch)} projects weren't read)"
        uses += found
        if lost:
            failures.append(Failure(f"codebuild:BatchGetProjects {region}", lost))
    return RegionRead(region, uses, failures)


def _read_batch(
    client: CodeBuildClient, names: list[str], region: str
) -> tuple[list[RoleUse], str]:
    """Return the role uses of these projects, and what got lost on the way ("" if nothing)."""
    answer = understood(lambda: client.batch_get_projects(names=names))
    projects = answer.get("projects", ())
    # Deleted between the two calls: no longer there to audit, so nothing is missing.
    gone = answer.get("projectsNotFound", ())
    if gone:
        _LOG.info("%s: deleted while being read: %s", region, one_line(", ".join(gone)))
    unanswered = set(names).difference(gone, (project.get("name", "") for project in projects))
    lost = (
        f"no answer for {len(unanswered)} projects: {', '.join(sorted(unanswered))}"
        if unanswered
        else ""
    )
    return [use for project in projects for use in _uses(project, region)], one_line(lost)


def _uses(project: ProjectTypeDef, region: str) -> list[RoleUse]:
    """Return the roles whose credentials the project's builds get, each once.

    ``buildBatchConfig`` may name a second one, for the batch as a whole:
    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectBuildBatchConfig.html
    """
    value = Project(project.get("name", ""), region, project.get("arn", ""))
    roles = (project.get("serviceRole"), project.get("buildBatchConfig", {}).get("serviceRole"))
    named = dict.fromkeys(role for role in roles if role)
    return [RoleUse(value, role) for role in named or ("",)]
