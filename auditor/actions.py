"""The SES send actions: what each puts into the request, and what it is authorised on.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon SES"
and "… Amazon Simple Email Service v2" (one ``ses:`` prefix serves both):
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsimpleemailservicev2.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from auditor.globs import like

RECIPIENTS: Final = "ses:recipients"
FROM_ADDRESS: Final = "ses:fromaddress"


class SendAction(NamedTuple):
    """One action: ``context_keys`` are the ``ses:`` keys its requests may carry, in AWS's spelling.

    ``required`` and ``optional`` are the resource types of a call, the first being the one a
    witness names first.
    """

    name: str
    context_keys: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def carries_recipients(self) -> bool:
        """Whether ``ses:Recipients`` is in each of its requests."""
        return "ses:Recipients" in self.context_keys


_SENDER = ("ses:Recipients", "ses:ApiVersion", "ses:FeedbackAddress", "ses:FromAddress",
           "ses:FromDisplayName")  # fmt: skip

SEND_ACTIONS: Final = (
    SendAction(
        "ses:SendEmail",
        (*_SENDER, "ses:MultiRegionEndpointId", "ses:TenantName"),
        ("identity",),
        ("configuration-set", "template"),
    ),
    SendAction("ses:SendRawEmail", _SENDER, ("identity",), ("configuration-set",)),
    SendAction("ses:SendTemplatedEmail", _SENDER, ("identity", "template"), ("configuration-set",)),
    SendAction(
        "ses:SendBulkTemplatedEmail", _SENDER, ("identity", "template"), ("configuration-set",)
    ),
    SendAction(
        "ses:SendCustomVerificationEmail",
        _SENDER,
        ("custom-verification-email-template",),
        ("identity",),
    ),
    # AWS's reference gives it no recipients. Field reports (django-anymail, "Amazon SES: IAM
    # permissions") say that AWS checks such a call against SendBulkTemplatedEmail too, recipients
    # included: hence "possible", never "proven".
    SendAction(
        "ses:SendBulkEmail",
        ("ses:ApiVersion", "ses:MultiRegionEndpointId", "ses:TenantName"),
        ("identity", "template"),
        ("configuration-set",),
    ),
    SendAction("ses:SendBounce", ("ses:ApiVersion", "ses:FromAddress"), ("identity",)),
)

BULK: Final = "ses:SendBulkEmail"
BOUNCE: Final = "ses:SendBounce"
"""Answers a mail received in the last 24 hours: the caller can't choose the recipient.
https://docs.aws.amazon.com/ses/latest/APIReference/API_SendBounce.html"""

POWERS: Final = (
    "sts:AssumeRole",
    "iam:PutRolePolicy",
    "iam:AttachRolePolicy",
    "iam:DetachRolePolicy",
    "iam:DeleteRolePolicy",
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:PutRolePermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PassRole",
    "iam:UpdateAssumeRolePolicy",
    "ses:PutIdentityPolicy",
    "ses:CreateEmailIdentityPolicy",
    "ses:UpdateEmailIdentityPolicy",
)
"""Actions by which a role may come to more than its own policies allow.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html"""

POWER: Final = 1 << len(SEND_ACTIONS)
"""The bit that stands for all of ``POWERS`` in what ``matching`` returns."""

ALL: Final = (1 << len(SEND_ACTIONS)) - 1
_LOWER: Final = tuple(action.name.lower() for action in SEND_ACTIONS)


@lru_cache(maxsize=65_536)
def matching(pattern: str) -> int:
    """Return the send actions that an Action pattern matches, bit ``i`` for ``SEND_ACTIONS[i]``.

    The bit ``POWER`` is set where it matches one of ``POWERS``.

    Actions match without case:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html
    """
    if pattern == "*":
        return ALL | POWER
    pattern = pattern.lower()
    if not pattern.startswith(("ses:", "iam:", "sts:")):
        return 0
    glob = like(pattern)
    power = POWER if any(glob.matches(name.lower()) for name in POWERS) else 0
    if not pattern.startswith("ses:"):
        return power
    return power | sum(1 << bit for bit, name in enumerate(_LOWER) if glob.matches(name))
