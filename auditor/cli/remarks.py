"""What a scan has to say beside its report: warnings, a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.findings import Report
    from auditor.lasting import ExceptionUse

_SHOWN: Final = 20  # exceptions named one by one; the report has all


def remarks(report: Report, globs: Sequence[str]) -> Iterator[str]:
    """Yield what is to be warned of: options, AWS's contradictions, exceptions that do nothing."""
    for glob in _unmatched(globs, report):
        yield f"--role {glob} matches no CodeBuild role"
    yield from _contradictions(report)
    idle = [use for use in report.exceptions or () if use.state in ("expired", "unused")]
    yield from map(_idle, idle[:_SHOWN])
    if len(idle) > _SHOWN:
        yield f"{len(idle) - _SHOWN:,} more exceptions are expired or unused; the report has all"


def _idle(use: ExceptionUse) -> str:
    one = use.exception
    what = f"{one.where}: the exception for {one.role}, {one.rule} (owner: {one.owner})"
    if use.state == "expired":
        return f"{what} expired on {one.expires}: it covers nothing; close the role, or renew it"
    return f"{what} covers nothing that this audit found; remove it where nothing needs it"


def _contradictions(report: Report) -> Iterator[str]:
    """Yield a line for each request that AWS wouldn't allow, and one for all it wasn't asked."""
    unanswered = []
    for role in report.roles:
        for finding in (*role.findings, *(one.finding for one in role.suppressed)):
            found, witness = finding.confirmation, finding.witness
            if found is None or witness is None:
                continue
            if found.outcome == "disagrees":
                yield f"{role.arn}: {witness.action}: {found.message}"
            elif found.outcome == "unanswered":
                unanswered.append(found.message)
    if unanswered:
        first = f"{len(unanswered):,} of the requests could not be confirmed: {unanswered[0]}"
        rest = len(set(unanswered)) - 1
        yield f"{first} ({rest:,} other reasons are in the report)" if rest else first


def _unmatched(globs: Sequence[str], report: Report) -> list[str]:
    """Return the globs that matched no role of the report."""
    from auditor.globs import like

    return [
        glob
        for glob in dict.fromkeys(globs)
        if not any(like(glob).matches(r.name) or like(glob).matches(r.arn) for r in report.roles)
    ]
