"""A snapshot file -> the page objects in it: bytes, encodings, JSON, and one-line errors."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from auditor.collect.entries import kind_name
from auditor.errors import SnapshotError
from auditor.text import one_line

_HOW = "make one with: aws iam get-account-authorization-details --output json > FILE"
_PAGE_KEYS = frozenset({"RoleDetailList", "UserDetailList", "GroupDetailList", "Policies"})
# A snapshot's own depth is about 12 (page, role, policy, statement, condition, values).
_DEPTH_LIMIT = 64
_BRACKET_OR_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', re.DOTALL)
# Between two JSON texts: JSON's white space, and the byte order mark that joining files leaves.
_BETWEEN = " \t\r\n\ufeff"


def read_bytes(source: str, where: str) -> bytes:
    """Return what the file ``source`` (``-``: standard input) holds.

    :raises SnapshotError: one line, if it can't be read.
    """
    if not source:
        raise SnapshotError("--snapshot: no file is named; name one, or - for standard input")
    try:
        return sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise SnapshotError(
            f"{where}: can't be read ({one_line(why)}); name a file that exists, or - for"
            " standard input"
        ) from error


def read_pages(data: bytes, where: str) -> list[dict[str, object]]:
    """Return the page objects of a file's bytes, at least one.

    ``where`` names the file in messages. ``RoleDetailList`` and ``Policies`` are a list, an object
    or absent in each page (``Policies`` may be null), and one at least has a ``RoleDetailList``.

    :raises SnapshotError: one line: what is wrong, where, and what to do.
    """
    text = _text(data, where)
    try:
        values = _parse(text, where)
    except RecursionError:
        values = _parse(_shallow(text, where), where)
    return _pages(values, where)


def _text(data: bytes, where: str) -> str:
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SnapshotError(
            f"{where}: not {encoding.upper()} text (line {line}, byte {error.start}); {_HOW}"
        ) from error


def _parse(text: str, where: str) -> list[object]:
    """Return the JSON values that stand one after another in ``text``."""
    decode = json.JSONDecoder().raw_decode
    values: list[object] = []
    end = len(text)
    start = _skip(text, 0)
    try:
        while start < end:
            value, stop = decode(text, start)
            values.append(value)
            start = _skip(text, stop)
    except json.JSONDecodeError as error:
        ends = error.pos >= len(text.rstrip())
        why = "it ends in the middle" if ends else error.msg
        raise SnapshotError(
            f"{where}: not JSON at line {error.lineno}, column {error.colno} ({why}); {_HOW}"
        ) from error
    except ValueError as error:  # Python's words are advice to programmers
        line = text.count("\n", 0, start) + 1
        raise SnapshotError(
            f"{where}: the JSON from line {line} on can't be read (a number in it has thousands of"
            f" digits); {_HOW}"
        ) from error
    if not values:
        raise SnapshotError(f"{where}: empty; {_HOW}")
    return values


def _shallow(text: str, where: str) -> str:
    """Return the JSON text with null in place of what is nested deeper than any snapshot is.

    Python's reader gives up on the whole text there. What stood at such a depth was no part of a
    valid policy; with null in its place the document still isn't one, and costs its role only.
    """
    kept: list[str] = []
    depth = start = 0
    for token in _BRACKET_OR_STRING.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth == _DEPTH_LIMIT + 1:
                kept += (text[start : token.start()], "null")
        elif token[0] in ("]", "}"):
            if depth == _DEPTH_LIMIT + 1:
                start = token.end()
            depth -= 1
    if depth > _DEPTH_LIMIT:
        raise SnapshotError(f"{where}: JSON nested too deeply, and it never ends; {_HOW}")
    return "".join((*kept, text[start:]))


def _skip(text: str, at: int) -> int:
    end = len(text)
    while at < end and text[at] in _BETWEEN:
        at += 1
    return at


def _pages(values: list[object], where: str) -> list[dict[str, object]]:
    """Return the page objects among the values, every one of them checked to be one."""
    flat: list[object] = []
    for value in values:
        flat.extend(value) if isinstance(value, list) else flat.append(value)
    pages: list[dict[str, object]] = []
    for number, page in enumerate(flat, 1):
        place = where if len(flat) == 1 else f"{where}: page {number}"
        if not isinstance(page, dict):
            raise SnapshotError(f"{place}: {kind_name(page)}, not a snapshot; {_HOW}")
        if "Statement" in page and "RoleDetailList" not in page:
            raise SnapshotError(f"{place}: one policy document, not a snapshot; {_HOW}")
        if not _PAGE_KEYS & page.keys():
            raise SnapshotError(f"{place}: not a snapshot (no RoleDetailList in it); {_HOW}")
        # A page may lack roles; one that says null where they should be is no page of AWS's.
        for key, kinds in (("RoleDetailList", list | dict), ("Policies", list | dict | None)):
            if key in page and not isinstance(page[key], kinds):
                raise SnapshotError(f"{place}: {key} is {kind_name(page[key])}, not a list; {_HOW}")
        pages.append(page)
    if not any("RoleDetailList" in page for page in pages):
        raise SnapshotError(f"{where}: not a snapshot (no RoleDetailList in it); {_HOW}")
    return pages
