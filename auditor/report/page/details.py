"""The proof of every role, as data that the page's script builds a role's section from.

Thousands of roles share most of their texts: each text stands in the data once, and everything
else names it by its number.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from auditor.report.json import timestamp
from auditor.report.page.closing import fix_of
from auditor.report.page.statement import ANY_SEND, LENGTH_MAX, Asked, asked_by, statement_of
from auditor.report.page.words import place_of, remedy_of, request_rows, title_of
from auditor.report.past import excepted_by
from auditor.report.words import closed_words, limit_words
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.account import Role
    from auditor.findings import Closed, Finding, RoleReport, StatementRef, Suppressed
    from auditor.report.interface import Again

STATEMENTS_MAX: Final = 2_500_000
"""Characters of statements in one page, worst roles first: a browser must open it at once. The
statements beyond are named without their text, and the page says so."""

NOT_HERE: Final = "This report doesn't carry the statement's text."
TOO_LONG: Final = (
    f"Too long to show: a statement of over {LENGTH_MAX:,} characters, or a page that has its fill."
)


class _Texts:
    """Texts by number, each kept once and shown as ``visible`` shows it."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.statements = 0  # characters

    def of(self, text: str) -> int:
        return self._numbers.setdefault(visible(text), len(self._numbers))

    def all(self, texts: Iterable[str]) -> list[int]:
        return [self.of(text) for text in texts]

    def statement(self, text: str) -> int | None:
        """Number a statement's text, whose line breaks stay; None where the page has its fill."""
        if text not in self._numbers:
            if self.statements + len(text) > STATEMENTS_MAX:
                return None
            self.statements += len(text)
        return self._numbers.setdefault(text, len(self._numbers))

    def listed(self) -> list[str]:
        return list(self._numbers)


def data(roles: Sequence[RoleReport], again: Again) -> Markup:
    """Return the roles' details as JSON that is inert inside a ``script`` element.

    ``{"texts": […], "roles": […]}``, a role for each of those given, in their order.

    :param again: what points the commands at what was audited.
    """
    texts = _Texts()
    found = [_role(role, texts, again) for role in roles]
    return inert({"texts": texts.listed(), "roles": found})


def inert(value: object) -> Markup:
    r"""Return JSON in ASCII in which nothing opens or ends an element: ``<`` is ``\u003c``.

    https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
    """
    text = json.dumps(value, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)  # noqa: S704 - escaped in the lines above


def _role(role: RoleReport, texts: _Texts, again: Again) -> dict[str, object]:
    groups: dict[object, list[Finding]] = {}
    for finding in role.findings:
        groups.setdefault(_likeness(finding), []).append(finding)
    found: dict[str, object] = {
        "projects": texts.all(f"{one.name} ({one.region})" for one in role.projects),
        "notes": texts.all(role.notes),
        "findings": [_group(ones, role, texts) for ones in groups.values()],
    }
    covered: dict[object, list[Suppressed]] = {}
    for each in role.suppressed:
        covered.setdefault((each.exception, _likeness(each.finding)), []).append(each)
    found["suppressed"] = [
        {
            **_group([one.finding for one in ones], role, texts),
            "excepted": texts.of(excepted_by(ones[0].exception)),
        }
        for ones in covered.values()
    ]
    if role.closed is not None:
        found["closed"] = _closed(role, role.closed, texts)
    if role.verdict == "exposed":
        fix = fix_of(role, again)
        found["fix"] = None if fix.command is None else texts.of(fix.command)
        found["overrules"] = None if fix.overrules is None else texts.of(fix.overrules)
        found["others"] = texts.all(fix.others)
    return {name: value for name, value in found.items() if value not in ([], None)}


def _likeness(finding: Finding) -> object:
    """Return what findings have in common that differ in their action (and its resources) alone."""
    witness = finding.witness
    context = None if witness is None else tuple(sorted(witness.context.items()))
    life = finding.life
    return finding.rule, finding.severity, finding.certainty, finding.statements, context, life


def _group(findings: Sequence[Finding], role: RoleReport, texts: _Texts) -> dict[str, object]:
    first = min(
        findings, key=lambda one: one.witness is None or one.witness.action != "ses:SendEmail"
    )
    asked = asked_by(findings)
    statements = [_statement(ref, first.roles, asked, texts) for ref in first.statements]
    told: dict[str, object] = {
        "severity": texts.of(first.severity),
        "certainty": texts.of(first.certainty),
        "rule": texts.of(first.rule),
        "title": texts.of(title_of(first, role)),
        "request": [
            [texts.of(row.label), *texts.all(row.values)]
            for row in (request_rows(first.witness) if first.witness is not None else ())
        ],
        "also": [
            [texts.of(one.witness.action), *texts.all(one.witness.resources)]
            for one in findings
            if one is not first and one.witness is not None
        ],
        "confirmed": [
            texts.of(f"{_CONFIRMED[said.outcome]} on {one.witness.action}: {said.message}")
            for one in findings
            if (said := one.confirmation) is not None and one.witness is not None
        ],
        "statements": statements,
        "remedy": texts.of(remedy_of(first)),
    }
    if first.life is not None:
        since = f"{first.life.status}, first seen {timestamp(first.life.first_seen)}"
        told["life"] = texts.of(since)
    return {name: value for name, value in told.items() if value != []}


def _statement(
    ref: StatementRef, roles: Sequence[Role], asked: Asked, texts: _Texts
) -> list[int | bool]:
    """Return where a statement stands, whether its text follows, the text, and the lines marked."""
    found = statement_of(ref, roles, asked)
    number = None if found is None else texts.statement(found.text)
    missing = NOT_HERE if ref.source is None else TOO_LONG
    shown = [texts.of(missing)] if found is None or number is None else [number, *found.marks]
    return [texts.of(place_of(ref)), number is not None, *shown]


def _closed(role: RoleReport, closed: Closed, texts: _Texts) -> dict[str, object]:
    """Return what closes a role: a layer that doesn't allow sends is named, a statement shown."""
    owners = () if role.source is None else (role.source,)
    asked = Asked(ANY_SEND, ())
    told: dict[str, object] = {
        "why": texts.of(closed_words(role) or ""),
        "layers": texts.all(limit_words(one) for one in closed.by if one.statement is None),
        "statements": [
            _statement(one.statement, owners, asked, texts)
            for one in closed.by
            if one.statement is not None
        ],
    }
    if closed.more:
        told["more"] = closed.more
    return {name: value for name, value in told.items() if value != []}


_CONFIRMED: Final = {"agrees": "Agrees", "disagrees": "DISAGREES", "unanswered": "No answer"}
