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
    from auditor.findings import Report, RoleReport, Severity
    from auditor.lasting import LifeStatus

assert examples.OPEN.witness is not None
RAW = examples.OPEN.witness._replace(action="ses:SendRawEmail")
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


def known(
    role: str, action: str = "ses:SendEmail", severity: Severity = "high", rule: str = ""
) -> Known:
    arn = examples.role_arn(role)
    rule = rule or "unrestricted-send"
    return Known(f"{arn} {action}", arn, rule, action, severity, "", BEFORE, BEFORE, "open")


def changed(name: str, status: LifeStatus) -> RoleReport:
    """Return an exposed role whose findings have all changed alike."""
    life = Life(status, BEFORE, NOW)
    return replace(
        examples.WEB,
        name=name,
        arn=examples.role_arn(name),
        findings=tuple(replace(f, life=life) for f in examples.WEB.findings),
    )


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
        assert "New since" not in text
    assert not Page(html(first)).all("div", class_="held")


def test_markdown_leaves_nothing_out_while_there_is_room() -> None:
    """300 resolved roles fit and are named; a full text leaves some out, and counts them."""
    some = markdown.render(resolved(300))
    assert "Left out" not in some
    assert all(f"gone-{n}`" in some for n in range(300))

    many = markdown.render(resolved(3_000))
    assert len(many.encode()) <= markdown.LONGEST
    named = len(set(re.findall(r"gone-\d+", many)))
    left_out = f"- {3_000 - named:,} of the resolved roles are not listed, a role counted for each"
    assert left_out in many
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


def test_csv_tells_undecided_from_unseen() -> None:
    """A role that was looked at and could not be decided isn't called out of sight."""
    unseen = (known(examples.ODD.name), known("codebuild-away"))
    held = replace(examples.report(examples.ODD), resolved=(), unseen=unseen)
    rows = csv.DictReader(io.StringIO(render_csv(held)))
    found = {row["record"]: row["role_arn"] for row in rows if row["finding_id"]}
    assert found == {"not_decided": unseen[0].role_arn, "not_looked_at": unseen[1].role_arn}


def test_a_rise_does_not_drown_among_new_roles() -> None:
    """Of 3,000 new roles and 300 that got worse each of the latter is named, and before the new."""
    new = [changed(f"codebuild-service-role-new-{n:04}", "new") for n in range(3_000)]
    worse = [changed(f"zz-worse-{n:03}", "worse") for n in range(300)]
    found = replace(examples.report(*new, *worse), resolved=(), unseen=())

    text = markdown.render(found)
    assert len(text.encode()) <= markdown.LONGEST
    assert text.index("### Worse since") < text.index("### New since")
    told = text[text.index("### Worse since") : text.index("### New since")]
    assert {f"zz-worse-{n:03}" for n in range(300)} == set(re.findall(r"zz-worse-\d+", told))
    listed, left_out = text[text.index("### New since") :].split("\n| |")
    named = len(re.findall(r"new-\d+", listed))
    assert named > 0
    # each has a finding of two rules
    assert f"- {6_000 - named:,} of the new roles are not listed, a role counted for" in left_out

    few = replace(found, roles=[*new[:60], *worse[:2], changed("back", "reopened")])
    wide = table.render(few, Look(width=200))
    headings = [wide.index(f"{one} since") for one in ("Worse", "Reopened", "New")]
    assert headings == sorted(headings)
    assert "\n  zz-worse-001\n" in wide[headings[0] : headings[1]]
    assert "and 10 more roles" in wide[headings[2] :]
    lists = [one.text for one in Page(html(few)).all("div", class_="held")]
    assert [one.split()[0] for one in lists] == ["Worse2", "Reopened1", "New60"]


def test_a_change_is_told_once_for_a_role() -> None:
    """What a role's findings have in common isn't repeated, and the gravest stands first."""
    one = changed("back", "reopened")
    raw = replace(one.findings[0], id="raw", witness=RAW)
    found = replace(examples.report(replace(one, findings=(*one.findings[::-1], raw))), resolved=())
    text = " ".join(table.render(found, Look(width=200)).split())
    assert text.count("reopened, first seen") == 1
    assert (
        "reopened, first seen 2026-11-01T03:00:00Z: high unrestricted-send: ses:SendEmail,"
        " ses:SendRawEmail; low uncheckable-action: ses:SendBounce"
    ) in text


def test_what_others_know_is_told_gravest_first() -> None:
    """In each list a role's findings stand in order of severity, those of one rule in one line."""
    gone = known("b-10"), known("b-9"), known("a", "ses:SendBounce", "low", "uncheckable-action")
    mixed = (
        known("c", "ses:SendBounce", "low", "uncheckable-action"),
        known("c", "ses:SendRawEmail"),
        known("c"),
    )
    found = replace(examples.report(), resolved=(), unseen=(*gone[::-1], *mixed))
    words = (
        "c: high unrestricted-send: ses:SendRawEmail, ses:SendEmail;"
        " low uncheckable-action: ses:SendBounce"
    )
    for text in (table.render(found, Look(width=200)), markdown.render(found), html(found)):
        flat = " ".join(text.replace("`", "").split())
        assert words in flat.replace(f"{examples.role_arn('c')} ", f"{examples.role_arn('c')}: ")
        places = [text.index(examples.role_arn(role)) for role in ("b-9", "b-10", "c", "a")]
        assert places == sorted(places)
