"""Undoing a plan: taking back what the journal says that it put on roles, and nothing else.

What was on a role before stays; a policy that somebody else took off already is no error; a role
that was made anew under an old name is left alone. Run twice, or again after an interruption, it
ends in the same place. The managed policy itself stays in the account, on no role of this plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.corrective.names import policy_arn
from auditor.errors import AuditorError, InputError
from auditor.remediate.checked import same_account
from auditor.remediate.history import history
from auditor.remediate.interface import JournalError
from auditor.remediate.model import Result
from auditor.remediate.run import Page, Run, Step, settle
from auditor.remediate.steps import Remedy, presence, take
from auditor.remediate.trouble import one_line, trouble_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from auditor.account import Role
    from auditor.remediate.history import History
    from auditor.remediate.interface import Decider, Journal, Reader
    from auditor.remediate.model import Entry, Outcome
    from auditor.remediate.steps import Presence
    from auditor.remediate.trouble import Trouble

_ABSENT: Final = "it wasn't on the role"


def undo(
    plan_id: str,
    *,
    iam: IAMClient,
    reader: Reader,
    journal: Journal,
    decide: Decider,
    who: str,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    progress: Callable[[str], None],
) -> list[Result]:
    """Take back what a plan put on roles; return what became of each, in the order of their ARNs.

    Afterwards the roles are read and decided anew: one that can mail real people again is said to
    be ``EXPOSED AGAIN``.

    :param who: the ARN of the caller, which the journal keeps.
    :param sleep: waits for some seconds.
    :raises InputError: if the journal doesn't know the plan, or knows it from another account.
    :raises JournalError: if the journal can't be read or locked. Nothing is changed then.
    """
    run = Run(iam, reader, journal, decide, who, clock, sleep, progress)
    with journal.lock(f"{who}, undoing {one_line(plan_id)}") as keep:
        latest = _by_role(journal.entries(plan_id))
        if not latest:
            raise InputError(
                f"{one_line(plan_id)}: this journal knows of no role that such a plan touched; give"
                " the journal that it was applied with"
            )
        for entry in latest:
            same_account(who, entry.account_id, one_line(plan_id))
        steps = []
        for number, entry in enumerate(latest, 1):
            if run.over:
                steps.append(_left(entry, "stopped", run.over))
                continue
            steps.append(_role(run, entry, keep))
            outcome = steps[-1].result.outcome
            progress(f"{number:,} of {len(latest):,}: {one_line(entry.role_name)}: {outcome}")
        return settle(run, steps)


def _by_role(entries: Iterable[Entry]) -> list[Entry]:
    """Return each role's latest entry, by ARN."""
    latest = {(entry.role_arn, entry.role_id): entry for entry in entries}
    return [latest[key] for key in sorted(latest)]


def _role(run: Run, entry: Entry, keep: Callable[[], None]) -> Step:
    """Take back from one role what is ours there, wherever an earlier run left it."""
    remedy = Remedy(entry.role_name, entry.way, entry.policy, entry.policy_arn, entry.policy_sha256)
    partition = entry.role_arn.split(":")[1] if entry.role_arn.startswith("arn:") else ""
    if entry.policy_arn != policy_arn(partition, entry.account_id, entry.policy):
        return _left(entry, "refused", f"the journal names {one_line(entry.policy_arn)}: not ours")
    try:
        keep()
        past = _past(run, entry)
        page = Page(run, past.last or entry, past.sequence)
        if not past.ours and not (past.taken and not past.decided):
            return _nothing_of_ours(entry, past)
        role = run.reader.role(entry.role_name)
        if role is None or role.arn != entry.role_arn:
            return _left(entry, "gone", "there is no such role any more")
        if role.role_id != entry.role_id:
            return _left(entry, "gone", "another role has its name now: left alone")
        if not past.ours:
            return _nothing_of_ours(entry, past, role, page)
        return _take(run, entry, remedy, role, past, page)
    except JournalError as error:
        run.over = str(error)
        return _left(entry, "stopped", run.over)
    except AuditorError as error:
        trouble = trouble_behind(error)
        run.went_wrong(trouble)
        return _left(entry, "refused", f"could not be read, nothing was done: {trouble.message}")


def _past(run: Run, entry: Entry) -> History:
    return history(run.journal.entries(entry.plan_id, entry.role_arn), entry.role_id)


def _nothing_of_ours(
    entry: Entry, past: History, role: Role | None = None, page: Page | None = None
) -> Step:
    if past.was_there:
        return _left(entry, "already", "it was on the role before this plan: left there")
    if past.taken:
        return _left(entry, "absent", "this plan's was taken back before", role, page)
    return _left(entry, "absent", "this plan put nothing on it")


def _take(run: Run, entry: Entry, remedy: Remedy, role: Role, past: History, page: Page) -> Step:
    """Take the policy off the role, where it is the plan's."""
    there = presence(role, remedy)
    if there == "other":
        why = f"its {remedy.said()} doesn't say what this plan put there: left alone"
        return _left(entry, "changed", why)
    if there == "absent" and remedy.way == "inline":
        # It may be there and not be seen yet, and an inline policy is never deleted unseen. A
        # managed one may be detached unseen: AWS says so where it wasn't attached.
        seen = run.look(entry.role_name, lambda one: presence(one, remedy) != "absent")
        if seen.problem:
            return _left(entry, "refused", f"could not be read, nothing was done: {seen.problem}")
        if seen.role is None or presence(seen.role, remedy) != "ours":
            page.write("detached", message=_ABSENT)
            return _left(entry, "absent", _ABSENT, seen.role, page)
    run.pace()
    if not past.leaving:
        page.write("detaching")
    trouble = run.attempt(lambda: take(run.iam, remedy))
    return _taken(run, entry, remedy, there, past, page, trouble)


def _taken(
    run: Run,
    entry: Entry,
    remedy: Remedy,
    there: Presence,
    past: History,
    page: Page,
    trouble: Trouble | None,
) -> Step:
    """Record what came of it, and see that the policy is off the role."""
    if trouble is not None and trouble.definite and not trouble.missing:
        return _refused(run, entry, page, trouble)
    certain = trouble is None or trouble.missing
    unsaved = page.write_after("detached") if certain else ""
    seen = run.look(entry.role_name, lambda one: presence(one, remedy) == "absent")
    if trouble is not None and not certain:
        if not seen.seen:
            if not trouble.silent:
                return _refused(run, entry, page, trouble)
            run.went_wrong(trouble)
            why = f"{trouble.message}; it can still be seen on the role: run it again to be sure"
            return _left(entry, "unknown", why)
        unsaved = page.write_after("detached")
    run.went_well()
    run.changes += 1
    if seen.role is None and not seen.problem:
        return _left(entry, "gone", "it was deleted meanwhile")
    mine = trouble is None or there == "ours" or past.leaving
    outcome: Outcome = "detached" if mine else "absent"
    said = ["" if mine else _ABSENT, unsaved]
    if not seen.seen:
        problem = seen.problem or "it can still be seen on the role, though AWS took it off"
        said.append(f"{problem}; not decided again: run it again for that")
        return _left(entry, outcome, "; ".join(text for text in said if text))
    message = "; ".join(text for text in said if text)
    return _left(entry, outcome, message, seen.role, page)


def _refused(run: Run, entry: Entry, page: Page, trouble: Trouble) -> Step:
    run.went_wrong(trouble)
    unsaved = page.write_after("failed", message=trouble.message)
    message = f"{trouble.message}; it is still on the role"
    return _left(entry, "refused", f"{message}; {unsaved}" if unsaved else message)


def _left(
    entry: Entry,
    outcome: Outcome,
    message: str,
    role: Role | None = None,
    page: Page | None = None,
) -> Step:
    result = Result(
        role_arn=entry.role_arn, role_name=entry.role_name, outcome=outcome, message=message
    )
    return Step(result, role, page)
