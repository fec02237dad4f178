"""An audit of a part of the account says so in every format, and never looks like one of all."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest

from auditor.account import Account
from auditor.audit import audit
from auditor.findings import Limits, Report
from auditor.life import Day
from auditor.report.asff import asff_findings
from auditor.report.formats.html import render as html
from auditor.report.interface import PLAIN, Look, format_names, load_format
from tests.examples import ACCOUNT, NOW
from tests.report.accounts import allow, role
from tests.report.page_reader import Page
from tests.report.test_json import VALIDATOR

LINT, WEB = role("lint", allow("s3:GetObject")), role("web", allow())
PARTS = ({"role_globs": ["lint*"]}, {"regions": ["eu-west-1"]})
WORDS = ("lint*", "eu-west-1")


def part(**limits: Any) -> Report:
    return audit(Account(ACCOUNT, "aws", (LINT, WEB)), now=NOW, **limits)


def written(name: str, report: Report) -> str:
    return load_format(name).render(report, PLAIN)


def test_who_audits_a_part_says_which() -> None:
    """The report knows the globs and the regions; of the whole account it has no limits."""
    assert part().limits is None
    assert part(role_globs=["lint*"]).limits == Limits(roles=("lint*",))
    assert part(regions=["eu-west-1"]).limits == Limits(regions=("eu-west-1",))


@pytest.mark.parametrize("name", sorted({*format_names()} - {"asff"}))  # which has findings alone
@pytest.mark.parametrize(("limits", "word"), [*zip(PARTS, WORDS, strict=True)])
def test_every_format_names_the_limit(name: str, limits: dict[str, Any], word: str) -> None:
    """Even where nothing was found."""
    safe = audit(Account(ACCOUNT, "aws", (LINT,)), now=NOW, **limits)
    assert word in written(name, safe)


def test_findings_for_security_hub_name_the_limit() -> None:
    """Each finding has it in its fields."""
    (first, *_) = json.loads(written("asff", part(role_globs=["w*"])))
    assert "w*" in first["ProductFields"]["auditor/Limits"]


@pytest.mark.parametrize("limits", PARTS)
def test_no_format_is_all_clear_for_a_part(limits: dict[str, Any]) -> None:
    """No green heading, no plain no, no "everything could be read"."""
    safe = audit(Account(ACCOUNT, "aws", (LINT,)), now=NOW, **limits)
    page = Page(written("html", safe))
    assert page.one("h1").attributes["class"] == "unsure"
    assert "a part of the account only" in page.one("h1").text
    assert "this audit was limited" in page.one("header").text
    assert "Everything that this audit looks at" not in page.source
    markdown = written("markdown", safe)
    assert "**No**, for the part of the account that was audited" in markdown
    assert "LIMITED AUDIT" in written("table", safe)
    green = "\x1b[1;32m"
    whole = audit(Account(ACCOUNT, "aws", (LINT,)), now=NOW)
    assert green in load_format("table").render(whole, Look(color=True))
    assert green not in load_format("table").render(safe, Look(color=True))


def test_the_page_of_a_part_has_no_trend() -> None:
    """Beside days of the whole account it would look better than these."""
    days = [Day(NOW - timedelta(days=1), 2, 1, 0, 0, complete=True)]
    assert "trend-title" in html(part(), history=days)
    assert "trend-title" not in html(part(role_globs=["lint*"]), history=days)


def test_json_has_the_limits_and_csv_a_line_for_each() -> None:
    """The field is there only where the audit was limited."""
    values = json.loads(written("json", part(role_globs=["a*", "l*"], regions=["eu-west-1"])))
    VALIDATOR.validate(values)
    assert values["limits"] == {"roles": ["a*", "l*"], "regions": ["eu-west-1"]}
    assert "limits" not in json.loads(written("json", part()))
    assert not VALIDATOR.is_valid({**values, "limits": {"roles": [], "regions": []}})
    rows = csv.DictReader(io.StringIO(written("csv", part(**PARTS[0], **PARTS[1]))))
    found = [(r["title"], r["reason"]) for r in rows if r["record"] == "limit"]
    assert found == [("roles", "lint*"), ("regions", "eu-west-1")]


def test_sarif_of_a_part_has_a_category_of_its_own() -> None:
    """Code scanning closes a category's alerts that a run lacks: a part must not close the rest."""

    def category(report: Report) -> str:
        (run,) = json.loads(written("sarif", report))["runs"]
        found: str = run["automationDetails"]["id"]
        return found.rpartition("/")[0]

    assert category(part()) == f"auditor/{ACCOUNT}"
    parts = [part(**PARTS[0]), part(**PARTS[1]), part(role_globs=["eu-west-1"])]
    assert len({category(one) for one in (part(), *parts)}) == 4
    one, other = part(role_globs=["a*", "b*"]), part(role_globs=["b*", "a*"])
    assert category(one) == category(other)


def test_a_part_takes_nothing_off_security_hub() -> None:
    """What isn't in an audit of some roles may just have been left out."""
    before = asff_findings(part(), region="us-east-1")
    assert before
    after = asff_findings(part(role_globs=["lint*"]), region="us-east-1", archived=before)
    assert after == []
    gone = audit(Account(ACCOUNT, "aws", (LINT,)), now=NOW)
    archived = asff_findings(gone, region="us-east-1", archived=before)
    assert {one["RecordState"] for one in archived} == {"ARCHIVED"}
