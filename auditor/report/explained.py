"""Each rule explained: what it is and why it matters, for reports that stand alone.

``rules.json`` holds the words of the rules' pages under ``docs/rules/``, which a reader of a report
may not have; a test holds the two together. What to do is the catalogue's remedy.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor import report

if TYPE_CHECKING:
    from collections.abc import Mapping

_CODE: Final = re.compile("`([^`]*)`")
_ENTRY: Final = "- "


class Block(NamedTuple):
    """A paragraph, or an entry of a list. Every other piece, from the second on, is code."""

    entry: bool
    pieces: tuple[str, ...]


class Explained(NamedTuple):
    """What a rule is and why it matters: Markdown paragraphs and entries, code in backticks."""

    what: tuple[str, ...]
    why: tuple[str, ...]


@cache
def explained() -> Mapping[str, Explained]:
    """Return every rule's explanation by the rule's id."""
    found = json.loads(files(report).joinpath("rules.json").read_text("utf-8"))
    return {
        rule: Explained(tuple(told["what"]), tuple(told["why"])) for rule, told in found.items()
    }


def blocks(paragraphs: tuple[str, ...]) -> list[Block]:
    """Return paragraphs with their code told apart."""
    return [
        Block(one.startswith(_ENTRY), tuple(_CODE.split(one.removeprefix(_ENTRY))))
        for one in paragraphs
    ]


def plain(paragraphs: tuple[str, ...]) -> str:
    """Return paragraphs as one text without marks for code."""
    return " ".join("".join(one.pieces) for one in blocks(paragraphs))
