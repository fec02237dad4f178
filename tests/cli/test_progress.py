"""What a person at a terminal sees while a scan goes on, and nobody else."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from auditor.audit import audit
from auditor.cli.progress import Steps, progress
from auditor.collect.snapshot import read_snapshot
from auditor.report.interface import PLAIN, load_format
from tests.cli.conftest import CLEAN, NOTHING, ODD, OPEN, SAFE

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


def test_each_role_is_counted_once_and_nothing_else_changes(snapshot: Callable[..., str]) -> None:
    """The count goes from 1 to the audited roles, and the report is the one without it."""
    path = snapshot(OPEN, ODD, SAFE, NOTHING)
    now = datetime(2026, 11, 23, tzinfo=UTC)
    counted: list[tuple[int, int]] = []
    globs = ("o*", "safe")
    told = audit(
        read_snapshot(path), now=now, role_globs=globs, decided=lambda *of: counted.append(of)
    )
    alone = audit(read_snapshot(path), now=now, role_globs=globs)

    assert counted == [(1, 3), (2, 3), (3, 3)]
    json = load_format("json")
    assert json.render(told, PLAIN) == json.render(alone, PLAIN)


def _stderr(path: str, **environ: str) -> str:
    """Standard error of a scan, on a terminal."""
    parent, child = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "auditor", "scan", "--snapshot", path, "--output", os.devnull],
        stderr=child,
        env=CLEAN | environ,
    )
    os.close(child)
    shown = b""
    with os.fdopen(parent, "rb", buffering=0) as screen:
        try:
            while chunk := screen.read(65536):
                shown += chunk
        except OSError:  # Linux's way to say that the terminal's other side is closed
            pass
    assert process.wait(60) == 1
    return shown.decode("utf-8")


def test_a_terminal_sees_how_many_are_decided(snapshot: Callable[..., str]) -> None:
    """Roles decided of how many, and the time it took; gone at the end but for the last lines."""
    path = snapshot(OPEN, ODD, SAFE)
    shown = _stderr(path, TERM="xterm", NO_COLOR="1", COLUMNS="100")
    assert re.search(r"deciding what the roles may do .* 3/3 0:00:0\d", shown)
    assert shown.rpartition("\x1b[2K")[2].startswith("auditor: 3 roles: ")

    dumb = _stderr(path, TERM="dumb")
    assert "deciding" not in dumb
    assert "\x1b" not in dumb


def test_a_pipe_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever reads a log gets no bars: what is told there goes nowhere."""
    with progress() as step:
        assert type(step) is Steps
        step("deciding")
        step.count(1, 2)
    assert capsys.readouterr() == ("", "")
