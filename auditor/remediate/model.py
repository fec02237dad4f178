"""What is planned, done and recorded: values that are written as JSON and read back checked."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from auditor.corrective.names import PolicyName  # noqa: TC001 - pydantic reads it at run time

PLAN_VERSION: Final = "1"

Way = Literal["attach", "inline"]
"""A customer managed policy attached, or an inline policy of the same text put."""


class Value(BaseModel):
    """Root of the values here: they don't change, and a field that isn't known is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Standing(Value):
    """A verdict, as the report has it. ``reason`` is why a role is ``undetermined``."""

    verdict: Literal["exposed", "simulator_only", "no_send", "undetermined"]
    certainty: Literal["proven", "possible"] | None = None
    reason: str | None = None


class Proof(Value):
    """One request of a role's findings, put to the evaluator before and after the change.

    ``simulator_before`` and ``simulator_after`` are the answers to the same request with the
    simulator as its only recipient; None for an action that carries no recipients.
    """

    action: str
    resources: tuple[str, ...]
    context: dict[str, str | tuple[str, ...]]
    allowed_before: bool
    allowed_after: bool
    simulator_before: bool | None = None
    simulator_after: bool | None = None


class Remark(Value):
    """Something to know about a change, or why there is none. ``code`` is for machines.

    ``snippet`` is text to copy, for example into the template that makes the role.
    """

    code: str
    text: str
    snippet: str | None = None


class Change(Value):
    """One policy on one role. ``seen`` is the fingerprint of the role as the plan saw it."""

    role_arn: str
    role_name: str
    role_id: str
    projects: tuple[str, ...] = ()
    seen: str
    way: Way
    before: Standing
    after: Standing
    proofs: tuple[Proof, ...] = ()
    still: tuple[str, ...] = ()
    warnings: tuple[Remark, ...] = ()


class Left(Value):
    """A role that was asked about and that nothing is planned for, and why."""

    role_arn: str
    role_name: str
    standing: Standing | None
    why: Remark


class Plan(Value):
    """What is to be changed in one account, decided beforehand. ``id`` names it for ever.

    ``policy_sha256`` is that of the policy's text as ``text_of`` writes it: a plan never carries a
    policy's text, so that nobody can smuggle one in. ``create_policy``: the account hasn't got the
    managed policy yet.
    """

    plan_version: Literal["1"] = PLAN_VERSION
    id: str
    account_id: str
    partition: str
    created_at: datetime
    policy: PolicyName
    policy_arn: str
    policy_sha256: str
    create_policy: bool
    complete: bool
    changes: tuple[Change, ...]
    left: tuple[Left, ...]


Outcome = Literal[
    "attached",  # by this run
    "already",  # it is there: by an earlier run of this plan, or by somebody else
    "detached",  # undo took it back
    "absent",  # undo found that it isn't there any more
    "changed",  # the role isn't what the plan saw: nothing was done
    "gone",  # there is no such role any more (or another of its name)
    "refused",  # AWS refused; the message says how
    "unknown",  # the call's outcome couldn't be told (a time-out, a reset): run it again
    "limit",  # not reached: --max-changes
    "stopped",  # not reached: the run ended before
]


class Result(Value):
    """What became of one role. ``standing`` is what was decided of it afterwards, read anew.

    ``attached`` and ``detached`` are said of both ways: ``inline``: put, and deleted.
    """

    role_arn: str
    role_name: str
    way: Way = "attach"
    outcome: Outcome
    message: str = ""
    before: Standing | None = None
    standing: Standing | None = None


class Entry(Value):
    """One line of the journal, written before and after each call that changes something.

    ``was_there``: the policy was on the role before this plan touched it, so undo leaves it.
    ``who`` is the caller's ARN. ``sequence`` orders the entries of one role in one plan.
    """

    plan_id: str
    role_arn: str
    role_name: str
    role_id: str
    account_id: str
    policy: PolicyName
    policy_arn: str
    policy_sha256: str
    way: Way
    step: Literal["attaching", "attached", "decided", "detaching", "detached", "failed"]
    at: datetime
    who: str
    seen: str
    was_there: bool = False
    before: Standing | None = None
    after: Standing | None = None
    message: str = ""
    sequence: int = 0


def text_of(document: object) -> str:
    """Return a policy document as the one JSON text that is attached, compared and hashed."""
    return json.dumps(document, separators=(",", ":"), sort_keys=True)


def sha256_of(document: object) -> str:
    """Return the hexadecimal SHA-256 of a document's text."""
    return hashlib.sha256(text_of(document).encode("utf-8", "surrogatepass")).hexdigest()
