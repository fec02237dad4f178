"""Finishing what killed runs of any plan began: whose a policy is must not be forgotten.

A run that is killed between its call and AWS's answer leaves an intent in the journal. Running its
plan again finishes it; where nobody has that plan any more, this does.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.errors import AuditorError
from auditor.remediate.history import history
from auditor.remediate.interface import JournalError
from auditor.remediate.known import Others
from auditor.remediate.model import Result
from auditor.remediate.run import Page, Run
from auditor.remediate.settle import Step, settle
from auditor.remediate.steps import Remedy, presence
from auditor.remediate.trouble import one_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from auditor.remediate.interface import Decider, Journal, Reader
    from auditor.remediate.model import Entry

LATE: Final = timedelta(hours=1)
"""After so long a call that can't be seen on its role was never carried out: IAM's changes are seen
within seconds, and a call is given up after minutes."""


class Finished(NamedTuple):
    """One role at which a run of a plan was killed, and that has the plan's policy."""

    plan_id: str
    result: Result


def finish(
    *,
    iam: IAMClient,
    reader: Reader,
    journal: Journal,
    decide: Decider,
    who: str,
    clock: Callable[[], datetime],
    sleep: Callable[[float], None],
    progress: Callable[[str], None],
    until: Callable[[], bool] | None = None,
) -> list[Finished]:
    """Record what runs of any plan attached before they were killed, and decide those roles.

    Nothing is changed in the account. ``apply`` does the same for all plans but its own; this is
    for when there is nothing to apply.

    :raises JournalError: if the journal can't be read or locked.
    """
    run = Run(iam, reader, journal, decide, who, clock, sleep, progress)
    run.until = until or run.until
    with journal.lock(f"{who}, finishing what was begun") as run.keep:
        begun = finish_begun(run, Others(journal, ""))
        results = settle(run, [step for _, step in begun])
    return [Finished(plan, one) for (plan, _), one in zip(begun, results, strict=True)]


def finish_begun(run: Run, others: Others) -> list[tuple[str, Step]]:
    """Record, for the plans that began it, what is on the roles; return what is to be decided.

    A role that can't be read is left for the next run.
    """
    found = []
    for plan_id, entry in others.begun():
        if run.ended():
            break
        try:
            run.keep()
            step = _finished(run, others, plan_id, entry)
        except JournalError as error:
            run.over = str(error)
            break
        except AuditorError as error:
            run.progress(f"{one_line(plan_id)}: {one_line(str(error))}")
            continue
        if step is not None:
            run.progress(f"{one_line(plan_id)}: {one_line(entry.role_name)}: was attached")
            found.append((plan_id, step))
    return found


def _finished(run: Run, others: Others, plan_id: str, entry: Entry) -> Step | None:
    """Find out what came of one intent."""
    remedy = Remedy(entry.role_name, entry.way, entry.policy, entry.policy_arn, entry.policy_sha256)
    role = run.reader.role(entry.role_name)
    # After the role, as ever: what another run recorded meanwhile counts.
    past = history(run.journal.entries(plan_id, entry.role_arn), entry.role_id)
    if past.confirmed or not past.ours:
        return None
    page = Page(run, entry, past.sequence)
    later = others.later(entry, plan_id)
    why = ""
    if role is None or (role.arn, role.role_id) != (entry.role_arn, entry.role_id):
        why = "there is no such role any more"
    elif later is not None:
        why = f"{later} attached it since"
    elif presence(role, remedy) != "ours":
        if run.clock() - entry.at <= LATE:
            return None
        why = "it isn't on the role: the call was never carried out"
    if why:
        page.write("failed", message=why)
        others.forget(plan_id, entry)
        return None
    page.write("attached")
    result = Result(
        role_arn=entry.role_arn,
        role_name=entry.role_name,
        way=entry.way,
        outcome="attached",
        message="a run that was killed began it",
        before=entry.before,
    )
    return Step(result, role, page, opened=False)
