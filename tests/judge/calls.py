"""SES calls as the judge sees them: what each send is checked against, and who its mail reaches.

Typed out from the Service Authorization Reference for Amazon SES
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html), not
imported from ``auditor``: that table is one of the things under judgement.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .concrete import Reading, Request, Values, allows
from .operators import is_address, moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ACCOUNT = "123456789012"
ROLE_ID = "AROACASEEXAMPLE000000"
SIMULATOR = "simulator.amazonses.com"
V1 = ("ses:apiversion", "ses:feedbackaddress", "ses:fromaddress", "ses:fromdisplayname")
V2 = ("ses:apiversion", "ses:multiregionendpointid", "ses:tenantname")
# Absent from every request of a role's session (docs/how-it-decides.md, on the caller).
NEVER = (
    "aws:username",
    "aws:principalservicename",
    "aws:calledvia",
    "aws:requesttag/",
    "aws:tagkeys",
)
# Keys whose values AWS sets in one form.
KINDS: dict[str, Callable[[str], bool]] = {
    "aws:sourceip": is_address,
    "aws:securetransport": lambda value: value in {"true", "false"},
    "aws:multifactorauthpresent": lambda value: value == "false",
}
CUSTOM = "custom-verification-email-template"


@dataclass(frozen=True)
class Send:
    """A send action: required and optional resource types, and the ``ses:`` keys it carries."""

    required: tuple[str, ...]
    optional: tuple[str, ...]
    keys: tuple[str, ...]
    recipients: bool = True


SENDS = {
    "ses:SendEmail": Send(("identity",), ("configuration-set", "template"), (*V1, *V2)),
    "ses:SendRawEmail": Send(("identity",), ("configuration-set",), V1),
    "ses:SendTemplatedEmail": Send(("identity", "template"), ("configuration-set",), V1),
    "ses:SendBulkTemplatedEmail": Send(("identity", "template"), ("configuration-set",), V1),
    "ses:SendCustomVerificationEmail": Send((CUSTOM,), ("identity",), V1),
    "ses:SendBulkEmail": Send(("identity", "template"), ("configuration-set",), V2, False),
}


@dataclass(frozen=True)
class Subject:
    """A role as the judge needs it: its own facts, its documents, its boundary's document."""

    policies: tuple[object, ...]
    boundary: object = None
    arn: str = f"arn:aws:iam::{ACCOUNT}:role/service-role/codebuild-case"
    role_id: str = ROLE_ID
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def partition(self) -> str:
        """The partition that the role's ARN names."""
        return self.arn.split(":")[1]


@dataclass(frozen=True)
class Call:
    """One API call: the action, the resource of each type it touches, and its context."""

    action: str
    resources: Mapping[str, str]
    context: Mapping[str, Values]


def mailbox(address: str) -> bool:
    """Whether an address is a valid mailbox (RFC 5321 Dot-string, RFC 1123 host name)."""
    atom = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
    label = r"[A-Za-z0-9-]+"
    local, _, domain = address.partition("@")
    return (
        len(local) <= 64
        and re.fullmatch(rf"{atom}(\.{atom})*", local) is not None
        and re.fullmatch(rf"{label}(\.{label})+", domain) is not None
    )


def simulated(address: str) -> bool:
    """Whether an address is the mailbox simulator's."""
    return address.lower().endswith(f"@{SIMULATOR}")


def real(address: str) -> bool:
    """Whether an address is a valid mailbox outside the simulator."""
    return mailbox(address) and not simulated(address)


def known(subject: Subject, call: Call) -> dict[str, Values]:
    """Return the call's context together with what is known about the caller, keys in lower case.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    context: dict[str, Values] = {key.lower(): value for key, value in call.context.items()}
    first = next(iter(call.resources.values()))
    facts: dict[str, Values] = {
        "aws:principalarn": subject.arn,
        "aws:principalaccount": subject.arn.split(":")[4],
        "aws:principaltype": "AssumedRole",
        "aws:principalisawsservice": "false",
        "aws:viaawsservice": "false",
        "aws:resourceaccount": first.split(":")[4],
        "aws:requestedregion": first.split(":")[3],
    }
    facts.update({f"aws:principaltag/{k.lower()}": v for k, v in subject.tags.items()})
    for key, value in facts.items():
        context.setdefault(key, value)
    context.setdefault("aws:userid", f"{subject.role_id}:AWSCodeBuild-1")
    return context


def flaws(subject: Subject, call: Call, *, now: float) -> list[str]:
    """Return the facts and ties that a call breaks: reasons why this role could never send it."""
    found = []
    context = known(subject, call)
    send = SENDS[call.action]
    untouched = known(subject, Call(call.action, call.resources, {}))
    fixed = [k for k in untouched if k != "aws:userid"]
    found += [f"{k} is known" for k in fixed if context[k] != untouched[k]]
    found += [
        f"{key} isn't carried by {call.action}"
        for key in context
        if key.startswith("ses:") and key not in (*send.keys, *["ses:recipients"] * send.recipients)
    ]
    found += [f"{key} is never there" for key in context if not key.startswith(("aws:", "ses:"))]
    found += [f"{key} is never there" for key in context if key.startswith(NEVER)]
    found += [
        f"{key} isn't of its kind"
        for key, kind in KINDS.items()
        if key in context and not kind(str(context[key]))
    ]
    if len({arn.split(":")[3] for arn in call.resources.values()}) > 1:
        found.append("resources in two regions")
    clocks = [moment(str(context[k])) for k in ("aws:currenttime", "aws:epochtime") if k in context]
    if len(set(clocks)) > 1 or any(clock < now for clock in clocks):
        found.append("the clock")
    sender, identity = context.get("ses:fromaddress"), call.resources.get("identity")
    if isinstance(sender, str) and identity is not None:
        name = identity.split("/", 1)[1].lower()
        domain = sender.lower().rpartition("@")[2]
        if name not in (sender.lower(), domain) and not domain.endswith(f".{name}"):
            found.append("the identity isn't the sender's")
    recipients = context.get("ses:recipients", ())
    if send.recipients and not (
        isinstance(recipients, tuple)
        and 1 <= len(recipients) <= 50
        and all(map(mailbox, recipients))
    ):
        found.append("recipients")
    return found


def succeeds(
    subject: Subject,
    call: Call,
    reading: Reading,
    check: Callable[[Subject, Request], bool] | None = None,
) -> bool:
    """Whether the whole call goes through: each resource type (LEAST), or any of them (MOST).

    SendBulkEmail alone proves nothing: AWS is reported to check SendBulkTemplatedEmail, recipients
    included, so under LEAST it never is the better witness (docs/how-it-decides.md).
    """
    send = SENDS[call.action]
    account = subject.arn.split(":")[4]
    if reading is Reading.LEAST:
        foreign = any(arn.split(":")[4] != account for arn in call.resources.values())
        if foreign or not send.recipients:
            return False
    if check is None:

        def check(subject: Subject, request: Request) -> bool:
            return allows(subject.policies, subject.boundary, request, reading)

    context: dict[str, Any] = known(subject, call)
    said = {key.lower() for key in call.context}

    def at(arn: str) -> dict[str, Any]:
        # The account is that of the resource under check, unless the call says otherwise.
        own = {} if "aws:resourceaccount" in said else {"aws:resourceaccount": arn.split(":")[4]}
        return {**context, **own}

    quantify = all if reading is Reading.LEAST else any
    types = send.required if reading is Reading.LEAST else (*send.required, *send.optional)
    return quantify(
        check(subject, Request(call.action, call.resources[kind], at(call.resources[kind])))
        for kind in types
        if kind in call.resources or reading is Reading.LEAST
    )


def reaches(call: Call) -> str:
    """Return who gets the mail: ``real`` or ``simulator``. SendBulkEmail's recipients are free."""
    recipients = {key.lower(): value for key, value in call.context.items()}.get("ses:recipients")
    if recipients is None:
        return "real"
    return "real" if any(map(real, recipients)) else "simulator"
