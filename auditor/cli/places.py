"""Files that commands write: whether they can be, and that none of them is one that is read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from auditor.errors import InputError
from auditor.wholefile import descriptor_of

if TYPE_CHECKING:
    from collections.abc import Mapping

STDIN: Final = "-"

_NONE: Final[Mapping[str, str | None]] = {}


def output_file(text: str | None, reads: Mapping[str, str | None] = _NONE) -> Path | None:
    """Return the file that ``--output`` names, checked before anything is read; None without one.

    :param reads: the files that the command reads (or keeps), by option; None where not given.
    :raises InputError: if it names none, can't be written, or is one of ``reads``.
    """
    if text is None:
        return None
    path = file_named("--output", text)
    check_place("--output", path, reads)
    return path


def file_named(option: str, text: str) -> Path:
    """Return the file that an option names. Raises InputError where it names none."""
    if not text:  # Path would take it as the current directory
        raise InputError(f"{option}: no file is named; name one")
    if text == STDIN:  # elsewhere that is standard input; nobody wants a file of that name
        raise InputError(f"{option} -: must be a file; name one (./- is a file of that name)")
    return Path(text)


def check_place(option: str, path: Path, reads: Mapping[str, str | None] = _NONE) -> None:
    """Raise InputError if nothing may be written there: better now than after the audit."""
    try:
        if path.is_dir():
            raise InputError(f"{option} {path}: is a directory; name a file in it")
        if not path.parent.is_dir():
            raise InputError(f"{option} {path}: there is no directory {path.parent}; make it first")
        for other, text in reads.items():
            if text and _same(path, text):
                raise InputError(f"{option} {path}: is the file of {other} too; name another file")
        number = descriptor_of(path)
        if number is not None:
            _check_open(option, path, number)
            return
        target = path if path.exists() and not path.is_file() else path.resolve().parent
    # ValueError: a null character in the path. RuntimeError: links that lead in a circle.
    except (OSError, ValueError, RuntimeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise InputError(f"{option} {path}: can't be written: {why}; name another place") from error
    if not os.access(target, os.W_OK):
        raise InputError(f"{option} {path}: {target} can't be written to; name another place")


def _check_open(option: str, path: Path, number: int) -> None:
    """Raise InputError if an open descriptor can't be written to, OSError if it isn't open."""
    from fcntl import F_GETFL, fcntl

    if fcntl(number, F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise InputError(f"{option} {path}: is open for reading alone; name another place")


def _same(path: Path, text: str) -> bool:
    """Tell whether a file is the one that another option names, by whatever name or link.

    What isn't a file (a terminal, a pipe) is never replaced, so it may serve both ways.
    """
    if not path.exists():  # nor need the other: a baseline that is still to be made
        return text != STDIN and path.resolve() == Path(text).resolve()
    if not path.is_file():
        return False
    if text == STDIN:  # which may have been redirected from a file
        try:
            return os.path.samestat(path.stat(), os.fstat(sys.stdin.fileno()))
        except (AttributeError, OSError, ValueError):  # closed, or a test's: no file in any case
            return False
    other = Path(text)
    return other.exists() and path.samefile(other)
