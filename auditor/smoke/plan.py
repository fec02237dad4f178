"""What was asked for, checked before anything is sent."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from auditor.domains import is_mailbox
from auditor.errors import InputError
from auditor.smoke.queue import queue_region
from auditor.smoke.scenarios import ACTIONS, DOMAIN, OUTSIDE, checked_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.smoke.scenarios import Via

WAIT_MAX: Final = 900
"""Seconds: a build that waits longer for a simulator's event waits for nothing."""
_TEMPLATE_DATA_MAX: Final = 262_144
"""Characters: https://docs.aws.amazon.com/ses/latest/APIReference/API_SendTemplatedEmail.html"""
_SHOWN: Final = 100  # characters of a bad value in a message
# https://docs.aws.amazon.com/ses/latest/APIReference/API_ConfigurationSet.html
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: ``sender`` is the From address and nothing else. Raises ``InputError`` when made.

    ``queue`` is the URL of the queue that SES's events come to, or None; ``wait`` is for how many
    seconds to look there. ``refused``: check too that mail elsewhere is refused. ``endpoints``:
    URLs that stand in for AWS's, where the queue may be.
    """

    sender: str
    label: str
    vias: tuple[Via, ...] = ("v2",)
    template: str | None = None
    template_data: str = "{}"
    configuration_set: str | None = None
    queue: str | None = None
    wait: float = 60
    refused: bool = False
    endpoints: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check every value: they come from a command line."""
        if not is_mailbox(self.sender):
            raise _bad("--from", self.sender, "isn't an address such as ci@example.com")
        if self.sender.lower() == OUTSIDE:
            raise _bad("--from", self.sender, "is nobody's address; name one that you may send as")
        if self.sender.lower().endswith(f"@{DOMAIN}"):
            raise _bad("--from", self.sender, "is the simulator's; name one that you may send as")
        checked_label(self.label)
        if not 0 <= self.wait <= WAIT_MAX:
            raise InputError(f"--wait {self.wait}: isn't a number of seconds from 0 to {WAIT_MAX}")
        for option, name in (
            ("--configuration-set", self.configuration_set),
            ("--template", self.template),
        ):
            if name is not None and not _NAME.fullmatch(name):
                raise _bad(option, name, "isn't a name of 1 to 64 letters, digits, - and _")
        self._check_template()
        if self.queue is not None:
            queue_region(self.queue, "", self.endpoints)

    def _check_template(self) -> None:
        if "templated" in self.vias and self.template is None:
            raise InputError("--via templated: needs --template NAME, a template of the account")
        if self.template is not None and "templated" not in self.vias:
            raise InputError("--template: is for --via templated alone; add that, or leave it out")
        if len(self.template_data) > _TEMPLATE_DATA_MAX:
            raise InputError(f"--template-data: has more than {_TEMPLATE_DATA_MAX:,} characters")
        try:
            values = json.loads(self.template_data)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise _bad(
                "--template-data", self.template_data, 'isn\'t a JSON object such as {"a":1}'
            )


def vias_of(names: Sequence[str]) -> tuple[Via, ...]:
    """Return the named ways to send, each once. Raises ``InputError`` where one isn't known."""
    found: list[Via] = []
    for name in names:
        known = next((via for via in ACTIONS if via == name), None)
        if known is None:
            raise _bad("--via", name, f"isn't one of {', '.join(ACTIONS)}")
        found.append(known)
    return tuple(dict.fromkeys(found))


def _bad(option: str, value: str, why: str) -> InputError:
    shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
    return InputError(f"{option} {shown!r}: {why}")
