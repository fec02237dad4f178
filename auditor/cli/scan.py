"""``auditor scan``: audit an account, write the report, return the status."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path  # noqa: TC003 - Typer reads it at run time
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.status import FailOn, exit_status
from auditor.cli.streams import check_output, say, screen, write_file, write_report
from auditor.errors import InputError
from auditor.report.interface import PLAIN, format_names, load_format

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditor.account import Account
    from auditor.findings import Report


def scan(
    *,
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Audit what 'aws iam get-account-authorization-details' printed instead of asking"
            " AWS; - reads standard input. CodeBuild roles are then those that"
            " codebuild.amazonaws.com may assume.",
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option("--format", metavar=f"[{'|'.join(format_names())}]", help="How to write it."),
    ] = "table",
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report there, whole or not at all."),
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GLOB",
            help="Audit only roles whose name or ARN matches; * and ? are wildcards. Repeatable.",
        ),
    ] = None,
    fail_on: Annotated[
        FailOn,
        typer.Option(
            help="What makes the exit status 1: 'exposed' a proven exposure, 'possible' any"
            " exposure, 'undetermined' those and roles that could not be decided, 'never' nothing."
        ),
    ] = "possible",
    now: Annotated[
        str | None,
        typer.Option(
            metavar="ISO8601",
            help="The time that conditions see; UTC if it names no zone. By default, the clock's.",
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGION",
            help="Look for CodeBuild projects there. Repeatable. By default, in every region where"
            " CodeBuild exists and the account may use it.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Profile of the AWS configuration to use."),
    ] = None,
) -> int:
    """Audit the CodeBuild roles of one account.

    By default that is the account of the current credentials.

    Standard output carries the report alone. Everything else goes to standard error.

    \b
    Exit status:
      0  nothing to report
      1  something at or above --fail-on
      2  wrong usage, or input that can't be used; one line says what
      3  nothing to report, but the audit is incomplete or a role is undetermined
    With --fail-on never it is 0 whenever a report was written. Findings of
    severity low and info never change it.
    """
    chosen = load_format(format_)
    moment = _moment(now)
    globs = role or []
    if output is not None:
        check_output(output, snapshot)
    report = _audit(snapshot, moment, globs, region or [], profile)
    for glob in _unmatched(globs, report):
        say(f"warning: --role {glob} matches no CodeBuild role")
    look = PLAIN if output is not None else screen()
    text = chosen.render(report, look)
    if output is None:
        write_report(text)
    else:
        write_file(output, text)
    return exit_status(report, fail_on)


def _moment(text: str | None) -> datetime:
    """Return the time that conditions see, in UTC and whole seconds."""
    try:
        moment = datetime.now(UTC) if text is None else datetime.fromisoformat(text)
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # OverflowError: before year 1 in UTC
        raise InputError(
            f"--now {text!r}: isn't an ISO 8601 time; write it as 2026-11-23T03:00:00Z"
        ) from error
    return aware.replace(microsecond=0)


def _audit(
    snapshot: str | None,
    moment: datetime,
    globs: Sequence[str],
    regions: Sequence[str],
    profile: str | None,
) -> Report:
    import gc

    from auditor.audit import audit
    from auditor.cli.progress import progress

    # Roles and reports have no reference cycles, and this process ends with the scan: looking for
    # cycles among millions of values again and again would take a third of its time.
    gc.disable()
    with progress() as step:
        if snapshot is not None:
            for option, given in (("--region", regions), ("--profile", profile)):
                if given:
                    say(f"warning: {option} has no effect with --snapshot")
            account = _read(snapshot, step)
        else:
            account = _collect(regions, profile, step)
        step("deciding what the roles may do")
        return audit(account, now=moment, role_globs=globs)


def _read(source: str, step: Callable[[str], None]) -> Account:
    from auditor.collect.snapshot import read_snapshot

    step("reading the snapshot")
    return read_snapshot(source)


def _collect(regions: Sequence[str], profile: str | None, step: Callable[[str], None]) -> Account:
    from auditor.collect.clients import open_session
    from auditor.collect.live import collect_account

    session = open_session(profile)
    # Before the first call: a region that doesn't exist has no endpoint that could say so.
    known = {
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("codebuild", partition)
    }
    for name in regions:
        if name not in known:
            raise InputError(
                f"--region {name!r}: there is no such region with CodeBuild;"
                " one looks like eu-west-1 (a newer boto3 may know more)"
            )
    return collect_account(session, regions=regions, progress=step)


def _unmatched(globs: Sequence[str], report: Report) -> list[str]:
    """Return the globs that matched no role of the report."""
    from auditor.globs import like

    return [
        glob
        for glob in dict.fromkeys(globs)
        if not any(like(glob).matches(r.name) or like(glob).matches(r.arn) for r in report.roles)
    ]
