"""Audits that could not be done: told once a run to whoever reads, and then that it is over."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from auditor.errors import AuditorError
from auditor.notify.aside import failed, works_again
from chalicelib import channels, telemetry
from chalicelib.memory import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.notify.aside import Word
    from chalicelib.channels import Outcome, Teller
    from chalicelib.memory import Memory
    from chalicelib.settings import Settings


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
        telemetry.logger.error("nothing could be told: %s", why)
        word = failed(self._account(), why, self.run_id)
        outcome = channels.Outcome()
        for one in channels.tellers(self.settings, self.left_ms):
            if one.say is not None:
                outcome.attempt(one.name, partial(self._tell, one, one.say, word))

    def over(self, outcome: Outcome) -> None:
        """Tell the channels that heard of trouble that the audit works again, once."""
        word = works_again(self._account(), self.run_id)
        for one in channels.tellers(self.settings, self.left_ms):
            if one.say is not None and one.name not in outcome.failed:
                id_ = outcome.sent.get(one.name)
                outcome.attempt(one.name, partial(self._over, one, one.say, word))
                if one.name in outcome.sent:
                    outcome.sent[one.name] = id_

    def _tell(self, one: Teller, say: Callable[[Word], str | None], word: Word) -> str | None:
        told = self._told(one)
        if self.run_id in told.runs or self.left_ms() < one.needs_ms:
            return None
        message_id = say(word)
        # Afterwards: a message that didn't arrive is told by the next try.
        if self.memory is not None:
            self.memory.keep_trouble(one.name, Trouble((*told.runs, self.run_id), open=True))
        return message_id

    def _told(self, one: Teller) -> Trouble:
        try:
            return Trouble() if self.memory is None else self.memory.trouble(one.name)
        except AuditorError as error:
            telemetry.logger.error("told without memory: %s", error)
            return Trouble()

    def _over(self, one: Teller, say: Callable[[Word], str | None], word: Word) -> str | None:
        told = Trouble() if self.memory is None else self.memory.trouble(one.name)
        if self.memory is None or not told.open or self.left_ms() < one.needs_ms:
            return None
        message_id = say(word)
        self.memory.keep_trouble(one.name, told._replace(open=False))
        return message_id

    def _account(self) -> str:
        return self.settings.topic_arn.split(":")[4]
