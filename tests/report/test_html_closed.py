"""What the HTML report says of closed roles: which statements close them, and how."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.account import PolicyText
from auditor.report.formats.html import render
from tests.report.accounts import allow, report, role
from tests.report.page_reader import Page

if TYPE_CHECKING:
    from tests.report.conftest import Start

SIMULATOR = "*@simulator.amazonses.com"
GUARD = {
    "Sid": "Guard",
    "Effect": "Deny",
    "Action": ["s3:DeleteBucket", "ses:*"],
    "Resource": "*",
    "Condition": {"ForAnyValue:StringNotLike": {"ses:Recipients": SIMULATOR}},
}
TESTS = allow(Condition={"ForAllValues:StringLike": {"ses:Recipients": SIMULATOR}})
BOUNDARY = PolicyText(
    "edge", "arn:aws:iam::123456789012:policy/edge", "boundary", {"Statement": allow("s3:*")}
)


EDGE = f"the permissions boundary edge ({BOUNDARY.arn})"


def _ways(*roles: Any) -> list[list[str]]:
    """Return each way's boxes, a text each."""
    page = Page(render(report(*roles)).replace("</p><p", "</p> <p"))
    boxes = [" ".join(one.text.split()) for one in page.all("div", class_="box")]
    return [boxes[at : at + 3] for at in range(0, len(boxes), 3)]


def test_the_picture_says_by_what_a_role_is_closed() -> None:
    """A closed role's way leads through the statement or the layer that closes it."""
    found = _ways(
        role("guarded", allow(), GUARD),
        role("bound", allow(), boundary=BOUNDARY),
        role("tests", TESTS, policy="mail-tests"),
        role("silent", allow("s3:*")),
    )

    guard = 'Deny in statement 1 "Guard" of inline policy build'
    tests = "Allow in statement 0 of inline policy mail-tests"
    simulator, nobody = "◇ The mailbox simulator no real person", "○ Nobody no such mail"
    assert sorted(found) == [
        ["1 role bound", f"This ends its sends what isn't allowed by {EDGE}", nobody],
        ["1 role guarded", f"This keeps its sends within the simulator {guard}", simulator],
        ["1 role silent", "No statement allows a send to an address of its choosing", nobody],
        ["1 role tests", f"The Allows reach the simulator alone {tests}", simulator],
    ]


def test_many_closed_ways_are_few_and_still_true() -> None:
    """Where each role is closed by a policy of its own, the ways say so of all of them."""
    guarded = [role(f"web-{n}", allow(), GUARD, policy=f"build-{n}") for n in range(9)]
    twice = role("twice", allow("ses:SendEmail"), GUARD, {**GUARD, "Sid": "Again"})
    tests = [role(f"tests-{n}", TESTS, policy=f"mail-{n}") for n in range(3)]
    first, second = _ways(*guarded, twice, *tests)

    assert first[0] == "10 roles twice, web-0, web-1 and 7 more"
    assert first[1].startswith("Denies and other limits keep their sends within the simulator Deny")
    assert first[1].endswith("and 8 more")
    by = " ".join(f"Allow in statement 0 of inline policy mail-{n}" for n in range(3))
    assert second[:2] == [
        "3 roles tests-0, tests-1, tests-2",
        f"The Allows reach the simulator alone {by}",
    ]


def test_the_row_of_a_closed_role_says_why() -> None:
    """Without scripts, the list says of a closed role what closes it."""
    page = Page(render(report(role("one", allow(), GUARD), role("two", allow(), GUARD, GUARD))))
    rows = [one.text for one in page.all("span", class_="says")]

    by = 'Deny in statement 1 "Guard" of inline policy build'
    assert rows == [
        f"This keeps its sends within the simulator: {by}.",
        f"Each of these alone keeps its sends within the simulator: {by}, and 1 more.",
    ]


def test_an_opened_closed_role_shows_what_closes_it(open_page: Start) -> None:
    """Its section has the statement's text, with the lines marked that name sends or recipients."""
    visit = open_page(
        report(role("web", allow(), GUARD), role("bound", allow(), boundary=BOUNDARY))
    )
    page = visit.page
    page.locator("#role-0 summary").click()
    proof = page.locator("#role-0 .proof")

    assert "What closes it\n" in proof.inner_text()
    marks = [mark.strip() for mark in proof.locator("pre mark").all_text_contents()]
    assert marks == [
        '"ses:*"',
        '"ForAnyValue:StringNotLike": {',
        f'"ses:Recipients": "{SIMULATOR}"',
    ]
    assert "Marked lines name sends, or their recipients." in proof.inner_text()
    page.locator("#role-1 summary").click()
    assert (
        "what isn't allowed by the permissions boundary edge"
        in page.locator("#role-1 .list").inner_text()
    )


def test_a_closed_role_is_found_by_what_closes_it(open_page: Start) -> None:
    """The text filter looks through the statements that close a role, opened or not."""
    visit = open_page(
        report(role("web", allow(), GUARD), role("api", allow(), {**GUARD, "Sid": "Api"}))
    )
    page = visit.page
    page.locator("[name=text]").fill("s3:DeleteBucket notlike")
    page.locator("output[name=shown]", has_text="2").wait_for()
    page.locator("[name=text]").fill('"Api"')
    page.locator("output[name=shown]", has_text="1").wait_for()
    assert page.locator(".role:visible").count() == 1
