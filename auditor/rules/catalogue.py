"""The catalogue: each rule's id, what it says in one sentence, and what to do about it.

Every rule has a page under ``docs/rules/``.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Rule(NamedTuple):
    """One rule. ``title`` and ``remedy`` may name ``{action}`` and ``{role}``."""

    id: str
    title: str
    remedy: str

    @property
    def page(self) -> str:
        """Return where the rule is explained, from the repository's root."""
        return f"docs/rules/{self.id}.md"


_GUARD: Final = "Deny the send actions to every recipient outside the mailbox simulator"
_HOW: Final = "by ForAllValues:StringLike in the Allow or ForAnyValue:StringNotLike in a Deny"

RULES: Final = {
    rule.id: rule
    for rule in (
        Rule(
            "unrestricted-send",
            "{role} may call {action} to any address: no condition that applies limits the"
            " recipients.",
            f"{_GUARD}, or limit the Allow to the simulator",
        ),
        Rule(
            "mixed-recipients",
            "{role} may call {action} to a real address as long as the condition names another"
            " recipient.",
            f"Name the simulator alone, {_HOW}, so that every recipient counts",
        ),
        Rule(
            "loose-recipient-pattern",
            "{role} may call {action} to real addresses that resemble the simulator's.",
            f"Write the recipient pattern as *@simulator.amazonses.com, exactly, {_HOW}",
        ),
        Rule(
            "other-recipients-allowed",
            "{role} may call {action} to addresses outside the simulator that the policy names.",
            f"Leave only *@simulator.amazonses.com in the recipient condition, {_HOW}",
        ),
        Rule(
            "inverted-condition",
            "{role} may call {action} to real addresses because the recipient condition is"
            " upside down: it shuts out those that it names.",
            f"Name the simulator alone, {_HOW}",
        ),
        Rule(
            "uncheckable-action",
            "{role} may call {action}, whose requests carry no recipients to check.",
            "Deny the action: no condition on recipients can limit it",
        ),
        Rule(
            "undefined-condition",
            "{role} may call {action} to real addresses if AWS reads the recipient condition, which"
            " has no set operator, in its favour.",
            f"Name the simulator alone, {_HOW}",
        ),
        Rule(
            "identity-policy-grant",
            "{role} may call {action} because an SES identity's policy grants it.",
            "Remove the grant from the identity's policy, or deny the role there",
        ),
        Rule(
            "assumable-sender",
            "{role} may become a role that can mail real people.",
            "Close the other role, or take away sts:AssumeRole on it",
        ),
        Rule(
            "missing-null-check",
            "{role}: ForAllValues on ses:Recipients also holds where the key is absent.",
            'Add "Null": {{"ses:Recipients": "false"}} to the condition',
        ),
        Rule(
            "self-granting",
            "{role} may rewrite its own permissions, and so undo any remedy.",
            "Take away the IAM actions on itself, or bound them by a permissions boundary or SCP",
        ),
    )
}
