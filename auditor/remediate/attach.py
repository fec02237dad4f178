"""Putting the policy on one role: the intent, the call, and a look at what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.errors import AuditorError
from auditor.remediate.checked import never
from auditor.remediate.deployed import another_text, changed_meanwhile
from auditor.remediate.fingerprint import fingerprint
from auditor.remediate.model import Result
from auditor.remediate.run import WAITS
from auditor.remediate.settle import Step
from auditor.remediate.steps import altered, give, presence

if TYPE_CHECKING:
    from auditor.account import Role
    from auditor.remediate.history import History
    from auditor.remediate.known import Others
    from auditor.remediate.model import Change, Outcome, Plan
    from auditor.remediate.run import Page, Run
    from auditor.remediate.steps import Remedy
    from auditor.remediate.trouble import Trouble


class Work(NamedTuple):
    """One plan that is being carried out, and the text that it is about."""

    run: Run
    plan: Plan
    others: Others
    text: str


def barred_by(work: Work, change: Change, role: Role) -> Step | None:
    """Return why a role that hasn't got the policy isn't to have it; None where nothing is wrong.

    Raises ``AuditorError`` where what must be known first can't be read.
    """
    if fingerprint(role) != change.seen:
        return left(change, "changed", "it isn't what the plan saw: make a new plan for it")
    if why := never(role, work.run.decide):
        return left(change, "changed", why)
    if change.way == "attach" and (why := changed_meanwhile(work.run, work.plan)):
        work.run.over = why
        return left(change, "stopped", why)
    return None


def attach(work: Work, change: Change, remedy: Remedy, past: History, page: Page) -> Step:
    """Attach the policy, or put it, and see that it is there."""
    run = work.run
    run.pace()
    if not past.ours or past.confirmed:
        page.write("attaching")
    run.changes += 1
    trouble = _given(run, remedy, work.text)
    if trouble is not None and trouble.definite:
        return _refused(run, change, trouble, page)
    unsaved = page.write_after("attached") if trouble is None else ""
    seen = run.look(change.role_name, lambda role: presence(role, remedy) == "ours")
    if trouble is not None:
        if not seen.seen:
            return _unseen(run, change, trouble, page)
        unsaved = page.write_after("attached")
    run.went_well()
    if seen.seen and seen.role is not None:
        if altered(seen.role, remedy):
            run.over = another_text(work.plan)
        return done(change, "attached", unsaved, seen.role, page)
    if seen.problem:
        why = f"AWS accepted it, and then it could not be read back: {seen.problem}"
    elif seen.role is None:
        why = "AWS accepted it, and then the role was gone"
    else:
        why = "AWS accepted it, and it can't be seen yet"
    why = f"{why}; not decided again: run it again for that"
    return left(change, "attached", "; ".join(text for text in (why, unsaved) if text))


def _given(run: Run, remedy: Remedy, text: str) -> Trouble | None:
    """Make the call; again and again for a while where the policy itself may be too new."""
    for wait in WAITS if run.created else ():
        trouble = run.attempt(lambda: give(run.iam, remedy, text))
        if trouble is None or not trouble.missing:
            return trouble
        run.sleep(wait)
    return run.attempt(lambda: give(run.iam, remedy, text))


def _refused(run: Run, change: Change, trouble: Trouble, page: Page) -> Step:
    """Record a refusal. Where something isn't there, find out whether it is the role."""
    run.changes -= 1
    unsaved = page.write_after("failed", message=trouble.message)
    if trouble.missing and _is_gone(run, change):
        return left(change, "gone", "it was deleted meanwhile")
    run.went_wrong(trouble)
    message = "; ".join(text for text in (trouble.message, unsaved) if text)
    return left(change, "refused", message)


def _is_gone(run: Run, change: Change) -> bool:
    try:
        role = run.reader.role(change.role_name)
    except AuditorError:
        return False  # nobody knows: AWS's refusal is told as it is
    return role is None or role.role_id != change.role_id


def _unseen(run: Run, change: Change, trouble: Trouble, page: Page) -> Step:
    """Tell a call that AWS refused at its last try from one whose answer never came."""
    run.went_wrong(trouble)
    if trouble.silent:
        why = f"{trouble.message}; it can't be seen on the role: run it again to be sure"
        return left(change, "unknown", why)
    run.changes -= 1
    unsaved = page.write_after("failed", message=trouble.message)
    message = "; ".join(text for text in (trouble.message, unsaved) if text)
    return left(change, "refused", message)


def left(change: Change, outcome: Outcome, message: str) -> Step:
    """Return what became of a role that isn't to be decided again."""
    return Step(
        Result(
            role_arn=change.role_arn,
            role_name=change.role_name,
            way=change.way,
            outcome=outcome,
            message=message,
            before=change.before,
        )
    )


def done(
    change: Change, outcome: Outcome, message: str, role: Role | None, page: Page | None
) -> Step:
    """Return what became of a role that has the policy, and is to be decided again."""
    return Step(left(change, outcome, message).result, role, page, change.after)
