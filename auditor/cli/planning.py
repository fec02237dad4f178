"""What the commands of ``auditor remediate`` share: files, questions, and telling what was done."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NamedTuple

import typer

from auditor.cli.streams import say, screen, write_report
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.account import Account
    from auditor.cli.account import Form
    from auditor.corrective.names import PolicyName
    from auditor.remediate.interface import Journal
    from auditor.remediate.model import Plan, Result
    from auditor.remediate.request import PlanRequest


class Asked(NamedTuple):
    """What the options of ``plan`` ask for."""

    policy: PolicyName
    roles: Sequence[str]
    excepted: Sequence[str]
    report: str | None


def read_asked(
    asked: Asked, snapshot: str | None, regions: Sequence[str], profile: str | None
) -> tuple[Account, PlanRequest]:
    """Return the account, and what to plan for it. From AWS, with its quota and its policy."""
    from auditor.cli.account import read_any
    from auditor.corrective.names import policy_arn
    from auditor.remediate.request import ATTACHED_QUOTA, PlanRequest

    quota, existing = None, None
    if snapshot is not None:
        account = read_any(snapshot, regions, profile)
    else:
        from auditor.cli.changing import open_account
        from auditor.cli.progress import progress

        with progress() as step:
            bench = open_account(profile, regions, step)
            account = bench.account
            step("reading the managed policy")
            quota = bench.reader.attached_quota()
            existing = bench.reader.managed(
                policy_arn(account.partition, account.account_id, asked.policy)
            )
    return account, PlanRequest(
        policy=asked.policy,
        role_globs=tuple(asked.roles),
        except_globs=tuple(asked.excepted),
        arns=None if asked.report is None else _reported(asked.report, account.account_id),
        attached_quota=quota or ATTACHED_QUOTA,
        inline_allowed=True,
        existing=existing,
        create_policy=True,
    )


def _reported(path: str, account_id: str) -> tuple[str, ...]:
    from auditor.remediate.reading import roles_of_report

    return roles_of_report(_text(path, "--report"), path, account_id)


def plan_of(path: str) -> Plan:
    """Return the plan in a file."""
    from auditor.remediate.reading import read_plan

    return read_plan(_text(path, "PLAN.json"), path)


def _text(path: str, what: str) -> str:
    """Return a file's text (``-``: standard input's). Raises InputError in one line."""
    from pathlib import Path

    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{what} {path}: can't be read: {why}") from error


def count(number: int) -> str:
    """Return how many roles, in words."""
    return f"{number:,} role" if number == 1 else f"{number:,} roles"


def ask(question: str, *, yes: bool) -> None:
    """Ask whoever is at the terminal. Raises InputError where nobody is, or the answer is no."""
    if yes:
        return
    if not (sys.stdin and sys.stdin.isatty() and sys.stderr and sys.stderr.isatty()):
        raise InputError("nobody can be asked here: give --yes to go on without a question")
    from auditor.text import visible

    if not typer.confirm(visible(question) + "?", err=True):
        raise InputError("nothing was changed")


def tell(results: Sequence[Result], what: str, journal: Journal, form: Form, *, well: bool) -> int:
    """Write what became of each role, and return the status."""
    import json

    from auditor.remediate.tell import results_text

    for trouble in journal.troubles():
        say(f"warning: {trouble}")
    if form == "json":
        found = [one.model_dump(mode="json") for one in results]
        write_report(json.dumps({"run": what, "results": found}, indent=2) + "\n")
    else:
        text = results_text(results, what, screen().width)
        verb, _, plan_id = what.partition(" ")
        if verb == "apply" and any(one.outcome == "attached" for one in results):
            text += f"\nTo take it back:\n  auditor remediate undo {plan_id}\n"
        write_report(text)
    return 0 if well else 1
