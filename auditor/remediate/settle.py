"""Deciding the changed roles again, all together, and what must not be missed of that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.errors import AuditorError
from auditor.remediate.trouble import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.account import Role
    from auditor.remediate.model import Result, Standing
    from auditor.remediate.run import Page, Run


class Step(NamedTuple):
    """What became of one role. ``role``: as read afterwards, to be decided; ``page``: where to
    record that. ``promised`` is what the plan said would be decided; None for an undo. ``opened``:
    it was open before the plan, and is so once more if it is now.
    """

    result: Result
    role: Role | None = None
    page: Page | None = None
    promised: Standing | None = None
    opened: bool = True


def settle(run: Run, steps: Sequence[Step]) -> list[Result]:
    """Decide all roles that were read back, together; record it, and return the results.

    Together, because a role may be able to become another one of them.
    """
    fresh = [step.role for step in steps if step.role is not None]
    standings: Mapping[str, Standing] = {}
    problem = (
        "not decided again: it isn't among the CodeBuild roles that could be read of the account"
    )
    if fresh:
        run.progress(f"deciding {roles(len(fresh))} anew")
        try:
            standings = run.decide(fresh)
        except AuditorError as error:
            problem = f"not decided again: {one_line(str(error))}"
    undone = [step.result.role_name for step in steps if step.result.outcome in _UNDONE]
    return [_settled(step, standings, problem, undone) for step in steps]


_UNDONE = frozenset(("changed", "refused", "unknown", "limit", "stopped"))
"""Outcomes of roles that still are as they were before the run."""


def _settled(
    step: Step, standings: Mapping[str, Standing], problem: str, undone: Sequence[str]
) -> Result:
    if step.role is None:
        return step.result
    standing = standings.get(step.role.arn)
    said = [step.result.message]
    if standing is None:
        said.append(problem)
    else:
        said.append(_told(step, standing, undone))
        if step.page is not None:
            said.append(step.page.write_after("decided", after=standing))
    message = "; ".join(text for text in said if text)
    return step.result.model_copy(update={"standing": standing, "message": message})


def _told(step: Step, standing: Standing, undone: Sequence[str]) -> str:
    """Say what must not be missed of a verdict: that it isn't the promised one."""
    promised = step.promised
    if promised is None:
        if standing.verdict != "exposed":
            return ""
        return "EXPOSED AGAIN" if step.opened else "EXPOSED"
    if (standing.verdict, standing.certainty) == (promised.verdict, promised.certainty):
        return ""
    why = f" ({one_line(standing.reason)})" if standing.reason else ""
    told = f"NOT WHAT THE PLAN PROMISED: {said(standing)}{why} instead of {said(promised)}"
    if undone:  # the plan decided it with all its changes made, and it may become one of these
        first = one_line(undone[0])
        names = first if len(undone) == 1 else f"{first} and {len(undone) - 1:,} more"
        told += f"; not all of the plan is done yet, on which this may hang: {names}"
    return told


def said(standing: Standing) -> str:
    """Return a verdict as words."""
    return f"{standing.verdict} ({standing.certainty})" if standing.certainty else standing.verdict


def roles(number: int) -> str:
    """Return how many roles, in words."""
    return "1 role" if number == 1 else f"{number:,} roles"
