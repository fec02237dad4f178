"""Text for people, folded to a width. Others' text is made visible here, all of it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

NARROWEST: Final = 40
"""Cells; below this nothing is readable, and the terminal may wrap it."""


class Page:
    """Collects lines no wider than ``width`` cells, but for what must be copied whole."""

    def __init__(self, width: int = 80) -> None:
        self._width = max(NARROWEST, width)
        self._lines: list[str] = []

    def say(self, text: str, indent: int = 0, first: str = "") -> None:
        """Add a paragraph; ``first`` stands before its first line, the others are indented."""
        lead = " " * indent + first
        for number, line in enumerate(_folded(visible(text), self._width - len(lead))):
            self._lines.append(f"{' ' * len(lead) if number else lead}{line}".rstrip())

    def gap(self) -> None:
        """Add an empty line, unless one is there."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def items(self, texts: Iterable[str], indent: int = 4) -> None:
        """Add paragraphs with a dash each."""
        for text in texts:
            self.say(text, indent, "- ")

    def whole(self, text: str, indent: int = 4) -> None:
        """Add lines that are meant to be copied: not folded, however long."""
        for line in text.split("\n"):
            self._lines.append(f"{' ' * indent}{visible(line)}".rstrip())

    def text(self) -> str:
        """Return the page, ending in a newline."""
        return "".join(f"{line}\n" for line in self._lines)


def _folded(text: str, width: int) -> list[str]:
    if len(text) <= width and text.isascii():
        return [text]
    width = max(10, width)
    if text.isascii():
        return textwrap.wrap(text, width, break_on_hyphens=False)
    # Rich knows how many cells a character takes: https://rich.readthedocs.io/en/stable/text.html
    from rich.console import Console
    from rich.text import Text

    folder = Console(width=width, color_system=None, _environ={})
    return [line.plain.rstrip() for line in Text(text).wrap(folder, width, overflow="fold")]
