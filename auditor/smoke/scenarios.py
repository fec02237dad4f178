"""The table: to whom mail may go, what SES must tell of it, and by which operations it is sent.

Every recipient there is comes from this module. ``address`` makes them of constants and a label;
``is_simulators`` is what the sender asks before each mail.
https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator
"""

from __future__ import annotations

import re
import secrets
from typing import Final, Literal, NamedTuple

from auditor.domains import LOCAL_MAX
from auditor.errors import AuditorError, InputError

Via = Literal["v2", "v1", "raw", "templated"]

ACTIONS: Final[dict[Via, str]] = {
    "v2": "ses:SendEmail",
    "v1": "ses:SendEmail",
    "raw": "ses:SendRawEmail",
    "templated": "ses:SendTemplatedEmail",
}
"""What IAM checks for each way to send: SES v2's SendEmail, v1's SendEmail, SendRawEmail and
SendTemplatedEmail."""

OPERATIONS: Final[dict[Via, str]] = {
    "v2": "SES v2 SendEmail",
    "v1": "SES v1 SendEmail",
    "raw": "SES v1 SendRawEmail",
    "templated": "SES v1 SendTemplatedEmail",
}

DOMAIN: Final = "simulator.amazonses.com"
OUTSIDE: Final = "nobody@example.com"
"""The one address outside the simulator, for mail that AWS is proven to refuse. Nobody has it: the
domain is reserved (https://www.rfc-editor.org/rfc/rfc2606#section-3) and takes no mail (a null MX,
https://www.rfc-editor.org/rfc/rfc7505)."""


class Expected(NamedTuple):
    """An event: its type, and for a bounce how lasting it is (``Permanent`` or ``Transient``)."""

    kind: str
    bounce: str | None = None

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.kind} ({self.bounce})" if self.bounce else self.kind


class Scenario(NamedTuple):
    """One simulated recipient.

    ``expects``: the events that must come. ``may``: further ones that are no surprise.
    """

    mailbox: str
    says: str
    expects: tuple[Expected, ...]
    may: tuple[Expected, ...] = ()


_DELIVERY: Final = Expected("Delivery")
_HARD: Final = Expected("Bounce", "Permanent")

SCENARIOS: Final = (
    Scenario("success", "delivered", (_DELIVERY,)),
    Scenario("bounce", "bounced hard", (_HARD,)),
    # The automatic reply itself goes to the sender. Some accounts are told of it as a bounce that
    # will pass: https://github.com/BeamLabEU/phoenix_kit/issues/156
    Scenario("ooto", "delivered", (_DELIVERY,), (Expected("Bounce", "Transient"),)),
    # Delivered first, but who listens for complaints need not listen for deliveries.
    Scenario("complaint", "marked as spam", (Expected("Complaint"),), (_DELIVERY,)),
    # A hard bounce; AWS doesn't say of which subtype, and accounts differ ("General" in
    # https://github.com/floci-io/floci/issues/4048), so any will do.
    Scenario("suppressionlist", "bounced hard", (_HARD,)),
)

NEUTRAL: Final = frozenset({"Send", "Open", "Click", "DeliveryDelay", "Subscription"})
"""Types of events that say nothing of how the scenario ended."""

LABEL_MAX: Final = LOCAL_MAX - max(len(one.mailbox) for one in SCENARIOS) - len("+")
_LABEL: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{LABEL_MAX}}}")
_MAILBOXES: Final = "|".join(one.mailbox for one in SCENARIOS)
_ADDRESS: Final = re.compile(rf"(?:{_MAILBOXES})\+{_LABEL.pattern}@{re.escape(DOMAIN)}")


def checked_label(label: str) -> str:
    """Return the label. Raises ``InputError`` where no address could carry it."""
    if not _LABEL.fullmatch(label):
        raise InputError(
            f"--label {label[:100]!r}: isn't 1 to {LABEL_MAX} letters, digits, - and _ (all ASCII)"
        )
    return label


def label_of_build(build: str | None) -> str:
    """Return a label from CodeBuild's id of the build (``project:uuid``), or a random one.

    The end of the id is what tells builds apart.
    https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
    """
    safe = re.sub(r"[^A-Za-z0-9_-]", "-", build or "")[-LABEL_MAX:]
    # an id of nothing but punctuation would be the same label in each build
    return safe if safe.strip("-_") else f"run-{secrets.token_hex(8)}"


def address(scenario: Scenario, label: str) -> str:
    """Return a scenario's address with a label. Raises ``InputError`` for a label that can't be."""
    made = f"{scenario.mailbox}+{checked_label(label)}@{DOMAIN}"
    if not is_simulators(made):
        raise AuditorError(f"not sent: {made!r} isn't an address of the mailbox simulator")
    return made


def is_simulators(text: str) -> bool:
    """Tell whether a text is one of the simulator's addresses with a label, and nothing more."""
    return _ADDRESS.fullmatch(text) is not None
