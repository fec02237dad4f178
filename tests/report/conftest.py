"""A real Chromium for the tests of the HTML report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from auditor.report.formats.html import render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from auditor.findings import Report
    from auditor.life import Day

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
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
    if CHROMIUM is None:
        pytest.skip("no chromium: install Debian's package chromium, or set CHROMIUM")
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

    def start(found: Report, past: Sequence[Day] = (), **options: Any) -> Visit:
        contexts.append(browser.new_context(**options))
        return Visit(contexts[-1], tmp_path, render(found, history=past))

    yield start
    for context in contexts:
        context.close()
