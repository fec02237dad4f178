"""The policies as text, in the form that each tool takes. Pure: a document in, text out.

Every form names the policy as ``names`` does, so that whichever tool made it, it is known again.
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Final

from auditor.corrective.cloudformation import to_cloudformation
from auditor.corrective.description import DESCRIPTION
from auditor.corrective.names import MANAGED, PATH, policy_arn
from auditor.corrective.terraform import to_terraform
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auditor.corrective.documents import Document
    from auditor.corrective.names import PolicyName


def to_json(document: Document, policy: PolicyName) -> str:  # noqa: ARG001 - one shape for all
    """Return the document alone, as IAM's own JSON."""
    return json.dumps(document, indent=2) + "\n"


def to_cdk(document: Document, policy: PolicyName) -> str:
    """Return the properties of CDK's ``iam.ManagedPolicy`` as JSON.

    ``document`` is what ``iam.PolicyDocument.fromJson`` takes, the rest is ready as it is:
    https://docs.aws.amazon.com/cdk/api/v2/docs/aws-cdk-lib.aws_iam.ManagedPolicyProps.html
    """
    props = {
        "managedPolicyName": MANAGED[policy],
        "path": PATH,
        "description": DESCRIPTION[policy],
        "document": document,
    }
    return json.dumps(props, indent=2) + "\n"


FORMS: Final[Mapping[str, Callable[[Document, PolicyName], str]]] = {
    "json": to_json,
    "cloudformation": to_cloudformation,
    "terraform": to_terraform,
    "cdk": to_cdk,
}

_ROLE_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)


def to_commands(
    document: Document,
    policy: PolicyName,
    *,
    roles: Sequence[str],
    account_id: str,
    partition: str = "aws",
    inline: bool = False,
    create: bool = True,
) -> str:
    """Return ``aws iam`` commands, one a line, that put the policy on roles (by name).

    ``inline``: as an inline policy of each role; otherwise as a managed policy, which is made
    first unless ``create`` is false. Raises ``InputError`` for what is no role's name.
    """
    for role in roles:
        # https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
        if not _ROLE_NAME.fullmatch(role):
            raise InputError(f"role {role[:100]!r}: isn't a role's name; give the name, no ARN")
    # "--option=value", since a role's name may start with a hyphen
    name = f"--policy-name={MANAGED[policy]}"
    text = f"--policy-document={json.dumps(document, separators=(',', ':'))}"
    arn = f"--policy-arn={policy_arn(partition, account_id, policy)}"
    about = f"--description={DESCRIPTION[policy]}"
    made = [["create-policy", name, f"--path={PATH}", about, text]] if create and not inline else []
    put = ("put-role-policy", (name, text)) if inline else ("attach-role-policy", (arn,))
    attached = [[put[0], f"--role-name={role}", *put[1]] for role in roles]
    return "".join(shlex.join(["aws", "iam", *line]) + "\n" for line in made + attached)
