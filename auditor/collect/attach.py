"""Projects' uses of roles -> ``Role.projects``, and what finds no role."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from auditor.account import Project, Role, UnresolvedProject
from auditor.collect.entries import owner

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.collect.codebuild import RoleUse


def attach_projects(
    roles: Iterable[Role], uses: Iterable[RoleUse], account_id: str, *, all_roles: bool
) -> tuple[UnresolvedProject, ...]:
    """Give every role the projects that use it, sorted; return the uses that found no role.

    ``all_roles`` is whether ``roles`` are all that the account has: only then is a role that isn't
    among them one that no longer exists.
    """
    by_arn: dict[str, Role] = {}
    by_name: dict[str, Role] = {}
    for role in roles:
        by_arn[role.arn] = role
        # Unlike an ARN, a role's name is unique without regard to its case and path:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        by_name[role.name.lower()] = role
    used: defaultdict[str, set[Project]] = defaultdict(set)
    unresolved: set[UnresolvedProject] = set()
    for project, named in uses:
        found = by_arn.get(named) or by_name.get(_bare_name(named, account_id))
        if found:
            used[found.arn].add(project)
        else:
            reason = _reason(named, account_id, all_roles=all_roles)
            unresolved.add(UnresolvedProject(project, named, reason))
    for arn, projects in used.items():
        by_arn[arn].projects = tuple(sorted(projects, key=_order))
    return tuple(sorted(unresolved, key=lambda one: (*_order(one.project), one.role_arn)))


def _order(project: Project) -> tuple[str, str, str]:
    return project.region, project.name, project.arn


def _bare_name(named: str, account_id: str) -> str:
    """Return the name in lower case where a role is named without its path, else "".

    An ARN with a path other than the role's is another role's (one since deleted), so only those
    without a path are looked up by name.
    """
    if named.startswith("arn:"):
        own = owner(named)
        name = named.partition(":role/")[2] if own and own[1] == account_id else ""
        return "" if "/" in name else name.lower()
    return named.rpartition("/")[2].lower()


def _reason(named: str, account_id: str, *, all_roles: bool) -> str:
    if not named:
        return "the project names no service role"
    own = owner(named)
    if own and own[1] != account_id:
        return f"the role lives in another account ({own[1]}), which this audit doesn't read"
    if not all_roles:
        return "the role could not be read: the account's roles were not all listed"
    return "the role no longer exists"
