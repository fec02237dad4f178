"""Rewriting a zip with compiled modules inside, the same bytes each time.

A function's disk is read-only, and Chalice's zip holds no bytecode: each cold start would compile
every module anew. The files compiled here are "unchecked": Python takes them as they are, whatever
date the source has (https://docs.python.org/3/reference/import.html#pyc-invalidation). A source
file edited in Lambda's console therefore changes nothing: package again instead.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Where Lambda unpacks a function's code: what tracebacks should name.
# https://docs.aws.amazon.com/lambda/latest/dg/python-package.html
TASK_ROOT = "/var/task"

# The first moment that a zip can hold. One moment for all: same content, same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
FILE_MODE = 0o100644
DEFLATE_LEVEL = 9


def rebuild(zip_path: Path, work: Path) -> int:
    """Rewrite a zip in place with bytecode, sorted and dateless; return its unzipped bytes."""
    shutil.rmtree(work, ignore_errors=True)
    unpack(zip_path, work)
    for stale in list(work.rglob("__pycache__")):
        shutil.rmtree(stale)
    subprocess.run(
        [
            *(sys.executable, "-m", "compileall", "-q"),
            *("--invalidation-mode", "unchecked-hash"),
            *("-s", str(work), "-p", TASK_ROOT, str(work)),
        ],
        check=True,
        # A set's constants are written in the order of its hashes.
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    return _write(zip_path, work)


def unpack(zip_path: Path, folder: Path) -> None:
    """Unpack a zip that was made here."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(zip_path) as archive:
        archive.extractall(folder)


def _write(zip_path: Path, folder: Path) -> int:
    total = 0
    with zipfile.ZipFile(zip_path, "w") as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = path.read_bytes()
            total += len(content)
            info = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            info.external_attr = FILE_MODE << 16
            info.create_system = 3  # Unix: the mode above counts
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, DEFLATE_LEVEL)
    return total
