"""What a report format is, and how one is found by name.

A format is one module in ``auditor/report/formats/`` that defines ``FORMAT``: nothing else needs
to know of it. Its module name is its name on the command line (``_`` there is ``-`` here), and it
is imported only when it is asked for, so that a format may need a heavy library.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from auditor.errors import InputError
from auditor.report import formats

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.findings import Report


class Again(NamedTuple):
    """What points other commands at what a report is about: their options, word by word.

    ``plan`` is for ``auditor remediate plan``, ``explain`` for ``auditor explain NAME``. Not yet
    quoted for a shell. ``standard_input``: they read the account from there, as the scan did.
    """

    plan: tuple[str, ...] = ()
    explain: tuple[str, ...] = ()
    standard_input: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What the reader's screen can show, and where the reader is. ``width`` is in terminal cells.

    The default is what a pipe or a file gets. Formats for machines ignore it.
    """

    width: int = 80
    color: bool = False
    again: Again = field(default_factory=Again)


PLAIN = Look()


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write a report down.

    ``extension`` has its dot; ``media_type`` is for uploads and HTTP. ``render`` returns the whole
    text, ending in a newline, and gives the same text for the same report and look every time.
    ``closings``: it tells what closes the safe roles, which an audit need not find out for others.
    """

    extension: str
    media_type: str
    render: Callable[[Report, Look], str]
    closings: bool = False


def format_names() -> tuple[str, ...]:
    """Return the names of all formats, sorted, without importing any of them."""
    import pkgutil

    return tuple(sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(formats.__path__)))


def load_format(name: str) -> Format:
    """Return the format of this name. Raises InputError where there is none."""
    if name not in (names := format_names()):
        raise InputError(f"unknown format {name!r}; choose one of: {', '.join(names)}")
    from importlib import import_module

    found = import_module(f"{formats.__name__}.{name.replace('-', '_')}").FORMAT
    assert isinstance(found, Format), f"formats/{name}: FORMAT must be a Format"  # noqa: S101 - a programmer's error
    return found
