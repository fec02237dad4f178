"""Measures the HTML report: how long it takes to make, how big it is, and when it is readable.

The page is opened from a file in Chromium (Debian's, or the one that CHROMIUM names), each time in
a fresh context. "First screen" is the browser's own first-contentful-paint, "usable" when the
page's scripts have run, "all found" how long a search through every role's proof takes after that.
Wall times: the browser's processes work side by side.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from accounts import snapshot

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
FIRST_SCREEN = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
USABLE = "() => performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
SEARCH = """() => {
  const start = performance.now();
  const items = document.querySelectorAll('.role');
  let found = 0;
  for (const item of items) found += window.roleText(item).includes('someone@example.com');
  return performance.now() - start;
}"""
LIMIT = 1_000.0  # milliseconds until the first screen of 2,000 roles
SIZE = 5_000_000  # bytes of their page


def make(roles: int, folder: Path) -> tuple[Path, float]:
    """Write the page of an account; return it, and the seconds that rendering took."""
    from auditor.audit import audit
    from auditor.collect.snapshot import read_snapshot
    from auditor.report.formats.html import render

    source, page = folder / f"{roles}.json", folder / f"{roles}.html"
    source.write_text(json.dumps(snapshot(roles, "distinct")), "utf-8")
    report = audit(read_snapshot(str(source)), now=datetime(2026, 11, 23, tzinfo=UTC))
    render(report)  # the templates are compiled once a process
    start = time.perf_counter()
    text = render(report)
    took = time.perf_counter() - start
    page.write_text(text, "ascii")
    return page, took


def visit(browser: Browser, page: Path) -> tuple[float, float, float]:
    """Open the page once; return milliseconds to the first screen, to usable, and of a search."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    tab = context.new_page()
    tab.goto(page.as_uri())
    while tab.evaluate(FIRST_SCREEN) is None:  # the page is loaded, but not yet on the screen
        tab.wait_for_timeout(10)
    figures = tuple(float(tab.evaluate(code)) for code in (FIRST_SCREEN, USABLE, SEARCH))
    context.close()
    return figures[0], figures[1], figures[2]


def main() -> int:
    """Print a line for each size; exit 1 where a page of 2,000 roles is too big or too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[40, 500, 2_000])
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        print("no chromium: install Debian's package chromium, or set CHROMIUM", file=sys.stderr)
        return 2
    from playwright.sync_api import sync_playwright

    broken = False
    print("roles  render s      bytes  first screen ms  usable ms  search ms")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium, args=list(FLAGS))
        for size in arguments.sizes:
            page, took = make(size, Path(folder))
            runs = [visit(browser, page) for _ in range(arguments.runs)]
            first, usable, search = (
                sorted(each)[len(each) // 2] for each in zip(*runs, strict=True)
            )
            length = page.stat().st_size
            print(
                f"{size:5,}  {took:8.2f}  {length:9,}  {first:15.0f}  {usable:9.0f}  {search:9.0f}",
                flush=True,
            )
            broken |= size <= 2_000 and (first > LIMIT or length > SIZE)
        browser.close()
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
