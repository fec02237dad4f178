"""Making a report fit into what Lambda can return."""

from __future__ import annotations

import json
from typing import Any

from chalicelib import store

# Lambda carries 6 MB of request and 6 MB of response in a synchronous invocation:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
# This is the number in Lambda's own refusal, "Response payload size exceeded maximum allowed
# payload size (6291556 bytes)".
MAX_REPLY_BYTES = 6_291_556

# The lists of a report, the ones that a shortened reply gives up last coming first. Each but
# the last may take this share of what is left: a million errors mustn't push out every role.
_LISTS = ("errors", "unresolved_projects", "roles")
_SHARE = 4

_WORST_FIRST = ("exposed", "undetermined", "simulator_only", "no_send")

_ADVICE = (
    "the report is longer than Lambda can return: audit fewer roles with"
    ' {"roles": ["glob"]}, or set the stack\'s ReportsBucket parameter to get the whole of it in S3'
)


def size(value: object) -> int:
    """Return the bytes that Lambda's Python runtime sends for a value, at most.

    The runtime serialises with json's default separators; escaping what isn't ASCII, as its older
    versions do, is never shorter.
    """
    return len(json.dumps(value))


def fit(report: dict[str, Any], *, bucket: str | None, limit: int) -> dict[str, Any]:
    """Return the report itself where it fits into ``limit`` bytes, or a shorter reply.

    With a bucket: the report without its lists, and where in S3 the whole of it lies
    (``stored_at``). Without: as much as fits, the worst roles first, with ``left_out`` (how many
    entries of each list are missing) and ``advice``.
    """
    if size(report) <= limit:
        return report
    head = {key: value for key, value in report.items() if key not in _LISTS}
    if bucket is not None:
        return {**head, "stored_at": store.put(bucket, report)}
    return _shorten(head, report, limit)


def _shorten(head: dict[str, Any], report: dict[str, Any], limit: int) -> dict[str, Any]:
    present = [name for name in _LISTS if name in report]
    counts = {name: len(report[name]) for name in present}
    # The counts can only shrink, so this frame is at its longest now.
    frame = {**head, **{name: [] for name in present}, "left_out": counts, "advice": _ADVICE}
    room = limit - size(frame)
    kept: dict[str, list[Any]] = {}
    for name in present:
        entries = sorted(report[name], key=_rank) if name == "roles" else report[name]
        share = room if name == present[-1] else room // _SHARE
        kept[name], used = _take(entries, share)
        room -= used
    left_out = {name: counts[name] - len(kept[name]) for name in present}
    return {**head, **kept, "left_out": left_out, "advice": _ADVICE}


def _take(entries: list[Any], room: int) -> tuple[list[Any], int]:
    """Return the entries that fit, in order, and the bytes that they take with their separators.

    One that is too long alone is passed over for shorter ones behind it.
    """
    kept, used = [], 0
    for entry in entries:
        needed = size(entry) + len(", ")
        if used + needed <= room:
            kept.append(entry)
            used += needed
    return kept, used


def _rank(role: dict[str, Any]) -> tuple[int, bool, str]:
    return (_WORST_FIRST.index(role["verdict"]), role["certainty"] != "proven", role["arn"])
