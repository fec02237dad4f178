"""What the journal knows of one plan on one role, told from its entries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from auditor.remediate.model import Entry


class History(NamedTuple):
    """Where one plan stands with one role.

    ``ours``: undo has to take the policy back, as the plan attached it or was about to.
    ``confirmed``: AWS said that it is attached; else a run ended between intent and answer.
    ``leaving``: an undo was about to take it back, and ended before AWS's answer.
    ``was_there``: the plan found the policy on the role and left it. ``decided``: the role was
    decided after the latest change. ``taken``: it was attached, and is taken back.
    ``sequence`` is the next entry's.
    """

    ours: bool = False
    confirmed: bool = False
    leaving: bool = False
    was_there: bool = False
    decided: bool = False
    taken: bool = False
    last: Entry | None = None
    sequence: int = 1


def history(entries: Iterable[Entry], role_id: str) -> History:
    """Return what the entries of one plan and one ARN, in order, say of the role with this id.

    A role made anew under an old name has another id, and a history of its own.
    """
    found = History()
    for entry in entries:
        if entry.role_id == role_id:
            found = _after(found, entry)
        found = found._replace(sequence=max(found.sequence, entry.sequence + 1))
    return found


def _after(found: History, entry: Entry) -> History:
    if entry.step == "attaching":
        return found._replace(
            ours=True, confirmed=False, leaving=False, was_there=False, decided=False, last=entry
        )
    if entry.step == "attached":
        if entry.was_there:
            # Never a reason to forget an intent of the plan's own.
            return found if found.ours else found._replace(was_there=True, last=entry)
        return found._replace(ours=True, confirmed=True, was_there=False, last=entry)
    if entry.step == "detaching":
        return found._replace(leaving=True, decided=False)
    if entry.step == "detached":
        return found._replace(ours=False, confirmed=False, leaving=False, taken=True, decided=False)
    if entry.step == "failed":
        # What AWS refused to attach isn't attached; what it refused to detach still is.
        if found.leaving:
            return found._replace(leaving=False)
        return found if found.confirmed else found._replace(ours=False)
    return found._replace(decided=True)
