"""Standard output, standard error and files: what goes where, and what may go wrong there."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Literal

from auditor.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TextIO

    from auditor.report.interface import Look

WIDEST = 120  # longer lines are hard to read, however wide the terminal


def say(text: str) -> None:
    """Write one line to standard error; names of others in it can't break or color it."""
    if sys.stderr is None:  # closed by the caller (2>&-); print() would take standard output
        return
    from auditor.text import visible

    sys.stderr.write(f"auditor: {visible(text)}\n")
    sys.stderr.flush()


def fail(text: str, status: int) -> int:
    """Say why in one line, and return the status."""
    say(text)
    return status


def screen() -> Look:
    """Return what standard output can show: a pipe or file gets 80 columns without color."""
    from auditor.report.interface import PLAIN, Look

    if sys.stdout is None or not sys.stdout.isatty():
        return PLAIN
    import shutil

    # https://no-color.org: any value that isn't empty
    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "dumb") in {"dumb", ""}
    return Look(width=min(WIDEST, shutil.get_terminal_size().columns), color=not plain)


def write_report(text: str) -> bool:
    """Write the report to standard output, and tell whether its reader took all of it.

    A reader that has seen enough (``| head``) is no error. Raises InputError where it can't be
    written for another reason.
    """
    if sys.stdout is None:
        raise InputError("standard output is closed; give --output FILE")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal or locale that has no such character shows its escape instead.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _put(sys.stdout, text)
    except BrokenPipeError:
        _silence(sys.stdout.fileno())
        return False
    except OSError as error:
        _silence(sys.stdout.fileno())
        why = error.strerror or str(error)
        raise InputError(f"standard output: the report can't be written: {why}") from error
    return True


def _put(stream: TextIO, text: str) -> None:
    """Write all of a text, or raise OSError."""
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        stream.write(text)
        stream.flush()
        return
    # PYTHONUNBUFFERED: such a stream may take a part of what it is given, says so by a number, and
    # raises nothing; text streams don't look at it. None: it would block.
    # https://docs.python.org/3/library/io.html#io.RawIOBase.write
    left = memoryview(text.encode(stream.encoding, "backslashreplace"))
    while left:
        taken = raw.write(left)
        if taken is None:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        left = left[taken:]


def _silence(descriptor: int) -> None:
    """Send what is still buffered nowhere, so that Python's exit doesn't fail on it once more.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def write_file(path: Path, text: str) -> Literal[True]:
    """Write the report to a file, as UTF-8 (see ``write_whole``), and return true.

    Raises InputError where that fails.
    """
    from auditor.wholefile import encoded, write_whole

    try:
        write_whole(path, encoded(text))
    except OSError as error:
        why = error.strerror or str(error)
        raise InputError(f"--output {path}: can't be written: {why}; name another place") from error
    return True
