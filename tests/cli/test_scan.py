"""``auditor scan`` end to end, on snapshots, through the real command line."""

from __future__ import annotations

import gc
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import auditor.cli.scan
from auditor import __version__
from auditor.cli import main
from auditor.collect.snapshot import read_snapshot
from tests.cli.conftest import (
    CLEAN,
    NOTHING,
    ODD,
    OPEN,
    POSSIBLE,
    SAFE,
    SCRIPT,
    WINDOW,
    page,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Snapshot = Callable[..., str]

NOW = ("--now", "2026-11-23T03:00:00Z")


def one_line(text: str) -> str:
    """The error a user sees, which must be a single printable line."""
    assert text.endswith("\n")
    assert text[:-1].isprintable(), text
    assert text.startswith("auditor: ")
    return text[:-1]


@pytest.mark.parametrize("command", [(sys.executable, "-m", "auditor"), (SCRIPT,)])
def test_both_names_are_the_same_command(command: tuple[str, ...], snapshot: Snapshot) -> None:
    """The console script and the module give the same bytes and the same status."""
    path = snapshot(OPEN, SAFE)
    assert run("--version", command=command).stdout == f"auditor {__version__}\n"
    done = run("scan", "--snapshot", path, "--format", "json", *NOW, command=command)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == run("scan", "--snapshot", path, "--format", "json", *NOW).stdout
    document = json.loads(done.stdout)
    assert document["generated_at"] == "2026-11-23T03:00:00Z"
    assert [role["verdict"] for role in document["roles"]] == ["exposed", "simulator_only"]


@pytest.mark.parametrize(
    ("roles", "fail_on", "status"),
    [
        ([NOTHING, SAFE], None, 0),
        ([OPEN], None, 1),
        ([OPEN], "exposed", 1),
        ([OPEN], "never", 0),
        ([POSSIBLE], None, 1),
        ([POSSIBLE], "exposed", 0),
        ([ODD], None, 3),
        ([ODD], "exposed", 3),
        ([ODD], "undetermined", 1),
        ([ODD], "never", 0),
        ([], None, 0),
    ],
)
def test_status(
    roles: list[dict[str, object]],
    fail_on: str | None,
    status: int,
    snapshot: Snapshot,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The status follows the verdicts and --fail-on; standard output has the report in any case."""
    option = ("--fail-on", fail_on) if fail_on else ()
    assert main(["scan", "--snapshot", snapshot(*roles), "--format", "json", *option]) == status
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)["roles"]) == len(roles)
    assert shown.err == ""


def test_standard_input_and_table(snapshot: Snapshot) -> None:
    """``-`` reads standard input; the table is plain text of 80 columns in a pipe."""
    done = run("scan", "--snapshot", "-", *NOW, stdin=page(OPEN, ODD, SAFE))
    assert (done.returncode, done.stderr) == (1, "")
    path = snapshot(OPEN, ODD, SAFE)
    report, steps = done.stdout.split("  See what would close")
    assert run("scan", "--snapshot", path, *NOW).stdout.startswith(report)
    assert "(with the same standard input):\n    auditor remediate plan --snapshot - " in steps
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert done.stdout.replace("\n", "").isprintable()
    assert "EXPOSED proven" in done.stdout


BAD = {
    "no command": ([], "Missing command"),
    "another command": (["scam"], "No such command 'scam'"),
    "another option": (["scan", "--snapshots", "x"], "No such option: --snapshots"),
    "an argument": (["scan", "x"], "unexpected extra argument"),
    "another threshold": (["scan", "--fail-on", "high"], "'high' is not one of 'exposed'"),
    "another format": (["scan", "--format", "yaml"], "unknown format 'yaml'; choose one of: asff"),
    "not a time": (["scan", "--now", "yesterday"], "--now 'yesterday': isn't an ISO 8601 time"),
    "no time in UTC": (["scan", "--now", "0001-01-01T00:00:00+10:00"], "isn't an ISO 8601 time"),
    "an escape in a time": (["scan", "--now", "\x1b[31m"], "isn't an ISO 8601 time"),
    "a missing snapshot": (["scan", "--snapshot", "missing.json"], "missing.json: can't be read"),
    "a directory": (["scan", "--snapshot", "."], "can't be read"),
    "not a snapshot": (["scan", "--snapshot", os.devnull], os.devnull),
    "an unknown region": (["scan", "--region", "mars-1"], "--region 'mars-1': there is no such"),
    "an unknown profile": (["scan", "--profile", "nobody"], "nobody"),
    "a snapshot without a name": (["scan", "--snapshot", ""], "--snapshot: no file is named"),
    "both without a name": (["scan", "--snapshot", "", "--output", "x"], "--snapshot: no file"),
    "an output without a name": (["scan", "--output", ""], "--output: no file is named; name one"),
    "roles that are null": (["scan", "--snapshot", "null.json"], "RoleDetailList is null"),
    "an output directory": (["scan", "--output", "."], "--output .: is a directory"),
    "an output nowhere": (["scan", "--output", "no/where"], "there is no directory no"),
}


@pytest.mark.parametrize(("args", "says"), BAD.values(), ids=BAD.keys())
def test_bad_usage(
    args: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What can't be used ends with status 2 and one line that says what and where."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "null.json").write_text('{"RoleDetailList": null}')
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    assert main(args) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert says in one_line(shown.err)


def test_no_credentials(tmp_path: Path) -> None:
    """Without credentials one line says what to do."""
    done = run(
        "scan",
        environ={
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        },
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "credentials" in one_line(done.stderr)
    assert "--profile NAME" in done.stderr


def test_a_file_that_is_no_snapshot(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of something else is named in one line, though its name tries to be two."""
    path = tmp_path / "a\nb.json"
    path.write_text('{"hello": 1}')
    assert main(["scan", "--snapshot", str(path)]) == 2
    assert "error: " in one_line(capsys.readouterr().err)


def test_output_file(tmp_path: Path, snapshot: Snapshot) -> None:
    """--output gets the same bytes that standard output would, and that stays empty."""
    args = ("scan", "--snapshot", snapshot(OPEN), "--format", "json", *NOW)
    done = run(*args, "--output", "report.json", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    path = tmp_path / "report.json"
    assert path.read_text() == run(*args).stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~_umask()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.json", "snapshot.json"]


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_output_keeps_what_is_there(
    tmp_path: Path, snapshot: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link stays a link and permissions stay; the snapshot itself is never replaced."""
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    source = snapshot(SAFE)
    before = Path(source).read_bytes()
    assert main(["scan", "--snapshot", source, "--output", str(link)]) == 0
    assert link.is_symlink()
    assert "safe" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    capsys.readouterr()
    assert main(["scan", "--snapshot", source, "--output", source]) == 2
    assert "is the file of --snapshot too" in one_line(capsys.readouterr().err)
    assert Path(source).read_bytes() == before


def test_output_that_fails_leaves_nothing(
    tmp_path: Path,
    snapshot: Snapshot,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """When the disk is full, the old report is still whole and no half of a new one lies about."""
    path = tmp_path / "report.txt"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert main(["scan", "--snapshot", snapshot(SAFE), "--output", str(path)]) == 2
    assert "No space left on device" in one_line(capsys.readouterr().err)
    assert path.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["report.txt", "snapshot.json"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_output_not_writable(tmp_path: Path, snapshot: Snapshot) -> None:
    """A directory one may not write to is said before the audit starts."""
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = run("scan", "--snapshot", snapshot(SAFE), "--output", str(locked / "report.json"))
    assert done.returncode == 2
    assert "can't be written to" in one_line(done.stderr)


def test_output_to_a_device(snapshot: Snapshot) -> None:
    """What isn't a file is written to, never replaced."""
    assert main(["scan", "--snapshot", snapshot(SAFE), "--output", os.devnull]) == 0
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_globs(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    """--role picks by name or ARN, more than once; one that matches nothing is said."""
    args = ["scan", "--snapshot", snapshot(OPEN, SAFE, ODD), "--format", "json"]
    status = main([*args, "--role", "sa*", "--role", "arn:*:role/o?d", "--role", "x\x1b[0m"])
    shown = capsys.readouterr()
    assert status == 3
    assert [role["name"] for role in json.loads(shown.out)["roles"]] == ["odd", "safe"]
    assert one_line(shown.err) == r"auditor: warning: --role x\x1b[0m matches no CodeBuild role"


@pytest.mark.parametrize(
    ("now", "shown", "status"),
    [
        ("2025-12-31T23:59:59Z", "2025-12-31T23:59:59Z", 1),
        ("2025-12-31T23:59:59", "2025-12-31T23:59:59Z", 1),
        ("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z", 1),
        ("2026-01-01", "2026-01-01T00:00:00Z", 0),
        ("2026-01-01T00:00:00.999999Z", "2026-01-01T00:00:00Z", 0),
    ],
)
def test_now(
    now: str, shown: str, status: int, snapshot: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    """--now is the time that conditions see: a window that has closed then opens nothing."""
    args = ["scan", "--snapshot", snapshot(WINDOW), "--format", "json", "--now", now]
    assert main(args) == status
    assert json.loads(capsys.readouterr().out)["generated_at"] == shown


def test_options_that_a_snapshot_makes_useless(
    snapshot: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option that changes nothing is said, and the report comes all the same."""
    args = ["--region", "eu-west-1", "--profile", "prod"]
    assert main(["scan", "--snapshot", snapshot(SAFE), "--format", "json", *args]) == 0
    shown = capsys.readouterr()
    assert shown.err.splitlines() == [
        "auditor: warning: --region has no effect with --snapshot",
        "auditor: warning: --profile has no effect with --snapshot",
    ]
    assert json.loads(shown.out)["summary"]["roles"] == 1


def test_a_reader_that_leaves_early(snapshot: Snapshot) -> None:
    """``| head -1`` ends quietly, and the status is still the audit's."""
    many = [dict(OPEN, RoleName=f"r{n}", Arn=f"{OPEN['Arn']}{n}") for n in range(400)]
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "auditor", "scan", "--snapshot", snapshot(*many)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=CLEAN,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 1
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_standard_output_that_fails(snapshot: Snapshot) -> None:
    """A report that can't be written is one line and status 2, not a report that looks written."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "auditor", "scan", "--snapshot", snapshot(SAFE)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=CLEAN,
            check=False,
        )
    assert done.returncode == 2
    assert "standard output: the report can't be written" in one_line(done.stderr)


@pytest.mark.parametrize(("closing", "status"), [(">&-", 2), ("2>&-", 1)])
def test_closed_streams(closing: str, status: int, snapshot: Snapshot) -> None:
    """A closed stream gets nothing, and nothing goes to the other instead."""
    command = f'"$0" -m auditor scan --role none --role open --snapshot "$1" {closing}'
    done = run(snapshot(OPEN), command=("bash", "-c", command, sys.executable))
    assert done.returncode == status
    if closing == ">&-":
        assert "standard output is closed" in done.stderr
    else:
        assert done.stdout.startswith("Can CodeBuild roles")
        assert "warning" not in done.stdout


@pytest.mark.parametrize(
    ("environ", "colored"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_color_and_progress_on_a_terminal_only(
    environ: dict[str, str], colored: bool, snapshot: Snapshot
) -> None:
    """Standard output on a terminal has color unless it is unwanted; in a pipe never."""
    import pty

    parent, child = pty.openpty()
    with os.fdopen(parent, "rb", buffering=0) as screen:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "auditor", "scan", "--snapshot", snapshot(OPEN)],
            stdout=child,
            stderr=subprocess.PIPE,
            env=CLEAN | environ,
        )
        os.close(child)
        shown = b""
        try:
            while chunk := screen.read(65536):
                shown += chunk
        except OSError:  # Linux's way to say that the terminal's other side is closed
            pass
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert (b"\x1b[" in shown) is colored
    assert b"EXPOSED proven" in shown
    assert errors == b"", "no progress in a pipe"


def test_names_a_locale_cannot_show(snapshot: Snapshot) -> None:
    """In a locale without the characters of a name the report shows their escapes and goes on."""
    odd = dict(OPEN, RoleName="caf\u00e9")
    done = run("scan", "--snapshot", snapshot(odd), environ={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert r"caf\xe9" in done.stdout


def test_interrupted(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C is one line and status 130."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(auditor.cli.scan, "_read", stop)
    assert main(["scan", "--snapshot", snapshot(SAFE)]) == 130
    assert one_line(capsys.readouterr().err) == "auditor: interrupted"


def test_a_defect_does_not_look_like_a_finding(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A crash shows its traceback and has a status of its own: 1 would say "exposed"."""

    def crash(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(auditor.cli.scan, "_read", crash)
    assert main(["scan", "--snapshot", "x"]) == 70
    assert "RuntimeError: broken" in capsys.readouterr().err


def test_incomplete_snapshot(snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    """A malformed role costs itself: the rest is audited, the report says so, the status is 3."""
    path = snapshot(SAFE, {"RoleName": 7})
    assert read_snapshot(path).failures
    assert main(["scan", "--snapshot", path]) == 3
    shown = capsys.readouterr().out
    assert "INCOMPLETE AUDIT" in shown
    assert "safe" in shown


def test_the_garbage_collector_is_left_as_it_was(snapshot: Snapshot) -> None:
    """A scan pauses the search for cycles, and whoever runs one in a process gets it back."""
    try:
        for wanted in (True, False):
            (gc.enable if wanted else gc.disable)()
            assert main(["scan", "--snapshot", snapshot(OPEN)]) == 1
            assert gc.isenabled() == wanted
            assert main(["scan", "--snapshot", os.devnull]) == 2
            assert gc.isenabled() == wanted
    finally:
        gc.enable()


def test_start_up_is_light() -> None:
    """--version and --help import no AWS library, no Rich and nothing that decides."""
    code = (
        "import sys\n"
        "from auditor.cli import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "heavy = {'boto3', 'botocore', 'rich', 'auditor.engine', 'auditor.collect', 'jsonschema'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    for args in (["--version"], ["--help"], ["scan", "--help"]):
        done = run(*args, command=(sys.executable, "-c", code))
        assert (done.returncode, done.stderr) == (0, "")


def test_a_snapshot_needs_no_aws_library(snapshot: Snapshot) -> None:
    """A scan of a snapshot runs where boto3 can't be imported."""
    code = (
        "import sys\n"
        "sys.modules['boto3'] = sys.modules['botocore'] = None\n"
        "from auditor.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    done = run("scan", "--snapshot", snapshot(OPEN), command=(sys.executable, "-c", code))
    assert (done.returncode, done.stderr) == (1, "")
