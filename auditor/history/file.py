"""A baseline: what audits knew so far, in one JSON file for the command line.

A finding a line, ordered by id, so that a version control system shows what an audit changed.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from auditor.history.values import (
    HistoryError,
    Moment,
    day_from,
    day_values,
    finding_values,
    first_problem,
    known_of,
    stamp,
)
from auditor.life import annotated, day_of, live, whole
from auditor.text import visible
from auditor.wholefile import encoded, write_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from auditor.findings import Report
    from auditor.life import Changes, Day, Known
    from auditor.looked import Looked

FORMAT: Final = "auditor-baseline"
VERSION: Final = 2
"""What is written. It rises with each new field: an older auditor calls an unknown field damage,
and an unknown version by its name."""
READ: Final = (1, 2)
"""Versions that are read: 1 had no ``certainty`` and no ``excepted`` at first, and both later."""
SIZE_LIMIT: Final = 256 * 1024 * 1024
"""Bytes of a file: 5,000 roles that may do everything take 20 MB."""
DAYS_KEPT: Final = 400
"""Days of counts kept, the latest: a year, and what a trend needs beside it."""

_KEYS: Final = {"format", "version", "account_id", "updated_at", "findings", "days"}
_AGAIN: Final = "restore it from a copy, or remove it and begin anew with --update-baseline"
_PATIENCE: Final = 10.0  # seconds to wait for another scan that is writing


class Baseline(NamedTuple):
    """What a baseline holds. ``updated_at`` is the time of the latest audit in it."""

    account_id: str
    updated_at: datetime
    findings: Mapping[str, Known]
    days: tuple[Day, ...]


def read(path: Path) -> Baseline | None:
    """Return the baseline in a file, None where there is no such file.

    :raises HistoryError: if the file can't be read or isn't a baseline.
    """
    where = visible(str(path))
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise _error(path, "read", error) from error
    if len(data) > SIZE_LIMIT:
        raise HistoryError(f"{where}: more than {SIZE_LIMIT:,} bytes: no baseline; {_AGAIN}")
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise HistoryError(f"{where}: isn't JSON, or ends in the middle; {_AGAIN}") from error
    try:
        return _baseline(content, where)
    except ValidationError as error:
        raise HistoryError(
            f"{where}: a damaged baseline ({first_problem(error)}); {_AGAIN}"
        ) from error


def _baseline(content: object, where: str) -> Baseline:
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise HistoryError(f"{where}: isn't a baseline; name one that --update-baseline wrote")
    version = content.get("version")
    if version is True or version not in READ:
        known = visible(json.dumps(version))[:40]
        raise HistoryError(
            f"{where}: baseline version {known} isn't known; update the auditor, or {_AGAIN}"
        )
    findings, days, account = (content.get(key) for key in ("findings", "days", "account_id"))
    if set(content) != _KEYS or not isinstance(account, str):
        raise HistoryError(f"{where}: a damaged baseline (its fields); {_AGAIN}")
    if not isinstance(findings, list) or not isinstance(days, list):
        raise HistoryError(f"{where}: a damaged baseline (findings and days are lists); {_AGAIN}")
    found: dict[str, Known] = {}
    for number, values in enumerate(findings):
        try:
            one = known_of(values)
        except ValidationError as error:
            why = f"finding {number + 1}: {first_problem(error)}"
            raise HistoryError(f"{where}: a damaged baseline ({why}); {_AGAIN}") from error
        if one.id in found:
            raise HistoryError(
                f"{where}: a damaged baseline (finding {number + 1}: its id is there twice);"
                f" {_AGAIN}"
            )
        found[one.id] = one
    updated = TypeAdapter(Moment).validate_python(content["updated_at"])
    return Baseline(account, updated, found, tuple(map(day_from, days)))


class Compared(NamedTuple):
    """A report with its findings' lives, what the audit changed, and the next baseline."""

    report: Report
    changes: Changes
    baseline: Baseline


def compared(baseline: Baseline | None, report: Report, looked: Looked) -> Compared:
    """Hold a report against a baseline. An audit that was limited to some roles counts for no day.

    None stands for a baseline that knows nothing yet.
    """
    known = {} if baseline is None else baseline.findings
    days = () if baseline is None else baseline.days
    after, changed = live(known, report, looked)
    now = whole(report.generated_at)
    latest = now if baseline is None else max(now, baseline.updated_at)
    counted = days if looked.globs else _with_day(days, day_of(report))
    return Compared(
        annotated(report, after, changed),
        changed,
        Baseline(report.account_id, latest, after, counted),
    )


def update(path: Path, change: Callable[[Baseline | None], Baseline]) -> None:
    """Write what ``change`` makes of a file's baseline: whole or not at all, one scan at a time.

    It is read once more here: another scan may have written since.

    :raises HistoryError: if the file can't be read or written.
    """
    try:
        target = path.resolve()
        with _alone(target.parent):
            write_whole(target, encoded(_text(change(read(target)))))
    except (OSError, ValueError) as error:
        raise _error(path, "written", error) from error


def _with_day(days: tuple[Day, ...], today: Day) -> tuple[Day, ...]:
    """Return the days with one more, which replaces an earlier audit of its day."""
    by_day = {day.at.date(): day for day in days}
    before = by_day.get(today.at.date())
    if before is None or before.at <= today.at:
        by_day[today.at.date()] = today
    return tuple(by_day[day] for day in sorted(by_day))[-DAYS_KEPT:]


def _text(baseline: Baseline) -> str:
    """Return a baseline as JSON, in ASCII, an entry a line."""
    head: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "account_id": baseline.account_id,
        "updated_at": stamp(baseline.updated_at),
    }
    lists = {
        "findings": [finding_values(baseline.findings[id_]) for id_ in sorted(baseline.findings)],
        "days": [day_values(day) for day in baseline.days],
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for key, values in lists.items():
        entries = ",\n".join(f"    {json.dumps(one)}" for one in values)
        lines.append(f"  {json.dumps(key)}: [\n{entries}\n  ]" if entries else f'  "{key}": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other scans from writing in a folder meanwhile. The system lets go when we end.

    The folder is locked, not the file, which is replaced: https://man7.org/linux/man-pages/man2/flock.2.html
    """
    try:
        import fcntl
    except ImportError:  # Windows has no such lock; the last scan to write is right there
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)
        yield
    finally:
        os.close(descriptor)


def _error(path: Path, what: str, error: Exception) -> HistoryError:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return HistoryError(f"{visible(str(path))}: can't be {what} ({visible(why)})")
