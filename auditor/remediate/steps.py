"""The calls that change a role, and how to see whether they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from auditor.corrective.names import MANAGED
from auditor.errors import PolicyError
from auditor.policy.parse import load
from auditor.remediate.model import sha256_of

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from auditor.account import PolicyText, Role
    from auditor.corrective.names import PolicyName
    from auditor.remediate.model import Way

Presence = Literal["ours", "other", "absent"]


class Remedy(NamedTuple):
    """One policy on one role: what is put there, and taken away again."""

    role_name: str
    way: Way
    policy: PolicyName
    policy_arn: str
    policy_sha256: str

    @property
    def inline_name(self) -> str:
        """The name of the inline policy, where that is the way."""
        return MANAGED[self.policy]

    def said(self) -> str:
        """Return what it is, for a message."""
        return self.policy_arn if self.way == "attach" else f"inline policy {self.inline_name}"


def presence(role: Role, remedy: Remedy) -> Presence:
    """Return whether the policy is on a role. ``other``: an inline one of its name says else."""
    if remedy.way == "attach":
        return "ours" if any(t.arn == remedy.policy_arn for t in role.attached) else "absent"
    for text in role.inline:
        if text.name == remedy.inline_name:
            return "ours" if says(text, remedy.policy_sha256) else "other"
    return "absent"


def altered(role: Role, remedy: Remedy) -> bool:
    """Return whether the managed policy, which is on a role, says something else than it is to."""
    return any(
        text.arn == remedy.policy_arn and not says(text, remedy.policy_sha256)
        for text in (role.attached if remedy.way == "attach" else ())
    )


def says(text: PolicyText, sha256: str) -> bool:
    """Return whether a policy's text is the one with this hash."""
    if text.missing is not None:
        return False
    try:
        return sha256_of(load(text.document)) == sha256
    except PolicyError:
        return False


def give(iam: IAMClient, remedy: Remedy, text: str) -> None:
    """Attach the policy, or put it. Done twice, it is there once.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
    """
    if remedy.way == "attach":
        iam.attach_role_policy(RoleName=remedy.role_name, PolicyArn=remedy.policy_arn)
    else:
        iam.put_role_policy(
            RoleName=remedy.role_name, PolicyName=remedy.inline_name, PolicyDocument=text
        )


def take(iam: IAMClient, remedy: Remedy) -> None:
    """Detach the policy, or delete it. Done twice, AWS answers ``NoSuchEntity``.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html
    """
    if remedy.way == "attach":
        iam.detach_role_policy(RoleName=remedy.role_name, PolicyArn=remedy.policy_arn)
    else:
        iam.delete_role_policy(RoleName=remedy.role_name, PolicyName=remedy.inline_name)
