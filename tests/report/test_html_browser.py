"""The HTML report in a real Chromium: what people do with it, and that nothing leaves it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from auditor.report.formats.html import render
from auditor.report.page.trend import Past
from auditor.text import visible
from tests import examples
from tests.report.accounts import HOSTILE, allow, hostile, large, report, role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from auditor.findings import Report

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium: install Debian's package chromium, or set CHROMIUM"
)
FLAGS = (
    "--no-sandbox",  # in a container as root, Chromium has none
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield found
        found.close()


class Visit:
    """A page that is open, with everything that its console said and that it asked for."""

    def __init__(self, context: BrowserContext, folder: Path, text: str) -> None:
        path = folder / "report.html"
        path.write_text(text, "ascii")
        self.url = path.as_uri()
        self.page: Page = context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(self.url)

    def names(self) -> list[str]:
        """Return the names of the roles that are shown, in order."""
        return self.page.locator(".role:not([hidden]) .name").all_text_contents()

    def shows(self, count: str) -> None:
        """Wait until the list says how many roles it shows."""
        from playwright.sync_api import expect

        expect(self.page.locator("output")).to_have_text(count)

    def outside(self) -> list[str]:
        """Return what was asked for beside the file itself."""
        return [one for one in self.asked if one != self.url and not one.startswith("data:")]


Start = Callable[..., Visit]


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[Start]:
    """Open a report (with its past) in a context of its own, with Playwright's options for it."""
    contexts: list[BrowserContext] = []

    def start(found: Report, past: Sequence[Past] = (), **options: Any) -> Visit:
        contexts.append(browser.new_context(**options))
        return Visit(contexts[-1], tmp_path, render(found, history=past))

    yield start
    for context in contexts:
        context.close()


@pytest.mark.parametrize(("scheme", "width"), [("light", 390), ("dark", 1280)])
def test_axe_finds_nothing(open_page: Start, scheme: str, width: int) -> None:
    """axe-core has nothing to say of a page with everything open, light, dark, wide and narrow."""
    from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]  # has none
        Axe,
    )

    past = [Past(examples.NOW - timedelta(days=days), 5, days, 1, 0) for days in range(1, 5)]
    visit = open_page(
        examples.full(), past, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    visit.page.get_by_role("button", name="Open all shown").click()
    visit.page.get_by_text("The numbers").click()

    found = Axe().run(visit.page)

    assert found.violations_count == 0, found.generate_report()
    assert visit.said == []


def test_axe_would_find_something(open_page: Start) -> None:
    """The check above sees faults: text that hardly differs from its ground, an input unnamed."""
    from axe_playwright_python.sync_playwright import Axe

    visit = open_page(examples.full())
    visit.page.evaluate(
        "() => { const input = document.createElement('input');"
        " document.querySelector('main').append(input); }"
    )

    assert "label" in {one["id"] for one in Axe().run(visit.page).response["violations"]}


def test_nothing_is_asked_for_and_nothing_complained_of(open_page: Start) -> None:
    """Opening, searching, sorting, following links: no request, and not a word on the console."""
    visit = open_page(large(60))
    page = visit.page
    page.get_by_role("button", name="Open all shown").click()
    page.get_by_role("searchbox").fill("codebuild-7")
    page.locator("[name=sort]").select_option("name")
    page.get_by_role("button", name="Clear").click()
    page.locator(".chip").first.click()
    page.locator(".tile a").first.click()

    assert visit.asked == [visit.url]
    assert visit.said == []


@pytest.mark.parametrize("script", [True, False])
def test_hostile_texts_are_inert(open_page: Start, script: bool) -> None:
    """Names, Sids, messages and policies that are markup run nothing, and are shown as they are."""
    visit = open_page(hostile(), java_script_enabled=script)
    page = visit.page
    for summary in page.locator(".role summary").all():
        summary.click()

    assert page.evaluate("() => window.pwned") is None if script else True
    assert page.locator("img, iframe, main svg[onload]").count() == 0
    names = page.locator(".role .name").all_text_contents()
    assert {visible(text) for text in HOSTILE} <= set(names)
    if script:
        assert "window.pwned=1" in (page.locator(".proof pre").first.text_content() or "")
    assert visit.outside() == []
    assert visit.said == []


def test_an_injected_script_does_not_run(open_page: Start) -> None:
    """Were markup to get in after all, the page's own policy would stop it."""
    visit = open_page(examples.full())
    visit.page.evaluate(
        "() => { const s = document.createElement('script');"
        " try { s.text = 'window.pwned=1' } catch { s.append('window.pwned=1') }"
        " document.body.append(s); }"
    )

    assert visit.page.evaluate("() => window.pwned") is None
    assert visit.said != []


def test_filters(open_page: Start) -> None:
    """Text, verdict, severity and rule each narrow the list, and all of them together."""
    visit = open_page(examples.full())
    page = visit.page
    assert len(visit.names()) == 5

    page.locator("[name=verdict]").select_option("exposed")
    assert visit.names() == [examples.WEB.name, examples.BATCH.name]
    page.locator("[name=severity]").select_option("medium")
    assert visit.names() == [examples.BATCH.name]
    page.locator("[name=rule]").select_option("unrestricted-send")
    assert visit.names() == []
    assert page.get_by_text("No role fits the filter.").is_visible()
    assert page.locator("output").text_content() == "0 of 5 roles"
    page.get_by_role("button", name="Clear").click()
    visit.shows("5 roles")


SEARCHES = {
    "LINT": ["codebuild-lint"],
    "nightly-3 us-east-1": [examples.BATCH.name],
    "inline policy deploy": ["codebuild-web"],
    "someone@example.com": ["codebuild-web"],
    "stringlikes": ["codebuild-odd"],
    "nowhere to be found": [],
}


def test_the_text_filter_looks_through_the_proof(open_page: Start) -> None:
    """Roles, projects, policies and addresses are found, in any case, all words required."""
    visit = open_page(examples.full())
    for text, shown in SEARCHES.items():
        visit.page.get_by_role("searchbox").fill("")
        visit.shows("5 roles")
        visit.page.get_by_role("searchbox").fill(text)
        visit.shows(f"{len(shown)} of 5 roles")
        assert visit.names() == shown


def test_a_statement_is_found_by_its_text(open_page: Start) -> None:
    """What stands in a policy is searched too, before its section was ever opened."""
    visit = open_page(report(role("one", allow(Sid="Newsletter")), role("two", allow())))
    visit.page.get_by_role("searchbox").fill("newsletter")
    visit.shows("1 of 2 roles")

    assert visit.names() == ["one"]


def test_sorting(open_page: Start) -> None:
    """The list is worst first; by name, severity or rule where that is chosen, and back again."""
    visit = open_page(examples.full())
    page = visit.page
    worst = visit.names()
    assert worst == [r.name for r in (examples.WEB, examples.BATCH, examples.ODD)] + worst[3:]

    page.locator("[name=sort]").select_option("name")
    assert visit.names() == sorted(worst)
    page.locator("[name=sort]").select_option("severity")
    assert visit.names()[:3] == ["codebuild-web", examples.BATCH.name, "codebuild-mail-tests"]
    page.locator("[name=sort]").select_option("worst")
    assert visit.names() == worst


def test_all_of_it_by_keyboard(open_page: Start) -> None:
    """Without a mouse: skip to the roles, filter, sort, open a role; the focus is always seen."""
    visit = open_page(examples.full())
    page = visit.page
    press = page.keyboard.press

    press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the roles"
    press("Enter")
    press("Tab")
    page.keyboard.type("codebuild-web")
    visit.shows("1 of 5 roles")
    press("Tab")
    press("E")  # the first verdict with this letter: Exposed, both
    press("Tab")
    press("Tab")
    press("Tab")
    press("N")
    assert page.locator("[name=sort]").input_value() == "name"
    assert visit.names() == ["codebuild-web"]
    for _ in range(4):
        press("Tab")
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
    press("Enter")
    page.locator(".role details[open]").wait_for()
    assert page.locator("#role-0 .request").first.is_visible()


def test_an_opened_role_has_its_proof(open_page: Start) -> None:
    """A role's section has the request, the statement with its marks, and the command to copy."""
    visit = open_page(report(role("web", allow("ses:*"))), permissions=["clipboard-write"])
    page = visit.page
    page.locator("#role-0 summary").click()
    proof = page.locator("#role-0 .proof")

    assert proof.locator(".request").first.inner_text().split("\n")[:2] == ["Call", "ses:SendEmail"]
    marks = proof.locator(".finding").first.locator("pre mark").all_text_contents()
    assert [mark.strip() for mark in marks] == ['"Action": "ses:*",', '"Resource": "*"']
    assert "auditor remediate plan --role web" in proof.inner_text()
    proof.get_by_role("button", name="Copy the command").click()
    proof.get_by_role("button", name="Copied").wait_for()


def test_a_link_opens_the_role_that_it_names(open_page: Start) -> None:
    """A role named on the first screen opens in the list, though a filter had hidden it."""
    visit = open_page(examples.full())
    page = visit.page
    page.locator("[name=verdict]").select_option("no_send")
    page.locator(".chip", has_text="codebuild-web").click()
    page.locator("#role-0 details[open]").wait_for()

    assert page.locator("#role-0 .request").first.is_visible()
    assert page.evaluate("() => document.activeElement.matches('#role-0 summary')")


def test_a_count_filters_by_its_verdict(open_page: Start) -> None:
    """The counts on the first screen lead to the roles that they count."""
    visit = open_page(examples.full())
    visit.page.locator(".tile.undetermined a").click()
    visit.shows("1 of 5 roles")

    assert visit.names() == ["codebuild-odd"]


def test_without_scripts_the_list_is_whole(open_page: Start) -> None:
    """Without JavaScript each role is listed, the controls that would do nothing are not."""
    visit = open_page(examples.full(), java_script_enabled=False)

    assert len(visit.names()) == 5
    assert visit.page.locator(".says").first.is_visible()
    assert not visit.page.locator("form").is_visible()
    assert visit.page.get_by_text("need JavaScript").is_visible()


def test_nothing_sticks_out(open_page: Start) -> None:
    """No screen has to be scrolled sideways, with the longest names and everything open."""
    long = role("r" * 64, allow(Sid="S" * 128, resource=["*", f"arn:aws:s3:::{'x' * 300}"]))
    visit = open_page(report(long))
    visit.page.get_by_role("button", name="Open all shown").click()
    for width in (1280, 768, 390, 320):
        visit.page.set_viewport_size({"width": width, "height": 800})
        assert visit.page.evaluate("() => document.documentElement.scrollWidth") == width


def test_paper(open_page: Start) -> None:
    """Printed, every role and every opened proof is there, and nothing that is for clicking."""
    visit = open_page(large(60))
    page = visit.page
    page.locator("#role-0 summary").click()
    page.emulate_media(media="print")

    assert not page.locator("form").is_visible()
    assert page.locator("button:visible").count() == 0
    assert page.locator("#role-0 .request").first.is_visible()
    heights = page.locator(".role").evaluate_all(
        "(all) => all.map((one) => one.checkVisibility({ contentVisibilityAuto: true }))"
    )
    assert heights == [True] * 60
    assert page.pdf().startswith(b"%PDF")
