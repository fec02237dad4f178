"""One role of the account, read anew: the same ``Role`` as the sweep of the whole account gives.

What changes a role must look at it as it is now, and once more afterwards: sweeping the account
each time would cost minutes. A policy document comes from its own call here, yet in the sweep's
own shapes, so that both give equal values of an unchanged role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from auditor.collect.clients import AWS_ERRORS, Clients, describe, error_code, pages_of, understood
from auditor.collect.entries import MalformedEntry, PolicyBook
from auditor.collect.entries import read_role as read_entry
from auditor.collect.regions import home_region
from auditor.errors import CollectError
from auditor.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import boto3
    from mypy_boto3_iam import IAMClient

    from auditor.account import PolicyText, Role

_GONE = "NoSuchEntity"
_TRIES = 3  # a policy may go between being listed and being read; more than twice is no accident
_MISSING = "AWS lists it on the role, and says that there is no such policy"


class RoleReader:
    """Reads roles and managed policies of one account, one by one, as they are now.

    What a version of a managed policy says never changes, so each is read once: a version's number
    isn't given twice, and a policy made anew under an old name has another id.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
    """

    def __init__(self, client: IAMClient) -> None:
        self._client = client
        self._versions: dict[tuple[str, str], object] = {}

    def role(self, name: str) -> Role | None:
        """Return the role of this name without its projects; None where there is none.

        :raises CollectError: one line that names the call: a role read in part is no role.
        """
        for last in (*(False,) * (_TRIES - 1), True):
            try:
                return self._role(name, last=last)
            except _Vanished:
                continue
        raise CollectError(f"role {one_line(name)}: its policies change while they are read")

    def managed(self, arn: str) -> PolicyText | None:
        """Return a managed policy with its default version's text; None where there is none.

        :raises CollectError: one line that names the call.
        """
        entry = self._policy(arn)
        if entry is None:
            return None
        book = PolicyBook(_MISSING)
        book.add(entry)
        return book.attached(arn)

    def attached_quota(self) -> int | None:
        """Return how many managed policies a role may have; None where AWS doesn't tell.

        https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
        """
        try:
            answer: Mapping[str, Any] = understood(self._client.get_account_summary)
        except AWS_ERRORS:
            return None
        quota = (answer.get("SummaryMap") or {}).get("AttachedPoliciesPerRoleQuota")
        return quota if isinstance(quota, int) else None

    def _role(self, name: str, *, last: bool) -> Role | None:
        try:
            answer: Any = _asked("iam:GetRole", name, lambda: self._client.get_role(RoleName=name))
        except _Vanished:
            return None
        found = answer.get("Role")
        if not isinstance(found, dict):
            raise CollectError(f"iam:GetRole {one_line(name)}: the answer holds no role")
        inline = [
            _asked(
                "iam:GetRolePolicy",
                name,
                lambda policy=policy: self._client.get_role_policy(  # type: ignore[misc]  # mypy can't infer a lambda's default
                    RoleName=name, PolicyName=policy
                ),
            )
            for policy in self._listed("list_role_policies", "PolicyNames", name)
        ]
        attached = list(self._listed("list_attached_role_policies", "AttachedPolicies", name))
        book = PolicyBook(_MISSING)
        for arn in _arns(found, attached):
            policy = self._policy(arn)
            if policy is not None:
                book.add(policy)
            elif not last:
                raise _Vanished
        entry = {**found, "RolePolicyList": inline, "AttachedManagedPolicies": attached}
        try:
            return read_entry(entry, book)
        except MalformedEntry as error:
            raise CollectError(f"iam:GetRole {one_line(name)}: {one_line(error)}") from error

    def _listed(self, operation: Any, key: str, name: str) -> Iterator[Any]:
        """Yield what a paged call lists of a role."""
        call = f"iam:{operation.title().replace('_', '')}"
        pages: Any = self._client.get_paginator(operation).paginate(RoleName=name)
        for page in _asked(call, name, lambda: list(pages_of(pages))):
            if not isinstance(page.get(key), list):
                raise CollectError(f"{call} {one_line(name)}: the answer holds no list of policies")
            yield from page[key]

    def _policy(self, arn: str) -> dict[str, object] | None:
        """Return a managed policy as the sweep's entries have it; None where there is none."""
        try:
            answer: Any = _asked(
                "iam:GetPolicy", arn, lambda: self._client.get_policy(PolicyArn=arn)
            )
            found: dict[str, Any] = answer.get("Policy") or {}
            version = found.get("DefaultVersionId")
            if not isinstance(version, str):
                raise CollectError(
                    f"iam:GetPolicy {one_line(arn)}: the answer names no default version"
                )
            key = (str(found.get("PolicyId") or arn), version)
            if key not in self._versions:
                read: Any = _asked(
                    "iam:GetPolicyVersion",
                    arn,
                    lambda: self._client.get_policy_version(PolicyArn=arn, VersionId=version),
                )
                text = (read.get("PolicyVersion") or {}).get("Document")
                if text is None:
                    raise CollectError(
                        f"iam:GetPolicyVersion {one_line(arn)}: the answer holds no document"
                    )
                self._versions[key] = text
        except _Vanished:
            return None
        return {
            "Arn": arn,
            "PolicyName": found.get("PolicyName"),
            "DefaultVersionId": version,
            "PolicyVersionList": [
                {
                    "VersionId": version,
                    "IsDefaultVersion": True,
                    "Document": self._versions[key],
                }
            ],
        }


class _Vanished(Exception):  # noqa: N818 - says what is so, and is always caught
    """What was asked for isn't there (any more)."""


def _asked(call: str, about: str, ask: Callable[[], Any]) -> Any:
    """Return AWS's answer.

    :raises _Vanished: if there is no such thing.
    :raises CollectError: whatever else goes wrong; AWS's own error is its cause.
    """
    try:
        return understood(ask)
    except AWS_ERRORS as error:
        if isinstance(error, ClientError) and error_code(error) == _GONE:
            raise _Vanished from error
        raise CollectError(f"{call} {one_line(about)}: {describe(error)}") from error


def _arns(found: Mapping[str, Any], attached: list[Any]) -> list[str]:
    """Return the managed policies that a role names, as attached or as its boundary."""
    named = [one.get("PolicyArn") for one in attached if isinstance(one, dict)]
    boundary = found.get("PermissionsBoundary")
    if isinstance(boundary, dict):
        named.append(boundary.get("PermissionsBoundaryArn"))
    return list(dict.fromkeys(arn for arn in named if isinstance(arn, str) and arn))


def role_reader(session: boto3.Session, partition: str = "aws") -> RoleReader:
    """Return the reader of the session's account."""
    return RoleReader(Clients(session).iam(home_region(session, partition)))


def read_role(session: boto3.Session, name: str, *, partition: str = "aws") -> Role | None:
    """Return one role as it is now, without its projects; None where there is none.

    :raises CollectError: one line that names the call.
    """
    return role_reader(session, partition).role(name)


def read_managed(session: boto3.Session, arn: str) -> PolicyText | None:
    """Return a managed policy with its default version's text; None where there is none.

    :raises CollectError: one line that names the call.
    """
    partition = arn.split(":")[1] if arn.startswith("arn:") else "aws"
    return role_reader(session, partition).managed(arn)


def attached_quota(session: boto3.Session, *, partition: str = "aws") -> int | None:
    """Return how many managed policies a role may have; None where AWS doesn't tell."""
    return role_reader(session, partition).attached_quota()
