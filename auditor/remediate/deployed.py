"""The managed policy as the account has it: nothing is attached that isn't ours to the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.corrective.description import DESCRIPTION
from auditor.corrective.names import MANAGED, PATH
from auditor.errors import AuditorError
from auditor.remediate.model import sha256_of, text_of
from auditor.remediate.run import WAITS
from auditor.remediate.steps import says

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.account import PolicyText
    from auditor.remediate.model import Plan
    from auditor.remediate.run import Run

TAGS: Final = {"managed-by": "auditor"}
"""The tags of a policy that is created here."""

_EXISTS: Final = "EntityAlreadyExists"


def problem_with_policy(
    run: Run, plan: Plan, document: Mapping[str, object], *, create: bool
) -> str:
    """Return why the plan's managed policy can't be attached, or "" where it is there as ours.

    Where there is none, it is made, if ``create`` allows that.
    """
    try:
        found = run.reader.managed(plan.policy_arn)
        if found is None:
            if not create:
                return (
                    f"{plan.policy_arn} isn't in the account: deploy it, or allow its creation;"
                    " nothing was changed"
                )
            found = _created(run, plan, document)
    except AuditorError as error:
        return f"{error}; nothing was changed"
    if not says(found, sha256_of(document)):
        return (
            f"{plan.policy_arn} says something else in the account than this version of the auditor"
            " attaches: deploy it anew; nothing was changed"
        )
    return ""


def _created(run: Run, plan: Plan, document: Mapping[str, object]) -> PolicyText:
    """Make the policy, and return it as the account has it then.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
    """
    run.pace()
    name = MANAGED[plan.policy]
    trouble = run.attempt(
        lambda: run.iam.create_policy(
            PolicyName=name,
            Path=PATH,
            PolicyDocument=text_of(document),
            Description=DESCRIPTION[plan.policy],
            Tags=[{"Key": key, "Value": value} for key, value in TAGS.items()],
        )
    )
    # Another run may have made it just now, and a call without an answer may have, too.
    if trouble and trouble.definite and trouble.code != _EXISTS:
        raise AuditorError(f"{plan.policy_arn} could not be created: {trouble.message}")
    for wait in (*WAITS, None):
        found = run.reader.managed(plan.policy_arn)
        if found is not None:
            run.created = True
            run.progress(f"{plan.policy_arn}: created")
            return found
        if wait is not None:
            run.sleep(wait)
    why = trouble.message if trouble else "it was created, and can't be seen yet: run it again"
    raise AuditorError(f"{plan.policy_arn} isn't in the account: {why}")
