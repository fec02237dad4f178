"""What applying and undoing need of others: a memory, eyes, and a judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from auditor.errors import AuditorError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from auditor.account import PolicyText, Role
    from auditor.remediate.model import Entry, Standing


class JournalError(AuditorError):
    """The journal can't be read or written, so nothing may be changed: one line."""


class BusyError(JournalError):
    """Another run is changing the same account; the message says whose, and what to do."""


class Journal(Protocol):
    """What was done, kept so that it can be finished and taken back after any interruption."""

    def record(self, entry: Entry) -> None:
        """Keep an entry for good before returning. The same entry once more changes nothing.

        :raises JournalError: if it isn't certain that the entry was kept.
        """

    def entries(self, plan_id: str, role_arn: str | None = None) -> list[Entry]:
        """Return a plan's entries (or those of one role), each role's in the order of recording.

        What was recorded before the call is in it, by whomever.

        :raises JournalError: if the journal can't be read.
        """

    def plans(self) -> list[str]:
        """Return the ids of the plans that the journal knows, the oldest first.

        :raises JournalError: if the journal can't be read.
        """

    def troubles(self) -> list[str]:
        """Return what could not be read so far of what the journal holds, one line each."""

    def lost(self) -> list[str]:
        """Return those of the troubles that may hide what was done: a line each.

        What a run was killed while writing hides nothing: it comes before its call.
        """

    def lock(self, owner: str) -> AbstractContextManager[Callable[[], None]]:
        """Hold the journal for one run; ``owner`` is shown to whoever meets it held.

        Gives a function to call again and again while working: it renews the hold.

        :raises BusyError: if another run holds it. The function raises JournalError once the hold
            is lost.
        """


class Reader(Protocol):
    """The account as it is now, piece by piece (``collect.single.RoleReader``)."""

    def role(self, name: str) -> Role | None:
        """Return a role; None where there is none. Raises ``AuditorError``, AWS's as its cause."""

    def managed(self, arn: str) -> PolicyText | None:
        """Return a managed policy's text in force; None where there is none. Raises likewise."""


class Decider(Protocol):
    """Decides the account anew, with the roles given in the place of those it knew."""

    def __call__(self, roles: Sequence[Role]) -> Mapping[str, Standing]:
        """Return what these roles can do now, by ARN; one that is no CodeBuild role is left out.

        Raises ``AuditorError`` where nothing can be decided.
        """
