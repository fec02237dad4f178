"""One packaging for all the tests of this folder."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Package:
    """What ``make package`` left behind: its output, its results and its working folder."""

    printed: str
    zip_path: Path
    template_path: Path
    work: Path

    @property
    def unpacked(self) -> Path:
        """The zip's files, as the packaging unpacked them to check them."""
        return self.work / "unpacked"

    @property
    def runtime(self) -> Path:
        """boto3 and what it needs, as Lambda's runtime brings them."""
        return self.work / "runtime"

    @property
    def template(self) -> dict[str, Any]:
        """The merged template."""
        loaded: dict[str, Any] = yaml.safe_load(self.template_path.read_text(encoding="utf-8"))
        return loaded


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Run the packaging once, in folders of its own; a second pytest-xdist worker waits for it."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        # https://pytest-xdist.readthedocs.io/en/stable/how-to.html#making-session-scoped-fixtures-execute-only-once
        shared = shared.parent
    # A space in the path: a project may well lie in such a folder.
    base = shared / "pack age"
    base.mkdir(exist_ok=True)
    printed = base / "printed.txt"
    with (base / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not printed.exists():
            # The folder isn't the packaging's alone, and may hold its own results of yesterday.
            (base / "out" / "demo").mkdir(parents=True)
            (base / "out" / "demo" / "mail.txt").write_text("a mail", encoding="utf-8")
            (base / "out" / "deployment.zip").write_text("of yesterday", encoding="utf-8")
            printed.write_text(_make(base / "out", base / "work"), encoding="utf-8")
    return Package(
        printed.read_text(encoding="utf-8"),
        base / "out" / "deployment.zip",
        base / "out" / "sam.yaml",
        base / "work",
    )


def _make(out: Path, work: Path) -> str:
    done = subprocess.run(  # noqa: S603 - our own tools on our own files
        [
            *(sys.executable, str(ROOT / "tools" / "package.py")),
            *("--out", str(out), "--work", str(work)),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
