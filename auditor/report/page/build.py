"""The page, put together: the templates with a report's values, under a policy of its own.

Templates, styles and scripts are read as package data, so that it works from a zip as well. What
runs is named by its hash in the page's Content-Security-Policy; nothing else may, and nothing may
be loaded: https://developer.mozilla.org/en-US/docs/Web/HTTP/Guides/CSP
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, NamedTuple

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from auditor import __version__
from auditor.corrective.documents import guard
from auditor.findings import SEVERITIES
from auditor.life import day_of
from auditor.report import page
from auditor.report.interface import PLAIN
from auditor.report.json import timestamp
from auditor.report.page.answer import answer, beside, gaps, tiles
from auditor.report.page.closing import plan_of
from auditor.report.page.details import data
from auditor.report.page.picture import ways
from auditor.report.page.rules import told
from auditor.report.page.trend import HEIGHT, trend
from auditor.report.page.words import kind_of, sentence_of
from auditor.report.past import arrived, changes_words, excepted, gone, idle, idle_uses
from auditor.report.steps import left_open, to_do
from auditor.report.words import badness, count
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Report, RoleReport
    from auditor.life import Day
    from auditor.report.interface import Again

TEMPLATES: Final = ("page.html.j2", "parts.html.j2")
STYLES: Final = ("base.css", "roles.css")
SCRIPTS: Final = ("details.js", "controls.js")
EXPOSED_NAMED: Final = 6  # on the first screen, a phone's too

LABELS: Final = {
    "proven": "Exposed, proven",
    "possible": "Exposed, possible",
    "undetermined": "Undetermined",
    "excepted": "Exposed, excepted",
    "simulator_only": "Simulator only",
    "no_send": "No send",
}


class Row(NamedTuple):
    """A role in the page's list."""

    kind: str
    name: str
    arn: str
    projects: tuple[str, ...]
    severity: str
    rules: tuple[str, ...]
    sentence: str


def render_page(report: Report, history: Sequence[Day] = (), again: Again = PLAIN.again) -> str:
    """Return the report as one HTML page in ASCII, the same for the same report every time.

    ``history`` are past audits of the same account, for the trend; without any there is none.
    ``again`` points the page's commands at what was audited.
    """
    roles = sorted(report.roles, key=badness)
    exposed = [role for role in roles if role.open_certainty()]
    rows = [_row(role) for role in roles]
    rules = sorted({rule for row in rows for rule in row.rules})
    text = (
        _environment()
        .get_template("page.html.j2")
        .render(
            policy=_policy(),
            styles=_markup(STYLES),
            scripts=_markup(SCRIPTS),
            version=__version__,
            account=report.account_id,
            at=timestamp(report.generated_at),
            answer=answer(report),
            reach=report.reach(),
            accepted=beside(report),
            tiles=tiles(report),
            changes=changes_words(report),
            lists=_lists(report),
            plan=plan_of(exposed, [role for role in roles if role.accepted()], again),
            from_input=again.standard_input,
            closable=any(role.verdict == "exposed" for role in roles),
            named=[role.name for role in exposed[:EXPOSED_NAMED]],
            unnamed=max(0, len(exposed) - EXPOSED_NAMED),
            steps=left_open(exposed) if exposed else list(to_do(report, again)),
            gaps=gaps(report, roles),
            complete=report.complete,
            trend=trend(history if report.limits is None else (), day_of(report)),
            height=HEIGHT,
            ways=ways(roles),
            rows=rows,
            rules=rules,
            told=told(rules),
            labels=LABELS,
            count=count,
            guard=Markup.escape(json.dumps(guard(), indent=2)),
            data=data(roles, again),
        )
    )
    # Whatever encoding it is stored or served in, it reads the same.
    return text.encode("ascii", "xmlcharrefreplace").decode("ascii")


class Listed(NamedTuple):
    """Entries under a heading, a name with its lines each, and how many there are of what.

    Of many not all are entries: the last one says how many more there are.
    """

    heading: str
    entries: list[tuple[str, list[str]]]
    number: int
    noun: str


def _lists(report: Report) -> list[Listed]:
    """Return what changed since earlier audits, and what became of exceptions, where any did."""
    closed = len({one.role_arn for one in report.resolved or ()})
    covered = sum(bool(role.suppressed) for role in report.roles)
    found = [
        *(
            Listed(one.status.capitalize(), one.entries, one.number, "role")
            for one in arrived(report)
        ),
        Listed("Resolved", gone(report), closed, "role"),
        Listed("Covered by exceptions", excepted(report), covered, "role"),
        Listed("Exceptions that cover nothing", idle(report), len(idle_uses(report)), "exception"),
    ]
    return [one for one in found if one.entries]


def _row(role: RoleReport) -> Row:
    every = (*role.findings, *(one.finding for one in role.suppressed))
    return Row(
        kind=kind_of(role),
        name=role.name,
        arn=role.arn,
        projects=tuple(dict.fromkeys(project.name for project in role.projects)),
        severity=min((one.severity for one in every), key=SEVERITIES.index, default=""),
        rules=tuple(dict.fromkeys(finding.rule for finding in every)),
        sentence=sentence_of(role),
    )


@cache
def _environment() -> Environment:
    """Return the templates; every value in them is made visible, and escaped."""
    return Environment(
        loader=DictLoader({name: _read(name) for name in TEMPLATES}),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _shown(value: object) -> object:
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _read(name: str) -> str:
    return files(page).joinpath(name).read_text("utf-8")


def _markup(names: Sequence[str]) -> list[Markup]:
    return [Markup(_read(name)) for name in names]  # noqa: S704 - our own files


@cache
def _policy() -> str:
    """Return the Content-Security-Policy; ``data:`` is for the page's own icon."""
    styles, scripts = (" ".join(map(_hash, names)) for names in (STYLES, SCRIPTS))
    return (
        f"default-src 'none'; style-src {styles}; script-src {scripts}; img-src data:;"
        " base-uri 'none'; form-action 'none'; require-trusted-types-for 'script';"
        " trusted-types 'none'"
    )


def _hash(name: str) -> str:
    digest = hashlib.sha256(_read(name).encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
