"""Telling what became of each role of a plan, and what that makes the status."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.cli.asking import names
from auditor.cli.streams import say, screen, write_report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.cli.account import Form
    from auditor.cli.changing import Workbench
    from auditor.remediate.interface import Journal
    from auditor.remediate.model import Plan, Result

DONE, NOT_ALL, UNREAD, INTERRUPTED = 0, 1, 3, 130
"""Exit statuses, as the commands' help has them."""

_GONE: Final = frozenset(("detached", "absent", "gone", "already"))
"""What undo comes to where nothing of the plan is on the role: what was there before isn't its."""


class Done(NamedTuple):
    """One run of ``apply`` or ``undo``. ``stopped``: by Ctrl-C, before its end.

    ``options``: what another command needs to look at the same account and journal.
    """

    verb: str
    plan_id: str
    results: Sequence[Result]
    stopped: bool
    options: tuple[str, ...] = ()


def tell(done: Done, bench: Workbench, journal: Journal, form: Form, *, well: bool) -> int:
    """Write what became of each role, and return the status.

    :param well: whether the run did all that it was to do.
    """
    from auditor.remediate.tell import results_text
    from auditor.text import visible

    if done.stopped:
        done = done._replace(results=[_by_hand(one) for one in done.results])
    for trouble in journal.troubles():
        say(f"warning: {trouble}")
    for reason, roles in _undecided(done.results).items():
        say(f"warning: {names(roles)}: {reason}")
    run = f"{done.verb} {done.plan_id}"
    account = bench.account
    if form == "json":
        found = {
            "run": run,
            "account_id": account.account_id,
            "complete": not account.failures,
            "results": [one.model_dump(mode="json") for one in done.results],
        }
        write_report(json.dumps(found, indent=2) + "\n")
    else:
        text = results_text(done.results, run, screen().width)
        if done.verb == "apply" and any(one.outcome == "attached" for one in done.results):
            words = ("auditor", "remediate", "undo", done.plan_id, *done.options)
            text += f"\nTo take it back:\n  {visible(shlex.join(words))}\n"
        write_report(text)
    if done.stopped:
        return INTERRUPTED
    return NOT_ALL if not well else UNREAD if account.failures else DONE


def applied_well(made: Plan, results: Sequence[Result]) -> bool:
    """Tell whether every role has its policy, and is what the plan promised."""
    promised = {change.role_arn: change.after for change in made.changes}
    return all(
        one.outcome in ("attached", "already") and one.standing == promised[one.role_arn]
        for one in results
    )


def undone_well(results: Sequence[Result], bench: Workbench) -> bool:
    """Tell whether nothing of the plan is on any role, and each role taken from was decided."""
    others = bench.decide.others
    return all(
        one.outcome in _GONE
        and not (one.standing and one.standing.verdict == "undetermined" and bench.account.failures)
        and (one.outcome != "detached" or one.standing is not None or one.role_arn in others)
        for one in results
    )


def _by_hand(one: Result) -> Result:
    """Return a result that names what ended the run: here it is always Ctrl-C."""
    from auditor.remediate.run import TIME_IS_UP

    if one.message != TIME_IS_UP:
        return one
    return one.model_copy(update={"message": "Ctrl-C was pressed: run it again for the rest"})


def _undecided(results: Sequence[Result]) -> Mapping[str, list[str]]:
    """Return the roles that could not be decided afterwards, by the reason."""
    found: dict[str, list[str]] = {}
    for one in results:
        if one.standing is not None and one.standing.verdict == "undetermined":
            found.setdefault(one.standing.reason or "undetermined", []).append(one.role_name)
    return found
