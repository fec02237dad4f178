"""Applying a plan: one policy on one role after another, each step first in the journal.

Whatever ends a run (a signal, a lost connection, an error), running the same plan again finishes
it, and undo takes back exactly what the plan put there. That rests on three things: an intent is
recorded before its call; a role is read before its entries are, so that a policy found on it and
put there by this plan always has its intent; and each call may be made twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.errors import AuditorError
from auditor.remediate.checked import check_plan
from auditor.remediate.deployed import problem_with_policy
from auditor.remediate.fingerprint import fingerprint
from auditor.remediate.history import history
from auditor.remediate.interface import JournalError
from auditor.remediate.model import Entry, Result, text_of
from auditor.remediate.run import WAITS, Page, Run, Step, settle
from auditor.remediate.steps import Remedy, give, presence
from auditor.remediate.trouble import one_line, trouble_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from auditor.account import Role
    from auditor.remediate.history import History
    from auditor.remediate.interface import Decider, Journal, Reader
    from auditor.remediate.model import Change, Outcome, Plan
    from auditor.remediate.trouble import Trouble

MAX_CHANGES: Final = 25
"""Roles changed in one run unless more are asked for: few enough to look at one by one."""


def apply(
    plan: Plan,
    *,
    iam: IAMClient,
    reader: Reader,
    journal: Journal,
    decide: Decider,
    document: Mapping[str, object],
    max_changes: int = MAX_CHANGES,
    create_policy: bool = False,
    who: str,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    progress: Callable[[str], None],
) -> list[Result]:
    """Carry a plan out where the account is still as the plan saw it; return what became of it.

    One result for each of the plan's changes, in its order. A role that isn't what it was is left
    alone. Afterwards all roles that have the policy are read and decided anew.

    :param document: the policy's text; the plan names it by its hash.
    :param max_changes: the roles changed at most; the others get ``limit``.
    :param create_policy: make the managed policy where the account hasn't got it.
    :param who: the ARN of the caller, which the journal keeps.
    :param sleep: waits for some seconds.
    :raises InputError: if the plan isn't one for this account and this policy.
    :raises JournalError: if the journal can't be read or locked. Nothing is changed then.
    """
    check_plan(plan, document, who)
    run = Run(iam, reader, journal, decide, who, clock, sleep, progress)
    with journal.lock(f"{who}, applying {plan.id}") as keep:
        if any(change.way == "attach" for change in plan.changes):
            run.over = problem_with_policy(run, plan, document, create=create_policy)
        steps = []
        for number, change in enumerate(plan.changes, 1):
            if run.over:
                steps.append(_left(change, "stopped", run.over))
            elif run.changes >= max_changes:
                steps.append(_left(change, "limit", f"{max_changes:,} roles were changed already"))
            else:
                steps.append(_change(run, plan, change, text_of(document), keep))
                outcome = steps[-1].result.outcome
                name = one_line(change.role_name)
                progress(f"{number:,} of {len(plan.changes):,}: {name}: {outcome}")
        return settle(run, steps)


def _change(run: Run, plan: Plan, change: Change, text: str, keep: Callable[[], None]) -> Step:
    """Bring one role to where the plan wants it, from wherever an earlier run left it."""
    remedy = Remedy(change.role_name, change.way, plan.policy, plan.policy_arn, plan.policy_sha256)
    try:
        keep()
        role = run.reader.role(change.role_name)
        if role is None or role.arn != change.role_arn:
            return _left(change, "gone", "there is no such role any more")
        if change.role_id and role.role_id != change.role_id:
            return _left(change, "gone", "another role has its name now: left alone")
        # After the role, never before it: see above.
        past = history(run.journal.entries(plan.id, role.arn), role.role_id)
        page = Page(run, _template(plan, change, role), past.sequence)
        there = presence(role, remedy)
        if there == "ours" and past.taken and not past.ours:
            # Undone, perhaps a moment ago: what is seen may be how it was before that.
            seen = run.look(change.role_name, lambda one: presence(one, remedy) == "absent")
            if seen.seen and seen.role is not None:
                role, there = seen.role, "absent"
        if there == "ours":
            return _found(change, role, past, page)
        if there == "other":
            why = f"its {remedy.said()} says something else, and is never overwritten"
            return _left(change, "changed", why)
        if fingerprint(role) != change.seen:
            return _left(change, "changed", "it isn't what the plan saw: make a new plan for it")
        return _attach(run, change, remedy, text, past, page)
    except JournalError as error:
        run.over = str(error)
        return _left(change, "stopped", run.over)
    except AuditorError as error:
        trouble = trouble_behind(error)
        run.went_wrong(trouble)
        return _left(change, "refused", f"could not be read, nothing was done: {trouble.message}")


def _found(change: Change, role: Role, past: History, page: Page) -> Step:
    """Say whose the policy is that the role has already, and record it."""
    if past.ours and not past.confirmed:
        page.write("attached")
        return _done(change, "attached", "an earlier run of this plan began it", role, page)
    if past.ours:
        where = None if past.decided else page
        return _done(change, "already", "an earlier run of this plan attached it", role, where)
    if not past.was_there:
        page.write("attached", was_there=True)
    return _done(change, "already", "somebody else did; undo will leave it there", role, None)


def _attach(run: Run, change: Change, remedy: Remedy, text: str, past: History, page: Page) -> Step:
    """Attach the policy, or put it, and see that it is there."""
    run.pace()
    if not past.ours or past.confirmed:
        page.write("attaching")
    run.changes += 1
    trouble = _given(run, remedy, text)
    if trouble is not None and trouble.definite:
        return _refused(run, change, trouble, page)
    unsaved = page.write_after("attached") if trouble is None else ""
    seen = run.look(change.role_name, lambda role: presence(role, remedy) == "ours")
    if trouble is not None:
        if not seen.seen:
            return _unseen(run, change, trouble, page)
        unsaved = page.write_after("attached")
    run.went_well()
    if seen.seen:
        return _done(change, "attached", unsaved, seen.role, page)
    if seen.problem:
        why = f"AWS accepted it, and then it could not be read back: {seen.problem}"
    elif seen.role is None:
        why = "AWS accepted it, and then the role was gone"
    else:
        why = "AWS accepted it, and it can't be seen yet"
    why = f"{why}; not decided again: run it again for that"
    return _left(change, "attached", "; ".join(text for text in (why, unsaved) if text))


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
        return _left(change, "gone", "it was deleted meanwhile")
    run.went_wrong(trouble)
    message = "; ".join(text for text in (trouble.message, unsaved) if text)
    return _left(change, "refused", message)


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
        return _left(change, "unknown", why)
    run.changes -= 1
    unsaved = page.write_after("failed", message=trouble.message)
    message = "; ".join(text for text in (trouble.message, unsaved) if text)
    return _left(change, "refused", message)


def _left(change: Change, outcome: Outcome, message: str) -> Step:
    return Step(
        Result(
            role_arn=change.role_arn,
            role_name=change.role_name,
            outcome=outcome,
            message=message,
            before=change.before,
        )
    )


def _done(
    change: Change, outcome: Outcome, message: str, role: Role | None, page: Page | None
) -> Step:
    left = _left(change, outcome, message)
    return Step(left.result, role, page, change.after)


def _template(plan: Plan, change: Change, role: Role) -> Entry:
    """Return an entry that lacks its step, its time and its number."""
    return Entry(
        plan_id=plan.id,
        role_arn=role.arn,
        role_name=role.name,
        role_id=role.role_id,
        account_id=plan.account_id,
        policy=plan.policy,
        policy_arn=plan.policy_arn,
        policy_sha256=plan.policy_sha256,
        way=change.way,
        step="attaching",
        at=plan.created_at,
        who="",
        seen=change.seen,
        before=change.before,
    )
