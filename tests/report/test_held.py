"""What exceptions cover, and what changed since earlier audits, in every format."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest

from auditor.findings import Suppressed
from auditor.lasting import ExceptionUse
from auditor.report import asff, markdown, sarif, table
from auditor.report.csv import render as render_csv
from auditor.report.formats import html
from auditor.report.interface import PLAIN, Again, format_names, load_format
from auditor.report.json import to_dict
from auditor.report.junit import render as render_junit
from auditor.report.steps import next_steps
from auditor.report.words import badness
from tests import examples
from tests.report import held_examples
from tests.report.page_reader import Page
from tests.report.test_asff import accepted as taken_by_security_hub
from tests.report.test_markdown import assert_inert
from tests.report.test_sarif import accepted as taken_by_github

REPORT = held_examples.report()
COUNTS = "1 new, 2 reopened, 1 resolved, 0 still open, 2 suppressed, 1 not looked at"


@pytest.mark.parametrize("name", ["table", "markdown", "html", "csv", "sarif", "junit", "json"])
def test_nothing_of_it_is_lost(name: str) -> None:
    """Who answers for a finding, why and until when, and what covers nothing, is in each format."""
    text = load_format(name).render(REPORT, replace(PLAIN, width=400))
    for word in (
        *("team-mail", "2027-01-31", "beta testers", "codebuild-gone", "codebuild-past"),
        *("team-old", "codebuild-closed"),
    ):
        assert word in text, word


@pytest.mark.parametrize("name", ["table", "markdown", "html", "junit"])
def test_the_changes_are_counted(name: str) -> None:
    """What could not be looked at is counted beside what is new, gone and still there."""
    assert COUNTS in load_format(name).render(REPORT, replace(PLAIN, width=400))


def test_the_json_lists_what_was_not_looked_at() -> None:
    """A finding that is neither found nor resolved is named, and only where a baseline was."""
    listed: Any = to_dict(REPORT)["not_looked_at"]
    (missed,) = listed
    assert missed["role_arn"].endswith("/codebuild-hidden")
    assert "not_looked_at" not in to_dict(examples.full())


def test_the_table_puts_excepted_roles_apart() -> None:
    """A covered role is no exposed one, and its findings are counted."""
    lines = table.render(REPORT, replace(PLAIN, width=200)).splitlines()
    (row,) = (line for line in lines if line.startswith("EXCEPTED"))
    assert row.split()[:3] == ["EXCEPTED", "proven", "codebuild-web"]
    assert row.split()[-1] == "2"
    assert lines.index(row) > max(n for n, line in enumerate(lines) if line.startswith("EXPOSED "))
    assert "4 roles: 2 exposed (1 proven, 1 possible)" in "\n".join(lines)
    assert "1 excepted" in "\n".join(lines)
    assert "2 findings suppressed." in "\n".join(lines)

    alone = table.render(examples.report(held_examples.covered()))
    assert "Nothing to do" not in alone
    assert "Close the excepted roles before their exceptions end" in alone


def test_markdown_agrees_with_itself() -> None:
    """Headline, counts and sections count the same roles as exposed."""
    text = markdown.render(REPORT)
    assert "**Yes: 2 roles exposed** (1 proven, 1 possible); 1 more excepted." in text
    assert "4 roles: 2 exposed (1 proven, 1 possible)" in text
    assert "### `codebuild-web`" not in text
    assert text.index("Resolved since earlier audits") < text.index("| | role |")

    alone = markdown.render(examples.report(held_examples.covered(), examples.LINTER))
    assert "**Yes, but accepted: 1 role exposed**" in alone
    odd = markdown.render(examples.report(held_examples.covered(), examples.ODD))
    assert "1 role undetermined**, and none known to be exposed beyond 1 excepted." in odd


def test_csv_has_a_line_for_each() -> None:
    """Suppressed, resolved and unseen findings and idle exceptions are records of their own."""
    rows = list(csv.DictReader(io.StringIO(render_csv(REPORT))))
    by_kind: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        by_kind.setdefault(row["record"], []).append(row)
    assert [r["exception_owner"] for r in by_kind["suppressed"]] == ["team-mail"] * 2
    assert {r["exception_expires"] for r in by_kind["suppressed"]} == {"2027-01-31"}
    assert {r["status"] for r in by_kind["finding"]} == {"new", "reopened"}
    assert {r["first_seen"] for r in by_kind["finding"]} == {"2026-11-01T03:00:00Z"}
    assert [r["finding_id"] for r in by_kind["resolved"]] == ["done"]
    assert [r["finding_id"] for r in by_kind["not_looked_at"]] == ["hidden"]
    assert [r["status"] for r in by_kind["exception"]] == ["unused", "expired"]
    assert [r["role_name"] for r in by_kind["role"]] == ["codebuild-lint"]


def test_sarif_suppresses_and_compares() -> None:
    """Every result says whether it is suppressed, and how it stands; what is gone has none."""
    (run,) = json.loads(sarif.render(REPORT))["runs"]
    taken_by_github(run)
    covered = [one for one in run["results"] if one["suppressions"]]
    assert [one["suppressions"] for one in covered] == [
        [
            {
                "kind": "external",
                "status": "accepted",
                "justification": "excepted by team-mail until 2027-01-31: beta testers",
            }
        ]
    ] * 2
    states = [one["baselineState"] for one in run["results"] if not one["suppressions"]]
    assert sorted(states) == ["new", "updated", "updated"]
    assert "done" not in json.dumps(run["results"])


def test_junit_skips_what_is_accepted() -> None:
    """A covered role fails nothing, says who answers for it, and keeps its findings."""
    root = fromstring(render_junit(REPORT))  # noqa: S314 - our own output
    cases = {case.get("name", ""): case for case in root.iter("testcase")}
    skipped = cases["codebuild-web"].find("skipped")
    assert skipped is not None
    assert skipped.get("message") == "excepted by team-mail until 2027-01-31: beta testers"
    assert "unrestricted-send" in (cases["codebuild-web"].findtext("system-out") or "")
    assert root.get("failures") == "2"


def test_security_hub_suppresses() -> None:
    """A covered finding is imported as suppressed, with a note; the others as new."""
    found: list[Any] = asff.asff_findings(REPORT, region="us-east-1")
    taken_by_security_hub(found)
    notes = [one["Note"]["Text"] for one in found if one["Workflow"]["Status"] == "SUPPRESSED"]
    assert notes == ["excepted by team-mail until 2027-01-31: beta testers"] * 2
    assert sum(one["Workflow"]["Status"] == "NEW" for one in found) == len(found) - 2


def test_an_exception_that_ended_hides_nothing_in_security_hub() -> None:
    """Security Hub keeps a suppression for good: what counts again comes under another id."""

    def ids(found: list[Any], state: str) -> set[str]:
        return {
            one["Id"].rpartition("123456789012/")[2] for one in found if one["RecordState"] == state
        }

    covered = examples.report(held_examples.covered())
    during: list[Any] = asff.asff_findings(covered, region="us-east-1")
    ended: list[Any] = asff.asff_findings(
        examples.report(examples.WEB), region="us-east-1", archived=during
    )
    own = {one.id for one in examples.WEB.findings}
    assert ids(during, "ACTIVE") == {f"{one}/excepted" for one in own}
    assert ids(ended, "ACTIVE") == own
    assert {one["Workflow"]["Status"] for one in ended if one["RecordState"] == "ACTIVE"} == {"NEW"}
    assert ids(ended, "ARCHIVED") == ids(during, "ACTIVE")


def test_the_page_filters_and_proves_what_is_excepted() -> None:
    """Excepted roles have a count that filters them, and their findings with the exception."""
    page = Page(html.render(REPORT))
    (tile,) = page.all("a", **{"data-verdict": "excepted"})
    assert tile.text.startswith("1")
    (row,) = page.all("li", **{"data-v": "excepted"})
    assert "codebuild-web" in row.text
    proof = page.data["roles"][int(row.attributes["id"].removeprefix("role-"))]
    texts = page.data["texts"]
    assert {texts[one["excepted"]] for one in proof["suppressed"]} == {
        "excepted by team-mail until 2027-01-31: beta testers"
    }


def test_the_page_names_what_was_not_looked_at() -> None:
    """An earlier finding that is out of sight keeps the page from saying that all was seen."""
    page = Page(html.render(REPORT))
    assert "1 finding of earlier audits not looked at" in page.one("header").text
    assert "codebuild-hidden" in page.source
    assert not page.all("p", class_="whole")


def test_names_of_others_stay_text() -> None:
    """What an exception says is shown, and obeyed by no format."""
    odd = "=1+1 | `x` <script>alert(1)</script>\n\x1b[31m"
    cover = held_examples.COVER._replace(owner=odd, reason=odd)
    role = replace(
        held_examples.covered(), suppressed=(Suppressed(examples.OPEN, cover),), name=odd
    )
    found = replace(examples.report(role), exceptions=(ExceptionUse(cover, "expired"),))
    for name in format_names():
        text = load_format(name).render(found, PLAIN)
        assert "\x1b" not in text, name
        if name in ("html", "junit"):
            assert "<script>alert" not in text, name
    assert_inert(markdown.render(found))
    rows = list(csv.DictReader(io.StringIO(render_csv(found))))
    assert all(row["exception_owner"].startswith("'=") for row in rows if row["exception_owner"])


def test_numbers_in_names_count() -> None:
    """Roles stand in the order in which people count them."""
    names = ["web-10", "web-9", "web-010", "web-1" + "0" * 5000, "web-", "web-2x"]
    roles = [replace(examples.WEB, arn=name) for name in names]
    assert [one.arn for one in sorted(roles, key=badness)] == [
        "web-", "web-2x", "web-9", "web-010", "web-10", names[3]
    ]  # fmt: skip


def test_the_worst_of_the_proven_comes_first() -> None:
    """Of two proven exposures the graver one does; what exceptions cover of a role doesn't count.

    A finding of severity medium takes a sender or another condition that not every build has.
    """
    medium = replace(examples.OPEN, severity="medium")
    some = replace(examples.WEB, arn="a", name="a", findings=(medium,))
    grave = replace(examples.WEB, arn="b", name="b")
    assert sorted([some, grave], key=badness) == [grave, some]
    part = replace(grave, findings=(medium,), suppressed=held_examples.covered().suppressed)
    assert sorted([part, some], key=badness) == [some, part]
    (look,) = [
        one
        for one in next_steps(examples.report(some, grave), Again())
        if one.command[1] == "explain"
    ]
    assert look.command[2] == "b"
