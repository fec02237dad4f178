"""Taking the policy off one role: the intent, the call, and a look at what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.remediate.model import Result
from auditor.remediate.settle import Step
from auditor.remediate.steps import presence, take

if TYPE_CHECKING:
    from auditor.account import Role
    from auditor.remediate.history import History
    from auditor.remediate.model import Entry, Outcome
    from auditor.remediate.run import Page, Run
    from auditor.remediate.steps import Presence, Remedy
    from auditor.remediate.trouble import Trouble

_ABSENT: Final = "it wasn't on the role"


def detach(run: Run, entry: Entry, remedy: Remedy, role: Role, past: History, page: Page) -> Step:
    """Take the policy off the role, where it is the plan's."""
    there = presence(role, remedy)
    if there == "other":
        why = f"its {remedy.said()} doesn't say what this plan put there: left alone"
        return left(entry, "changed", why)
    if there == "absent" and remedy.way == "inline":
        # It may be there and not be seen yet, and an inline policy is never deleted unseen. A
        # managed one may be detached unseen: AWS says so where it wasn't attached.
        seen = run.look(entry.role_name, lambda one: presence(one, remedy) != "absent")
        if seen.problem:
            return left(entry, "refused", f"could not be read, nothing was done: {seen.problem}")
        if seen.role is None or presence(seen.role, remedy) != "ours":
            page.write("detached", message=_ABSENT)
            return left(entry, "absent", _ABSENT, seen.role, page)
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
            return left(entry, "unknown", why)
        unsaved = page.write_after("detached")
    run.went_well()
    run.changes += 1
    if seen.role is None and not seen.problem:
        return left(entry, "gone", "it was deleted meanwhile")
    mine = trouble is None or there == "ours" or past.leaving
    outcome: Outcome = "detached" if mine else "absent"
    said = ["" if mine else _ABSENT, unsaved]
    if not seen.seen:
        problem = seen.problem or "it can still be seen on the role, though AWS took it off"
        said.append(f"{problem}; not decided again: run it again for that")
        return left(entry, outcome, "; ".join(text for text in said if text))
    message = "; ".join(text for text in said if text)
    return left(entry, outcome, message, seen.role, page)


def _refused(run: Run, entry: Entry, page: Page, trouble: Trouble) -> Step:
    run.went_wrong(trouble)
    unsaved = page.write_after("failed", message=trouble.message)
    message = f"{trouble.message}; it is still on the role"
    return left(entry, "refused", f"{message}; {unsaved}" if unsaved else message)


def left(
    entry: Entry,
    outcome: Outcome,
    message: str,
    role: Role | None = None,
    page: Page | None = None,
    *,
    opened: bool = True,
) -> Step:
    """Return what became of a role; with the role, it is decided again."""
    result = Result(
        role_arn=entry.role_arn,
        role_name=entry.role_name,
        way=entry.way,
        outcome=outcome,
        message=message,
    )
    return Step(result, role, page, opened=opened)
