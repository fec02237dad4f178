"""GetAccountAuthorizationDetails entries for tests, and accounts as comparable values."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from auditor.account import Account, PolicyText

ACCOUNT = "123456789012"
BUILD = f"arn:aws:iam::{ACCOUNT}:policy/build"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


def document(action: str = "ses:SendEmail") -> dict[str, object]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}],
    }


def role(name: str = "web", **more: object) -> dict[str, object]:
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": f"AROA{name.upper()}",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "CreateDate": "2024-01-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": TRUST,
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
        "Tags": [],
        **more,
    }


def policy(arn: str = BUILD, action: str = "ses:SendRawEmail", **more: object) -> dict[str, object]:
    return {
        "PolicyName": arn.rpartition("/")[2],
        "Arn": arn,
        "DefaultVersionId": "v2",
        "PolicyVersionList": [
            {"Document": document("s3:*"), "VersionId": "v1", "IsDefaultVersion": False},
            {"Document": document(action), "VersionId": "v2", "IsDefaultVersion": True},
        ],
        **more,
    }


def attached(arn: str = BUILD) -> dict[str, object]:
    return {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn}


def decoded(value: object) -> object:
    """A policy document as an object, however it was written."""
    return json.loads(unquote(value)) if isinstance(value, str) else value


def _text(text: PolicyText) -> tuple[object, ...]:
    return text.name, text.arn, text.kind, decoded(text.document), text.missing


def plain(account: Account) -> dict[str, object]:
    """An account as values that compare by what they say."""
    return {
        "account": (account.account_id, account.partition),
        "not_evaluated": account.not_evaluated,
        "failures": account.failures,
        "unresolved": account.unresolved_projects,
        "roles": [
            {
                "arn": role.arn,
                "name": role.name,
                "role_id": role.role_id,
                "tags": dict(role.tags),
                "trust": _text(role.trust),
                "inline": [_text(text) for text in role.inline],
                "attached": [_text(text) for text in role.attached],
                "boundary": role.boundary and _text(role.boundary),
                "projects": role.projects,
            }
            for role in account.roles
        ],
    }
