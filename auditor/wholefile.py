"""Files that are written whole or not at all: whoever reads one never finds half of it."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_PIECE: Final = 1 << 16  # characters; a large text needn't be in memory a second time
_NAME: Final = 100  # of a file's name in its temporary one's: names end at 255 bytes
_LINKS: Final = 40  # one after another, as many as Linux follows
_DESCRIPTOR: Final = re.compile(r"(?:/proc/(\d+)(?:/task/\d+)?|/dev)/fd/(\d+)", re.ASCII)


def write_whole(path: Path, data: Iterable[bytes], mode: int | None = None) -> None:
    """Write a file: afterwards it has all of ``data``, or is as it was.

    A symbolic link stays one. What isn't a file (a pipe, a terminal) is written to directly, and
    so is what this process has open already (``/dev/stdout``, ``/dev/fd/3``), a file included:
    whoever opened it may be appending to it, and goes on with it afterwards.

    :param mode: the file's permissions. None: those that it has, or a new file's by the umask.
    :raises OSError: where that fails; nothing is left lying about.
    """
    number = descriptor_of(path)
    if number is not None:
        with os.fdopen(os.dup(number), "wb") as file:
            file.writelines(data)
    elif path.exists() and not path.is_file():
        # By its own name: what some links in /proc lead to has none, such as ``pipe:[4711]``.
        with path.open("wb") as file:
            file.writelines(data)
    else:
        target = path.resolve()
        _replace(target, data, _mode(target) if mode is None else mode)


def descriptor_of(path: Path) -> int | None:
    """Return which of this process's open descriptors a path names, by whatever links; or None.

    https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html
    """
    for _ in range(_LINKS):
        path = path.parent.resolve() / path.name
        found = _DESCRIPTOR.fullmatch(str(path))
        if found is not None:
            return int(found[2]) if found[1] in (None, str(os.getpid())) else None
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None


def encoded(text: str) -> Iterator[bytes]:
    """Yield a text as UTF-8; a lone surrogate, which UTF-8 can't write, is shown as its escape."""
    for start in range(0, len(text), _PIECE):
        yield text[start : start + _PIECE].encode("utf-8", "backslashreplace")


def _replace(target: Path, data: Iterable[bytes], mode: int) -> None:
    # mkstemp makes files of mode 0600:
    # https://docs.python.org/3/library/tempfile.html#tempfile.mkstemp
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:_NAME]}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.replace(name, target)  # noqa: PTH105 - a name from mkstemp
    except BaseException:
        os.unlink(name)  # noqa: PTH108 - a name from mkstemp
        raise


def _mode(target: Path) -> int:
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    # This process's umask can't be read without setting it.
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
