"""The command that puts a policy on whoever was refused."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from auditor.corrective.names import MANAGED
from auditor.corrective.write import to_commands

if TYPE_CHECKING:
    from auditor.denial.advice import Advice


def command_of(advice: Advice) -> str:
    """Return the ``aws iam`` command, a line; "" where there is nothing or nobody to put it on."""
    who, document = advice.principal, advice.policy
    if who is None or document is None:
        return ""
    if who.kind == "role":
        return to_commands(
            document,
            "sender",
            roles=[who.name],
            account_id=who.account,
            partition=who.partition,
            inline=True,
        )
    if who.kind == "user":
        name = f"--policy-name={MANAGED['sender']}"
        text = f"--policy-document={json.dumps(document, separators=(',', ':'))}"
        words = ["aws", "iam", "put-user-policy", f"--user-name={who.name}", name, text]
        return shlex.join(words) + "\n"
    return ""
