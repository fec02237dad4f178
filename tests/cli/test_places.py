"""No command writes over a file that it reads."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from auditor.cli import main
from tests.cli.conftest import OPEN, page, run

if TYPE_CHECKING:
    from collections.abc import Callable

SCAN: Final = ("scan", "--snapshot", "account.json")
PLAN: Final = ("remediate", "plan", "--snapshot", "account.json")
SMOKE: Final = ("smoke", "--from", "a@example.com", "--refused", "--snapshot", "account.json")

READ: Final = {
    "a snapshot": (SCAN, "account.json", "--snapshot"),
    "a baseline": ((*SCAN, "--baseline", "known.json"), "known.json", "--baseline"),
    "exceptions": ((*SCAN, "--exceptions", "e.yaml"), "e.yaml", "--exceptions"),
    "a plan's snapshot": (PLAN, "account.json", "--snapshot"),
    "a plan's exceptions": ((*PLAN, "--exceptions", "e.yaml"), "e.yaml", "--exceptions"),
    "a plan's report": ((*PLAN, "--report", "r.json"), "r.json", "--report"),
    "a test's snapshot": (SMOKE, "account.json", "--snapshot"),
}


@pytest.fixture
def folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Path:
    """A folder with each kind of file that commands read."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "account.json").write_text(page(OPEN), "utf-8")
    (tmp_path / "e.yaml").write_text("exceptions: []\n", "utf-8")
    (tmp_path / "r.json").write_text("{}", "utf-8")
    assert main([*SCAN, "--baseline", "known.json", "--update-baseline", "--fail-on", "never"]) == 0
    capsys.readouterr()
    return tmp_path


def _symbolic(path: Path) -> str:
    Path("link").symlink_to(path)
    return "link"


def _hard(path: Path) -> str:
    os.link(path, "hard")
    return "hard"


@pytest.mark.parametrize(
    "named", [str, lambda path: f"../{Path.cwd().name}/{path}", _symbolic, _hard]
)
@pytest.mark.parametrize(("command", "file", "option"), READ.values(), ids=READ)
def test_output_is_never_what_is_read(
    command: tuple[str, ...],
    file: str,
    option: str,
    named: Callable[[Path], str],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Refused in one line that names the other option, and the file stays what it was."""
    before = (folder / file).read_bytes()
    output = named(Path(file))

    assert main([*command, "--output", output]) == 2
    assert capsys.readouterr() == (
        "",
        f"auditor: error: --output {output}: is the file of {option} too; name another file\n",
    )
    assert (folder / file).read_bytes() == before


def test_output_is_never_standard_inputs_file(folder: Path) -> None:
    """``--snapshot - < account.json`` reads account.json, by whatever name."""
    command = '"$0" -m auditor scan --snapshot - --output account.json < account.json'
    done = run(command=("bash", "-c", command, sys.executable), cwd=folder)

    assert done.returncode == 2
    assert "account.json: is the file of --snapshot too" in done.stderr
    assert (folder / "account.json").read_text("utf-8") == page(OPEN)


def test_a_baseline_that_is_still_to_be_made(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that isn't there yet can be named twice as well."""
    more = ("--baseline", "./new.json", "--update-baseline", "--output", "new.json")
    assert main([*SCAN, *more]) == 2
    assert "is the file of --baseline too" in capsys.readouterr().err
    assert not (folder / "new.json").exists()


def test_links_in_a_circle(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What leads nowhere is one line, wherever it stands."""
    (folder / "a").symlink_to("b")
    (folder / "b").symlink_to("a")
    for more in (("--output", "a"), ("--baseline", "b", "--update-baseline")):
        assert main([*SCAN, *more]) == 2
        shown = capsys.readouterr().err
        assert shown.startswith("auditor: error: ")
        assert shown.count("\n") == 1


def test_a_baseline_is_a_file_that_may_be_written(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``-`` is standard input elsewhere; who made a baseline read-only wants it to stay."""
    for more in (
        ("--baseline", "-", "--update-baseline"),
        ("--output", "-"),
        ("--exceptions", "-"),
    ):
        assert main([*SCAN, *more]) == 2
        told = (
            f"auditor: error: {more[0]} -: must be a file; name one (./- is a file of that name)\n"
        )
        assert capsys.readouterr().err == told
    assert not (folder / "-").exists()

    known = folder / "known.json"
    known.chmod(0o444)
    before = known.read_bytes()
    now = ("--now", "2027-01-01", "--baseline", "known.json")
    assert main([*SCAN, *now, "--update-baseline"]) == 2
    assert capsys.readouterr().err == (
        "auditor: error: --baseline known.json: is read-only; make it writable, or leave"
        " --update-baseline out\n"
    )
    assert main([*SCAN, *now]) == 1
    assert known.read_bytes() == before


def test_a_baseline_is_none_of_the_other_files(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written at the end never replaces what was read, under a second name either."""
    os.link(folder / "known.json", "again.json")
    more = ("--baseline", "known.json", "--update-baseline")
    assert main(["scan", "--snapshot", "again.json", *more]) == 2
    assert "--baseline known.json: is the file of --snapshot too" in capsys.readouterr().err
