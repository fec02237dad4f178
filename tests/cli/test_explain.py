"""``auditor explain`` end to end, on snapshots, through the real command line."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from auditor.cli import main
from tests.cli import test_live
from tests.cli.conftest import CLEAN, NOTHING, ODD, OPEN, POSSIBLE, SAFE, WINDOW, page, run

if TYPE_CHECKING:
    from collections.abc import Callable

    Snapshot = Callable[..., str]

NOW = ("--now", "2026-11-23T03:00:00Z")
ROLES = (OPEN, POSSIBLE, SAFE, NOTHING, ODD, WINDOW)


@pytest.mark.parametrize("name", [one["RoleName"] for one in ROLES])
def test_the_verdict_is_the_scans(
    name: str, snapshot: Snapshot, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdict, certainty and reason are those of a scan, in text and in JSON; the status is 0."""
    path = snapshot(*ROLES)
    main(["scan", "--snapshot", path, *NOW, "--format", "json", "--role", name])
    (scanned,) = json.loads(capsys.readouterr().out)["roles"]
    assert main(["explain", name, "--snapshot", path, *NOW, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    for field in ("verdict", "certainty", "reason"):
        assert told[field] == scanned[field]
    assert main(["explain", name, "--snapshot", path, *NOW]) == 0
    first = capsys.readouterr().out.split(":")[0]
    assert (
        first
        == {
            "exposed": f"EXPOSED, {'possibly' if told['certainty'] == 'possible' else 'proven'}",
            "undetermined": "UNDETERMINED",
            "simulator_only": "SAFE",
            "no_send": "SAFE",
        }[told["verdict"]]
    )


def test_in_a_pipe(snapshot: Snapshot) -> None:
    """A pipe gets plain text of 80 columns, from a file and from standard input alike."""
    done = run("explain", "open", *NOW, "--snapshot", "-", stdin=page(*ROLES))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run("explain", "open", *NOW, "--snapshot", snapshot(*ROLES)).stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
    assert done.stdout.replace("\n", "").isprintable()


def test_options_that_a_snapshot_makes_useless(snapshot: Snapshot) -> None:
    """Options about AWS are warned of beside a snapshot, and change nothing."""
    path = snapshot(*ROLES)
    done = run("explain", "open", *NOW, "--snapshot", path, "--region", "eu-west-1", "--profile=p")
    assert done.stdout == run("explain", "open", *NOW, "--snapshot", path).stdout
    assert done.stderr == (
        "auditor: warning: --region has no effect with --snapshot\n"
        "auditor: warning: --profile has no effect with --snapshot\n"
    )


def test_on_a_terminal(snapshot: Snapshot) -> None:
    """A terminal gets color, unless NO_COLOR is set."""
    import pty
    import subprocess
    import sys

    for extra, colored in (({}, True), ({"NO_COLOR": "1"}, False)):
        parent, child = pty.openpty()
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "auditor", "explain", "open", "--snapshot", snapshot(OPEN)],
            stdout=child,
            stderr=child,
            env=CLEAN | {"TERM": "xterm"} | extra,
        )
        os.close(child)
        shown = b""
        with os.fdopen(parent, "rb", buffering=0) as screen:
            try:
                while chunk := screen.read(65536):
                    shown += chunk
            except OSError:  # Linux's way to say that the terminal's other side is closed
                pass
        assert process.wait(60) == 0
        assert (b"\x1b[1;31mEXPOSED" in shown) == colored


@pytest.mark.parametrize("name", ["opne", "open\x1b\n"], ids=ascii)
def test_no_such_role(name: str, snapshot: Snapshot, capsys: pytest.CaptureFixture[str]) -> None:
    """A role that isn't there is one printable line with near names, and status 2."""
    assert main(["explain", name, "--snapshot", snapshot(*ROLES)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err[:-1].isprintable()
    assert "there is no role" in shown.err
    assert "did you mean open" in shown.err


account = test_live.account
"""The account of the live tests, in moto's server."""


def test_a_live_account(account: dict[str, str]) -> None:
    """Without a snapshot, the role is read from AWS."""
    done = run("explain", "safe", "--region", "eu-west-1", *NOW, environ=account)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("SAFE: safe can mail SES's mailbox simulator alone.")
    request = ("--action", "ses:SendEmail", "--from", "a@example.com", "--to", "b@example.com")
    done = run("evaluate", "open", *request, *NOW, environ=account)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("ALLOWED: ")


def test_nothing_is_asked_of_aws(snapshot: Snapshot) -> None:
    """With a snapshot, explaining and evaluating run where boto3 can't be imported."""
    import subprocess
    import sys

    path = snapshot(OPEN)
    program = (
        "import sys\n"
        "for name in ('boto3', 'botocore'): sys.modules[name] = None\n"
        "from auditor.cli import main\n"
        f"main(['explain', 'open', '--snapshot', {path!r}])\n"
        f"sys.exit(main(['evaluate', 'open', '--action', 'ses:SendEmail', '--to', 'a@example.com',"
        f" '--from', 'b@example.com', '--snapshot', {path!r}]))\n"
    )
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", program], capture_output=True, text=True, env=CLEAN, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
