"""What a scan is held against: a file of exceptions, and a baseline of earlier audits."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from auditor.cli.places import check_place, file_named
from auditor.cli.streams import say
from auditor.errors import InputError
from auditor.lasting import AHEAD

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from auditor.account import Account
    from auditor.findings import Report
    from auditor.history.file import Baseline
    from auditor.lasting import RoleException
    from auditor.life import Day
    from auditor.looked import Looked
    from auditor.report.interface import Format, Look


class Kept(NamedTuple):
    """What the options name. ``exceptions`` is None where no file was given.

    ``before`` is the baseline as the scan found it: None where there was none, or none was given.
    """

    exceptions: tuple[RoleException, ...] | None
    path: Path | None
    before: Baseline | None
    update: bool

    def looked(self, account: Account, globs: Sequence[str], *, everywhere: bool) -> Looked | None:
        """Return what the audit looked at (see ``looked_at``), None where nobody asks."""
        if self.path is None and self.exceptions is None:
            return None
        from auditor.looked import looked_at

        return looked_at(account, globs=globs, everywhere=everywhere)

    def apply(self, report: Report, looked: Looked | None) -> Report:
        """Return the report with exceptions applied, and each finding's life.

        :raises InputError: if the baseline is another account's, or is to be written with a time
            that is to come.
        """
        if self.exceptions is not None:
            from auditor.exceptions import suppress

            report = suppress(report, self.exceptions, report.generated_at, looked)
        if self.path is None or looked is None:
            return report
        from auditor.history.file import compared
        from auditor.looked import missed

        self._check(self.before, report)
        if self.before is not None and report.generated_at < self.before.updated_at:
            say(
                f"warning: --baseline {self.path}: knows of a later audit"
                f" ({self.before.updated_at:%Y-%m-%dT%H:%M:%SZ}) than this one: what it found"
                " later stays as it is, so nothing of that is resolved. If that time is a mistake,"
                " restore the file from a copy, or remove it and begin anew with --update-baseline"
            )
        found = compared(self.before, report, looked)
        left = missed(found.baseline.findings.values(), found.report)
        later = tuple(one for one in left if one.last_seen > report.generated_at)
        unseen = tuple(one for one in left if one not in later)
        return replace(found.report, unseen=unseen, known_later=later)

    def store(self, report: Report, looked: Looked | None) -> None:
        """Write what is known now, where that was asked for: after the report, which tells it."""
        if self.path is None or looked is None or not self.update:
            return
        from auditor.history.file import compared, update

        def change(now: Baseline | None) -> Baseline:
            self._check(now, report)
            return compared(now, report, looked).baseline

        update(self.path, change)

    def rendered(
        self, chosen: Format, name: str, report: Report, look: Look, *, whole: bool
    ) -> str:
        """Return the report as text; a page on the whole account gets the trend of earlier days.

        One on some roles or regions gets none: it would look better than days of all.
        """
        days: Sequence[Day] = () if self.before is None or not whole else self.before.days
        if name != "html" or not days:
            return chosen.render(report, look)
        from auditor.report.formats.html import render

        return render(report, look, days)

    def _check(self, baseline: Baseline | None, report: Report) -> None:
        if not report.account_id:
            raise InputError(
                f"--baseline {self.path}: what was scanned doesn't say which account it is; leave"
                " --baseline out"
            )
        if baseline is not None and baseline.account_id != report.account_id:
            raise InputError(
                f"--baseline {self.path}: is account {baseline.account_id}'s, and this is"
                f" {report.account_id}; keep a baseline for each account"
            )
        if self.update and report.generated_at > clock() + AHEAD:
            raise InputError(
                f"--update-baseline: this audit's time ({report.generated_at:%Y-%m-%dT%H:%M:%SZ})"
                " is more than a day ahead of the clock: later audits could resolve nothing until"
                " then; name an earlier --now, or leave --update-baseline out"
            )


def clock() -> datetime:
    """Return the machine's time."""
    return datetime.now(UTC)


def kept(
    exceptions: str | None, baseline: str | None, *, update: bool, others: Mapping[str, str | None]
) -> Kept:
    """Return what the options name, read and checked before anything else is done.

    :param others: files that the scan reads or writes beside, by option; the baseline is none.
    :raises InputError: or another AuditorError, if something can't be used.
    """
    if update and baseline is None:
        raise InputError("--update-baseline: needs --baseline FILE, which it writes")
    found = None if exceptions is None else _exceptions(exceptions)
    if baseline is None:
        return Kept(found, None, None, update=False)
    from auditor.history.file import read

    path = file_named("--baseline", baseline)
    before = read(path)
    if update:
        _check_baseline(path, {"--exceptions": exceptions, **others})
    elif before is None:
        raise InputError(
            f"--baseline {baseline}: there is no such file; --update-baseline makes it"
        )
    return Kept(found, path, before, update)


def _exceptions(text: str) -> tuple[RoleException, ...]:
    from auditor.exceptionfile import SIZE_LIMIT, parse
    from auditor.text import visible

    path = file_named("--exceptions", text)
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise InputError(f"--exceptions {text}: can't be read: {_why(error)}") from error
    return parse(data, visible(text))


def _check_baseline(path: Path, others: Mapping[str, str | None]) -> None:
    """Raise InputError if a baseline can't be written there: better now than after the audit."""
    check_place("--baseline", path, others)
    # Whoever took the right to write away meant it; a file that is replaced wouldn't ask for it,
    # nor does the system ask root.
    if path.exists() and not (path.stat().st_mode & 0o222 and os.access(path, os.W_OK)):
        raise InputError(
            f"--baseline {path}: is read-only; make it writable, or leave --update-baseline out"
        )


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
