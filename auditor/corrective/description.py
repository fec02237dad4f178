"""What IAM is told that the policies are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from auditor.corrective.names import PolicyName

DESCRIPTION: Final[dict[PolicyName, str]] = {
    "guard": "Denies mail to anyone but the SES mailbox simulator.",
    "sender": "Allows mail to the SES mailbox simulator alone.",
}
"""IAM keeps it with the policy: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html"""
