"""Reads the cases: what logs say, and what has to be found in them. They are plain JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from auditor.denial.model import Denial

FOLDER = Path(__file__).parent / "cases"
FIELDS = {"name", "sdk", "source", "text", "finds", "problems", "others"}


class Case(NamedTuple):
    """One text. ``finds`` are the refused calls, ``problems`` and ``others`` the rest, in order."""

    file: str
    name: str
    sdk: str
    source: str
    text: str
    finds: list[dict[str, Any]]
    problems: list[str]
    others: list[str]

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read() -> list[Case]:
    """Return every case of every file."""
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        for raw in json.loads(path.read_text("utf-8")):
            assert set(raw) == FIELDS, f"{path.name}: {raw.get('name')}"
            text = raw.pop("text")
            text = text if isinstance(text, str) else "\n".join(text)
            found.append(Case(file=path.stem, text=text, **raw))
    return found


def told(denial: Denial) -> dict[str, Any]:
    """Return a refused call in the form of the cases."""
    who, why = denial.principal, denial.why
    role = who is not None and who.kind == "role"
    return {
        "principal": who.text if who else None,
        "role": who.name if who and role else None,
        "user": who.name if who and who.kind == "user" else None,
        "session": who.session if who and role else None,
        "build": (who.build or None) if who and role else None,
        "project": denial.project.name if denial.project else None,
        "action": denial.action,
        "resource": denial.resource.text if denial.resource else "",
        "usable": bool(denial.resource and denial.resource.kind),
        "why": why.outcome if why.layer is None else f"{why.outcome}: {why.layer}",
        "policy": why.policy,
        "operation": denial.operation,
        "code": denial.code,
        "api": denial.version,
        "wording": denial.wording,
        "encoded": denial.encoded,
        "times": denial.times,
    }
