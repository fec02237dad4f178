"""Decides a policy that is about to be handed out, on a role made up for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.errors import AuditorError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

EVERYTHING: Mapping[str, object] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
"""The widest policy there is: who closes a role that has this, closes every role."""

EXAMPLE_ACCOUNT = "123456789012"


def prove(*documents: Mapping[str, object], partition: str, account_id: str, now: datetime) -> None:
    """Raise ``AuditorError`` unless a role with these inline policies mails the simulator alone.

    ``now`` (aware) is the time that conditions see. The role is decided as ``auditor scan`` would.
    """
    from auditor.account import Account, PolicyText, Role
    from auditor.audit import audit

    trust: Mapping[str, object] = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "codebuild.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = Role(
        arn=f"arn:{partition}:iam::{account_id}:role/example",
        name="example",
        role_id="AROAEXAMPLE",
        tags={},
        trust=PolicyText("trust", None, "trust", trust),
        inline=tuple(
            PolicyText(f"policy-{number}", None, "inline", dict(document))
            for number, document in enumerate(documents)
        ),
        attached=(),
    )
    (found,) = audit(Account(account_id, partition, (role,)), now=now).roles
    if found.verdict != "simulator_only":
        why = f" ({found.reason})" if found.reason else ""
        raise AuditorError(
            f"not printed: a role with this policy would be {found.verdict}{why}, not"
            " simulator_only; check that the options fit each other"
        )
