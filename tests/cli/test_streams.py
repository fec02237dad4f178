"""A report arrives whole wherever it is sent, or one line says that it didn't."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import pytest

from auditor.cli import main
from tests.cli.conftest import CLEAN, OPEN, page, role, run

if TYPE_CHECKING:
    from pathlib import Path

SCAN: Final = ("scan", "--snapshot", "account.json", "--now", "2025-01-05T03:00:00Z")
JSON: Final = (*SCAN, "--format", "json")
SHELL: Final = '"$0" -m auditor scan --snapshot account.json --now 2025-01-05T03:00:00Z'
ROLES: Final = 40


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an account whose JSON report is longer than what a pipe holds."""
    monkeypatch.chdir(tmp_path)
    roles = (role(f"r{number}", Action="ses:*", Resource="*") for number in range(ROLES))
    (tmp_path / "account.json").write_text(page(*roles), "utf-8")
    return tmp_path


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_disk_that_fills_up(folder: Path, unbuffered: str) -> None:
    """Half of a report is status 2 and a line, with PYTHONUNBUFFERED too."""
    # Python leaves SIGXFSZ alone, so that a file at its limit takes a part of what it is given.
    words = f"ulimit -f 20; {SHELL} --format json > report.json"
    done = run(
        command=("bash", "-c", words, sys.executable),
        cwd=folder,
        # Python itself would leave half of a module's compiled form behind.
        environ={"PYTHONUNBUFFERED": unbuffered, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stderr == (
        "auditor: error: standard output: the report can't be written: File too large\n"
    )
    assert done.returncode == 2
    assert (folder / "report.json").stat().st_size == 20 * 1024


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_halfway(folder: Path, unbuffered: str) -> None:
    """The baseline stays where the report was read in part only, with PYTHONUNBUFFERED too."""
    update = ("--baseline", "b.json", "--update-baseline")
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "auditor", *JSON, *update],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=CLEAN | {"PYTHONUNBUFFERED": unbuffered},
    )
    with process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert os.read(process.stdout.fileno(), 10).startswith(b"{")
        process.stdout.close()
        said = process.stderr.read().decode()
    assert process.returncode == 2
    assert said.endswith(
        "the reader left before the report's end; --baseline b.json isn't updated\n"
    )
    assert not (folder / "b.json").exists()


def test_an_unbuffered_report_is_the_same(folder: Path) -> None:
    """What PYTHONUNBUFFERED changes is not a byte of the report, other alphabets included."""
    (folder / "account.json").write_text(
        page(OPEN | {"RoleName": "r\u00f6le \ud83d\ude00"}), "utf-8"
    )
    for coding in ("utf-8", "ascii"):
        one, other = (
            run(*SCAN, cwd=folder, environ={"PYTHONUNBUFFERED": text, "PYTHONIOENCODING": coding})
            for text in ("", "1")
        )
        assert one.stdout == other.stdout
        assert one.stdout
        assert one.returncode == other.returncode == 1


@pytest.mark.parametrize(
    "to",
    ["/dev/stdout | cat", "/proc/self/fd/1 | cat", ">(cat) | cat", "/dev/fd/3 3>&1 | cat"],
)
def test_output_to_a_pipe_without_a_name(
    folder: Path, to: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Such a pipe gets the whole report, as standard output does."""
    main([*JSON])
    plain = capfd.readouterr().out
    words = f"{SHELL} --format json --output {to}"
    done = run(command=("bash", "-c", words, sys.executable), cwd=folder)

    assert done.stdout == plain
    assert done.stderr.startswith(f"auditor: {ROLES} roles: ")


def test_an_open_file_is_written_on(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """``/dev/stdout`` is what the shell opened: nothing before or after the report is lost."""
    main([*SCAN])
    plain = capfd.readouterr().out
    (folder / "log").write_text("before\n", "utf-8")
    words = f"({SHELL} --output /dev/stdout; echo after) >> log"
    run(command=("bash", "-c", words, sys.executable), cwd=folder)

    assert (folder / "log").read_text("utf-8") == f"before\n{plain}after\n"


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("/dev/stdin < account.json", "is open for reading alone; name another place"),
        ("/dev/fd/77", "can't be written: Bad file descriptor; name another place"),
        ("/dev/stdout >&-", "can't be written: Bad file descriptor; name another place"),
    ],
)
def test_a_descriptor_that_takes_nothing(folder: Path, to: str, why: str) -> None:
    """It is refused before the account is read, in one line."""
    words = f'"$0" -m auditor scan --snapshot nowhere.json --output {to}'
    done = run(command=("bash", "-c", words, sys.executable), cwd=folder)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"auditor: error: --output {to.split(maxsplit=1)[0]}: {why}\n"
