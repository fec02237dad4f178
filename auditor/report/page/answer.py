"""The page's first screen: the answer in one sentence, the counts, and what was not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from auditor.report.changed import about_known, by_role, missed
from auditor.report.words import NOT_EVALUATED, count, limited_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.findings import Certainty, Report, RoleReport

Tone = Literal["bad", "unsure", "good"]

LINES_MAX: Final = 200
"""Lines shown of one kind of gap; the rest is counted. The JSON report has them all."""

HARMLESS: Final = frozenset({"scps"})
"""What a source may lack without hiding an exposure: service control policies only ever refuse."""


class Answer(NamedTuple):
    """The one sentence; ``tone`` is ``good`` only where nothing was left open."""

    tone: Tone
    headline: str


class Tile(NamedTuple):
    """One count. ``kind`` is a verdict, or an exposed role's certainty."""

    kind: str
    number: int
    label: str


class Gap(NamedTuple):
    """Something that was not looked at: one line that says what, and the particulars."""

    title: str
    lines: tuple[str, ...]
    more: int


def answer(report: Report) -> Answer:
    """Say how many roles can mail real people, and no more than the audit knows.

    A role whose exposure somebody answers for can mail them all the same: it is told beside those
    that nobody answers for, and keeps the answer from being good.
    """
    total = len(report.roles)
    proven, possible = (_exposed(report, sure) for sure in ("proven", "possible"))
    covered = accepted(report)
    beside = f"; {covered:,} more {'is' if covered == 1 else 'are'} excepted" if covered else ""
    undecided = report.count("undetermined")
    if not total:
        where = "" if report.limits is None else " in the part of the account that was audited"
        return Answer("unsure", f"No CodeBuild role was found{where}, so nothing was decided.")
    if proven:
        more = f", and {possible:,} more may" if possible else ""
        return Answer("bad", f"{_of(proven, total)} can mail real people{more}{beside}.")
    if possible:
        return Answer("bad", f"{_of(possible, total)} may be able to mail real people{beside}.")
    if undecided:
        verb = "could not be decided"
        known = f"No role is known to mail real people, but {undecided:,} {verb}{beside}."
        return Answer("unsure", known)
    if covered:
        which = _of(covered, total)
        sure = any(role.accepted() and role.certainty == "proven" for role in report.roles)
        verb = "can" if sure else "may be able to"
        return Answer("unsure", f"{which} {verb} mail real people, each covered by exceptions.")
    safe = "The one audited role can't" if total == 1 else f"None of {total:,} audited roles can"
    if not report.complete or report.unresolved_projects:
        return Answer("unsure", f"{safe} mail real people, but not everything could be read.")
    if report.limits is not None:
        part = "this audit looked at a part of the account only"
        return Answer("unsure", f"{safe} mail real people, but {part}.")
    if not HARMLESS.issuperset(report.not_evaluated):
        return Answer("unsure", f"{safe} mail real people, as far as this source tells.")
    return Answer("good", f"{safe} mail real people.")


def accepted(report: Report) -> int:
    """Return how many roles can or may mail real people and aren't counted as exposed for it."""
    return sum(role.accepted() for role in report.roles)


def beside(report: Report) -> int:
    """Return how many such roles there are, where the one sentence isn't about them alone."""
    alone = not (report.count("exposed") or report.count("undetermined"))
    return 0 if alone else accepted(report)


def _exposed(report: Report, certainty: Certainty) -> int:
    return sum(role.open_certainty() == certainty for role in report.roles)


def _of(some: int, total: int) -> str:
    if total == 1:
        return "The one audited role"
    return f"{some:,} of {total:,} audited roles"


def tiles(report: Report) -> list[Tile]:
    """Return the counts, worst first; excepted roles only where there are any."""
    summary = report.summary()
    found = [
        Tile("proven", _exposed(report, "proven"), "exposed, proven"),
        Tile("possible", _exposed(report, "possible"), "exposed, possible"),
        Tile("undetermined", summary["undetermined"], "undetermined"),
        Tile("simulator_only", summary["simulator_only"], "simulator only"),
        Tile("no_send", summary["no_send"], "no send"),
    ]
    if covered := accepted(report):
        found.insert(3, Tile("excepted", covered, "exposed, excepted"))
    return found


def gaps(report: Report, roles: Sequence[RoleReport]) -> list[Gap]:
    """Return all that could not be audited. ``roles`` are the report's."""
    return [
        _gap(title, lines)
        for title, lines in (
            ("the rest of the account: this audit was limited", limited_words(report)),
            (
                count(len(report.errors), "read") + " failed: the audit is incomplete",
                _errors(report),
            ),
            (
                count(len(report.unresolved_projects), "CodeBuild project")
                + " whose role was not audited",
                _unresolved(report),
            ),
            (
                count(report.count("undetermined"), "role") + " could not be decided",
                [f"{r.name}: {_reason(r)}" for r in roles if r.verdict == "undetermined"],
            ),
            (
                count(sum(bool(r.notes) for r in roles), "exposed role")
                + " with more that could not be read or decided",
                [f"{role.name}: {note}" for role in roles for note in role.notes],
            ),
            *(
                (
                    f"{count(len(one.findings), 'finding')} {one.whose}{one.word}",
                    [
                        f"{arn}: {words}"
                        for arn, lines in by_role(map(about_known, one.findings))
                        for _, words in lines
                    ],
                )
                for one in missed(report)
            ),
            (
                _lacking(report.not_evaluated),
                [NOT_EVALUATED.get(name, name) for name in report.not_evaluated],
            ),
        )
        if lines
    ] + list(_unexplained(report))


def _lacking(names: Sequence[str]) -> str:
    """Return what a source lacks in few words: the particulars say what that means."""
    known = [NOT_EVALUATED.get(name, name).partition(" (")[0] for name in names]
    return f"not in the source: {', '.join(known)}"


def _unexplained(report: Report) -> Iterator[Gap]:
    """Yield a gap where the report is incomplete and doesn't say why."""
    if not report.complete and not report.errors:
        yield Gap("the audit is incomplete", (), 0)


def _gap(title: str, lines: Sequence[str]) -> Gap:
    return Gap(title, tuple(lines[:LINES_MAX]), max(0, len(lines) - LINES_MAX))


def _errors(report: Report) -> list[str]:
    return [f"{one.where}: {one.message}" for one in report.errors]


def _unresolved(report: Report) -> list[str]:
    return [
        f"{one.project.name} ({one.project.region}), role {one.role_arn}: {one.reason}"
        for one in report.unresolved_projects
    ]


def _reason(role: RoleReport) -> str:
    return role.reason or "no reason was recorded"
