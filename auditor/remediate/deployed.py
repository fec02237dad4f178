"""The managed policy as the account has it: nothing is attached that isn't ours to the letter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.corrective.description import DESCRIPTION
from auditor.corrective.names import MANAGED, PATH
from auditor.errors import AuditorError
from auditor.remediate.model import sha256_of, text_of
from auditor.remediate.run import WAITS
from auditor.remediate.steps import says
from auditor.remediate.trouble import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.account import PolicyText
    from auditor.remediate.model import Plan
    from auditor.remediate.run import Run
    from auditor.remediate.settle import Step

TAGS: Final = {"managed-by": "auditor"}
"""The tags of a policy that is created here."""


class _RefusedError(AuditorError):
    """AWS refused to make the policy, and there is none."""


_EXISTS: Final = "EntityAlreadyExists"


def problem_with_policy(
    run: Run, plan: Plan, document: Mapping[str, object], *, create: bool
) -> str:
    """Return why the plan's managed policy can't be attached, or "" where it is there as ours.

    Where there is none, it is made, if ``create`` allows that.
    """
    made = False
    try:
        found = run.reader.managed(plan.policy_arn)
        if found is None:
            if not create:
                return (
                    f"{plan.policy_arn} isn't in the account: deploy it, or allow its creation"
                    " (--create-policies); nothing was changed"
                )
            made = True
            found = _created(run, plan, document)
    except _RefusedError as error:
        return f"{error}; nothing was changed"
    except AuditorError as error:
        return f"{error}; {'no role' if made else 'nothing'} was changed"
    if not says(found, sha256_of(document)):
        return (
            f"{plan.policy_arn} says something else in the account than this version of the auditor"
            f" attaches: deploy it anew; {'no role' if made else 'nothing'} was changed"
        )
    return ""


def changed_meanwhile(run: Run, plan: Plan) -> str:
    """Return why the managed policy, ours when the run began, may not be attached now, or "".

    A policy that this run made may not be seen everywhere yet.

    Raises ``AuditorError`` where it can't be read.
    """
    found = run.reader.managed(plan.policy_arn)
    if found is None:
        return "" if run.created else f"{plan.policy_arn} isn't in the account any more"
    return "" if says(found, plan.policy_sha256) else another_text(plan)


def looked_again(run: Run, plan: Plan, steps: list[Step]) -> list[Step]:
    """Read the roles again where the policy's text was changed during the run, and say so.

    What was read of a role before that says nothing of it now.
    """
    if not any(map(_attached, steps)):
        return steps
    try:
        problem = changed_meanwhile(run, plan)
    except AuditorError as error:
        problem = f"whether {plan.policy_arn} was changed meanwhile can't be told: {error}"
    if not problem and run.over != another_text(plan):
        return steps
    problem = problem or another_text(plan)
    run.progress(problem)
    return [_again(run, one, problem) if _attached(one) else one for one in steps]


def _attached(step: Step) -> bool:
    return step.role is not None and step.result.way == "attach"


def _again(run: Run, step: Step, problem: str) -> Step:
    said = [step.result.message, problem]
    role = None
    try:
        role = run.reader.role(step.result.role_name)
    except AuditorError as error:
        said.append(f"not decided again: {one_line(str(error))}")
    else:
        if role is None or step.role is None or role.role_id != step.role.role_id:
            role = None
            said.append("not decided again: the role is gone")
    message = "; ".join(text for text in said if text)
    result = step.result.model_copy(update={"message": message})
    return step._replace(result=result, role=role)


def another_text(plan: Plan) -> str:
    """Return what to say where the policy's text isn't ours any more."""
    return (
        f"{plan.policy_arn} WAS CHANGED DURING THE RUN and says something else than it is to:"
        " roles that have it may be open; deploy it anew, and find out who changed it"
    )


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
        raise _RefusedError(f"{plan.policy_arn} could not be created: {trouble.message}")
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
