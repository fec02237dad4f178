"""The HTML report in a real Chromium: finding, sorting, opening and copying, by keyboard too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.account import PolicyText
from tests import examples
from tests.report import held_examples
from tests.report.accounts import allow, report, role

if TYPE_CHECKING:
    from tests.report.conftest import Start


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
    page.locator("#role-0 .request").first.wait_for()  # built when its role is opened


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

    page.locator("#role-0 .request").first.wait_for()  # built when its role is opened
    assert page.evaluate("() => document.activeElement.matches('#role-0 summary')")


def test_a_count_filters_by_its_verdict(open_page: Start) -> None:
    """The counts on the first screen lead to the roles that they count."""
    visit = open_page(examples.full())
    visit.page.locator(".tile.undetermined a").click()
    visit.shows("1 of 5 roles")

    assert visit.names() == ["codebuild-odd"]


def test_excepted_roles_are_found_and_told(open_page: Start) -> None:
    """Their count filters them; an opened one names the exception; the filter looks through it."""
    visit = open_page(held_examples.report())
    visit.page.locator(".tile.excepted a").click()
    visit.shows("1 of 4 roles")
    assert visit.names() == ["codebuild-web"]

    visit.page.locator(".role:not([hidden]) summary").click()
    proof = visit.page.locator(".role:not([hidden]) .proof")
    proof.locator(".request").first.wait_for()  # a proof is built when its role is opened
    assert "Suppressed: excepted by team-mail until 2027-01-31: beta testers" in proof.inner_text()
    assert "A request that AWS would allow" in proof.inner_text()

    visit.page.get_by_role("button", name="Clear").click()
    visit.page.get_by_role("searchbox").fill("beta testers")
    visit.shows("1 of 4 roles")
    assert visit.said == []


def test_an_opened_role_says_where_a_guard_has_no_hold(open_page: Start) -> None:
    """Of a role that sends as another one the proof names that one, and offers no guard."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{examples.ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    sender = role("sender", allow(), trust=PolicyText("trust", None, "trust", trust))
    visit = open_page(report(role("web", allow("sts:AssumeRole")), sender))
    visit.page.locator("#role-0 summary").click()
    told = visit.page.locator("#role-0 .fix").inner_text()
    assert "Take away sts:AssumeRole on sender" in told
    assert "with the guard" not in told
    assert "remediate plan" not in told


def test_an_opened_role_says_that_its_guard_overrules_exceptions(open_page: Start) -> None:
    """Whoever copies an excepted role's command reads that somebody answers for the role."""
    visit = open_page(examples.report(held_examples.covered()))
    visit.page.locator("#role-0 summary").click()
    told = visit.page.locator("#role-0 .fix").inner_text()
    assert "Exceptions cover this role: the command plans its guard all the same." in told
