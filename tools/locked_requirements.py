"""The pinned, hashed requirements of the Lambda package, cut out of requirements-dev.txt.

requirements.txt pins what we name; what that needs in turn is pinned, with its hashes, in
requirements-dev.txt. pip then fetches exactly the files that the tests ran on, or none.
"""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable

# Top-level entries of a distribution that aren't importable code.
_NO_CODE = (".dist-info", ".data", "__pycache__")


class LockError(Exception):
    """A requirement that isn't pinned or isn't installed: what to do stands in the message."""


def distributions(wanted: Iterable[str]) -> list[str]:
    """Return the canonical names of requirements and of all that they need, sorted."""
    seen: set[tuple[str, frozenset[str]]] = set()
    todo = [Requirement(line) for line in wanted]
    while todo:
        requirement = todo.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            needs = metadata.requires(requirement.name) or []
        except metadata.PackageNotFoundError:
            raise LockError(
                f"{requirement.name} isn't installed in .venv: run make setup"
            ) from None
        for text in needs:
            needed = Requirement(text)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": e}) for e in extras):
                todo.append(needed)
    return sorted({name for name, _ in seen})


def closure(requirements: Path, lock: Path) -> tuple[list[str], str]:
    """Return the names that ``requirements`` leads to, and their pinned lines out of ``lock``."""
    lines = [
        line.split(" #")[0].strip()
        for line in requirements.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    pins = _pins(lock.read_text(encoding="utf-8"))
    names = distributions(lines)
    missing = [name for name in names if name not in pins]
    if missing:
        raise LockError(f"{', '.join(missing)} not pinned in {lock.name}: run make lock")
    return names, "".join(pins[name] for name in names)


def _pins(text: str) -> dict[str, str]:
    """Return canonical name -> the pin with its hashes, as it stands in a lock file."""
    pins: dict[str, str] = {}
    for block in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        match = re.match(r"([A-Za-z0-9._-]+)(\[[^\]]*\])?==", block)
        if match:
            pins[canonicalize_name(match[1])] = block.rstrip() + "\n"
    return pins


def top_level_paths(name: str) -> list[Path]:
    """Return the installed modules and packages of a distribution, as absolute paths."""
    distribution = metadata.distribution(name)
    tops = {file.parts[0] for file in distribution.files or ()}
    return [
        Path(str(distribution.locate_file(top)))
        for top in sorted(tops)
        if top != ".." and not top.endswith(_NO_CODE)
    ]
