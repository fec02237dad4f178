"""SES in one region: may it mail at all, which identities are there, and what do they allow.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_ListEmailIdentities.html
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentityPolicies.html
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from auditor.account import Failure, Identity, PolicyText, SesRegion
from auditor.collect.clients import AWS_ERRORS, describe, error_code, understood
from auditor.text import one_line

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping, Sequence

    from auditor.collect.regions import RegionPlan

ACCOUNT, LIST, POLICIES = (
    "sesv2:GetAccount",
    "sesv2:ListEmailIdentities",
    "sesv2:GetEmailIdentityPolicies",
)
_PAGE_SIZE = 1000  # the most that AWS puts on a page
# "You can execute this operation no more than once per second", says GetEmailIdentityPolicies. AWS
# lets bursts pass, so this pace is taken up only once it has asked to slow down. Without it the
# tries alone would run out: botocore allows a client about a hundred more retries than answers.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
PACE = 1.0  # seconds
# A caller who was denied so many identities in a row, and told of none, will be denied the others
# too: thousands of denials, at one a second, would say nothing new.
_DENIALS = 5
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_GONE = "NotFoundException"
_SOMETHING_ELSE = "something else answered for AWS"


class SesClient(Protocol):
    """The calls of boto3's SES (version 2) client that are made here."""

    def get_account(self) -> Mapping[str, Any]:
        """Return what the account may send."""

    def list_email_identities(self, **_: Any) -> Mapping[str, Any]:
        """Return a page of identities."""

    def get_email_identity_policies(self, *, EmailIdentity: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        """Return the policies of one identity."""


class Trouble(NamedTuple):
    """A call that failed in a region; ``denied`` where the caller may not make it."""

    call: str
    message: str
    denied: bool


class SesRead(NamedTuple):
    """What was read of one region.

    ``enabled`` is False where the account doesn't use it. ``identities_known`` tells whether every
    identity was listed; ``asked`` and ``answered`` count the identities whose policies were.
    """

    found: SesRegion
    troubles: tuple[Trouble, ...] = ()
    enabled: bool = True
    identities_known: bool = True
    asked: int = 0
    answered: int = 0


def read_ses(
    client: SesClient,
    region: str,
    plan: RegionPlan,
    prefix: str,
    stop: threading.Event,
) -> SesRead:
    """Return what is known of SES in a region, as far as it can be read.

    Safe to call from any thread. ``prefix`` is what identities' ARNs begin with, up to the name.
    ``stop`` ends it early, for a person who interrupts: what it returns then isn't complete.
    """
    troubles: list[Trouble] = []
    facts: Mapping[str, Any] = {}
    try:
        facts = understood(client.get_account)
        if not isinstance(facts.get("ProductionAccessEnabled"), bool):
            why = f"the answer doesn't say whether SES is in its sandbox: {_SOMETHING_ELSE}"
            troubles.append(Trouble(ACCOUNT, why, denied=False))
    except AWS_ERRORS as error:
        if plan.excuses(region, error):
            return SesRead(SesRegion(region, None, None, ()), enabled=False)
        troubles.append(_trouble(ACCOUNT, error))
    listed: list[Mapping[str, Any]] = []
    try:
        _list(client, listed, troubles)
    except AWS_ERRORS as error:
        troubles.append(_trouble(LIST, error))
    reader = _Policies(client, stop)
    identities = tuple(
        found for entry in listed if (found := _identity(entry, prefix, reader)) is not None
    )
    troubles += reader.troubles()
    production, sending = (facts.get(f"{key}Enabled") for key in ("ProductionAccess", "Sending"))
    return SesRead(
        SesRegion(
            region,
            production if isinstance(production, bool) else None,
            sending if isinstance(sending, bool) else None,
            tuple(sorted(identities, key=lambda one: one.name)),
        ),
        tuple(troubles),
        identities_known=not any(trouble.call == LIST for trouble in troubles),
        asked=reader.asked,
        answered=reader.answered,
    )


def _trouble(call: str, error: Exception, more: str = "") -> Trouble:
    return Trouble(call, describe(error) + more, error_code(error) in _DENIED)


def _list(client: SesClient, listed: list[Mapping[str, Any]], troubles: list[Trouble]) -> None:
    """Put every identity's entry into ``listed``; boto3 has no paginator for this call."""
    token: dict[str, str] = {}
    seen: set[str] = set()
    while True:
        page = understood(partial(client.list_email_identities, PageSize=_PAGE_SIZE, **token))
        entries = page.get("EmailIdentities")
        if not isinstance(entries, list):
            why = f"the answer holds no list of identities: {_SOMETHING_ELSE}"
            troubles.append(Trouble(LIST, why, denied=False))
            return
        listed += entries
        following = page.get("NextToken")
        if not following:
            return
        if following in seen:
            why = "AWS names the same next page again and again"
            troubles.append(Trouble(LIST, why, denied=False))
            return
        seen.add(following)
        token = {"NextToken": following}


def _identity(entry: Mapping[str, Any], prefix: str, reader: _Policies) -> Identity | None:
    """Return an identity with its policies, or None where it is gone by now."""
    name = entry.get("IdentityName")
    if not isinstance(name, str) or not name:
        return None
    sending = entry.get("SendingEnabled") is True
    status = entry.get("VerificationStatus")  # added to the API later than SendingEnabled
    verified = sending if status is None else status == "SUCCESS"
    # AWS tells no policies of an identity that isn't verified, and nobody can send from it.
    policies = reader.read(name, prefix + name) if verified or sending else ()
    return None if policies is None else Identity(name, prefix + name, verified, policies)


class _Policies:
    """Reads identities' policies one after another, and no faster than AWS wants."""

    def __init__(self, client: SesClient, stop: threading.Event) -> None:
        self._client = client
        self._stop = stop
        self._slow = False
        self._first: Trouble | None = None
        self._denials = 0
        self.asked = self.answered = 0

    def read(self, name: str, arn: str) -> tuple[PolicyText, ...] | None:
        """Return an identity's policies, or None where there is no such identity any more."""
        if self._first and self._denials >= _DENIALS and not self.answered:
            self.asked += 1
            return (_missing(arn, self._first.message),)
        if self._stop.is_set() or (self._slow and self._stop.wait(PACE)):
            return None
        self.asked += 1
        try:
            answer = understood(
                lambda: self._client.get_email_identity_policies(EmailIdentity=name)
            )
        except AWS_ERRORS as error:
            if error_code(error) == _GONE:
                self.asked -= 1
                return None
            trouble = _trouble(POLICIES, error)
            self._first = self._first or trouble
            self._denials += trouble.denied
            self._slow = self._slow or not trouble.denied
            return (_missing(arn, describe(error)),)
        self._slow = self._slow or _retried(answer)
        policies = answer.get("Policies")
        if not isinstance(policies, dict):
            why = f"the answer holds no policies: {_SOMETHING_ELSE}"
            self._first = self._first or Trouble(POLICIES, why, denied=False)
            return (_missing(arn, why),)
        self.answered += 1
        return tuple(
            PolicyText(str(key), arn, "identity-policy", policies[key]) for key in sorted(policies)
        )

    def troubles(self) -> list[Trouble]:
        """Return the first thing that went wrong, with how many identities it cost, if any did."""
        if self._first is None:
            return []
        lost = f" ({self.asked - self.answered:,} of {self.asked:,} identities weren't read)"
        return [self._first._replace(message=one_line(self._first.message + lost))]


def _missing(arn: str, why: str) -> PolicyText:
    return PolicyText("identity policies", arn, "identity-policy", None, why)


def _retried(answer: Mapping[str, Any]) -> bool:
    return bool(answer.get("ResponseMetadata", {}).get("RetryAttempts"))


def failures_of(reads: Sequence[SesRead]) -> list[Failure]:
    """Return the regions' troubles as failures: once for a call that is denied everywhere."""
    enabled = [read for read in reads if read.enabled]
    found: list[Failure] = []
    for call in (ACCOUNT, LIST, POLICIES):
        troubles = [
            (read.found.region, trouble)
            for read in enabled
            for trouble in read.troubles
            if trouble.call == call
        ]
        tried = sum(1 for read in enabled if call != POLICIES or read.asked)
        if len(troubles) == tried > 1 and all(trouble.denied for _, trouble in troubles):
            everywhere = f"{call} (every region)"
            found.append(Failure(everywhere, troubles[0][1].message))
        else:
            found += [Failure(f"{call} {region}", trouble.message) for region, trouble in troubles]
    return found


def policies_evaluated(reads: Sequence[SesRead]) -> bool:
    """Tell whether anything of identities' policies could be read (or there is nothing to read)."""
    enabled = [read for read in reads if read.enabled]
    if enabled and not any(read.identities_known for read in enabled):
        return False
    asked = sum(read.asked for read in enabled)
    return not asked or any(read.answered for read in enabled)
