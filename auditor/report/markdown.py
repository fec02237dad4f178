"""The report as Markdown: for a pull request's comment or a pipeline's summary.

Never longer than GitHub takes. What doesn't fit is left out whole, the safest first, and counted
in the last lines: the headline and the counts are always about the whole account.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from auditor.report.changed import (
    ARRIVED,
    RuleChange,
    about_known,
    all_new,
    arrived_by_rule,
    by_role,
    gone_by_rule,
    missed,
)
from auditor.report.facts import not_evaluated_words
from auditor.report.inert import cell, code
from auditor.report.interface import PLAIN
from auditor.report.json import timestamp
from auditor.report.markdown_role import section
from auditor.report.past import changes_words, excepted, idle
from auditor.report.room import Entry, Part, fitted, size
from auditor.report.words import (
    badness,
    count,
    limited_words,
    summary_words,
    verdict_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from auditor.findings import Report, RoleReport
    from auditor.report.interface import Look

LONGEST: Final = 65_536
"""Bytes of UTF-8. GitHub refuses a comment of more characters: "body is too long"."""

_BLANK_LINES: Final = re.compile("\n{3,}")  # no text of others has any
_TAIL: Final = 1_024  # kept free for the lines that say what was left out
_LIST: Final = 0.04  # of the room for each list, where not all has room
_EXPOSED: Final = 0.2  # and for the table of exposed roles, and for their sections
_ROLES: Final = 20  # named in a line


def render(report: Report, look: Look = PLAIN) -> str:  # noqa: ARG001 - every format takes a look
    """Return the report as GitHub-flavoured Markdown of at most ``LONGEST`` bytes."""
    roles = sorted(report.roles, key=badness)
    exposed = [role for role in roles if role.verdict == "exposed" and not role.accepted()]
    head = list(_head(report))
    parts = [
        *_changes(report),
        Part(
            "\n| | role | rule | call |\n|---|---|---|---|",
            [Entry(line) for line in _table(exposed)],
            "of the exposed roles are not in the table",
            _EXPOSED,
            1,
        ),
        *_lists(report, roles),
        Part(
            "\n## The exposed roles, worst first\n",
            [Entry(section(role)) for role in exposed],
            "of the exposed roles have no section",
            _EXPOSED,
            0,
        ),
        _list(
            "\n## Also worth knowing",
            [
                Entry(_advice(role))
                for role in roles
                if role.findings and (role.verdict != "exposed" or role.accepted())
            ],
            "of the roles with advice are not listed",
        ),
    ]
    lines, left_out = fitted(parts, LONGEST - _TAIL - sum(map(size, head)))
    if left_out:
        lines.append("\n## Left out, for lack of room\n\nThe JSON report has all of it.\n")
        lines += [f"- {one}" for one in left_out]
    text = "".join(f"{line}\n" for line in (*head, *lines))
    return _BLANK_LINES.sub("\n\n", text)


def _list(heading: str, entries: list[Entry], what: str, rank: int = 4) -> Part:
    return Part(f"{heading}\n", entries, what, _LIST, rank)


def _changes(report: Report) -> Iterator[Part]:
    """Yield what changed since earlier audits, and what nothing can be said about."""
    what = "of the {} roles are not listed, a role counted for each rule and severity"
    if not all_new(report):
        for status in ARRIVED:
            heading = f"\n### {status.capitalize()} since earlier audits"
            entries = list(_by_rule(arrived_by_rule(report, status)))
            # what got worse stands before all else: there is little of it, and it can't wait
            yield _list(heading, entries, what.format(status), 0 if status == "worse" else 3)
    yield _list(
        "\n### Resolved since earlier audits",
        list(_by_rule(gone_by_rule(report))),
        what.format("resolved"),
        3,
    )
    for one in missed(report):
        lines = [
            Entry(_item(arn, "; ".join(words for _, words in found)))
            for arn, found in by_role(map(about_known, one.findings))
        ]
        yield _list(f"\n### {one.heading}", lines, f"of the roles {one.word} are not listed")


def _by_rule(changes: Iterable[RuleChange]) -> Iterator[Entry]:
    for one in changes:
        for first in range(0, len(one.roles), _ROLES):
            roles = one.roles[first : first + _ROLES]
            names = ", ".join(map(code, roles))
            text = f"- {one.word}: **{one.severity}** {code(one.rule)}: {names}"
            yield Entry(text, len(roles))


def _head(report: Report) -> Iterator[str]:
    yield "# Can CodeBuild roles mail real people through SES?\n"
    yield f"{_headline(report)}\n"
    if not report.complete:
        yield "> **Incomplete audit**: roles or projects may be missing from this report.\n"
    for words in limited_words(report):
        yield f"> **Limited audit**: {code(words)}. The answer is about no other part.\n"
    when = code(timestamp(report.generated_at))
    changes = changes_words(report)
    if changes is not None:
        yield f"**{changes}**\n"
    yield f"{summary_words(report)} Account {code(report.account_id)}, {when}.\n"
    reach = report.reach()
    if reach is not None and report.count("exposed"):
        yield f"{code(reach)}\n"


def _headline(report: Report) -> str:
    # counted here, role by role: whatever is subtracted from a report's counts, an exposed role
    # must not be answered with a no
    every = [role for role in report.roles if role.verdict == "exposed"]
    exposed = [role.open_certainty() for role in every if not role.accepted()]
    more = f"; {len(every) - len(exposed):,} more excepted" if len(every) > len(exposed) else ""
    undecided = sum(role.verdict == "undetermined" for role in report.roles)
    if exposed:
        proven = exposed.count("proven")
        certain = f"{proven:,} proven, {len(exposed) - proven:,} possible"
        answer = "Yes" if proven else "Possibly"
        return f"**{answer}: {count(len(exposed), 'role')} exposed** ({certain}){more}."
    if undecided:
        which = count(undecided, "role")
        beyond = f" beyond {len(every):,} excepted" if every else ""
        return f"**Not decided: {which} undetermined**, and none known to be exposed{beyond}."
    if every:
        which = count(len(every), "role")
        return f"**Yes, but accepted: {which} exposed**, each covered by exceptions until they end."
    if report.limits is not None and not report.roles:
        return "**Not decided**: no CodeBuild role was found in the part that was audited."
    if not report.complete:
        return "**Not decided**: no role is known to be exposed, but the audit is incomplete."
    if not report.roles:
        return "**No CodeBuild role was found.**"
    if report.limits is not None:
        return "**No**, for the part of the account that was audited: the rest was not looked at."
    if report.unresolved_projects:
        return "**No**, as far as roles were audited: see below which projects' roles were not."
    if report.not_evaluated:
        return "**No**, as far as the source tells: see below what it doesn't contain."
    return "**No**: no CodeBuild role can."


def _table(exposed: Sequence[RoleReport]) -> Iterator[str]:
    for role in exposed:
        worst = role.worst()
        rule = cell(worst.rule) if worst else ""
        call = cell(worst.witness.action) if worst and worst.witness else ""
        yield f"| {verdict_words(role)} | {cell(role.name)} | {rule} | {call} |"


def _lists(report: Report, roles: Sequence[RoleReport]) -> Iterator[Part]:
    """Yield what else there is to say."""
    yield _list(
        "\n### Undetermined: could not be decided, so they don't count as safe",
        [Entry(_item(r.name, r.reason or "")) for r in roles if r.verdict == "undetermined"],
        "of the undetermined roles are not listed",
        2,
    )
    yield _list(
        "\n### Excepted: exposed or advised, but exceptions cover it until a day",
        list(map(_entry, excepted(report))),
        "of the roles with exceptions are not listed",
    )
    yield _list(
        "\n### Exceptions that cover nothing",
        list(map(_entry, idle(report))),
        "of these exceptions are not listed",
    )
    yield _list(
        f"\n### {'Could not be read' if not report.complete else 'Went wrong on the way'}",
        [Entry(_item(error.where, error.message)) for error in report.errors],
        "of the errors are not listed",
    )
    yield _list(
        "\n### Projects whose role was not audited",
        [
            Entry(
                _item(f"{one.project.name} ({one.project.region})", f"{one.role_arn}: {one.reason}")
            )
            for one in report.unresolved_projects
        ],
        "of these projects are not listed",
    )
    yield _list(
        "\n### Not evaluated: the source doesn't contain it",
        [Entry(f"- {code(words)}") for words in not_evaluated_words(report)],
        "of the things not evaluated are not listed",
    )


def _advice(role: RoleReport) -> str:
    return _item(role.name, "; ".join(f"{f.severity} {f.rule}: {f.title}" for f in role.findings))


def _entry(entry: tuple[str, list[str]]) -> Entry:
    name, lines = entry
    # without lines it says how many more there are
    return Entry(_item(name, "; ".join(lines))) if lines else Entry(f"- {code(name)}", 0)


def _item(name: str, text: str) -> str:
    return f"- {code(name)}: {code(text)}"
