"""``auditor scan``: audit an account, write the report, return the status."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from auditor.cli.account import moment_of, read_live
from auditor.cli.closing import again, last_lines, wanted
from auditor.cli.kept import kept
from auditor.cli.places import output_file
from auditor.cli.remarks import remarks
from auditor.cli.status import FailOn, exit_status
from auditor.cli.streams import say, screen, write_file, write_report
from auditor.errors import InputError
from auditor.report.interface import PLAIN, format_names, load_format

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from auditor.account import Account
    from auditor.findings import Report


def scan(
    *,
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Audit a file instead of asking AWS: a bundle that 'auditor snapshot' wrote, or"
            " what 'aws iam get-account-authorization-details' printed (CodeBuild roles are then"
            " those that codebuild.amazonaws.com may assume). - reads standard input.",
        ),
    ] = None,
    format_: Annotated[
        str,
        typer.Option("--format", metavar=f"[{'|'.join(format_names())}]", help="How to write it."),
    ] = "table",
    output: Annotated[
        str | None,
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
            help="Look for CodeBuild projects and SES identities there. Repeatable. By default, in"
            " every region where they exist and the account may use it.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Profile of the AWS configuration to use."),
    ] = None,
    confirm: Annotated[
        bool,
        typer.Option(
            "--confirm",
            help="Ask AWS's own policy simulator about each exposed role's requests, and report"
            " where it disagrees. Takes iam:SimulatePrincipalPolicy.",
        ),
    ] = False,
    exceptions: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Findings that somebody answers for until a day, as YAML: they are listed apart,"
            " and don't count for the exit status.",
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="What earlier audits found: tells what is new, still open, reopened or resolved.",
        ),
    ] = None,
    update_baseline: Annotated[
        bool,
        typer.Option(
            "--update-baseline",
            help="Write what is known now to the baseline, once the report is written.",
        ),
    ] = False,
) -> int:
    """Audit the CodeBuild roles of one account.

    By default that is the account of the current credentials.

    Standard output carries the report alone. Everything else goes to standard error.

    \b
    Exit status:
      0  nothing to report
      1  something at or above --fail-on
      2  wrong usage, input that can't be used, or a report that can't be
         written; one line says what
      3  nothing to report, but the audit is incomplete or a role is undetermined
    With --fail-on never it is 0 whenever a report was written. Findings of
    severity low and info never change it.
    """
    from auditor.collect.memory import cycle_search_paused

    chosen = load_format(format_)
    moment = moment_of(now)
    globs = role or []
    if confirm and snapshot is not None:
        raise InputError("--confirm: asks AWS, which --snapshot doesn't; leave one of them out")
    reads = {"--snapshot": snapshot, "--exceptions": exceptions, "--baseline": baseline}
    path = output_file(output, reads)
    options = again(
        snapshot=snapshot,
        profile=profile,
        now=now,
        regions=region or (),
        roles=globs,
        exceptions=exceptions,
    )
    past = kept(
        exceptions,
        baseline,
        update=update_baseline,
        others={"--snapshot": snapshot, "--output": output},
    )
    # Not only reading: looking for cycles would take a third of a scan's time.
    with cycle_search_paused():
        found, account = _audit(
            snapshot, moment, globs, _From(region or [], profile, confirm), chosen.closings
        )
        # A bundle doesn't say whether it was limited to some regions.
        looked = past.looked(account, globs, everywhere=snapshot is None and not region)
        report = past.apply(found, looked)
        for line in remarks(report, globs):
            say(f"warning: {line}")
        look = replace(screen() if path is None else PLAIN, again=options)
        text = past.rendered(chosen, format_, report, look, whole=report.limits is None)
        _write(text, path, baseline if update_baseline else None)
        past.store(report, looked)
        stored = past.path if update_baseline else None
        if wanted(format_, path):
            for line in last_lines(report, options, output=path, stored=stored):
                say(line)
        return exit_status(report, fail_on)


def _write(text: str, path: Path | None, baseline: str | None) -> None:
    """Write the report. Raises InputError where that fails, and names what isn't stored then.

    What nobody was told must not be known: the next scan wouldn't call it new.

    :param baseline: what is to be updated afterwards, if anything.
    """
    left = "" if baseline is None else f"; --baseline {baseline} isn't updated"
    try:
        whole = write_report(text) if path is None else write_file(path, text)
    except InputError as error:
        raise InputError(f"{error}{left}") from error
    if left and not whole:
        raise InputError(f"standard output: the reader left before the report's end{left}")


class _From(NamedTuple):
    """How AWS is asked: in which regions, as whom, and whether about the witnesses too."""

    regions: Sequence[str]
    profile: str | None
    confirm: bool


def _audit(
    snapshot: str | None,
    moment: datetime,
    globs: Sequence[str],
    source: _From,
    closings: bool,
) -> tuple[Report, Account]:
    from auditor.audit import audit
    from auditor.cli.progress import progress
    from auditor.collect.memory import keep_to_the_end

    live = None
    with progress() as step:
        if snapshot is not None:
            for option, given in (("--region", source.regions), ("--profile", source.profile)):
                if given:
                    say(f"warning: {option} has no effect with --snapshot")
            account = _read(snapshot, step)
        else:
            live = read_live(source.regions, source.profile, step)
            account = live.account
        step("deciding what the roles may do")
        report = audit(account, now=moment, role_globs=globs, decided=step.count, closings=closings)
        keep_to_the_end(account, report)
        return live.confirm(report) if live is not None and source.confirm else report, account


def _read(source: str, step: Callable[[str], None]) -> Account:
    from auditor.collect.snapshot import read_snapshot

    step("reading the snapshot")
    return read_snapshot(source)
