"""The HTML report in a real Chromium: readable for everybody, inert, and asking for nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from auditor.life import Day
from auditor.text import visible
from tests import examples
from tests.report import held_examples
from tests.report.accounts import HOSTILE, allow, hostile, large, report, role

if TYPE_CHECKING:
    from auditor.findings import Report
    from tests.report.conftest import Start


@pytest.mark.parametrize(
    ("shown", "scheme", "width"),
    [
        (examples.full(), "light", 390),
        (examples.full(), "dark", 1280),
        (held_examples.report(), "light", 1280),
        (held_examples.report(), "dark", 390),
    ],
)
def test_axe_finds_nothing(open_page: Start, shown: Report, scheme: str, width: int) -> None:
    """axe-core has nothing to say of a page with everything open, light, dark, wide and narrow."""
    from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]  # has none
        Axe,
    )

    past = [
        Day(examples.NOW - timedelta(days=days), 5, days, 1, 0, complete=True)
        for days in range(1, 5)
    ]
    visit = open_page(shown, past, color_scheme=scheme, viewport={"width": width, "height": 800})
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
