"""Reads the project's Markdown pages: sections, fenced blocks, tables, links."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULES_FOLDER = ROOT / "docs" / "rules"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def pages() -> list[Path]:
    """Return every page of the project, README first."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def sections(text: str) -> dict[str, str]:
    """Return a page's second-level sections by heading."""
    parts = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def fences(text: str, language: str | None = None) -> list[str]:
    """Return the texts of the fenced blocks, of one language if one is named."""
    return [m[2] for m in _FENCE.finditer(text) if language in (None, m[1])]


def prose(text: str) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Return the targets of a page's links."""
    return _LINK.findall(prose(text))


def table(text: str) -> list[list[str]]:
    """Return the rows of the first table in a text, heading left out, cells stripped."""
    rows = [line for line in text.splitlines() if line.startswith("|")]
    split = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    first = next(number for number, row in enumerate(split) if set("".join(row)) <= {"-", ":"})
    return split[first + 1 :]


def anchor(heading: str) -> str:
    """Return a heading's anchor as GitHub makes it."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower())
    return kept.replace(" ", "-")
