"""What the journal's entries come to: whose the policy on a role is, and what undo takes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.remediate.history import History, history
from tests.remediate.apply_entries import entries, entry

if TYPE_CHECKING:
    from auditor.remediate.model import Entry


def past(*steps: str) -> History:
    made = [
        entry("web", step.removesuffix("*"), was_there=step.endswith("*"), sequence=number)
        for number, step in enumerate(steps, 1)
    ]
    return history(made, "AROAWEB")


@pytest.mark.parametrize(
    ("steps", "ours", "confirmed"),
    [
        ("", False, False),
        ("attaching", True, False),
        ("attaching attached", True, True),
        ("attaching attached decided", True, True),
        # AWS refused: somebody else may attach it later, and that is theirs
        ("attaching failed", False, False),
        ("attaching failed attached*", False, False),
        ("attaching failed attaching", True, False),
        # another run's refusal doesn't unsay what is there
        ("attaching attaching attached failed", True, True),
        # undo was refused: it is still there, and still ours
        ("attaching attached detaching failed", True, True),
        ("attaching detaching failed", True, False),
        ("attaching detaching failed failed", False, False),
        ("attaching attached detaching", True, True),
        ("attaching attached detaching detached", False, False),
        ("attaching attached detaching detached decided", False, False),
        ("attaching attached detaching detached attaching", True, False),
        # what was there is never ours, and never makes ours somebody else's
        ("attached*", False, False),
        ("attaching attached*", True, False),
        ("attaching attached attached*", True, True),
    ],
)
def test_what_undo_takes_back(steps: str, *, ours: bool, confirmed: bool) -> None:
    """Undo takes back what the plan attached or was about to, and nothing else."""
    found = past(*steps.split())
    assert (found.ours, found.confirmed) == (ours, confirmed)
    assert found.sequence == len(steps.split()) + 1


@pytest.mark.parametrize(
    ("steps", "was_there", "taken", "leaving"),
    [
        ("attached*", True, False, False),
        ("attached* attaching", False, False, False),
        ("attaching attached*", False, False, False),
        ("attaching attached detaching", False, False, True),
        ("attaching attached detaching failed", False, False, False),
        ("attaching attached detaching detached", False, True, False),
        ("attaching attached detaching detached attached*", True, True, False),
    ],
)
def test_what_else_is_known(steps: str, *, was_there: bool, taken: bool, leaving: bool) -> None:
    """Somebody else's policy, one taken back, and an undo that ended half way are told apart."""
    found = past(*steps.split())
    assert (found.was_there, found.taken, found.leaving) == (was_there, taken, leaving)


@pytest.mark.parametrize(
    ("steps", "decided"),
    [
        ("attaching attached", False),
        ("attaching attached decided", True),
        ("attaching attached decided detaching detached", False),
        ("attaching attached decided detached", False),
        ("attaching attached detaching detached decided", True),
        ("attaching attached detaching detached decided attaching", False),
    ],
)
def test_what_is_still_to_be_decided(steps: str, *, decided: bool) -> None:
    """A verdict counts until the role is changed again."""
    assert past(*steps.split()).decided is decided


@given(st.lists(entries(role_id="AROAWEB")), st.lists(entries(role_id="AROAOTHER")))
def test_a_role_made_anew_starts_anew(mine: list[Entry], others: list[Entry]) -> None:
    """What was done to an earlier role of the same name says nothing of this one, bar numbers."""
    together, alone = history([*others, *mine], "AROAWEB"), history(mine, "AROAWEB")
    assert together._replace(sequence=0) == alone._replace(sequence=0)
    assert together.sequence > max((one.sequence for one in [*mine, *others]), default=0)


@given(st.lists(entries(role_id="AROAWEB").filter(lambda one: one.step != "failed")))
def test_an_entry_twice_is_once(recorded: list[Entry]) -> None:
    """An entry that is recorded twice in a row counts once (a refusal may be said of two calls)."""
    twice = [one for one in recorded for _ in range(2)]
    assert history(twice, "AROAWEB") == history(recorded, "AROAWEB")
