"""Undoing a plan: taking back what the journal says that it put on roles, and nothing else.

What was on a role before stays; a policy that somebody else took off already is no error; a role
that was made anew under an old name is left alone. Run twice, or again after an interruption, it
ends in the same place. The managed policy itself stays in the account, on no role of this plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.corrective.names import policy_arn
from auditor.errors import AuditorError, InputError
from auditor.remediate.checked import same_account
from auditor.remediate.detach import detach, left
from auditor.remediate.history import history
from auditor.remediate.interface import JournalError
from auditor.remediate.known import Others
from auditor.remediate.run import Page, Run
from auditor.remediate.settle import settle
from auditor.remediate.steps import Remedy, presence
from auditor.remediate.trouble import one_line, trouble_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from auditor.account import Role
    from auditor.remediate.history import History
    from auditor.remediate.interface import Decider, Journal, Reader
    from auditor.remediate.model import Entry, Result
    from auditor.remediate.settle import Step


_SHOWN = 3
"""Lines of the journal that can't be read, in a message."""


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
    roles: Sequence[str] | None = None,
    until: Callable[[], bool] | None = None,
) -> list[Result]:
    """Take back what a plan put on roles; return what became of each, in the order of their ARNs.

    What another plan put there since is that plan's, and left. Roles that were refused before are
    tried last.

    Afterwards the roles are read and decided anew: one that can mail real people again is said to
    be ``EXPOSED AGAIN``.

    :param who: the ARN of the caller, which the journal keeps.
    :param sleep: waits for some seconds.
    :param roles: names or ARNs of the only roles to take it back from; None: from all.
    :param until: asked before each role: true once no further one is to be begun.
    :raises InputError: if the journal doesn't know the plan (or that it touched one of ``roles``),
        or knows it from another account.
    :raises JournalError: if the journal can't be read or locked. Nothing is changed then.
    """
    run = Run(iam, reader, journal, decide, who, clock, sleep, progress)
    run.until = until or run.until
    with journal.lock(f"{who}, undoing {one_line(plan_id)}") as run.keep:
        latest = _asked(_by_role(journal.entries(plan_id)), roles, plan_id, journal)
        for entry in latest:
            partition = entry.role_arn.split(":")[1] if entry.role_arn.count(":") else ""
            same_account(who, entry.account_id, one_line(plan_id), partition)
        others = Others(journal, plan_id)
        steps: dict[tuple[str, str], Step] = {}
        ordered = sorted(latest, key=lambda one: one.step == "failed")
        for number, entry in enumerate(ordered, 1):
            if run.ended():
                step = left(entry, "stopped", run.over)
            else:
                step = _role(run, entry, others)
                outcome = step.result.outcome
                progress(f"{number:,} of {len(latest):,}: {one_line(entry.role_name)}: {outcome}")
            steps[entry.role_arn, entry.role_id] = step
        return settle(run, [steps[key] for key in sorted(steps)])


def _by_role(entries: Iterable[Entry]) -> list[Entry]:
    """Return each role's latest entry, by ARN."""
    latest = {(entry.role_arn, entry.role_id): entry for entry in entries}
    return [latest[key] for key in sorted(latest)]


def _asked(
    latest: list[Entry], roles: Sequence[str] | None, plan_id: str, journal: Journal
) -> list[Entry]:
    """Return the entries of the roles that are asked about.

    :raises InputError: if there is none, or none of one of them.
    """
    lost = "".join(f"; {line}" for line in journal.lost()[:_SHOWN])
    if not latest:
        raise InputError(
            f"{one_line(plan_id)}: this journal knows of no role that such a plan touched; give"
            f" the journal that it was applied with{lost}"
        )
    if roles is None:
        return latest
    known = {text for entry in latest for text in (entry.role_arn, entry.role_name)}
    for text in roles:
        if text not in known:
            shown = one_line(text, 200) or "(empty)"
            raise InputError(
                f"{one_line(plan_id)}: this journal knows of no role {shown} that this plan"
                f" touched{lost}"
            )
    return [one for one in latest if one.role_arn in roles or one.role_name in roles]


def _role(run: Run, entry: Entry, others: Others) -> Step:
    """Take back from one role what is ours there, wherever an earlier run left it."""
    remedy = Remedy(entry.role_name, entry.way, entry.policy, entry.policy_arn, entry.policy_sha256)
    partition = entry.role_arn.split(":")[1] if entry.role_arn.startswith("arn:") else ""
    if entry.policy_arn != policy_arn(partition, entry.account_id, entry.policy):
        return left(entry, "refused", f"the journal names {one_line(entry.policy_arn)}: not ours")
    try:
        run.keep()
        past = history(run.journal.entries(entry.plan_id, entry.role_arn), entry.role_id)
        page = Page(run, past.last or entry, past.sequence)
        role = run.reader.role(entry.role_name)
        if role is None or role.arn != entry.role_arn:
            return left(entry, "gone", "there is no such role any more")
        if role.role_id != entry.role_id:
            return left(entry, "gone", "another role has its name now: left alone")
        if not past.ours:
            return _nothing_of_ours(entry, remedy, past, role, page)
        later = others.later(past.last or entry)
        if later is not None:
            # That plan found it off the role: this plan's was taken off by somebody else.
            page.write("detached", message=f"{later} attached it since")
            why = f"this plan's was taken off, and {one_line(later)} attached it since: left there"
            return left(entry, "absent", why, role, page, opened=False)
        return detach(run, entry, remedy, role, past, page)
    except JournalError as error:
        run.over = str(error)
        return left(entry, "stopped", run.over)
    except AuditorError as error:
        trouble = trouble_behind(error)
        run.went_wrong(trouble, reading=True)
        return left(entry, "refused", f"could not be read, nothing was done: {trouble.message}")


def _nothing_of_ours(entry: Entry, remedy: Remedy, past: History, role: Role, page: Page) -> Step:
    """Say what is on a role that has nothing of this plan's; it is decided all the same."""
    there = presence(role, remedy) == "ours"
    if past.was_there and there:
        why = "it was on the role before this plan: left there"
        return left(entry, "already", why, role, opened=False)
    if past.was_there:
        why = "it was on the role before this plan, and isn't any more"
    elif past.taken:
        why = "this plan's was taken back before"
    else:
        why = "this plan put nothing on it"
    if there:
        why += "; what is there now isn't this plan's: left there"
    where = page if past.taken and not past.decided else None
    return left(entry, "absent", why, role, where, opened=past.taken)
