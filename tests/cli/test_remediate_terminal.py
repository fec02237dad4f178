"""``auditor remediate`` and the person at the terminal: the question, and Ctrl-C."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from moto.iam.models import IAMBackend

from tests.cli.conftest import CLEAN, OPEN, SAFE, page, run
from tests.cli.remediate_world import GUARD, REGION, World, account

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An account with two open roles and one that is safe."""
    with account(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def plan_text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A plan for a snapshot with an open role."""
    folder = tmp_path_factory.mktemp("plan")
    (folder / "account.json").write_text(page(OPEN, SAFE))
    done = run(
        *("remediate", "plan", "--snapshot", str(folder / "account.json"), "--format", "json")
    )
    assert done.returncode == 0
    return done.stdout


SILENCE = 40
"""Seconds without a word after which a command is taken to hang."""
OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    " os.execv(sys.executable, [sys.executable, '-m', 'auditor', *sys.argv[1:]])"
)


def at_a_terminal(folder: Path, typed: bytes, *words: str) -> tuple[int, str]:
    """Run a command at a terminal, type once it asks, and return its status and the screen.

    A signal that comes between a question and the reading of its answer isn't noticed before
    something is typed: what nothing follows is typed again, as a person does.
    """
    ours, theirs = os.openpty()
    child = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", OWN_TERMINAL, *words],
        stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True,
        env=CLEAN | {"XDG_STATE_HOME": str(folder), "TERM": "dumb"},
    )  # fmt: skip
    os.close(theirs)
    screen = b""
    silent = 0
    # An error is how Linux says that the other side is closed.
    with suppress(OSError):
        while silent < SILENCE:
            if not select.select([ours], [], [], 1)[0]:
                silent += 1
                if b"[y/N]" in screen and typed and silent > 1:
                    os.write(ours, typed)
                continue
            if not (more := os.read(ours, 4096)):
                break
            if b"[y/N]" not in screen and b"[y/N]" in screen + more and typed:
                os.write(ours, typed)
            screen += more
            silent = 0
    os.close(ours)
    if silent == SILENCE:
        child.kill()
    return child.wait(timeout=30), screen.decode()


@pytest.mark.parametrize("typed", [b"\x04", b"\x03", b"n\n", b"\n"])
def test_no_is_no(tmp_path: Path, plan_text: str, typed: bytes) -> None:
    """Ctrl-D, Ctrl-C, n and Return at the question: nothing is changed, in one line, status 2.

    The question says what would be done, on which roles of which account, and that there is more
    to read.
    """
    (tmp_path / "plan.json").write_text(plan_text)
    status, screen = at_a_terminal(tmp_path, typed, "remediate", "apply", "plan.json")
    asked = " ".join(screen.split())
    assert "put the guard ses-simulator-guard on 1 role of account 123456789012: open" in asked
    assert "nothing was changed" in asked
    assert "Traceback" not in screen
    assert status == 2


def test_ctrl_c_ends_after_the_role_it_is_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was done is told with how to take it back; the rest isn't touched; status 130."""
    plan = world.plan()
    reached = threading.Event()
    real = IAMBackend.attach_role_policy

    def attach(self: IAMBackend, *given: Any, **named: Any) -> Any:
        reached.set()
        return real(self, *given, **named)

    monkeypatch.setattr(IAMBackend, "attach_role_policy", attach)
    child = subprocess.Popen(  # noqa: S603 - our own program
        [*(sys.executable, "-m", "auditor", "remediate", "apply", world.path, "--yes"),
         *("--create-policies", "--region", REGION)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=CLEAN | world.environ,
    )  # fmt: skip
    assert reached.wait(30)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=30)

    assert child.returncode == 130
    assert "stopping after this role" in err
    assert "admin: attached; exposed (proven) -> simulator only" in out
    assert "open: not reached" in out
    assert "Ctrl-C was pressed" in " ".join(out.split())
    assert f"auditor remediate undo {plan['id']}" in out
    assert (world.attached("admin"), world.attached("open")) == ([GUARD], [])
