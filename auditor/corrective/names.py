"""What the two policies are called in an account, and how AWS names them."""

from __future__ import annotations

from typing import Final, Literal

PolicyName = Literal["guard", "sender"]

PATH: Final = "/auditor/"
"""The IAM path of both: tells people (and policies about policies) whose they are."""

MANAGED: Final[dict[PolicyName, str]] = {
    "guard": "ses-simulator-guard",
    "sender": "ses-simulator-sender",
}
"""The names of the customer managed policies. An inline policy of the same text has the same."""


def policy_arn(partition: str, account_id: str, policy: PolicyName) -> str:
    """Return the ARN of the customer managed policy in an account.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
    """
    return f"arn:{partition}:iam::{account_id}:policy{PATH}{MANAGED[policy]}"
