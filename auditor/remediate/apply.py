"""Applying a plan: one policy on one role after another, each step first in the journal.

Whatever ends a run (a signal, a lost connection, an error), running the same plan again finishes
it, and undo takes back exactly what the plan put there. That rests on three things: an intent is
recorded before its call; a role is read before its entries are, so that a policy found on it and
put there by this plan always has its intent; and each call may be made twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.errors import AuditorError
from auditor.remediate.attach import Work, attach, barred_by, done, left
from auditor.remediate.checked import age_of, check_plan
from auditor.remediate.deployed import another_text, looked_again, problem_with_policy
from auditor.remediate.finish import finish_begun
from auditor.remediate.history import history
from auditor.remediate.interface import JournalError
from auditor.remediate.known import Others
from auditor.remediate.model import Entry, text_of
from auditor.remediate.run import Page, Run
from auditor.remediate.settle import roles, settle
from auditor.remediate.steps import Remedy, altered, presence
from auditor.remediate.trouble import one_line, trouble_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from auditor.account import Role
    from auditor.remediate.history import History
    from auditor.remediate.interface import Decider, Journal, Reader
    from auditor.remediate.model import Change, Plan, Result
    from auditor.remediate.settle import Step

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
    until: Callable[[], bool] | None = None,
) -> list[Result]:
    """Carry a plan out where the account is still as the plan saw it; return what became of it.

    One result for each of the plan's changes, in its order; roles that were refused before are
    tried last. A role that isn't what it was is left alone. What runs of other plans began to
    attach, and were killed at, is recorded for them first. Afterwards all roles that have the
    policy are read and decided anew.

    :param document: the policy's text; the plan names it by its hash.
    :param max_changes: the roles changed at most; the others get ``limit``.
    :param create_policy: make the managed policy where the account hasn't got it.
    :param who: the ARN of the caller, which the journal keeps.
    :param sleep: waits for some seconds.
    :param until: asked before each role: true once no further one is to be begun. The one at hand
        is finished, and the changed roles are decided: that takes time, too.
    :raises InputError: if the plan isn't one for this account and this policy.
    :raises JournalError: if the journal can't be read or locked. Nothing is changed then.
    """
    check_plan(plan, document, who)
    run = Run(iam, reader, journal, decide, who, clock, sleep, progress)
    run.until = until or run.until
    if remark := age_of(plan, clock()):
        progress(f"{one_line(plan.id)}: {remark}")
    with journal.lock(f"{who}, applying {plan.id}") as run.keep:
        work = Work(run, plan, Others(journal, plan.id), text_of(document))
        begun = finish_begun(run, work.others)
        if any(change.way == "attach" for change in plan.changes) and not run.over:
            run.over = problem_with_policy(run, plan, document, create=create_policy)
        steps: dict[str, Step] = {}
        ordered = sorted(plan.changes, key=lambda one: one.role_arn in work.others.refused)
        for number, change in enumerate(ordered, 1):
            if run.ended():
                step = left(change, "stopped", run.over)
            elif run.changes >= max_changes:
                step = left(change, "limit", f"the limit of {roles(max_changes)} was reached")
            else:
                step = _change(work, change)
                name, outcome = one_line(change.role_name), step.result.outcome
                progress(f"{number:,} of {len(plan.changes):,}: {name}: {outcome}")
            steps[change.role_arn] = step
        made = looked_again(run, plan, [steps[change.role_arn] for change in plan.changes])
        return settle(run, [*made, *(step for _, step in begun)])[: len(made)]


def _change(work: Work, change: Change) -> Step:
    """Bring one role to where the plan wants it, from wherever an earlier run left it."""
    run, plan = work.run, work.plan
    remedy = Remedy(change.role_name, change.way, plan.policy, plan.policy_arn, plan.policy_sha256)
    try:
        run.keep()
        role = run.reader.role(change.role_name)
        if role is None or role.arn != change.role_arn:
            return left(change, "gone", "there is no such role any more")
        if change.role_id and role.role_id != change.role_id:
            return left(change, "gone", "another role has its name now: left alone")
        there = presence(role, remedy)
        barred = None if there == "ours" else barred_by(work, change, role)
        # After the role, never before it: see above.
        past = history(run.journal.entries(plan.id, role.arn), role.role_id)
        page = Page(run, _template(plan, change, role), past.sequence)
        holder = work.others.holder(change, role, plan.policy)
        if there == "ours" and past.taken and not past.ours and holder is None:
            # Undone, perhaps a moment ago: what is seen may be how it was before that.
            seen = run.look(change.role_name, lambda one: presence(one, remedy) == "absent")
            if seen.seen and seen.role is not None:
                role, there = seen.role, "absent"
                barred = barred_by(work, change, role)
        if there == "ours":
            if altered(role, remedy):
                run.over = another_text(plan)
            return _found(work, change, role, past, page, holder)
        if there == "other":
            why = f"its {remedy.said()} says something else, and is never overwritten"
            return left(change, "changed", why)
        return barred or attach(work, change, remedy, past, page)
    except JournalError as error:
        run.over = str(error)
        return left(change, "stopped", run.over)
    except AuditorError as error:
        trouble = trouble_behind(error)
        run.went_wrong(trouble, reading=True)
        return left(change, "refused", f"could not be read, nothing was done: {trouble.message}")


def _found(
    work: Work, change: Change, role: Role, past: History, page: Page, holder: str | None
) -> Step:
    """Say whose the policy is that the role has already, and record it."""
    later = work.others.later(past.last) if past.ours and past.last is not None else None
    if past.ours and later is None:
        if not past.confirmed:
            page.write("attached")
            return done(change, "attached", "an earlier run of this plan began it", role, page)
        where = None if past.decided else page
        return done(change, "already", "an earlier run of this plan attached it", role, where)
    if past.ours:  # it was off the role when the other plan attached it
        page.write("detached" if past.confirmed else "failed", message=f"{later} attached it since")
    if holder is None and work.others.lost and not past.was_there:
        why = "whose it is can't be told, as the journal has lines that can't be read"
        return done(change, "already", f"{why}: undo will not touch it", role, None)
    if past.ours or not past.was_there:
        page.write("attached", was_there=True)
    whose = f"{one_line(holder)}" if holder else "somebody else"
    return done(change, "already", f"{whose} did; undo will leave it there", role, None)


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
