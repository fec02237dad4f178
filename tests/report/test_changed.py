"""What changed and what could not be looked at: named in reports for people, and counted truly."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from auditor.lasting import Known, Life, Resolved
from auditor.report import markdown, table
from auditor.report.changed import all_new, missed
from auditor.report.csv import render as render_csv
from auditor.report.formats.html import render as html
from auditor.report.interface import Look
from auditor.report.room import Entry, Part, fitted, size
from tests import examples
from tests.examples import NOW
from tests.report import held_examples
from tests.report.held_examples import BEFORE
from tests.report.page_reader import Page

if TYPE_CHECKING:
    from auditor.findings import Report

TEXTS = st.text(max_size=40).map(lambda text: text.replace("\n", " "))
PARTS = st.lists(
    st.builds(
        Part,
        TEXTS,
        st.lists(st.builds(Entry, TEXTS, st.integers(1, 9)), max_size=20),
        st.just("things are not listed"),
        st.just(0.2),
        st.integers(0, 3),
    ),
    max_size=5,
)


def known(role: str) -> Known:
    arn = examples.role_arn(role)
    return Known(arn, arn, "unrestricted-send", "ses:SendEmail", "high", "", BEFORE, BEFORE, "open")


def first_audit() -> Report:
    born = Life("new", NOW, NOW)
    web = replace(
        examples.WEB, findings=tuple(replace(f, life=born) for f in examples.WEB.findings)
    )
    return replace(examples.report(web), resolved=(), unseen=())


def resolved(number: int) -> Report:
    gone = [
        Resolved(f"{n}", examples.role_arn(f"gone-{n}"), "unrestricted-send", "ses:SendEmail",
                 "high", "It was open", BEFORE, BEFORE, NOW)
        for n in range(number)
    ]  # fmt: skip
    return replace(held_examples.report(), resolved=tuple(gone))


def test_what_was_looked_at_is_not_called_unseen() -> None:
    """A role that can't be decided any more was looked at: its findings are told apart."""
    held = replace(
        examples.report(examples.ODD),
        resolved=(),
        unseen=(known(examples.ODD.name), known("codebuild-away")),
        known_later=(known("codebuild-later"),),
    )
    words = {one.word: [k.role_arn for k in one.findings] for one in missed(held)}
    assert words == {
        "not decided": [examples.ODD.arn],
        "not looked at": [examples.role_arn("codebuild-away")],
        "known of a later audit alone": [examples.role_arn("codebuild-later")],
    }
    for text in (table.render(held, Look(width=120)), markdown.render(held), html(held)):
        for name in ("codebuild-away", "codebuild-later"):
            assert examples.role_arn(name) in text
        for word in words:
            assert re.search(rf"1 (finding )?(of earlier audits )?{word}", " ".join(text.split()))


def test_a_first_audit_lists_nothing_twice() -> None:
    """Where all is new, a list of what is new would only repeat who is exposed."""
    first = first_audit()
    assert all_new(first)
    assert not all_new(held_examples.report())
    assert not all_new(examples.full())
    for text in (table.render(first), markdown.render(first)):
        assert "1 new" in text or "2 new" in text
        assert "New, reopened" not in text
    assert not Page(html(first)).all("div", class_="held")


def test_markdown_leaves_nothing_out_while_there_is_room() -> None:
    """300 resolved roles fit and are named; a full text leaves some out, and counts them."""
    some = markdown.render(resolved(300))
    assert "Left out" not in some
    assert all(f"gone-{n}`" in some for n in range(300))

    many = markdown.render(resolved(3_000))
    assert len(many.encode()) <= markdown.LONGEST
    named = len(set(re.findall(r"gone-\d+", many)))
    assert f"- {3_000 - named:,} of the roles with changes are not listed." in many
    assert len(many.encode()) > markdown.LONGEST * 0.9


@given(PARTS, st.integers(0, 2_000))
def test_room_is_never_exceeded_nor_wasted(parts: list[Part], room: int) -> None:
    """What comes out fits; where all fits nothing is left out; what is left out is counted."""
    headings = sum(size(part.heading) for part in parts if part.entries)
    lines, left_out = fitted(parts, room)
    needed = headings + sum(size(one.text) for part in parts for one in part.entries)
    assert sum(map(size, lines)) <= room
    if needed <= room:
        assert not left_out
        assert sum(map(size, lines)) == needed
    told = sum(int(one.split(" ")[0].replace(",", "")) for one in left_out)
    assert (told > 0) == (bool(left_out))


def test_a_narrow_table_breaks_no_heading() -> None:
    """At 40 columns a role's verdict and name are told; its projects stand in its block."""
    text = table.render(examples.full(), Look(width=40))
    overview = text.split("Exposed: ")[0]
    assert re.search(r"^Verdict +Role$", overview, re.MULTILINE)
    assert max(map(len, text.splitlines())) <= 40 or "auditor" in text
    assert "Projects" in table.render(examples.full(), Look(width=80)).split("Exposed: ")[0]


def test_csv_tells_what_only_a_later_audit_found() -> None:
    """Such a finding has a line of its own kind."""
    later = replace(held_examples.report(), known_later=(known("codebuild-later"),))
    rows = csv.DictReader(io.StringIO(render_csv(later)))
    found = [row["role_arn"] for row in rows if row["record"] == "known_later"]
    assert found == [examples.role_arn("codebuild-later")]
