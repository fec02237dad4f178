"""What a journal knows beyond one plan: its plans, and what others did to the same roles."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.remediate.history import history

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from auditor.account import Role
    from auditor.corrective.names import PolicyName
    from auditor.remediate.history import History
    from auditor.remediate.interface import Journal
    from auditor.remediate.model import Change, Entry


class PlanKnown(NamedTuple):
    """One plan, as its entries tell of it.

    ``at`` and ``who`` are those of its first entry. ``roles`` counts the roles that it touched, and
    ``on`` those of them that have its policy, by the journal. ``open`` names the roles at which a
    run was about to attach or detach, and ended before it had AWS's answer, by name.
    """

    plan_id: str
    account_id: str
    policy: PolicyName
    at: datetime
    who: str
    roles: int
    on: int
    open: tuple[str, ...]


def plans_of(journal: Journal) -> list[PlanKnown]:
    """Return the plans that a journal has entries of, the oldest first.

    Everything is read: what can't be is in the journal's ``troubles()`` afterwards.

    :raises JournalError: if the journal can't be read.
    """
    found = [_known(plan_id, journal.entries(plan_id)) for plan_id in journal.plans()]
    return sorted((one for one in found if one), key=lambda one: (one.at, one.plan_id))


def _known(plan_id: str, entries: list[Entry]) -> PlanKnown | None:
    if not entries:  # listed before its first entry, and no further
        return None
    first = min(entries, key=lambda entry: entry.at)
    pasts = [past for _, past in by_role(entries)]
    names = {
        past.last.role_name
        for past in pasts
        if past.last is not None and past.ours and (past.leaving or not past.confirmed)
    }
    return PlanKnown(
        plan_id,
        first.account_id,
        first.policy,
        first.at,
        first.who,
        len(pasts),
        sum(past.ours and past.confirmed for past in pasts),
        tuple(sorted(names)),
    )


def by_role(entries: Iterable[Entry]) -> Iterator[tuple[tuple[str, str], History]]:
    """Yield what entries of one plan come to, for each role by ARN and id."""
    roles: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        roles.setdefault((entry.role_arn, entry.role_id), []).append(entry)
    for key in sorted(roles):
        yield key, history(roles[key], key[1])


class Others:
    """What the journal's other plans did to roles, as it is when a run begins.

    ``lost``: lines of the journal that can't be read, which may have been about any role.
    ``refused``: the ARNs of the roles of which the last that any plan recorded is a refusal.
    """

    def __init__(self, journal: Journal, plan_id: str) -> None:
        self._plan_id = plan_id
        self._ours: dict[tuple[str, str], list[tuple[str, Entry]]] = {}
        self._begun: list[tuple[str, Entry]] = []
        latest: dict[str, Entry] = {}
        for other in journal.plans():
            entries = journal.entries(other)
            for entry in entries:
                known = latest.get(entry.role_arn)
                if known is None or known.at <= entry.at:
                    latest[entry.role_arn] = entry
            if other != plan_id:
                self._take(other, entries)
        self.refused = frozenset(arn for arn, one in latest.items() if one.step == "failed")
        self.lost = tuple(journal.lost())

    def _take(self, plan_id: str, entries: list[Entry]) -> None:
        for key, past in by_role(entries):
            if past.ours and past.last is not None:
                self._ours.setdefault(key, []).append((plan_id, past.last))
                if not past.confirmed and not past.leaving:
                    self._begun.append((plan_id, past.last))

    def begun(self) -> list[tuple[str, Entry]]:
        """Return plans and entries of what others were about to attach, and no more is known."""
        return list(self._begun)

    def later(self, mine: Entry, plan_id: str | None = None) -> str | None:
        """Return the plan that attached the policy of an entry to its role after that entry.

        A plan attaches only where it doesn't find the policy: so what was attached before it was
        off the role then. ``plan_id`` is whose entry it is, where it isn't this run's plan's.
        """
        own = plan_id or self._plan_id
        found = [
            (entry.at, other)
            for other, entry in self._ours.get((mine.role_arn, mine.role_id), ())
            if other != own
            and (entry.way, entry.policy_arn) == (mine.way, mine.policy_arn)
            and (entry.at, other) > (mine.at, own)
        ]
        return max(found)[1] if found else None

    def holder(self, change: Change, role: Role, policy: PolicyName) -> str | None:
        """Return the plan that, by the journal, put on a role what a change is to put there."""
        found = [
            (entry.at, other)
            for other, entry in self._ours.get((role.arn, role.role_id), ())
            if (entry.way, entry.policy) == (change.way, policy)
        ]
        return max(found)[1] if found else None

    def forget(self, plan_id: str, entry: Entry) -> None:
        """Take in that what a plan was about to do to a role was never done."""
        key = entry.role_arn, entry.role_id
        kept = [one for one in self._ours.get(key, ()) if one != (plan_id, entry)]
        self._ours[key] = kept
