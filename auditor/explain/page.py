"""A page of text: headings, folded paragraphs, items, blocks. No wider than it may be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NARROWEST = 40  # below this nothing is readable; the terminal may wrap it
_LIST_SHOWN = 6
"""Entries of a list in a quoted statement; the rest are counted."""


class Page:
    """Collects lines. What is put in must be visible already (``auditor.text.visible``)."""

    def __init__(self, width: int = 80, *, color: bool = False) -> None:
        self.width = max(NARROWEST, width)
        self.color = color
        self._lines: list[str] = []
        self._folder = Console(width=self.width, color_system=None, _environ={})

    def title(self, text: str, *, bad: bool = False) -> None:
        """Add the sentence that says it all; in color where colors are shown."""
        for line in self._fold(text, self.width):
            self._lines.append(f"\x1b[1;{31 if bad else 32}m{line}\x1b[0m" if self.color else line)

    def heading(self, text: str) -> None:
        """Add a heading with an empty line before it."""
        self._lines.append("")
        for line in self._fold(text, self.width):
            self._lines.append(f"\x1b[1m{line}\x1b[0m" if self.color else line)

    def say(self, text: str, indent: int = 2, first: str = "") -> None:
        """Add a paragraph. ``first`` stands before its first line, the others are indented."""
        lead = " " * indent + first
        rest = " " * len(lead)
        for number, line in enumerate(self._fold(text, self.width - len(lead))):
            self._lines.append(f"{rest if number else lead}{line}".rstrip())

    def items(self, texts: Iterable[str], indent: int = 2) -> None:
        """Add paragraphs with a dash each."""
        for text in texts:
            self.say(text, indent, "- ")

    def rows(self, rows: Iterable[tuple[str, str]], indent: int = 2, label: int = 10) -> None:
        """Add labelled paragraphs."""
        for name, text in rows:
            self.say(text, indent, f"{name:{label}}")

    def quote(self, raw: Mapping[str, object], indent: int = 4) -> None:
        """Add JSON, long lists shortened. The text is ASCII, so nothing in it needs escaping."""
        for line in json.dumps(_shortened(raw), indent=2).splitlines():
            depth = len(line) - len(line.lstrip())
            self.say(line.lstrip(), indent + depth)

    def text(self) -> str:
        """Return the page, ending in a newline."""
        return "".join(f"{line}\n" for line in self._lines)

    def _fold(self, text: str, width: int) -> list[str]:
        if len(text) <= width and text.isascii():
            return [text]
        wrapped = Text(text).wrap(self._folder, max(10, width), overflow="fold")
        return [line.plain.rstrip() for line in wrapped]


def _shortened(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shortened(one) for key, one in value.items()}
    if isinstance(value, list) and len(value) > _LIST_SHOWN:
        rest = len(value) - _LIST_SHOWN
        return [*map(_shortened, value[:_LIST_SHOWN]), f"... and {rest:,} more"]
    return [_shortened(one) for one in value] if isinstance(value, list) else value
