"""The end of a scan: what it came to, what to do next, and nothing kept that nobody was told."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from auditor.cli import main
from tests.cli.conftest import CLEAN, NOTHING, OPEN, POSSIBLE, SAFE, SCRIPT, page, role, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NOW = ("--now", "2025-01-05T03:00:00Z")
OTHER = role("other", Action="ses:SendEmail", Resource="*")
COVER = "{role: open, rule: '*', reason: r, owner: o, expires: 2027-01-01}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an account of four roles, one of them excepted."""
    monkeypatch.chdir(tmp_path)
    roles = (OPEN, OTHER, POSSIBLE, SAFE)
    (tmp_path / "my account.json").write_text(page(*roles), "utf-8")
    (tmp_path / "e.yaml").write_text(f"exceptions:\n  - {COVER}\n", "utf-8")
    return tmp_path


SCAN = ("scan", "--snapshot", "my account.json", *NOW)


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("| exit 1", "standard output: the reader left before the report's end"),
        (">/dev/full", "standard output: the report can't be written: No space left on device"),
        (">&-", "standard output is closed; give --output FILE"),
    ],
)
def test_what_nobody_could_read_is_not_known(folder: Path, to: str, why: str) -> None:
    """Where the report can't be written to its end, the baseline stays, and one line says so."""
    assert main([*SCAN, "--baseline", "b.json", "--update-baseline", "--output", "r.txt"]) == 1
    before = (folder / "b.json").read_bytes()
    (folder / "my account.json").write_text(page(NOTHING), "utf-8")
    words = '"$0" -m auditor scan --snapshot "my account.json" --baseline b.json --update-baseline'
    shell = f"set -o pipefail; {words} {to}"
    # The reader ends first, so that no part of the report is left in a pipe for nobody.
    if to.startswith("|"):
        shell = f"exec 3> >(:); sleep 0.1; {words} >&3"
    done = run(command=("bash", "-c", shell, sys.executable), cwd=folder)

    assert done.returncode == 2
    assert done.stderr == f"auditor: error: {why}; --baseline b.json isn't updated\n"
    assert (folder / "b.json").read_bytes() == before


def _command(text: str, name: str) -> str:
    """Return a command of the table, from its first line to the last that the shell reads."""
    lines = text.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"    auditor {name}"))
    end = next(n for n in range(start, len(lines)) if not lines[n].endswith("\\"))
    return "\n".join(lines[start : end + 1])


def test_the_next_commands_do_what_they_say(folder: Path) -> None:
    """Pasted into a shell they look at the scan's own account, roles, time and exceptions."""
    limits = ("--role", "o*", "--role", "poss*", "--exceptions", "e.yaml")
    shown = run(*SCAN, *limits, cwd=folder).stdout
    (folder / "auditor").symlink_to(SCRIPT)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"

    plan = _command(shown, "remediate plan")
    made = run(
        command=("sh", "-c", f"{plan} --format json"), cwd=folder, environ={"PATH": path}
    ).stdout
    assert [one["role_name"] for one in json.loads(made)["changes"]] == ["other", "possible"]

    explain = _command(shown, "explain")
    told = run(command=("sh", "-c", explain), cwd=folder, environ={"PATH": path})
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("EXPOSED, proven: other can")


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--profile", "prod", "--region", "eu-west-1", "--region", "-x"),
         "--profile prod --region eu-west-1 --region=-x"),
        (("--snapshot", "-", "--role", "a b"), "--snapshot - --role 'a b'"),
    ],
)  # fmt: skip
def test_a_sources_options(options: Sequence[str], named: str) -> None:
    """A live scan's profile and regions are told as well, and no value is taken for an option."""
    from auditor.cli.closing import again
    from auditor.report.steps import Step

    pairs = list(zip(options[::2], options[1::2], strict=True))

    def of(option: str) -> list[str]:
        return [value for name, value in pairs if name == option]

    found = again(
        snapshot=next(iter(of("--snapshot")), None),
        profile=next(iter(of("--profile")), None),
        now=None,
        regions=of("--region"),
        roles=of("--role"),
        exceptions=None,
    )
    assert Step("", found.plan).shell() == named
    assert found.standard_input is ("-" in options)


def test_a_report_in_a_file_ends_with_two_lines(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard error has the counts, what changed, the files, and the next command."""
    more = ("--exceptions", "e.yaml", "--baseline", "b.json", "--update-baseline")
    assert main([*SCAN, *more, "--format", "json", "--output", "r.json"]) == 1
    shown = capsys.readouterr()

    assert shown.out == ""
    counts, then = shown.err.splitlines()
    assert counts.startswith("auditor: 4 roles: 2 exposed (1 proven, 1 possible), ")
    assert " 1 excepted, " in counts
    assert " Since earlier audits: 2 new" in counts
    assert then == (
        "auditor: The report is in r.json. What is known now is in b.json. See what would close the"
        " exposed roles, proven: auditor remediate plan --snapshot 'my account.json' --now"
        " 2025-01-05T03:00:00Z --exceptions e.yaml"
    )
    (folder / "my account.json").write_text(page(NOTHING), "utf-8")
    assert main([*SCAN, "--role", "no*", "--output", "r.txt"]) == 0
    assert capsys.readouterr().err == (
        "auditor: LIMITED AUDIT: only roles that match no* were audited. 1 role: 0 exposed,"
        " 0 undetermined, 0 simulator only, 1 no send.\n"
        "auditor: The report is in r.txt. Nothing to do for this part of the account.\n"
    )


@pytest.mark.parametrize(
    ("more", "on_terminal", "lines"),
    [
        ((), ("stdout", "stderr"), 0),
        (("--format", "json"), ("stdout", "stderr"), 2),
        ((), ("stderr",), 2),
        ((), ("stdout",), 0),
        ((), (), 0),
    ],
    ids=str,
)
def test_the_end_is_told_once(
    folder: Path, more: tuple[str, ...], on_terminal: tuple[str, ...], lines: int
) -> None:
    """On a terminal that already shows it at the end of the table, and in a log, it isn't."""
    parent, child = pty.openpty()
    streams = {
        one: child if one in on_terminal else subprocess.PIPE for one in ("stdout", "stderr")
    }
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "auditor", *SCAN, *more],
        stdout=streams["stdout"],
        stderr=streams["stderr"],
        cwd=folder,
        env=CLEAN | {"TERM": "dumb"},
    )
    os.close(child)
    piped = b"".join(filter(None, process.communicate(timeout=60)))
    with os.fdopen(parent, "rb", buffering=0) as screen:
        shown = b""
        try:
            while chunk := screen.read(65536):
                shown += chunk
        except OSError:  # Linux's way to say that the terminal's other side is closed
            pass
    assert (piped + shown).count(b"auditor: 4 roles: ") == (1 if lines else 0)
    assert (shown if lines else piped + shown).count(b"auditor: See what would") == lines // 2


def test_the_table_leads_with_what_changed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is new and what is resolved stands before how all roles stand, as in messages."""
    more = ("--baseline", "b.json", "--update-baseline", "--output", "r.txt")
    assert main([*SCAN, *more]) == 1
    changed = role("changed", Action="ses:SendEmail", Resource="*")
    (folder / "my account.json").write_text(page(changed, OPEN), "utf-8")
    capsys.readouterr()
    assert main([*SCAN, "--baseline", "b.json"]) == 1
    shown = capsys.readouterr().out

    order = ("Since earlier audits:", "\n  changed\n", "\nResolved ", "\nVerdict ", "\nExposed:")
    places = [shown.index(one) for one in order]
    assert places == sorted(places)
