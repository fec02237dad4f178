"""What is known about the caller (a session of the role), and what the caller chooses.

"AWS global condition context keys":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor import domains, hosts
from auditor.actions import FROM_ADDRESS, RECIPIENTS, SEND_ACTIONS, SendAction

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from auditor.domains import Domain

REGION: Final = "aws:requestedregion"
RESOURCE_ACCOUNT: Final = "aws:resourceaccount"
CURRENT_TIME: Final = "aws:currenttime"
EPOCH_TIME: Final = "aws:epochtime"
CLOCK: Final = "clock"
"""The one variable behind ``aws:CurrentTime`` and ``aws:EpochTime``."""
USER_ID: Final = "aws:userid"
MFA: Final = "aws:multifactorauthpresent"
_TAG: Final = "aws:principaltag/"
_FIXED: Final = ("aws:principal", "aws:viaawsservice")
"""How all keys begin that ``Caller`` may know a value of, tags and ids aside."""

_ABSENT: Final = frozenset(
    (
        "aws:username",
        "aws:principalservicename",
        "aws:principalservicenameslist",
        "aws:calledvia",
        "aws:calledviafirst",
        "aws:calledvialast",
        "aws:tagkeys",
    )
)
_SHAPED: Final = {
    "aws:securetransport": domains.TRUE_OR_FALSE,
    "ses:apiversion": domains.API_VERSION,
    "ses:feedbackaddress": domains.FEEDBACK,
    "aws:sourceip": hosts.ADDRESS,
    "aws:vpcsourceip": hosts.ADDRESS,
}


class Presence(Enum):
    """How a key appears in the requests of a role's session."""

    KNOWN = "known"
    ABSENT = "absent"
    ALWAYS = "always"
    OPTIONAL = "optional"
    MEMBERS = "members"
    """A set with at least one member: ``ses:Recipients``."""
    ABSENT_OR_FALSE = "absent or false"
    """``aws:MultiFactorAuthPresent``, of which AWS's pages say both."""


class Key(NamedTuple):
    """A key in the requests of one action: its presence, value, variable and domain."""

    presence: Presence
    value: str = ""
    variable: str = ""
    domain: Domain = domains.ANYTHING


class Caller(NamedTuple):
    """A role and the moment at which it is asked about. ``now`` is in whole seconds since 1970.

    ``tags`` are the role's, keys in lower case. ``organization`` is its id where known, empty where
    it is known that there is none. ``bounded``: the role has a permissions boundary.
    """

    arn: str
    account: str
    partition: str
    role_id: str
    tags: Mapping[str, str]
    now: int
    organization: str | None = None
    bounded: bool = False

    def known(self, key: str) -> str | bool | None:
        """Return a key's one value, False where it is always absent, None where it may vary."""
        found = self.key(key, None)
        if found.presence is Presence.KNOWN:
            return found.value
        return False if found.presence is Presence.ABSENT else None

    def key(self, key: str, action: SendAction | None) -> Key:
        """Return how a key (lower case) appears in the requests of an action."""
        if key.startswith(_TAG):
            value = self.tags.get(key[len(_TAG) :])
            return _ABSENT_KEY if value is None else Key(Presence.KNOWN, value)
        value = self._fixed(key) if key.startswith(_FIXED) else None
        if value == "" and key.startswith("aws:principalorg"):
            return _ABSENT_KEY
        if value is not None:
            return Key(Presence.KNOWN, value)
        if key == USER_ID:
            return Key(Presence.ALWAYS, "", USER_ID, _user_id(self.role_id))
        return _free(key, action)

    def _fixed(self, key: str) -> str | None:
        match key:
            case "aws:principalarn":
                return self.arn
            case "aws:principalaccount":
                return self.account
            case "aws:principaltype":
                return "AssumedRole"
            case "aws:principalisawsservice" | "aws:viaawsservice":
                return "false"
            case "aws:principalorgid":
                return self.organization
            case "aws:principalorgpaths":
                return "" if self.organization == "" else None
        return None


@lru_cache(maxsize=256)
def carried(names: tuple[str, ...]) -> frozenset[str]:
    """Return the keys that an action's requests may carry (its ``context_keys``) in lower case."""
    return frozenset(map(str.lower, names))


def hangs_on_caller(key: str) -> bool:
    """Tell whether a key's value (or absence) may differ between two roles of one account."""
    return key.startswith(_TAG) or key in ("aws:principalarn", USER_ID)


def facts(caller: Caller, keys: Iterable[str]) -> tuple[tuple[str, object], ...]:
    """Return what of these keys differs between two roles of one account, for this one."""
    return tuple(
        (key, caller.role_id if key == USER_ID else caller.known(key))
        for key in sorted(filter(hangs_on_caller, keys))
    )


_ABSENT_KEY: Final = Key(Presence.ABSENT)


@lru_cache(maxsize=4_096)
def _user_id(role_id: str) -> Domain:
    return domains.user_id(role_id) if role_id else domains.ANYTHING


@lru_cache(maxsize=16_384)
def _free(key: str, action: SendAction | None) -> Key:
    """Return how a key appears that depends on the action alone."""
    service = key.partition(":")[0]
    if service == "ses":
        return _ses(key, action)
    if action is not None and service in ("iam", "sts") and action.name.startswith(service):
        return Key(Presence.OPTIONAL, "", key, domains.ANYTHING)  # a parameter of the call
    if service != "aws" or key in _ABSENT or key.startswith("aws:requesttag/"):
        return _ABSENT_KEY
    if key == REGION:
        return Key(Presence.ALWAYS, "", REGION, domains.REGION)
    if key == RESOURCE_ACCOUNT:
        return Key(Presence.ALWAYS, "", RESOURCE_ACCOUNT, domains.ACCOUNT)
    if key in (CURRENT_TIME, EPOCH_TIME):
        return Key(Presence.ALWAYS, "", CLOCK)
    if key == MFA:
        return Key(Presence.ABSENT_OR_FALSE)
    return Key(Presence.OPTIONAL, "", key, _SHAPED.get(key, domains.ANYTHING))


def _ses(key: str, action: SendAction | None) -> Key:
    """Return how a ``ses:`` key appears; without an action, whether any could carry it."""
    rows = SEND_ACTIONS if action is None else (action,)
    if not any(key in carried(row.context_keys) for row in rows):
        return _ABSENT_KEY
    if key == RECIPIENTS:
        return Key(Presence.MEMBERS, "", RECIPIENTS, domains.MAILBOX)
    if key == FROM_ADDRESS:
        return Key(Presence.ALWAYS, "", FROM_ADDRESS, domains.MAILBOX)
    return Key(Presence.OPTIONAL, "", key, _SHAPED.get(key, domains.ANYTHING))
