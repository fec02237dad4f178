"""One packaging for all the tests of this folder."""

from __future__ import annotations

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
    """Run the packaging once, in folders of its own."""
    # A space in the path: a project may well lie in such a folder.
    base = tmp_path_factory.mktemp("pack age")
    done = subprocess.run(  # noqa: S603 - our own tools on our own files
        [
            *(sys.executable, str(ROOT / "tools" / "package.py")),
            *("--out", str(base / "out"), "--work", str(base / "work")),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    out = base / "out"
    return Package(done.stdout, out / "deployment.zip", out / "sam.yaml", base / "work")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep these tests on one worker, so that there is one packaging."""
    for item in items:
        if "package" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("packaging"))
