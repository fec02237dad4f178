"""What deciding a role comes to, as values: the verdict, and the requests that it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from auditor.actions import SendAction
    from auditor.engine.layers import Located
    from auditor.engine.question import Question
    from auditor.engine.request import Request
    from auditor.engine.state import State
    from auditor.findings import Certainty, Verdict


class Exposure(NamedTuple):
    """A request that AWS would allow, how sure that is, and what it rests on.

    ``plain``: it needs nothing but recipients, an identity and a region of the caller's choice.
    ``allows`` are the Allows it relies on, in the order of layers. ``state`` holds everything that
    the decision asked of each key, for those who explain it.
    """

    action: SendAction
    certainty: Certainty
    request: Request
    allows: tuple[Located, ...]
    plain: bool
    question: Question
    state: State


class Decision(NamedTuple):
    """The verdict on a role, and what it rests on.

    ``exposures`` has at most one entry an action. ``notes`` say what could not be
    read or decided of an exposed role. ``bounce`` is a way to SendBounce, if there is
    one. ``reason`` is why the verdict is ``undetermined``, or None. ``simulator`` is a request
    that mails the simulator alone, where the verdict is ``simulator_only``.
    """

    verdict: Verdict
    certainty: Certainty | None
    reason: str | None
    exposures: tuple[Exposure, ...]
    bounce: Exposure | None
    simulator: Exposure | None = None
    notes: tuple[str, ...] = ()
