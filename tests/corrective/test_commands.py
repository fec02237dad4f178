"""The commands of the AWS CLI that put a policy on roles."""

from __future__ import annotations

import shlex
from typing import Any

import boto3
import pytest
from moto import mock_aws

from auditor.corrective.documents import Document, guard
from auditor.corrective.names import MANAGED, PolicyName, policy_arn
from auditor.corrective.write import to_commands
from auditor.errors import InputError
from tests.corrective.readers import EACH
from tests.corrective.strategies import ACCOUNT


def _options(line: str) -> tuple[str, dict[str, str]]:
    program, service, call, *options = shlex.split(line)
    assert (program, service) == ("aws", "iam")
    pairs = [option.removeprefix("--").split("=", 1) for option in options]
    return call, dict(pairs)


@EACH
@pytest.mark.parametrize("inline", [False, True])
def test_the_commands_do_it(
    policy: PolicyName, document: Document, inline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run one after another, the commands put the policy on each role: IAM (imitated) has it."""
    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    roles = ["codebuild-web", "-odd=+,.@_name"]
    text = to_commands(document, policy, roles=roles, account_id=ACCOUNT, inline=inline)
    with mock_aws():
        iam: Any = boto3.client("iam", region_name="us-east-1")
        for role in roles:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
        for line in text.splitlines():
            call, options = _options(line)
            names = {name: name.title().replace("-", "") for name in options}
            arguments = {names[name]: value for name, value in options.items()}
            getattr(iam, call.replace("-", "_"))(**arguments)
        for role in roles:
            if inline:
                found = iam.get_role_policy(RoleName=role, PolicyName=MANAGED[policy])
                assert found["PolicyDocument"] == document
            else:
                (one,) = iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
                arn = policy_arn("aws", ACCOUNT, policy)
                assert one["PolicyArn"] == arn
                version = iam.get_policy_version(PolicyArn=arn, VersionId="v1")
                assert version["PolicyVersion"]["Document"] == document


def test_commands_without_the_policy() -> None:
    """Where the account has the policy already, only the attachments are written."""
    text = to_commands(
        guard(), "guard", roles=["web"], account_id=ACCOUNT, partition="aws-cn", create=False
    )

    assert text == (
        "aws iam attach-role-policy --role-name=web"
        f" --policy-arn=arn:aws-cn:iam::{ACCOUNT}:policy/auditor/ses-simulator-guard\n"
    )


@pytest.mark.parametrize("role", ["a b", "$(reboot)", "web\n", "x" * 65, "", "role/x"])
def test_no_command_for_what_is_no_role(role: str) -> None:
    """A name that IAM has no role of gets no line that somebody might paste."""
    with pytest.raises(InputError, match="isn't a role's name"):
        to_commands(guard(), "guard", roles=["web", role], account_id=ACCOUNT)
