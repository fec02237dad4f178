"""What an audit looked at: which findings of earlier audits it can tell to be gone."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.errors import PolicyError
from auditor.globs import like
from auditor.life import plain
from auditor.policy.parse import parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from auditor.account import Account, PolicyText, Role
    from auditor.findings import Report, RoleReport
    from auditor.life import Known

# Where a failure's ``where`` begins with one of these, it cost what the call reads and no role: the
# levels above the account may only take access away. Anything else may have cost roles.
_PROJECTS: Final = ("codebuild:", "account:ListRegions")
_MAIL: Final = ("sesv2:ListEmailIdentities", "sesv2:GetEmailIdentityPolicies")
_NO_ROLE: Final = (*_PROJECTS, "sesv2:", "organizations:")

_OTHER_ROLES: Final = frozenset({"assumable-sender", "self-granting"})
"""Rules whose findings hang on other roles of the account too."""


class Looked(NamedTuple):
    """What an audit looked at.

    ``roles`` are the ARNs of all the account's roles, CodeBuild's or not; None where they were not
    all read. ``globs`` are those that the audit was limited to, if any. ``projects``: whether the
    CodeBuild projects of every region are known, and so which roles are CodeBuild's.
    ``mail_regions`` are the regions where SES identities' policies were all read. ``sources`` are
    the account's roles by ARN, for findings on those that aren't CodeBuild's, or not that we know.
    """

    account_id: str
    roles: frozenset[str] | None
    globs: tuple[str, ...]
    projects: bool
    mail_regions: frozenset[str]
    sources: Mapping[str, Role] = MappingProxyType({})

    def at(self, known: Known, role: RoleReport | None) -> bool:
        """Tell whether the audit would have found a finding if it were still there.

        :param role: the report on the finding's role, None where the audit has none.
        """
        if role is None:
            return self._gone(known.role_arn) or self._mute(known)
        if role.verdict == "undetermined" or role.notes:
            return False
        if role.verdict == "exposed" and (
            # Advice is given on roles that aren't exposed; and where the way to another role could
            # not be decided, a role that is exposed all the same doesn't say so.
            known.severity == "info" or known.rule == "assumable-sender"
        ):
            return False
        if known.rule in _OTHER_ROLES and self.roles is None:
            return False
        return self.mail_regions.issuperset(known.mail_regions)

    def left_out(self, arn: str) -> bool:
        """Tell whether a role of the account that has no report may be CodeBuild's all the same."""
        return not self.projects or not self._asked(arn)

    def _asked(self, arn: str) -> bool:
        name = arn.rpartition("/")[2]
        return not self.globs or any(
            like(glob).matches(arn) or like(glob).matches(name) for glob in self.globs
        )

    def _gone(self, arn: str) -> bool:
        """Tell whether a role without a report has ceased to exist, or to be CodeBuild's."""
        if self.roles is None or not self._is_ours(arn):
            return False
        return arn not in self.roles or self.projects

    def _mute(self, known: Known) -> bool:
        """Tell whether a role without a report can't do any more what a finding says.

        It may be CodeBuild's still, in a region that nobody looked at. Only for findings that rest
        on the role's own policies: no other role's, no SES identity's, and not on a doubt.
        """
        role = self.sources.get(known.role_arn)
        return (
            role is not None
            and self.roles is not None
            and self._is_ours(known.role_arn)
            and bool(known.action)
            and known.rule not in _OTHER_ROLES
            and not known.mail_regions
            and not any(map(_may_send, (*role.inline, *role.attached)))
        )

    def _is_ours(self, arn: str) -> bool:
        """Tell whether a role is of this account, and one that was asked for."""
        return arn.split(":", 5)[4:5] == [self.account_id] and self._asked(arn)


def looked_at(account: Account, *, globs: Sequence[str] = (), everywhere: bool = True) -> Looked:
    """Return what an audit of an account looks at.

    :param account: its ``roles`` are gone through once more, so not a one-pass iterable.
    :param globs: the roles that the audit was limited to.
    :param everywhere: whether the projects of every region were asked for. Where that isn't known,
        as of a file, it is not.
    """
    known = not any(name == "projects" for name in account.not_evaluated)
    failed = [failure.where for failure in account.failures]
    return Looked(
        account.account_id,
        None
        if any(not where.startswith(_NO_ROLE) for where in failed)
        else frozenset(plain(role.arn) for role in account.roles),
        tuple(globs),
        everywhere and known and not any(where.startswith(_PROJECTS) for where in failed),
        _mail_regions(account),
        {plain(role.arn): role for role in account.roles},
    )


def missed(known: Iterable[Known], report: Report) -> tuple[Known, ...]:
    """Return the findings of earlier audits that are neither in a report nor resolved by it.

    :param known: what is known after that audit.
    """
    present = {
        plain(one.id)
        for role in report.roles
        for one in (*role.findings, *(each.finding for each in role.suppressed))
    }
    return tuple(one for one in known if one.status != "resolved" and one.id not in present)


def _may_send(policy: PolicyText) -> bool:
    """Tell whether a policy may allow an action that sends; one that can't be read may."""
    if policy.missing is not None:
        return True
    try:
        return any(one.allows for one in parse(policy.document).statements)
    except PolicyError:
        return True


def _mail_regions(account: Account) -> frozenset[str]:
    if "identity-policies" in account.not_evaluated:
        return frozenset()
    lost = {
        failure.where.partition(" ")[2]  # "call region", or "call (every region)"
        for failure in account.failures
        if failure.where.startswith(_MAIL)
    }
    read = frozenset(one.region for one in account.ses)
    return read - lost if read.issuperset(lost) else frozenset()
