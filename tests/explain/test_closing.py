"""Which changes are offered to close an exposure, and which never are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from auditor.account import PolicyText
from auditor.explain.page import Page
from auditor.explain.story import explain
from auditor.explain.tell import render
from tests.explain.world import ACCOUNT, NOW, OPEN, SIMULATOR, account, document, role

if TYPE_CHECKING:
    from auditor.explain.closing import Closing

MIXED = {"ForAnyValue:StringLike": {"ses:Recipients": SIMULATOR}}


def offered(*statements: object, **others: Any) -> list[Closing]:
    one = role(*statements, **others)
    return [c for way in explain(account(one), one, NOW).ways for c in way.closings]


@pytest.mark.parametrize(
    "names",
    [
        {"Action": "*"},
        {"Action": ["ses:SendEmail", "s3:GetObject"]},
        {"Action": "ses:*"},
        {"Action": "ses:S*"},
        {"NotAction": "iam:*"},
    ],
    ids=str,
)
@pytest.mark.parametrize("condition", [None, MIXED], ids=["open", "mixed"])
def test_an_allow_of_more_than_sends_keeps_what_else_it_allows(
    names: dict[str, object], condition: object
) -> None:
    """A condition on the recipients would cost (or give) every other action: the Deny it is."""
    broad = {"Effect": "Allow", **names, "Resource": "*"}
    found = offered({**broad, "Condition": condition} if condition else broad)
    assert found
    assert all(closing.document is not None for closing in found)


def test_a_boundary_of_everything_is_left_alone() -> None:
    """Beside an Allow of sends, a boundary of everything isn't narrowed to mail."""
    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    found = offered(OPEN, boundary=everything)
    places = [closing.place.layer for closing in found if closing.place is not None]
    assert places == ["identity"]


def test_a_shared_policy_is_named_as_such() -> None:
    """A change of a managed policy may change other roles, and the sentence says so."""
    one = role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    arn = f"arn:aws:iam::{ACCOUNT}:policy/mailing"
    one.attached = (PolicyText("mailing", arn, "managed", document(OPEN)),)
    (way,) = explain(account(one), one, NOW).ways
    edits = [closing.what for closing in way.closings if closing.place is not None]
    assert edits
    assert all(", a managed policy that other roles may share, " in what for what in edits)


def test_no_change_opens_another_action() -> None:
    """ForAllValues alone would let SendBulkEmail through, which carries no recipients."""
    sends = {**OPEN, "Action": "ses:Send*", "Condition": MIXED}
    one = role(sends)
    story = explain(account(one), one, NOW)
    had = {exposure.action.name for way in story.ways for exposure in way.exposures}
    assert "ses:SendBulkEmail" not in had
    found = [closing for way in story.ways for closing in way.closings]
    edits = [closing for closing in found if closing.place is not None]
    assert edits
    for closing in edits:
        assert closing.verdict == "simulator_only"
        assert closing.opens == ()
        assert closing.statement is not None
        assert closing.statement["Condition"]["Null"] == {"ses:Recipients": "false"}  # type: ignore[index]


def test_a_change_that_opens_another_is_named_as_one() -> None:
    """Where it has to be offered, the page names what it opens."""
    one = role({**OPEN, "Action": "ses:Send*", "Condition": MIXED})
    story = explain(account(one), one, NOW)
    way = story.ways[0]
    worse = way.closings[0]._replace(verdict="exposed", opens=("ses:SendBulkEmail",))
    text = render(story._replace(ways=(way._replace(closings=(worse,)),)), Page(400))
    assert "but ses:SendBulkEmail is exposed that wasn't:" in text


def test_notes_are_never_cut() -> None:
    """A finding's whole sentence stands among the notes, however long it is."""
    one = role(
        {**OPEN, "Action": "ses:SendBounce"},
        {"Effect": "Allow", "Action": ["iam:Put*", "iam:Attach*", "iam:Create*", "iam:Set*",
         "iam:Detach*", "iam:Delete*"], "Resource": "*"},
        name="a" * 64,
    )  # fmt: skip
    story = explain(account(one), one, NOW)
    text = " ".join(render(story, Page(2000)).split())
    assert any(len(note.title) > 200 for note in story.others)
    assert all(note.title in text for note in story.others)
