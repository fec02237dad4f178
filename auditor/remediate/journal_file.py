"""The journal as a file of JSON lines that only ever grows, for whoever works at a terminal."""

from __future__ import annotations

import os
import re
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from auditor.errors import InputError
from auditor.remediate.interface import BusyError, JournalError
from auditor.remediate.model import Entry
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_FLAGS: Final = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
_OWNER_LIMIT: Final = 500  # characters shown of who holds the lock
_CUT: Final = b" (cut off)"
"""Ends a line that was found cut off. A run that is killed while it writes an intent leaves such a
one, and hasn't made its call: so it hides nothing, unlike a line that was damaged later."""
_BEGINNING: Final = b'{"plan_id":"'
_LINE_MAX: Final = 1 << 20
"""Bytes that an entry takes at most, by far."""


def default_path(account_id: str, environ: Mapping[str, str], home: Path) -> Path:
    """Return where an account's journal is kept, by the XDG Base Directory Specification.

    https://specifications.freedesktop.org/basedir-spec/latest/#variables: state, and a relative
    path in the variable is to be ignored.

    :raises InputError: if that is no account's id.
    """
    if not re.fullmatch("[0-9]{12}", account_id, re.ASCII):
        raise InputError(f"account {visible(account_id)[:50]}: an account's id is 12 digits")
    state = Path(environ.get("XDG_STATE_HOME", ""))
    base = state if state.is_absolute() else home / ".local" / "state"
    return base / "auditor" / f"journal-{account_id}.jsonl"


class FileJournal:
    """A journal in one file. Keeps in memory what it has read, and reads on where that ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shown = visible(str(path))
        self._entries: dict[str, dict[Entry, None]] = {}  # in order, and each once
        self._unreadable: list[str] = []
        self._cut: list[str] = []
        self._odd = False
        self._torn: str | None = None
        self._lines = 0
        self._read = 0

    def record(self, entry: Entry) -> None:
        """Add an entry, and return once the disk has it."""
        data = entry.model_dump_json().encode("utf-8") + b"\n"
        try:
            with _opened(self._path) as file:
                data = _ending(file) + data
                while data:
                    data = data[os.write(file, data) :]
                os.fsync(file)
        except OSError as error:
            raise self._error("written", error) from error

    def entries(self, plan_id: str, role_arn: str | None = None) -> list[Entry]:
        """Return a plan's entries (or those of one role) in the order of recording."""
        self._read_on()
        found = self._entries.get(plan_id, {})
        return [entry for entry in found if role_arn in (None, entry.role_arn)]

    def plans(self) -> list[str]:
        """Return the ids of the plans, the oldest first."""
        self._read_on()
        return list(self._entries)

    def troubles(self) -> list[str]:
        """Return one line for each line of the file that can't be read, by its number."""
        return [*self._cut, *self._unreadable, *([self._torn] if self._torn else [])]

    def lost(self) -> list[str]:
        """Return one line for each that can't be read, but for those that were found cut off."""
        return [*self._unreadable, *([self._torn] if self._torn and self._odd else [])]

    def check(self) -> None:
        """Find out whether this can be used as a journal; where there is none, it is made.

        :raises JournalError: if it can't be read or written.
        :raises InputError: if it is a file of something else.
        """
        self._read_on()
        try:
            with _opened(self._path):
                pass
        except OSError as error:
            raise self._error("written", error) from error

    @contextmanager
    def lock(self, owner: str) -> Iterator[Callable[[], None]]:
        """Hold the journal. The system lets go of it when the process ends, however it ends.

        https://man7.org/linux/man-pages/man2/flock.2.html
        """
        self._read_on()  # nothing is written beside, or into, what isn't a journal
        path = self._path.with_name(self._path.name + ".lock")
        with ExitStack() as stack:
            try:
                file = stack.enter_context(_opened(path))
                self._hold(file, owner)
            except OSError as error:
                raise self._error("locked", error) from error
            yield _nothing

    def _hold(self, file: int, owner: str) -> None:
        import fcntl  # not on Windows, where there is no such promise

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(file, _OWNER_LIMIT, 0).decode("utf-8", "replace")
            raise BusyError(
                f"{self._shown}: another run is at work ({visible(holder) or 'unknown'}); wait"
                " until it has ended"
            ) from error
        os.ftruncate(file, 0)
        os.write(file, owner.encode("utf-8", "replace")[:_OWNER_LIMIT])

    def _read_on(self) -> None:
        """Read the lines that were added since, by this process or another."""
        try:
            with self._path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                file.seek(self._read)
                data = file.read()
        except FileNotFoundError:
            size, data = 0, b""
        except OSError as error:
            raise self._error("read", error) from error
        if size < self._read:
            raise JournalError(
                f"{self._shown}: the journal has become shorter while it was in use: something"
                " else writes there; nothing more is changed"
            )
        *lines, rest = data.split(b"\n")
        self._read += len(data) - len(rest)
        for line in lines:
            self._lines += 1
            self._take(line)
        self._torn = (
            f"{self._shown}: line {self._lines + 1} ends in the middle: a run was killed while"
            " writing it; what it began is finished or taken back by the entries before it"
            if rest
            else None
        )
        self._odd = not _begins(rest[: len(_BEGINNING)])
        if not (self._entries or self._cut) and (self._unreadable or self._odd):
            raise InputError(
                f"{self._shown}: isn't a journal, or was damaged: not one of its {self._lines:,}"
                " lines can be read as an entry; name another file, or one that doesn't exist yet"
            )

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            entry = Entry.model_validate_json(line)
        except ValidationError as error:
            if line.endswith(_CUT) and _begins(line[: len(_BEGINNING)]):
                self._cut.append(
                    f"{self._shown}: line {self._lines} was cut off, as when a run is killed while"
                    " writing it: nothing followed from it"
                )
                return
            first = error.errors(include_url=False, include_input=False)[0]["msg"]
            self._unreadable.append(
                f"{self._shown}: line {self._lines} can't be read and is left out"
                f" ({visible(first)[:200]})"
            )
            return
        self._entries.setdefault(entry.plan_id, {})[entry] = None

    def _error(self, what: str, error: OSError) -> JournalError:
        why = error.strerror or type(error).__name__
        return JournalError(
            f"{self._shown}: the journal can't be {what} ({why}); without it nothing is changed"
        )


def _begins(start: bytes) -> bool:
    """Tell whether a line that was cut off may be an entry's."""
    return _BEGINNING.startswith(start)


def _ending(file: int) -> bytes:
    """Return what ends a file's last line, where nothing does."""
    size = os.fstat(file).st_size
    start = max(0, size - _LINE_MAX)
    last = os.pread(file, _LINE_MAX, start).rpartition(b"\n")[2]
    if not last:
        return b""
    try:
        Entry.model_validate_json(last)
    except ValidationError:
        return _CUT + b"\n"
    return b"\n"


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open a file that nobody else may read, making it and its directory where need be."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = not path.exists()
    file = os.open(path, _FLAGS, 0o600)
    try:
        if new:
            # The file's name must outlast a crash too: https://man7.org/linux/man-pages/man2/fsync.2.html
            directory = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        yield file
    finally:
        os.close(file)


def _nothing() -> None:
    """Renew a hold that doesn't run out."""
