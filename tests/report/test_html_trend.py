"""The page's trend says no more than the audits knew."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from auditor.life import Day, day_of
from auditor.report.formats.html import render
from auditor.report.page.trend import HEIGHT, WIDTH, WINDOW, Trend, trend
from tests import examples
from tests.examples import NOW
from tests.report import held_examples
from tests.report.page_reader import Page

TODAY = Day(NOW, 5, 1, 1, 1, complete=True)
COUNTS = st.integers(0, 3_000)
DAYS = st.builds(
    Day,
    st.integers(-400, 5_000).map(lambda hours: NOW - timedelta(hours=hours)),
    COUNTS, COUNTS, COUNTS, COUNTS, st.booleans(), COUNTS,
)  # fmt: skip


def past(at: datetime, proven: int = 4, possible: int = 0) -> Day:
    return Day(at, 5, proven, possible, 0, complete=True)


def drawn(*history: Day) -> Trend:
    found = trend(history, TODAY)
    assert found is not None
    return found


def test_the_trend_needs_a_past() -> None:
    """Without past audits there is no trend; with some, each has its bar and its numbers."""
    days = [past(NOW - timedelta(days=back), proven=back, possible=1) for back in range(1, 40)]
    assert not Page(render(examples.full())).all("figure")
    page = Page(render(examples.full(), history=days))
    assert len(page.all("rect", class_="proven")) == 40
    assert [one.text for one in page.all("th", scope="row")][1] == "2026-11-22"
    numbers = [int(one.text) for one in page.all("td")]
    assert numbers[:10] == [5, 1, 1, 0, 1, 5, 1, 1, 0, 0]


def test_exceptions_are_no_repairs() -> None:
    """A role that an exception covers stays in its day's bar, as a part of its own."""
    covered = day_of(examples.report(held_examples.covered()))
    assert (covered.proven, covered.excepted) == (0, 1)
    page = Page(render(examples.report(held_examples.covered()), history=[past(NOW - WINDOW / 2)]))
    assert len(page.all("rect", class_="excepted")) == 1
    assert "Excepted" in [one.text for one in page.all("th", scope="col")]


def test_an_incomplete_audit_is_marked() -> None:
    """Today's as well: it may have found less because it saw less."""
    page = Page(render(examples.full(), history=[past(NOW - timedelta(days=1))]))
    assert [one.text for one in page.all("text")] == ["?"]
    assert page.all("th", scope="row")[0].text == "2026-11-23 (incomplete)"
    assert "may have missed roles" in page.one("figcaption").text


def test_a_day_has_one_bar_its_last_audits() -> None:
    """Two audits of a day aren't two days."""
    early, late = NOW - timedelta(hours=2), NOW - timedelta(days=1)
    found = drawn(past(early), past(late - timedelta(hours=1)), past(late, proven=2))
    assert [bar.counts.proven for bar in found.bars] == [2, 1]


def test_nothing_stands_after_the_audit() -> None:
    """An audit of a time that has passed knows no later ones."""
    assert trend([past(NOW + timedelta(seconds=1))], TODAY) is None
    assert len(drawn(past(NOW + timedelta(days=3)), past(NOW - timedelta(days=3))).bars) == 2


def test_gaps_are_seen() -> None:
    """Days without an audit are left free, and the caption says so."""
    found = drawn(past(NOW - timedelta(days=21)), past(NOW - timedelta(days=1)))
    first, second, third = (bar.x for bar in found.bars)
    assert second - first > 10 * (third - second)
    assert found.gaps
    assert not drawn(past(NOW - timedelta(days=1))).gaps


@given(st.lists(DAYS, max_size=120))
def test_bars_stay_within_the_drawing(history: list[Day]) -> None:
    """Whatever the past: in order, apart, inside; each bar's parts add up to its roles."""
    found = trend(history, TODAY)
    if found is None:
        return
    assert found.width <= WIDTH
    places = [bar.x for bar in found.bars]
    assert places == sorted(set(places))
    assert all(after - before >= found.bar for before, after in pairwise(places))
    for bar in found.bars:
        assert bar.day <= NOW.date()
        assert 0 <= bar.x <= found.width - found.bar
        assert bar.top + sum(part.height for part in bar.parts) == HEIGHT
        roles = bar.counts.proven + bar.counts.possible + bar.counts.excepted
        assert abs((HEIGHT - bar.top) * found.top / HEIGHT - roles) <= found.top / HEIGHT
