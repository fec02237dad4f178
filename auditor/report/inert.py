"""Other people's text within Markdown: shown, never obeyed.

Everything that isn't our own stands in code spans and code blocks. GitHub looks for mentions,
links, issue numbers and emoji codes in the rendered text, after backslashes and entities are
resolved, so escaping doesn't stop them; it leaves code alone:
https://github.github.com/gfm/#code-spans
"""

from __future__ import annotations

import re

from auditor.text import visible

_TICKS = re.compile("`+")


def code(text: str) -> str:
    """Return the text as a code span, on one line."""
    shown = visible(text)
    if not shown.strip():  # a span needs something to show
        return "(empty)"
    fence = "`" * (_longest(shown) + 1)
    # One space at both ends is taken away again, so it parts the text's own from the fence's ticks.
    pad = " " if len(fence) > 1 or shown[0] == " " == shown[-1] else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def cell(text: str) -> str:
    r"""Return the text as a code span for a table, whose rows are parted at ``|`` before all else.

    It is shown as ``\x7c``: renderers disagree on how a backslash before ``\|`` is read.
    """
    return code(visible(text).replace("|", r"\x7c"))


def block(text: str, language: str = "") -> str:
    """Return a text of several lines as a fenced code block. Its characters must print."""
    fence = "`" * max(3, _longest(text) + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def _longest(text: str) -> int:
    """Return how long the longest run of backticks is."""
    return max(map(len, _TICKS.findall(text)), default=0)
