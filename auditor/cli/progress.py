"""Telling a person at a terminal what takes so long. Logs and pipes get none of it."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from auditor.cli.streams import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, ProgressColumn

    Columns = tuple[ProgressColumn, ...]

_PER_SECOND: Final = 5
"""Times that the line is drawn anew: each takes a millisecond from what is waited for."""
_PAUSE: Final = 1 / _PER_SECOND


class Steps:
    """Says what is being done. This one says it to nobody."""

    def __call__(self, line: str) -> None:
        """Begin a step: a short line, which may hold names of others."""

    def count(self, done: int, total: int) -> None:
        """Tell how much of the step is done, as often as one likes."""


class _Shown(Steps):
    """Shows a line on standard error: the step, its bar where it is counted, and the time so far.

    Rich leaves a terminal that can't be moved around on (TERM=dumb) alone, and heeds NO_COLOR.
    """

    def __init__(self, bar: Progress, plain: Columns, counted: Columns) -> None:
        self._bar = bar
        self._plain = plain
        self._counted = counted
        self._task = bar.add_task("", total=None)
        self._next = 0.0

    def __call__(self, line: str) -> None:
        from auditor.text import visible

        self._bar.columns = self._plain
        self._next = 0.0
        self._bar.update(self._task, description=visible(line), completed=0, total=None)

    def count(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._next and done < total:
            return  # drawing each of 50,000 roles would take longer than deciding it
        self._next = now + _PAUSE
        self._bar.columns = self._counted
        self._bar.update(self._task, completed=done, total=total)


@contextmanager
def progress() -> Iterator[Steps]:
    """Yield what to call with a short line at each step; warnings that are logged come through."""
    logger = logging.getLogger()
    handler = _Lines(logging.WARNING)
    logger.addHandler(handler)
    try:
        if sys.stderr is not None and sys.stderr.isatty():
            yield from _shown()
        else:
            yield Steps()
    finally:
        logger.removeHandler(handler)


def _shown() -> Iterator[Steps]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    what = TextColumn("{task.description}", markup=False)  # names of others in it
    first, last = SpinnerColumn(), TimeElapsedColumn()
    plain: Columns = (first, what, last)
    counted: Columns = (first, what, BarColumn(20), MofNCompleteColumn(), last)
    console = Console(stderr=True)
    with Progress(*plain, console=console, transient=True, refresh_per_second=_PER_SECOND) as bar:
        yield _Shown(bar, plain, counted)


class _Lines(logging.Handler):
    """Writes each record as a line to whatever standard error is by then."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"{record.levelname.lower()}: {record.getMessage()}")
