"""Which context keys a statement mentions, in its conditions or through policy variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.actions import SEND_ACTIONS
from auditor.policy.variables import Variable, split

if TYPE_CHECKING:
    from auditor.policy.model import Condition

_SPELLING: Final = {
    name.lower(): name
    for name in (
        *(name for action in SEND_ACTIONS for name in action.context_keys),
        "aws:CurrentTime", "aws:EpochTime", "aws:PrincipalAccount", "aws:PrincipalArn",
        "aws:PrincipalIsAWSService", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths",
        "aws:PrincipalType", "aws:Referer", "aws:RequestedRegion", "aws:ResourceAccount",
        "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn", "aws:SourceIdentity",
        "aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:TokenIssueTime", "aws:UserAgent",
        "aws:userid", "aws:ViaAWSService", "aws:VpcSourceIp",
    )
}  # fmt: skip


def mentions(
    resources: tuple[str, ...], conditions: tuple[Condition, ...], *, variables: bool
) -> dict[str, str]:
    """Return the keys mentioned: in lower case, with the spelling that AWS (or the policy) uses."""
    found: dict[str, str] = {}
    texts = [text for text in resources if "${" in text] if variables else []
    for condition in conditions:
        found.setdefault(condition.key, _SPELLING.get(condition.key, condition.shown))
        if variables and condition.has_variables:
            texts += condition.values
    for text in texts:
        for part in split(text):
            if isinstance(part, Variable):
                found.setdefault(part.key, _SPELLING.get(part.key, part.key))
    return found
