"""Audits that could not be done: told to whoever reads, and then that it is over.

A run that fails is told once however often it is tried, and a cause that lasts once a week. As all
messages, these are told twice at worst where a channel doesn't answer.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.errors import AuditorError, NotifyError
from auditor.notify.aside import failed, works_again
from auditor.notify.unanswered import UnansweredError
from auditor.text import without_secrets
from chalicelib import channels, telemetry
from chalicelib.memory import RUNS, Trouble

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from auditor.notify.aside import Word
    from chalicelib.channels import Outcome, Teller
    from chalicelib.memory import Memory
    from chalicelib.settings import Settings

AGAIN: Final = timedelta(days=7)
"""How long a cause that lasts isn't told again."""

_CHANGING: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{6,}")
"""What differs in one and the same error of AWS from day to day: a request's id, a time."""

said: deque[tuple[str, str]] = deque(maxlen=RUNS)
"""Channels, and the ids of words that this process said to them. Lambda may try a run again in it,
and the table that remembers may be what fails."""


class Desk(NamedTuple):
    """Who is told, what was told before, and which run this is.

    ``memory`` is that of the topic's account: which account the function runs in may be what
    couldn't be read.
    """

    settings: Settings
    memory: Memory | None
    run_id: str
    left_ms: Callable[[], int]

    def tell(self, error: Exception) -> None:
        """Tell every channel for people that this run fails, once however often it is tried.

        What fails here is logged: the error that is told is what the run ends with.
        """
        # Of an error that isn't ours only the kind: it may hold a secret, or a policy's text.
        why = (
            str(error) if isinstance(error, AuditorError) else f"a defect ({type(error).__name__})"
        )
        telemetry.logger.error("the audit could not be done: %s", without_secrets(why))
        outcome = channels.Outcome()
        for one in channels.tellers(self.settings, self.left_ms):
            if one.say is not None:
                outcome.attempt(one.name, partial(self._tell, one, one.say, why))

    def over(self, outcome: Outcome) -> None:
        """Tell the channels that heard of trouble that the audit works again, once."""
        for one in channels.tellers(self.settings, self.left_ms):
            if one.say is not None and one.name not in outcome.failed:
                id_ = outcome.sent.get(one.name)
                outcome.attempt(one.name, partial(self._over, one, one.say))
                if one.name in outcome.sent:
                    outcome.sent[one.name] = id_

    def _tell(self, one: Teller, say: Callable[[Word], str | None], why: str) -> str | None:
        told = self._told(one)
        before = told or Trouble()
        cause = hashlib.sha256(_CHANGING.sub("", why).encode()).hexdigest()[:16]
        if self.run_id in before.runs or _lately(before, cause):
            return None
        if self.left_ms() < one.needs_ms:
            raise NotifyError("the run's time is nearly over; the next try says that it failed")
        word = failed(self._account(), why, self.run_id, remembered=told is not None)
        now = Trouble(
            (*before.runs, self.run_id), True, cause, _today().isoformat(), before.unanswered
        )
        return self._say(one, say, word, before, now)

    def _told(self, one: Teller) -> Trouble | None:
        try:
            return None if self.memory is None else self.memory.trouble(one.name)
        except AuditorError as error:
            telemetry.logger.error("told without memory: %s", error)
            return None

    def _over(self, one: Teller, say: Callable[[Word], str | None]) -> str | None:
        told = Trouble() if self.memory is None else self.memory.trouble(one.name)
        if not told.open or self.left_ms() < one.needs_ms:
            return None
        # By what is over, not by this run: said again by a later one, it is the same word.
        word = works_again(self._account(), (self.run_id, *told.runs)[-1])
        now = told._replace(open=False, cause="", day="")
        return self._say(one, say, word, told, now)

    def _say(
        self,
        one: Teller,
        say: Callable[[Word], str | None],
        word: Word,
        before: Trouble,
        now: Trouble,
    ) -> str | None:
        """Say a word, and remember it then: one that didn't arrive is said by the next try."""
        this = (one.name, word.id)
        try:
            message_id = None if this in said else say(word)
        except UnansweredError:
            if word.id in before.unanswered:
                telemetry.logger.error(
                    "channel %s didn't answer to %s twice; it is not told again", one.name, word.id
                )
                # It may be untold, so it keeps no later run from telling the same cause.
                now = now._replace(cause="", day="")
            else:
                now = before._replace(unanswered=(*before.unanswered, word.id))
            self._keep(one, now)
            raise
        said.append(this)
        self._keep(one, now)
        return message_id

    def _keep(self, one: Teller, trouble: Trouble) -> None:
        if self.memory is not None:
            self.memory.keep_trouble(one.name, trouble)

    def _account(self) -> str:
        return self.settings.topic_arn.split(":")[4]


def _lately(told: Trouble, cause: str) -> bool:
    """Tell whether a channel heard of a cause within the week, and nothing else since."""
    since, today = (_today() - AGAIN).isoformat(), _today().isoformat()
    return told.open and told.cause == cause and since < told.day <= today


def _today() -> date:
    return datetime.now(UTC).date()
