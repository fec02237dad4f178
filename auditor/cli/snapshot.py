"""``auditor snapshot``: everything that a scan needs of an account, in one file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.places import check_place, file_named
from auditor.cli.status import NOTHING, UNSURE
from auditor.cli.streams import say
from auditor.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from auditor.account import Account


def snapshot(
    *,
    output: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="Write it there, whole or not at all, readable by you alone. A file that is there"
            " already is replaced.",
        ),
    ],
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
) -> int:
    """Write all that a scan reads of an account to one file.

    'auditor scan --snapshot FILE' then reports what a scan of the account
    would have, with no access to AWS.

    Standard output stays empty. What couldn't be read is said on standard
    error, and stands in the file.

    \b
    Exit status:
      0  written
      2  wrong usage, or nothing could be read; one line says what
      3  written, but something that should have been read wasn't
    """
    from auditor.cli.progress import progress
    from auditor.collect.bundle import Bundle, pack
    from auditor.collect.clients import open_session
    from auditor.collect.live import read_account

    path = file_named("--output", output)
    check_place("--output", path)
    taken_at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with progress() as step:
        reading = read_account(open_session(profile), regions=region or (), progress=step)
        step("writing the snapshot")
        data = pack(Bundle(reading.account, taken_at, reading.caller, reading.regions))
    _write(path, data)
    for failure in reading.account.failures:
        say(f"warning: not read: {failure.where}: {failure.message}")
    say(_summary(reading.account, len(reading.regions), len(data), path))
    return UNSURE if reading.account.failures else NOTHING


def _summary(account: Account, regions: int, size: int, output: Path) -> str:
    roles = list(account.roles)
    projects = {project for role in roles for project in role.projects}
    projects |= {unresolved.project for unresolved in account.unresolved_projects}
    return (
        f"account {account.account_id}: {len(roles):,} roles, {len(projects):,} projects,"
        f" {regions} regions, {size:,} bytes in {output}"
    )


def _write(path: Path, data: bytes) -> None:
    """Write the file whole or not at all, for its owner's eyes alone.

    What isn't a file, such as a pipe to a program that encrypts, is written to directly.
    """
    from auditor.wholefile import write_whole

    try:
        write_whole(path, (data,), mode=0o600)
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"--output {path}: can't be written: {why}; name another place") from error
