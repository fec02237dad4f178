"""What applying and undoing have in common: pace, memory and patience."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.errors import AuditorError
from auditor.remediate.interface import JournalError
from auditor.remediate.trouble import AWS_ERRORS, one_line, trouble_behind, trouble_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from auditor.account import Role
    from auditor.remediate.interface import Decider, Journal, Reader
    from auditor.remediate.model import Entry
    from auditor.remediate.trouble import Trouble

PAUSE: Final = 0.5
"""Seconds between two changes. IAM's limits on calls are an account's, aren't published, and are
shared with everything that deploys there: at two changes a second nobody else is throttled, and a
hundred roles take a minute."""

WAITS: Final = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds between looks at whether a change can be seen. IAM's changes take time to be seen
everywhere, usually seconds:
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html#troubleshoot_general_eventual-consistency"""

_THROTTLES: Final = 2  # roles in a row, each after eight tries: the account's limit is used up
_REFUSALS: Final = 5  # roles in a row: the credentials, or a service control policy, forbid it all
_OF_ONE_ROLE: Final = frozenset(
    ("LimitExceeded", "UnmodifiableEntity", "ConcurrentModification", "NoSuchEntity")
)
"""Refusals that say nothing of other roles:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html#API_AttachRolePolicy_Errors"""
TIME_IS_UP: Final = "the run's time was up: run it again for the rest"


def _nothing() -> None:
    """Renew nothing."""


def _never() -> bool:
    return False


@dataclass(slots=True)
class Run:
    """One run of ``apply`` or ``undo``.

    ``until`` tells that time is up, and ``keep`` renews the hold on the journal (it raises
    JournalError once that is lost). ``over`` says why the run ends early, once it does. ``changes``
    counts the roles changed, and ``created`` tells that the managed policy was made by this run.
    """

    iam: IAMClient
    reader: Reader
    journal: Journal
    decide: Decider
    who: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    progress: Callable[[str], None]
    until: Callable[[], bool] = _never
    keep: Callable[[], None] = _nothing
    over: str = ""
    changes: int = 0
    created: bool = False
    _wrote: bool = False
    _throttled: int = 0
    _refused: int = 0

    def pace(self) -> None:
        """Wait before a call that changes something, unless it is the first."""
        if self._wrote:
            self.sleep(PAUSE)
        self._wrote = True

    def attempt(self, call: Callable[[], object]) -> Trouble | None:
        """Make a call that changes something; return why it failed, or None.

        :raises JournalError: if the hold on the journal is lost. The call isn't made then.
        """
        self.keep()
        try:
            call()
        except AWS_ERRORS as error:
            return trouble_of(error)
        return None

    def look(self, name: str, seen: Callable[[Role], bool]) -> Seen:
        """Read a role until what was changed can be seen, and not for ever."""
        role: Role | None = None
        for wait in (*WAITS, None):
            try:
                role = self.reader.role(name)
            except AuditorError as error:
                return Seen(None, seen=False, problem=trouble_behind(error).message)
            if role is None or seen(role):
                return Seen(role, seen=role is not None)
            if wait is not None:
                self.sleep(wait)
        return Seen(role, seen=False)

    def went_well(self) -> None:
        """Forget the failures in a row."""
        self._throttled = self._refused = 0

    def ended(self) -> str:
        """Return why no further role is begun, or ""."""
        if not self.over and self.until():
            self.over = TIME_IS_UP
        return self.over

    def went_wrong(self, trouble: Trouble, *, reading: bool = False) -> None:
        """Count a failure, and end the run where the next roles would fare no better.

        A role that can't be read (``reading``) says little of the next, and leaves no trace by
        which the next run would come to it last.
        """
        self._throttled = self._throttled + 1 if trouble.throttled else 0
        self._refused += not reading and trouble.code not in _OF_ONE_ROLE
        if trouble.hopeless:
            self.over = f"the credentials are of no use any more ({trouble.code})"
        elif self._throttled >= _THROTTLES:
            self.over = f"AWS keeps asking to slow down ({trouble.code}): run it again later"
        elif self._refused >= _REFUSALS:
            self.over = f"AWS refused {_REFUSALS} roles in a row, {trouble.code} at last"


class Seen(NamedTuple):
    """What a look at a role came to. ``role`` is None where it is gone or can't be read."""

    role: Role | None
    seen: bool
    problem: str = ""


class Page:
    """The journal's page of one plan and one role."""

    def __init__(self, run: Run, template: Entry, sequence: int) -> None:
        self._run = run
        self._template = template
        self._sequence = sequence

    def write(self, step: str, **more: object) -> None:
        """Record a step.

        :raises JournalError: if that isn't certain.
        """
        changed = {"message": "", "was_there": False, "after": None, **more}
        self._run.journal.record(
            self._template.model_copy(
                update={
                    **changed,
                    "step": step,
                    "at": self._run.clock(),
                    "who": one_line(self._run.who),
                    "sequence": self._sequence,
                }
            )
        )
        self._sequence += 1

    def write_after(self, step: str, **more: object) -> str:
        """Record what is done already: where that fails the run ends, and the reason is returned.

        Nothing is lost by it: the intent stands in the journal.
        """
        try:
            self.write(step, **more)
        except JournalError as error:
            self._run.over = str(error)
            return str(error)
        return ""
