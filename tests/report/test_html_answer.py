"""The HTML report's first screen: the answer, whom SES delivers to, what was not seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auditor.account import SesRegion
from auditor.report.formats.html import render
from auditor.report.page.answer import answer
from auditor.report.page.words import ACCEPTED, NOTED
from tests import examples
from tests.report import held_examples
from tests.report.page_reader import Page

if TYPE_CHECKING:
    from auditor.findings import Report, RoleReport

ROOT = Path(__file__).resolve().parents[2]
SIZE_MAX = 5_000_000


def test_nothing_is_said_twice_or_against_itself() -> None:
    """Excepted roles that the heading is about aren't told again; no role, nothing was decided."""
    page = Page(render(examples.report(held_examples.covered(), examples.LINTER)))
    assert "each covered by exceptions" in page.one("h1").text
    assert not page.all("p", class_="accepted")
    beside = Page(render(held_examples.report())).one("p", class_="accepted").text
    assert beside.startswith("Excepted: 1 role can or may mail real people;")
    empty = Page(render(examples.report()))
    assert "nothing was decided" in empty.one("h1").text
    assert "could be read and decided" not in empty.source


def test_the_first_screen_says_what_was_not_seen() -> None:
    """Failed reads, projects without a role, undecided roles and missing sources: all on top."""
    page = Page(render(examples.full()))
    top = page.one("header").text

    assert "1 read failed: the audit is incomplete" in top
    assert "1 CodeBuild project whose role was not audited" in top
    assert "1 role could not be decided" in top
    assert "not in the source: service control policies, policies on SES identities" in top
    lines = [one.text for one in page.all("li")]
    assert any(line.startswith("codebuild:ListProjects ap-south-1: AccessDenied") for line in lines)
    assert any(line.startswith("orphan (eu-west-1)") for line in lines)
    assert "Everything that this audit looks at" in Page(render(examples.clean())).source


def _incomplete(found: Report) -> Report:
    return replace(found, complete=False)


def _roles(verdict: str, roles: int) -> list[RoleReport]:
    one = replace(examples.LINTER, reason="odd", closed=None)
    return [replace(one, verdict=verdict) for _ in range(roles)]  # type: ignore[arg-type]  # one of the verdicts


@pytest.mark.parametrize(
    ("found", "tone", "headline"),
    [
        (examples.report(), "unsure", "No CodeBuild role was found, so nothing was decided."),
        (examples.clean(), "good", "None of 2 audited roles can mail real people."),
        (
            examples.report(examples.LINTER),
            "good",
            "The one audited role can't mail real people.",
        ),
        (
            examples.report(examples.WEB),
            "bad",
            "The one audited role can mail real people.",
        ),
        (
            examples.full(),
            "bad",
            "1 of 5 audited roles can mail real people, and 1 more may.",
        ),
        (
            examples.report(examples.BATCH, examples.LINTER),
            "bad",
            "1 of 2 audited roles may be able to mail real people.",
        ),
        (
            examples.report(*_roles("undetermined", 2), examples.LINTER),
            "unsure",
            "No role is known to mail real people, but 2 could not be decided.",
        ),
        (
            _incomplete(examples.clean()),
            "unsure",
            "None of 2 audited roles can mail real people, but not everything could be read.",
        ),
        (
            examples.report(examples.LINTER, not_evaluated=("identity-policies",)),
            "unsure",
            "The one audited role can't mail real people, as far as this source tells.",
        ),
        (
            examples.report(examples.LINTER, not_evaluated=("scps",)),
            "good",
            "The one audited role can't mail real people.",
        ),
        (
            examples.report(examples.LINTER, not_evaluated=("something-new",)),
            "unsure",
            "The one audited role can't mail real people, as far as this source tells.",
        ),
        (
            examples.report(examples.LINTER, unresolved=examples.full().unresolved_projects),
            "unsure",
            "The one audited role can't mail real people, but not everything could be read.",
        ),
    ],
)
def test_the_answer(found: Report, tone: str, headline: str) -> None:
    """The headline counts, and is only ever reassuring where nothing was left open."""
    assert answer(found) == (tone, headline)
    assert f">{headline}</h1>".replace("'", "&#39;") in render(found)


def test_an_incomplete_audit_without_an_error_says_so() -> None:
    """What is incomplete is told even where no error says why."""
    top = Page(render(_incomplete(examples.clean()))).one("header").text

    assert "the audit is incomplete" in top


def test_whom_ses_delivers_to_is_told() -> None:
    """Where it is known whether SES reaches anyone from this account, the first screen says so."""
    sandbox = (SesRegion("eu-west-1", False, True, ()),)
    page = Page(render(replace(examples.full(), ses=sandbox)))

    assert "in eu-west-1 SES is in the sandbox" in page.one("p", class_="reach").text
    assert not Page(render(examples.full())).all("p", class_="reach")


def test_an_accepted_exposure_is_still_one() -> None:
    """The headline counts what nobody answers for, and never reads as if the others were closed."""
    covered = held_examples.covered()
    page = Page(render(examples.report(covered, examples.BATCH, examples.LINTER)))

    assert page.one("h1").text == (
        "1 of 3 audited roles may be able to mail real people; 1 more is excepted."
    )
    told = [one.text for one in page.all("span", class_="says")]
    assert told[1].startswith(ACCEPTED)
    assert "until 2027-01-31, team-mail: beta testers" in told[1]

    alone = answer(examples.report(covered, examples.LINTER))
    assert alone == (
        "unsure",
        "1 of 2 audited roles can mail real people, each covered by exceptions.",
    )
    noted = replace(covered, notes=("policy legacy: could not be read",))
    assert answer(examples.report(noted)).tone == "bad", "nobody answers for the unknown"
    assert NOTED in Page(render(examples.report(noted))).one("span", class_="says").text
