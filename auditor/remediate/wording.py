"""Sentences of a plan: names and reasons of others are put in as texts that JSON can carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.remediate.model import Left, Remark, Standing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.account import Role
    from auditor.findings import RoleReport

VERDICTS = {
    "exposed": "exposed",
    "simulator_only": "simulator only",
    "no_send": "no send",
    "undetermined": "undetermined",
}


def sound(text: str) -> str:
    """Return a text in which lone surrogates, which no UTF-8 can carry, are spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def remark(code: str, text: str, snippet: str | None = None) -> Remark:
    """Return a remark, its texts made sound."""
    return Remark(code=code, text=sound(text), snippet=None if snippet is None else sound(snippet))


def left(role: Role, reported: RoleReport | None, code: str, text: str) -> Left:
    """Return why nothing is planned for a role."""
    return Left(
        role_arn=sound(role.arn),
        role_name=sound(role.name),
        standing=None if reported is None else standing(reported),
        why=remark(code, text),
    )


def standing(reported: RoleReport) -> Standing:
    """Return the verdict of a report as a plan keeps it."""
    reason = None if reported.reason is None else sound(reported.reason)
    return Standing(verdict=reported.verdict, certainty=reported.certainty, reason=reason)


def told(verdict: str, certainty: str | None = None) -> str:
    """Return a verdict in words: ``exposed (proven)``, ``simulator only``."""
    return f"{VERDICTS[verdict]} ({certainty})" if certainty else VERDICTS[verdict]


def listed(texts: Iterable[str]) -> str:
    """Return ``a``, ``a and b``, ``a, b and c``."""
    *first, last = list(texts) or ["nothing"]
    return f"{', '.join(first)} and {last}" if first else last
