"""What a run found: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from auditor.smoke.scenarios import Scenario, Via
    from auditor.smoke.trouble import Trouble

REFUSED = "refused"
"""The name of the check that mail to an address outside is refused."""


class Sent(NamedTuple):
    """One mail to one scenario's address: AWS's id of it, or why there is none."""

    via: Via
    scenario: Scenario
    address: str
    message_id: str | None
    trouble: Trouble | None = None


class Outcome(NamedTuple):
    """How one check ended. ``trouble`` is None where it is as expected.

    ``name`` is a scenario's mailbox or ``REFUSED``. ``address`` is None where no mail was sent.
    ``events`` are those that were seen, in words. ``says`` is one sentence.
    """

    name: str
    via: Via
    address: str | None
    message_id: str | None
    events: tuple[str, ...]
    says: str
    trouble: Trouble | None = None

    @property
    def passed(self) -> bool:
        """Whether it is as expected."""
        return self.trouble is None


class Caller(NamedTuple):
    """Who sends: account, partition, and the role's name (None: the credentials aren't a role's).

    ``arn`` is what STS calls the session.
    """

    account: str
    partition: str
    role: str | None
    arn: str


Listened = Literal["not asked", "heard", "unreadable"]


@dataclass(frozen=True, slots=True)
class Run:
    """One run. ``others`` counts messages of other runs in the queue, ``odd`` those without event.

    ``policy`` is the smallest policy that lets denied mail through, as far as a policy of the
    role's own can: None where nothing was denied, or AWS says that something else refused it.
    ``remarks`` are for whoever reads the result. ``started`` is UTC, aware; ``seconds`` is how long
    it took.
    """

    label: str
    sender: str
    region: str
    caller: Caller | None
    started: datetime
    seconds: float
    listened: Listened
    outcomes: tuple[Outcome, ...]
    others: int = 0
    odd: int = 0
    policy: Mapping[str, object] | None = None
    remarks: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything is as expected (and there was something)."""
        return bool(self.outcomes) and all(one.passed for one in self.outcomes)
