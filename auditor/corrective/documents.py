"""The two policies themselves, as decoded JSON.

The **guard** is a Deny: with it, a role can mail nobody outside SES's mailbox simulator, whatever
else allows it. The **sender** is an Allow of mail to the simulator alone; it takes nothing away
from a role that may do more, since Allows add up:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from auditor.actions import SEND_ACTIONS
from auditor.corrective.scope import Scope, resources_of
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Document = dict[str, object]
"""A policy document as ``json.loads`` gives it, ready for ``json.dumps``."""

VERSION: Final = "2012-10-17"
SIMULATOR: Final = "*@simulator.amazonses.com"
"""The recipients that both policies let through, labels (``bounce+order-17@…``) included:
https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html"""
SIZE_MAX: Final = 6_144
"""Characters of a managed policy, white space not counted:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"""

_RECIPIENTS: Final = "ses:Recipients"


def guard() -> Document:
    """Return the Deny of every send that isn't shown to go to the simulator alone.

    Three statements: a recipient elsewhere; no recipients in a request that should have some
    (``ForAnyValue`` doesn't hold for an absent key); the actions whose requests never have any.
    Each names SES's send actions one by one, so nothing else is denied.
    """
    keyed = [action.name for action in SEND_ACTIONS if action.carries_recipients]
    unkeyed = [action.name for action in SEND_ACTIONS if not action.carries_recipients]
    elsewhere = {"ForAnyValue:StringNotLike": {_RECIPIENTS: SIMULATOR}}
    absent = {"Null": {_RECIPIENTS: "true"}}
    return {
        "Version": VERSION,
        "Statement": [
            _deny("DenyMailBeyondTheSimulator", keyed, elsewhere),
            _deny("DenyMailWithoutRecipients", list(keyed), absent),
            _deny("DenySendsThatCarryNoRecipients", unkeyed),
        ],
    }


def _deny(sid: str, actions: list[str], condition: Mapping[str, object] | None = None) -> Document:
    statement: Document = {"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": "*"}
    return statement if condition is None else {**statement, "Condition": condition}


def sender(scope: Scope | None = None) -> Document:
    """Return the Allow of mail to the simulator alone, within a scope (by default, the widest).

    Raises ``InputError`` where the scope can't be written as a policy that says what it means.
    """
    scope = Scope() if scope is None else scope
    statement: Document = {
        "Sid": "AllowMailToTheSimulatorOnly",
        "Effect": "Allow",
        "Action": [action.name for action in scope.named()],
        "Resource": resources_of(scope),
        "Condition": _limits(scope),
    }
    document: Document = {"Version": VERSION, "Statement": [statement]}
    size = size_of(document)
    if size > SIZE_MAX:
        raise InputError(
            f"the policy has {size:,} characters, and IAM takes {SIZE_MAX:,}: name fewer"
            " resources, or use a wildcard for several"
        )
    return document


def _limits(scope: Scope) -> Document:
    """Return the conditions. ``ForAllValues`` holds for an absent key, hence the ``Null`` check.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/
    reference_policies_condition-single-vs-multi-valued-context-keys.html
    """
    limits: Document = {
        "ForAllValues:StringLike": {_RECIPIENTS: SIMULATOR},
        "Null": {_RECIPIENTS: "false"},
    }
    if scope.from_address is not None:
        limits["StringLike"] = {"ses:FromAddress": scope.from_address}
    if scope.not_before is not None:
        limits["DateGreaterThanEquals"] = {"aws:CurrentTime": _iso(scope.not_before)}
    if scope.not_after is not None:
        limits["DateLessThanEquals"] = {"aws:CurrentTime": _iso(scope.not_after)}
    return limits


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def size_of(document: Document) -> int:
    """Return a document's size as IAM counts it: its characters without white space."""
    return len("".join(json.dumps(document, separators=(",", ":")).split()))
