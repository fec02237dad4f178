"""Reports explain the rules themselves, in the words of the rules' pages."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from auditor.report.explained import blocks, explained
from auditor.report.formats.html import render
from auditor.report.formats.sarif import FORMAT
from auditor.report.interface import PLAIN
from auditor.report.rulebook import RULEBOOK
from auditor.rules.catalogue import RULES
from tests import examples
from tests.report.accounts import allow, report, role
from tests.report.page_reader import Page

PAGES = Path(__file__).resolve().parents[2] / "docs/rules"


def words(markdown: str) -> str:
    """Return Markdown on one line without emphasis and links; code keeps its backticks."""
    pieces = re.split(r"(`[^`]*`)", markdown)
    pieces[::2] = [re.sub(r"\*+", "", one) for one in pieces[::2]]
    return " ".join(re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", "".join(pieces)).split())


def section(rule: str, heading: str) -> list[str]:
    """Return a section's paragraphs and the entries of its lists; tables stay on the page."""
    page = (PAGES / f"{rule}.md").read_text("utf-8")
    found = re.search(rf"^## {heading}\n(.*?)^## ", page, re.DOTALL | re.MULTILINE)
    assert found is not None
    parts = re.split(r"\n\s*\n|\n(?=- )", found[1].strip())
    return [words(one) for one in parts if not one.startswith("|")]


@pytest.mark.parametrize("rule", RULES)
def test_the_words_are_those_of_the_rules_page(rule: str) -> None:
    """What a report says of a rule is what its page says: neither drifts from the other."""
    told = explained()[rule]
    assert list(told.what) == section(rule, "What it is")
    assert list(told.why) == section(rule, "Why it matters")


def test_every_rule_is_explained_and_no_other() -> None:
    """A rule that is added has to be explained."""
    assert list(explained()) == list(RULES)


def test_code_is_told_apart() -> None:
    """Every other piece is code; an entry of a list is one."""
    (one,) = blocks(("- put `a` and `b`",))
    assert one.entry
    assert one.pieces == ("put ", "a", " and ", "b", "")


def test_the_page_explains_the_rules_that_occur() -> None:
    """Whoever has nothing but the page can read what a finding means, one click away from it."""
    page = Page(render(report(role("web", allow()))))
    shown = [one.attributes["id"] for one in page.all("article")]
    assert shown == ["rule-unrestricted-send"]
    text = page.one("article").text
    for paragraph in (
        *explained()["unrestricted-send"].what,
        *explained()["unrestricted-send"].why,
    ):
        assert paragraph.replace("`", "") in text
    assert RULEBOOK["unrestricted-send"].remedy in text
    assert any(one.attributes["href"] == f"#{shown[0]}" for one in page.all("a"))
    assert "docs/rules" not in page.source


def test_each_rule_of_the_page_can_be_reached() -> None:
    """No link to a rule leads nowhere, on findings that exceptions cover neither."""
    page = Page(render(examples.full()))
    here = {one.attributes["id"] for one in page.all("article")}
    rules = {each.rule for one in examples.full().roles for each in one.findings}
    assert here == {f"rule-{rule}" for rule in rules}


def test_sarif_explains_its_rules() -> None:
    """Code scanning shows the rule's help beside the alert: all of it stands there."""
    (run,) = json.loads(FORMAT.render(examples.full(), PLAIN))["runs"]
    helped = {one["id"]: one["help"] for one in run["tool"]["driver"]["rules"]}
    for rule, told in explained().items():
        for paragraph in (*told.what, *told.why):
            assert paragraph in helped[rule]["markdown"]
            plain = paragraph.removeprefix("- ").replace("`", "")
            assert plain in helped[rule]["text"]
        assert "docs/rules" not in helped[rule]["text"] + helped[rule]["markdown"]
