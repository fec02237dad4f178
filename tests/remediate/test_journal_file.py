"""The journal as a file: what was recorded is kept, whatever happens to the process or the disk."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import InputError
from auditor.remediate import journal_file
from auditor.remediate.interface import BusyError, JournalError
from auditor.remediate.journal_file import FileJournal, default_path
from tests.remediate.apply_entries import PLAN, entries, entry

if TYPE_CHECKING:
    from auditor.remediate.model import Entry


def test_what_is_recorded_is_read_by_others(tmp_path: Path) -> None:
    """Entries come back as they were, in order, by plan and by role, in this journal and others."""
    path = tmp_path / "j"
    mine, other = FileJournal(path), FileJournal(path)
    first, second = entry("web", "attaching"), entry("web", "attached", sequence=2)
    third, elsewhere = entry("mail", "attaching"), entry("web", "attaching", plan_id="plan-2")
    for one in (first, second):
        mine.record(one)
    assert other.entries(PLAN) == [first, second]
    mine.record(third)
    other.record(elsewhere)
    for journal in (mine, other, FileJournal(path)):
        assert journal.entries(PLAN) == [first, second, third]
        assert journal.entries(PLAN, first.role_arn) == [first, second]
        assert journal.plans() == [PLAN, "plan-2"]
        assert journal.entries("plan-3") == []
        assert journal.troubles() == []


@settings(max_examples=30, deadline=None)
@given(kept=st.lists(entries(), max_size=5), cut=st.integers(1, 200))
def test_any_cut_costs_the_last_line_alone(
    tmp_path_factory: pytest.TempPathFactory, kept: list[Entry], cut: int
) -> None:
    """A line that was cut off anywhere is left out and said; the next entry isn't glued to it."""
    path = tmp_path_factory.mktemp("cut") / "j"
    journal = FileJournal(path)
    for one in kept:
        journal.record(one)
    before = path.read_bytes() if kept else b""
    journal.record(entry("torn", "attaching"))
    whole = path.read_bytes()
    path.write_bytes(whole[: max(len(before) + 1, len(whole) - cut)])
    unique = list(dict.fromkeys(kept))
    torn = FileJournal(path)
    assert torn.entries(PLAN) == unique
    (said,) = torn.troubles()
    assert f"line {len(kept) + 1} " in said
    after = entry("after", "attaching")
    torn.record(after)
    for reader in (torn, FileJournal(path)):
        found = reader.entries(PLAN)
        # cut by its line break alone, a line is whole
        whole_again = any(one.role_name == "torn" for one in found)
        assert [one for one in found if one.role_name != "torn"] == [*unique, after]
        assert len(reader.troubles()) == (0 if whole_again else 1)


def test_the_same_entry_twice_is_one(tmp_path: Path) -> None:
    """An entry recorded again, as after a call that seemed to fail, is there once."""
    journal = FileJournal(tmp_path / "j")
    for _ in range(2):
        journal.record(entry("web", "attaching"))
    assert journal.entries(PLAN) == [entry("web", "attaching")]


def test_unreadable_lines_are_named(tmp_path: Path) -> None:
    """Lines that are no entries are left out, each by its number, without what they hold."""
    path = tmp_path / "j"
    journal = FileJournal(path)
    journal.record(entry("web", "attaching"))
    good = path.read_bytes()
    newer = good.replace(b'"plan_id"', b'"colour":"\\u001b[31m","plan_id"')
    path.write_bytes(b"\xff\x00\n" + good + b"\n" + newer + b"[]\n" + good)
    read = FileJournal(path)
    assert read.entries(PLAN) == [entry("web", "attaching")]
    said = read.troubles()
    assert [line.split(" can't")[0].rpartition(": ")[2] for line in said] == [
        "line 1",
        "line 4",
        "line 5",
    ]
    assert "\x1b" not in "".join(said)


PLAN_FILE = b'{\n  "plan_version": "1",\n  "id": "plan-20261123T030000Z-0123abcd"\n}\n'


@pytest.mark.parametrize("text", [PLAN_FILE, PLAN_FILE.replace(b"\n", b" "), b"notes", b"[]\n"])
def test_a_file_of_something_else(tmp_path: Path, text: bytes) -> None:
    """A file in which no line is an entry is refused before anything is written into it."""
    path = tmp_path / "p.json"
    path.write_bytes(text)
    journal = FileJournal(path)
    for use in (journal.check, journal.plans, lambda: journal.lock("me").__enter__()):
        with pytest.raises(InputError, match=r"p\.json: isn't a journal, or was damaged: not one"):
            use()
    assert (path.read_bytes(), [one.name for one in tmp_path.iterdir()]) == (text, ["p.json"])


def test_an_empty_file_will_do(tmp_path: Path) -> None:
    """A journal may be a file that is empty, or that isn't there yet."""
    path = tmp_path / "state" / "j"
    FileJournal(path).check()
    assert path.read_bytes() == b""
    FileJournal(path).check()
    with FileJournal(path).lock("me"):
        assert FileJournal(path).plans() == []


def test_a_first_line_that_was_cut_off(tmp_path: Path) -> None:
    """A run killed at the first line of all leaves a journal, and one that hides nothing."""
    path = tmp_path / "j"
    for cut in (1, 5, 60):
        path.write_bytes(entry("web", "attaching").model_dump_json().encode()[:cut])
        journal = FileJournal(path)
        assert (journal.plans(), journal.lost()) == ([], [])
        journal.record(entry("web", "attaching"))
        assert FileJournal(path).entries(PLAN) == [entry("web", "attaching")]
        assert FileJournal(path).lost() == []
        path.unlink()


def test_a_damaged_line_may_hide_what_was_done(tmp_path: Path) -> None:
    """A line that was damaged after it was written is told apart from one that a run left."""
    path = tmp_path / "j"
    journal = FileJournal(path)
    journal.record(entry("web", "attaching"))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:40] + b"\n" + whole[:30])
    torn = FileJournal(path)
    torn.record(entry("web", "attached", sequence=2))
    read = FileJournal(path)
    assert len(read.entries(PLAN)) == 2
    assert [line.split(" can't")[0].rpartition(": ")[2] for line in read.lost()] == ["line 2"]
    assert len(read.troubles()) == 2
    path.write_bytes(whole + b"garbage")
    odd = FileJournal(path)
    assert odd.plans()
    assert len(odd.lost()) == 1


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    """The directory is the person's alone, and so is the file."""
    path = tmp_path / "state" / "auditor" / "j"
    FileJournal(path).record(entry("web", "attaching"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "/home/me/.local/state/auditor/journal-123456789012.jsonl"),
        ({"XDG_STATE_HOME": "/var/x"}, "/var/x/auditor/journal-123456789012.jsonl"),
        ({"XDG_STATE_HOME": ""}, "/home/me/.local/state/auditor/journal-123456789012.jsonl"),
        ({"XDG_STATE_HOME": "x"}, "/home/me/.local/state/auditor/journal-123456789012.jsonl"),
    ],
)
def test_the_usual_place(environ: dict[str, str], expected: str) -> None:
    """By the XDG Base Directory Specification: a relative path in the variable is ignored.

    https://specifications.freedesktop.org/basedir-spec/latest/#variables
    """
    assert str(default_path("123456789012", environ, Path("/home/me"))) == expected


@pytest.mark.parametrize("account", ["", "../../etc", "12345678901", "١٢٣٤٥٦٧٨٩٠١٢"])
def test_no_account_no_place(account: str) -> None:
    """An account's id that isn't one never becomes part of a path."""
    with pytest.raises(InputError, match="12 digits"):
        default_path(account, {}, Path("/home/me"))


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that the disk doesn't take is an error, never silence."""

    class Full:
        def __getattr__(self, name: str) -> object:
            return getattr(os, name)

        def write(self, *_: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    journal = FileJournal(tmp_path / "j")
    monkeypatch.setattr(journal_file, "os", Full())
    with pytest.raises(JournalError, match=r"can't be written \(No space left on device\)"):
        journal.record(entry("web", "attaching"))


def test_each_entry_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recording returns after the disk has the line, and, of a new file, its name."""
    synced: list[str] = []

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(os, name)

        def fsync(self, file: int) -> None:
            mode = os.fstat(file).st_mode
            synced.append("directory" if stat.S_ISDIR(mode) else f"{os.fstat(file).st_size > 0}")
            os.fsync(file)

    monkeypatch.setattr(journal_file, "os", Watched())
    journal = FileJournal(tmp_path / "j")
    journal.record(entry("web", "attaching"))
    journal.record(entry("web", "attached", sequence=2))
    assert synced == ["directory", "True", "True"]


def test_a_journal_that_shrinks(tmp_path: Path) -> None:
    """A journal that loses lines while it is in use isn't believed any more."""
    path = tmp_path / "j"
    journal = FileJournal(path)
    journal.record(entry("web", "attaching"))
    assert journal.plans()
    path.write_bytes(b"")
    with pytest.raises(JournalError, match="shorter"):
        journal.plans()


def test_a_place_that_is_no_place(tmp_path: Path) -> None:
    """A path that can't be used is one line with its name and the system's reason."""
    (tmp_path / "file").write_text("")
    journal = FileJournal(tmp_path / "file" / "j")
    with pytest.raises(JournalError, match=r"j: the journal can't be written \("):
        journal.record(entry("web", "attaching"))
    with pytest.raises(JournalError, match="can't be read"), journal.lock("me"):
        pass
    with pytest.raises(JournalError, match="can't be read"):
        FileJournal(tmp_path).plans()


def test_one_at_a_time(tmp_path: Path) -> None:
    """While one holds it another is told who does, with nothing odd in the name; then it's free."""
    path = tmp_path / "j"
    with (
        FileJournal(path).lock("me\x1b[31m, applying"),
        pytest.raises(BusyError, match=r"\(me\\x1b\[31m, applying\)"),
        FileJournal(path).lock("you"),
    ):
        pass
    with FileJournal(path).lock("you") as keep:
        keep()


def test_an_error_of_the_work_is_its_own(tmp_path: Path) -> None:
    """What goes wrong while the lock is held isn't taken for the lock's trouble."""
    with pytest.raises(BrokenPipeError), FileJournal(tmp_path / "j").lock("me"):
        raise BrokenPipeError


def test_a_killed_process_lets_go(tmp_path: Path) -> None:
    """A process that holds the lock and is killed leaves it free."""
    path = tmp_path / "j"
    code = (
        "import sys, time; from pathlib import Path\n"
        "from auditor.remediate.journal_file import FileJournal\n"
        "with FileJournal(Path(sys.argv[1])).lock('it'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen(  # noqa: S603 - our own text
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    with process, process.stdout:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(BusyError, match=r"\(it\)"), FileJournal(path).lock("me"):
            pass
        process.kill()
        process.wait()
        with FileJournal(path).lock("me"):
            pass
