"""What messages say of exceptions that ran out, soon will, or cover nothing."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from auditor.exceptions import covers
from auditor.findings import EXPOSING
from auditor.notify.facts import LIST_LIMIT, clean, count, some

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Report
    from auditor.lasting import RoleException

SOON: Final = 7
"""Days before an exception's last one, in which that is told: time to renew it, or to close."""

_SHORT: Final = 100  # characters of a glob, an owner or a place
_NAMED: Final = 2  # roles of exceptions in a message's first words
_KEY_BYTES: Final = 8  # enough to tell the exceptions of a file apart

State = Literal["expired", "unused", "ending"]
_MAY_STILL: Final[tuple[State, ...]] = ("unused", "ending")  # where an audit can't know


class Notice(NamedTuple):
    """Something that whoever answers for an exception should know.

    ``ending``: it covers something, and has ``days`` left after today.
    """

    exception: RoleException
    state: State
    days: int

    def key(self) -> bytes:
        """Return what stands for it, however the file is ordered and whatever the day."""
        return _key(self.exception, self.state)

    def values(self) -> dict[str, Any]:
        """Return it for machines."""
        one = self.exception
        return {
            "role": clean(one.role, _SHORT),
            "rule": clean(one.rule, _SHORT),
            "reason": clean(one.reason),
            "owner": clean(one.owner, _SHORT),
            "expires": one.expires.isoformat(),
            "where": clean(one.where, _SHORT),
            "state": self.state,
        }


def notices(report: Report) -> list[Notice]:
    """Return what is to be known of exceptions, in their order. What isn't known, is left out."""
    today = report.generated_at.astimezone(UTC).date()
    found = []
    for one, state in report.exceptions or ():
        days = (one.expires - today).days
        if state in ("expired", "unused"):
            found.append(Notice(one, state, days))
        elif state == "used" and days <= SOON:
            found.append(Notice(one, "ending", days))
    return found


def unheard(report: Report, heard: frozenset[bytes]) -> list[Notice]:
    """Return the notices that a channel wasn't told yet."""
    return [one for one in notices(report) if one.key() not in heard]


def heard_of(report: Report, heard: frozenset[bytes], *, told: bool) -> frozenset[bytes]:
    """Return what a channel has heard of exceptions after an audit, while it holds.

    :param told: whether it was told anything: every message names all that is to be known.
    """
    now = {one.key() for one in notices(report)}
    # One audit that couldn't read everything doesn't make it news again.
    unknown = {
        _key(one, told_as)
        for one, state in report.exceptions or ()
        if state == "unknown"
        for told_as in _MAY_STILL
    }
    return (heard & (now | unknown)) | (now if told else set())


def words(fresh: Sequence[Notice]) -> str:
    """Return what became of exceptions in a few words; empty where nothing did."""
    numbers = {state: sum(one.state == state for one in fresh) for state in _WORDS}
    told = [text.format(numbers[state]) for state, text in _WORDS.items() if numbers[state]]
    names = list(dict.fromkeys(one.exception.role for one in fresh))
    shown = [clean(name, _SHORT) for name in names[:_NAMED]]
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return f"Exceptions: {', '.join(told)} ({', '.join(shown + more)})" if told else ""


_WORDS: Final[dict[State, str]] = {
    "expired": "{} expired",
    "ending": f"{{}} within {SOON} days of the end",
    "unused": "{} without effect",
}


def ending(report: Report) -> list[str]:
    """Return a line for each exception that covers something and ends soon."""
    found = [
        f"Exception that {_left(one.days)}, {one.exception.expires} being its last day:"
        f" {clean(one.exception.role, _SHORT)} ({_about(one.exception)})"
        for one in notices(report)
        if one.state == "ending"
    ]
    return _few(found)


def _left(days: int) -> str:
    return f"expires in {count(days, 'day')}" if days else "expires today"


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
            sure = ", and nothing of it is open" if report.complete else ""
            found.append(
                f"Exception that expired on {one.expires}{sure}:"
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


def _key(one: RoleException, state: State) -> bytes:
    text = json.dumps([one.role, one.rule, one.owner, one.expires.isoformat(), state])
    return hashlib.sha256(text.encode()).digest()[:_KEY_BYTES]


def _about(one: RoleException) -> str:
    where = f"; {clean(one.where, _SHORT)}" if one.where else ""
    return f"rule {clean(one.rule, _SHORT)}; owner {clean(one.owner, _SHORT)}{where}"


def _few(lines: Sequence[str]) -> list[str]:
    rest = len(lines) - LIST_LIMIT
    more = [f"and {count(rest, 'more exception')} like this"] if rest > 0 else []
    return [*lines[:LIST_LIMIT], *more]
