"""Standard output, standard error and files: what goes where, and what may go wrong there."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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


def write_report(text: str) -> None:
    """Write the report to standard output.

    A reader that has seen enough (``| head``) is no error. Raises InputError where it can't be
    written for another reason.
    """
    if sys.stdout is None:
        raise InputError("standard output is closed; give --output FILE")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal or locale that has no such character shows its escape instead.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _silence(sys.stdout.fileno())
    except OSError as error:
        _silence(sys.stdout.fileno())
        why = error.strerror or str(error)
        raise InputError(f"standard output: the report can't be written: {why}") from error


def _silence(descriptor: int) -> None:
    """Send what is still buffered nowhere, so that Python's exit doesn't fail on it once more.

    https://docs.python.org/3/library/signal.html#note-on-sigpipe
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def output_path(text: str) -> Path:
    """Return the file that ``--output`` names. Raises InputError where it names none."""
    from pathlib import Path

    if not text:  # Path would take it as the current directory
        raise InputError("--output: no file is named; name one")
    return Path(text)


def check_output(path: Path, source: str | None) -> None:
    """Raise InputError if the report can't go there: better now than after the audit.

    :param source: the snapshot's path, which the report must not replace.
    """
    try:
        if path.is_dir():
            raise InputError(f"--output {path}: is a directory; name a file in it")
        if not path.parent.is_dir():
            raise InputError(f"--output {path}: there is no directory {path.parent}; make it first")
        if source not in (None, "-", "") and path.exists() and path.samefile(source):
            raise InputError(f"--output {path}: is the snapshot itself; name another file")
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise _unwritable(path, error) from error
    target = path if path.exists() and not path.is_file() else path.parent
    if not os.access(target, os.W_OK):
        raise InputError(f"--output {path}: {target} can't be written to; name another place")


def write_file(path: Path, text: str) -> None:
    """Write the report to a file, as UTF-8: whole or not at all.

    A symbolic link stays one, an existing file keeps its permissions, and what isn't a file (a
    pipe, ``/dev/stdout``) is written to directly. Raises InputError where that fails.
    """
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                file.writelines(_encoded(text))
        else:
            _replace(target, text)
    except OSError as error:
        raise _unwritable(path, error) from error


_PIECE = 1 << 16  # characters; a large report needn't be in memory a second time


def _encoded(text: str) -> Iterator[bytes]:
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE].encode("utf-8", "backslashreplace")


def _replace(target: Path, text: str) -> None:
    import stat
    import tempfile

    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(_encoded(text))
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, target)  # noqa: PTH105 - a name from mkstemp
    except BaseException:
        os.unlink(name)  # noqa: PTH108 - a name from mkstemp
        raise


def _umask() -> int:
    """Return this process's umask: it can't be read without setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: Exception) -> InputError:
    why = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return InputError(f"--output {path}: can't be written: {why}; name another place")
