"""What messages say of exceptions that ran out, or cover nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from auditor.exceptions import covers
from auditor.findings import EXPOSING
from auditor.notify.facts import LIST_LIMIT, clean, count, some

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Report
    from auditor.lasting import RoleException

_SHORT: Final = 100  # characters of a glob, an owner or a place


def open_again(report: Report) -> list[str]:
    """Return a line for each exception that expired, where what it covered is open now."""
    found = [
        f"An exception expired on {use.exception.expires}, so this is open:"
        f" {some(names)} ({_about(use.exception)})"
        for use in report.exceptions or ()
        if use.state == "expired" and (names := _open_under(report, use.exception))
    ]
    return _few(found)


def idle(report: Report) -> list[str]:
    """Return a line for each other exception that expired, and each that covers no finding."""
    found = []
    for use in report.exceptions or ():
        one = use.exception
        if use.state == "unused":
            found.append(
                f"Exception that covers nothing: {clean(one.role, _SHORT)} ({_about(one)})"
            )
        elif use.state == "expired" and not _open_under(report, one):
            found.append(
                f"Exception that expired on {one.expires}, and nothing of it is open:"
                f" {clean(one.role, _SHORT)} ({_about(one)})"
            )
    return _few(found)


def _open_under(report: Report, exception: RoleException) -> list[str]:
    return [
        role.name
        for role in report.roles
        if role.verdict == "exposed"
        and any(
            one.severity in EXPOSING and covers(exception, role, one.rule) for one in role.findings
        )
    ]


def _about(one: RoleException) -> str:
    where = f"; {clean(one.where, _SHORT)}" if one.where else ""
    return f"rule {clean(one.rule, _SHORT)}; owner {clean(one.owner, _SHORT)}{where}"


def _few(lines: Sequence[str]) -> list[str]:
    rest = len(lines) - LIST_LIMIT
    more = [f"and {count(rest, 'more exception')} like this"] if rest > 0 else []
    return [*lines[:LIST_LIMIT], *more]
