"""Telling a person at a terminal what takes so long. Logs and pipes get none of it."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from auditor.cli.streams import say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Yield what to call with a short line at each step; warnings that are logged come through."""
    logger = logging.getLogger()
    handler = _Lines(logging.WARNING)
    logger.addHandler(handler)
    try:
        if sys.stderr is not None and sys.stderr.isatty():
            yield from _spinner()
        else:
            yield lambda _: None
    finally:
        logger.removeHandler(handler)


def _spinner() -> Iterator[Callable[[str], None]]:
    from rich.console import Console
    from rich.text import Text

    from auditor.text import visible

    # Rich leaves a terminal that can't be moved around on (TERM=dumb) alone, and heeds NO_COLOR.
    with Console(stderr=True).status("") as status:
        yield lambda line: status.update(Text(visible(line)))


class _Lines(logging.Handler):
    """Writes each record as a line to whatever standard error is by then."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"{record.levelname.lower()}: {record.getMessage()}")
