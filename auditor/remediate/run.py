"""What applying and undoing have in common: pace, memory, patience, and deciding at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.errors import AuditorError
from auditor.remediate.interface import JournalError
from auditor.remediate.trouble import AWS_ERRORS, one_line, trouble_behind, trouble_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from mypy_boto3_iam import IAMClient

    from auditor.account import Role
    from auditor.remediate.interface import Decider, Journal, Reader
    from auditor.remediate.model import Entry, Result, Standing
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


@dataclass(slots=True)
class Run:
    """One run of ``apply`` or ``undo``.

    ``over`` says why it ends early, once it does. ``changes`` counts the roles changed, and
    ``created`` tells that the managed policy was made by this run.
    """

    iam: IAMClient
    reader: Reader
    journal: Journal
    decide: Decider
    who: str
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    progress: Callable[[str], None]
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
        """Make a call that changes something; return why it failed, or None."""
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

    def went_wrong(self, trouble: Trouble) -> None:
        """Count a failure, and end the run where the next roles would fare no better."""
        self._throttled = self._throttled + 1 if trouble.throttled else 0
        self._refused += 1
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


class Step(NamedTuple):
    """What became of one role. ``role``: as read afterwards, to be decided; ``page``: where to
    record that. ``promised`` is what the plan said would be decided.
    """

    result: Result
    role: Role | None = None
    page: Page | None = None
    promised: Standing | None = None


def settle(run: Run, steps: Sequence[Step]) -> list[Result]:
    """Decide all roles that were read back, together; record it, and return the results.

    Together, because a role may be able to become another one of them.
    """
    fresh = [step.role for step in steps if step.role is not None]
    standings: Mapping[str, Standing] = {}
    problem = "not decided again: it is no CodeBuild role any more"
    if fresh:
        run.progress(f"{len(fresh):,} roles: deciding them anew")
        try:
            standings = run.decide(fresh)
        except AuditorError as error:
            problem = f"not decided again: {one_line(str(error))}"
    return [_settled(step, standings, problem) for step in steps]


def _settled(step: Step, standings: Mapping[str, Standing], problem: str) -> Result:
    if step.role is None:
        return step.result
    standing = standings.get(step.role.arn)
    said = [step.result.message]
    if standing is None:
        said.append(problem)
    else:
        said.append(_told(standing, step.promised))
        if step.page is not None:
            said.append(step.page.write_after("decided", after=standing))
    message = "; ".join(text for text in said if text)
    return step.result.model_copy(update={"standing": standing, "message": message})


def _told(standing: Standing, promised: Standing | None) -> str:
    """Say what must not be missed of a verdict: that it isn't the promised one."""
    if promised is None:
        return "EXPOSED AGAIN" if standing.verdict == "exposed" else ""
    if (standing.verdict, standing.certainty) == (promised.verdict, promised.certainty):
        return ""
    why = f" ({one_line(standing.reason)})" if standing.reason else ""
    return f"NOT WHAT THE PLAN PROMISED: {said(standing)}{why} instead of {said(promised)}"


def said(standing: Standing) -> str:
    """Return a verdict as words."""
    return f"{standing.verdict} ({standing.certainty})" if standing.certainty else standing.verdict
