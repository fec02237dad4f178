"""``auditor remediate plan``: what closes exposed roles, proven; nothing is changed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from auditor.cli.account import Form, moment_of
from auditor.cli.closing import given
from auditor.cli.places import output_file
from auditor.cli.streams import say, screen, write_file, write_report
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from auditor.account import Account
    from auditor.corrective.names import PolicyName
    from auditor.lasting import RoleException
    from auditor.remediate.model import Plan
    from auditor.remediate.request import PlanRequest

DONE, UNPLANNED = 0, 3
"""Exit statuses, as the command's help has them."""

_NEAR = 3  # names suggested for one that doesn't exist

PolicyChoice = Literal["guard", "sender"]
Profile = Annotated[
    str | None, typer.Option(metavar="NAME", help="Profile of the AWS configuration to use.")
]
Regions = Annotated[
    list[str] | None,
    typer.Option("--region", metavar="REGION", help="Look for CodeBuild projects there."
                 " Repeatable."),
]  # fmt: skip


def plan(
    *,
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Only roles whose name or ARN matches. Repeatable."),
    ] = None,
    except_: Annotated[
        list[str] | None,
        typer.Option("--except", metavar="GLOB", help="Leave these roles alone. Repeatable."),
    ] = None,
    exceptions: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Leave the roles alone that this file of exceptions is about."
        ),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Only the exposed roles of this JSON report of a scan."),
    ] = None,
    policy: Annotated[
        PolicyChoice,
        typer.Option(
            help="'guard' closes exposed roles; 'sender' lets the named roles mail the simulator."
        ),
    ] = "guard",
    output: Annotated[
        str | None,
        typer.Option(metavar="PLAN.json", help="Write the plan there, for apply."),
    ] = None,
    format_: Annotated[Form, typer.Option("--format", help="How to print the plan.")] = "text",
    snapshot: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Plan for a snapshot or bundle. - reads standard input."),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(metavar="ISO8601", help="The time that conditions see. Default: the clock's."),
    ] = None,
    region: Regions = None,
    profile: Profile = None,
) -> int:
    """Plan what closes exposed roles, and prove it. Changes nothing.

    For each role: the verdict now, the change, the verdict after, the request that
    works now and is refused then, and what the role can still do.

    \b
    Exit status:
      0  every exposed role that was asked about has its change, or none is exposed
      2  wrong usage, or input that can't be used; one line says what
      3  some role has none, and the plan says why; or a --role matches no CodeBuild
         role; or the audit is incomplete
    """  # fmt: skip
    from auditor.cli.kept import kept
    from auditor.collect.memory import cycle_search_paused
    from auditor.remediate.asked import unmatched
    from auditor.remediate.reading import plan_json
    from auditor.remediate.tell import plan_text

    moment = moment_of(now)
    reads = {"--snapshot": snapshot, "--exceptions": exceptions, "--report": report}
    path = output_file(output, reads)
    for option, texts in (("--role", role), ("--except", except_)):
        if "" in (texts or ()):
            raise InputError(f"{option}: is empty; give a role's name or ARN, or a glob")
    listed = kept(exceptions, None, update=False, others={}).exceptions or ()
    asked = Asked(policy, role or [], except_ or [], listed, report)
    with cycle_search_paused():  # it would take a third of the time
        account, made = _made(asked, _From(snapshot, region or [], profile), moment)
    nobody = unmatched(made, asked.roles)
    for text in nobody:
        say(f"warning: --role {text} matches no CodeBuild role{_meant(text, account)}")
    text = plan_json(made) if path is not None or format_ == "json" else ""
    if path is not None:
        write_file(path, text)
    same = (*given("--region", *(region or ())), *given("--profile", profile))
    more = same if snapshot is None else ()
    write_report(text if format_ == "json" else plan_text(made, output, screen().width, more))
    open_ = any(
        one.standing is not None and one.standing.verdict in ("exposed", "undetermined")
        for one in made.left
    )
    return UNPLANNED if nobody or open_ or not made.complete else DONE


class Asked(NamedTuple):
    """What the options of ``plan`` ask for."""

    policy: PolicyName
    roles: Sequence[str]
    excepted: Sequence[str]
    exceptions: Sequence[RoleException]
    report: str | None


class _From(NamedTuple):
    """Where the account comes from."""

    snapshot: str | None
    regions: Sequence[str]
    profile: str | None


def _made(asked: Asked, source: _From, moment: datetime) -> tuple[Account, Plan]:
    """Return the account, its roles in a list, and the plan for it."""
    from dataclasses import replace

    from auditor.cli.remarks import remarks
    from auditor.remediate.asked import excepted
    from auditor.remediate.plan import plan as make

    account, request = _read(asked, source)
    account = replace(account, roles=tuple(account.roles))
    kept = excepted(account, asked.exceptions, moment)
    if kept.report is not None:
        for line in remarks(kept.report, ()):
            say(f"warning: {line}")
    request = replace(request, except_globs=(*request.except_globs, *kept.globs))
    return account, kept.told(make(account, request, now=moment))


def _read(asked: Asked, source: _From) -> tuple[Account, PlanRequest]:
    """Return the account, and what to plan for it. From AWS, with its quota and its policy."""
    from auditor.cli.account import read_any
    from auditor.corrective.names import policy_arn
    from auditor.remediate.request import ATTACHED_QUOTA, PlanRequest

    quota, existing = None, None
    if source.snapshot is not None:
        account = read_any(source.snapshot, source.regions, source.profile)
    else:
        from auditor.cli.changing import open_account
        from auditor.cli.progress import progress

        with progress() as step:
            bench = open_account(source.profile, source.regions, step)
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

    return roles_of_report(text_of(path, "--report"), path, account_id)


def text_of(path: str, what: str) -> str:
    """Return a file's text (``-``: standard input's). Raises InputError in one line."""
    from pathlib import Path

    try:
        data = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"{what} {path}: can't be read: {why}") from error


def _meant(text: str, account: Account) -> str:
    """Return names that were perhaps meant; "" where a glob was given, or none is near."""
    from difflib import get_close_matches

    if "*" in text or "?" in text:
        return ""
    lower = {role.name.lower(): role.name for role in account.roles}
    found = get_close_matches(text.rpartition("/")[2].lower(), lower, n=_NEAR)
    return f"; did you mean {' or '.join(lower[one] for one in found)}?" if found else ""
