"""The tools around the package fail with one clear line."""

from __future__ import annotations

import importlib
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.packaging.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def locked(monkeypatch: pytest.MonkeyPatch) -> Any:
    """tools/locked_requirements.py: the tools are scripts, not a package."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    return importlib.import_module("locked_requirements")


def test_a_deployment_s_exceptions_travel_with_it(
    locked: Any,  # noqa: ARG001 - puts the tools on the path
    tmp_path: Path,
) -> None:
    """exceptions.yaml beside app.py comes to lie at the top of the zip; without one, nothing."""
    package = importlib.import_module("package")
    root = tmp_path / "root"
    for name in ("app.py", "requirements.txt", "requirements-dev.txt"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes((ROOT / name).read_bytes())
    for name in ("chalicelib", ".chalice", "auditor"):
        (root / name).mkdir()
    package.stage_copy(root, tmp_path / "stage")
    assert [path.name for path in (tmp_path / "stage" / "vendor").iterdir()] == ["auditor"]

    (root / "exceptions.yaml").write_text("exceptions: []", "utf-8")
    package.stage_copy(root, tmp_path / "stage")
    # https://aws.github.io/chalice/topics/packaging.html: vendor/'s content goes to the top
    assert (tmp_path / "stage" / "vendor" / "exceptions.yaml").read_text(
        "utf-8"
    ) == "exceptions: []"


def test_what_a_requirement_needs_is_pinned_too(locked: Any) -> None:
    """The extra's requirements, and theirs, come with their hashes; other extras don't."""
    names, text = locked.closure(ROOT / "requirements.txt", ROOT / "requirements-dev.txt")

    assert {"aws-lambda-powertools", "pydantic", "pydantic-core", "jmespath"} <= set(names)
    assert not {"boto3", "aws-xray-sdk", "redis", "typer"} & set(names)
    assert [line.split("==")[0] for line in text.splitlines() if "==" in line] == names


def test_a_requirement_without_a_pin_stops_the_packaging(locked: Any, tmp_path: Path) -> None:
    """What no hash vouches for isn't packaged; the message says what to run."""
    lock = tmp_path / "lock.txt"
    lock.write_text("pydantic==1.0 \\\n    --hash=sha256:00\n")

    with pytest.raises(locked.LockError, match=r"jmespath, .* not pinned in lock.txt: run make"):
        locked.closure(ROOT / "requirements.txt", lock)


def test_a_requirement_that_is_not_installed_is_named(locked: Any, tmp_path: Path) -> None:
    """A requirement that .venv lacks is named, with what to run."""
    wanted = tmp_path / "requirements.txt"
    wanted.write_text("# why\nno-such-distribution==1.0  # because\n")

    with pytest.raises(locked.LockError, match=r"no-such-distribution isn't installed.*make setup"):
        locked.closure(wanted, ROOT / "requirements-dev.txt")


@pytest.mark.parametrize(
    ("script", "line"),
    [
        (None, "no Python 3.11 or newer found"),
        ("exit 1", "no Python 3.11 or newer found"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "python3 has no venv module: install it"),
    ],
    ids=["none", "too-old", "no-venv"],
)
def test_setup_says_what_the_machine_lacks(tmp_path: Path, script: str | None, line: str) -> None:
    """Without a usable Python, setup ends with one line that says what to install."""
    programs = tmp_path / "bin"
    programs.mkdir()
    if script is not None:
        python = programs / "python3"
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
    done = subprocess.run(  # noqa: S603 - our own script
        ["/bin/bash", str(ROOT / "tools" / "venv.sh")],
        cwd=tmp_path,
        env={"PATH": str(programs)},
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"setup: {line}")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / ".venv").exists()
