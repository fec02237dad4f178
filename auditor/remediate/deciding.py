"""Deciding roles again after they were changed: the same audit, with what was read anew."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from auditor.audit import audit
from auditor.remediate.model import Standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from auditor.account import Account, Role
    from auditor.findings import RoleReport


def with_roles(account: Account, fresh: Iterable[Role]) -> Account:
    """Return the account with some roles as they are now; their projects are those known before."""
    anew = {role.arn: role for role in fresh}
    roles = [
        replace(anew[role.arn], projects=role.projects) if role.arn in anew else role
        for role in account.roles
    ]
    return replace(account, roles=roles)


def decided(account: Account, fresh: Iterable[Role], *, now: datetime) -> Mapping[str, Standing]:
    """Return the verdict on each of the fresh roles, by ARN, in the account that they belong to.

    The rest of the account counts, as a role may be able to become another.
    """
    roles = list(fresh)
    if not roles:
        return {}
    report = audit(with_roles(account, roles), now=now, role_globs=[role.arn for role in roles])
    return {role.arn: standing_of(role) for role in report.roles}


def standing_of(role: RoleReport) -> Standing:
    """Return a report's verdict on a role."""
    return Standing(verdict=role.verdict, certainty=role.certainty, reason=role.reason)
