"""What the sender may be bound to, checked: actions, resources, a From address, a time window.

Names come from a command line or another program. A policy is made of them, so nothing gets in
that means something else there: a policy variable, another part of an ARN, a template's marker.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from auditor.actions import SEND_ACTIONS, SendAction
from auditor.errors import InputError

PARTITIONS: Final = ("aws", "aws-cn", "aws-us-gov")
_SHOWN: Final = 100  # characters of a bad value in a message

# No "$", "{" or "}": "${" starts a policy variable, and "${", "%{" and "{{" mean something to the
# tools that policies are written for. No ":", which would start another part of an ARN.
_ATEXT: Final = r"A-Za-z0-9.!#%&'*+/=?^_`|~-"
_HOST: Final = r"[A-Za-z0-9.*?-]{1,255}"
_ADDRESS: Final = re.compile(rf"[{_ATEXT}]{{1,64}}@{_HOST}")
_REGION: Final = re.compile(r"[a-z0-9*?-]{1,32}")
_ACCOUNT: Final = re.compile(r"\d{12}|\*", re.ASCII)

_NAMES: Final = {
    "identity": (re.compile(rf"([{_ATEXT}]{{1,64}}@)?{_HOST}"), "a domain or an address"),
    # https://docs.aws.amazon.com/ses/latest/APIReference/API_ConfigurationSet.html
    "configuration-set": (re.compile(r"[A-Za-z0-9_*?-]{1,64}"), "a configuration set's name"),
    "template": (re.compile(r"[A-Za-z0-9_.*?-]{1,64}"), "a template's name"),
}
_CUSTOM: Final = "custom-verification-email-template"
_OPTIONS: Final = ("identity", "configuration-set", "template")


@dataclass(frozen=True)
class Scope:
    """What the sender is limited to, beside the simulator. Raises ``InputError`` when made.

    ``actions``: send actions that carry recipients, with or without ``ses:``, in any case.
    ``identities``, ``configuration_sets``, ``templates``: names or ARNs; ``*`` and ``?`` are
    wildcards. ``partition``, ``account`` (12 digits, or ``*``) and ``regions`` (``*`` and ``?``
    are wildcards) complete the names to ARNs.
    ``from_address``: a pattern for ``ses:FromAddress``, compared with case.
    ``not_before``, ``not_after``: aware, whole seconds, both included.
    """

    actions: tuple[str, ...] = ("ses:SendEmail", "ses:SendRawEmail")
    identities: tuple[str, ...] = ()
    configuration_sets: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    from_address: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    partition: str = "aws"
    account: str = "*"
    regions: tuple[str, ...] = ("*",)

    def __post_init__(self) -> None:
        """Check what stands on its own, and bring the times to UTC."""
        if self.partition not in PARTITIONS:
            raise _bad("partition", self.partition, f"isn't one of {', '.join(PARTITIONS)}")
        if not _ACCOUNT.fullmatch(self.account):
            raise _bad("account", self.account, "isn't an account id of 12 digits, or *")
        if not self.regions:
            raise InputError("region: none is named; name one, or * for all")
        for region in self.regions:
            if not _REGION.fullmatch(region):
                raise _bad("region", region, "isn't a region; one looks like eu-west-1 or eu-*")
        pattern = self.from_address
        if pattern is not None and not _ADDRESS.fullmatch(pattern):
            raise _bad("from", pattern, "isn't an address; write ci@example.com, or *@example.com")
        for name in ("not_before", "not_after"):
            moment = getattr(self, name)
            if moment is not None:
                object.__setattr__(self, name, _utc(name.replace("_", "-"), moment))
        if self.not_before and self.not_after and self.not_before > self.not_after:
            raise InputError("not-before is later than not-after: no time is left between them")
        self.named()

    def named(self) -> tuple[SendAction, ...]:
        """Return the actions that are named, each once, in the order of the table."""
        if not self.actions:
            raise InputError("action: none is named; name one, such as ses:SendEmail")
        found = {_action(name) for name in self.actions}
        return tuple(action for action in SEND_ACTIONS if action in found)


def _bad(what: str, value: str, why: str) -> InputError:
    shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
    return InputError(f"{what} {shown!r}: {why}")


def _utc(what: str, moment: datetime) -> datetime:
    """Return a time in UTC. A part of a second would have to be rounded, so it is refused."""
    if moment.tzinfo is None:
        raise InputError(f"{what} {moment.isoformat()}: names no time zone; add Z or an offset")
    if moment.microsecond:
        raise InputError(
            f"{what} {moment.isoformat()}: IAM's clock has whole seconds; leave .… out"
        )
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # before the year 1, or after 9999, in UTC
        raise InputError(f"{what} {moment.isoformat()}: is beyond the calendar in UTC") from error


def _action(name: str) -> SendAction:
    """Return a named send action that carries recipients."""
    lower = name.lower()
    full = lower if lower.startswith("ses:") else f"ses:{lower}"
    fitting = ", ".join(action.name for action in SEND_ACTIONS if action.carries_recipients)
    for action in SEND_ACTIONS:
        if action.name.lower() == full:
            if action.carries_recipients:
                return action
            raise _bad(
                "action",
                name,
                "its requests carry no ses:Recipients, so no condition could limit it to the"
                f" simulator; the ones that do are {fitting}",
            )
    raise _bad("action", name, f"isn't one of {fitting} (no wildcards)")


def resources_of(scope: Scope) -> str | list[str]:
    """Return the ``Resource`` of the sender: ``*`` where nothing is bound, else ARNs.

    Every resource type that the actions require is there, with those that are named, or all. A
    call is checked on each resource that it touches, an identity's default configuration set
    included, so ``configuration-set/*`` stays where none is named:
    https://github.com/aws/serverless-application-model/issues/2844
    https://github.com/aws/aws-cdk/issues/34402
    https://docs.aws.amazon.com/ses/latest/dg/managing-configuration-sets-default-adding.html
    """
    given = {
        "identity": scope.identities,
        "configuration-set": scope.configuration_sets,
        "template": scope.templates,
    }
    if not any(given.values()) and scope.account == "*" and set(scope.regions) == {"*"}:
        return "*"
    actions = scope.named()
    required = {kind for action in actions for kind in action.required}
    listed = required.union(*(action.optional for action in actions))
    placed: dict[str, list[str]] = {}
    for option in _OPTIONS:
        for text in given[option]:
            for kind, arn in _arns(scope, option, text, listed):
                placed.setdefault(kind, []).append(arn)
    wanted = [*_OPTIONS, _CUSTOM]
    always = required | {"identity", "configuration-set"} & listed
    arns = [
        arn
        for kind in wanted
        if kind in always or kind in placed
        for arn in placed.get(kind) or _everywhere(scope, f"{kind}/*")
    ]
    return list(dict.fromkeys(arns))


def _everywhere(scope: Scope, resource: str) -> list[str]:
    start = f"arn:{scope.partition}:ses"
    return [f"{start}:{region}:{scope.account}:{resource}" for region in scope.regions]


def _arns(scope: Scope, option: str, text: str, listed: set[str]) -> list[tuple[str, str]]:
    """Return (resource type, ARN) of a name or an ARN, for each type that the actions list."""
    kinds = ("template", _CUSTOM) if option == "template" else (option,)
    taken = [kind for kind in kinds if kind in listed]
    name_of, meant = _NAMES[option]
    if text.startswith("arn:"):
        kind, name = _checked(scope, option, text, kinds)
        if not name_of.fullmatch(name):
            raise _bad(option, text, f"what it names isn't {meant}")
        pairs = [(kind, text)] if kind in taken else []
    else:
        if not name_of.fullmatch(text):
            raise _bad(option, text, f"isn't {meant} or an ARN")
        pairs = [(kind, arn) for kind in taken for arn in _everywhere(scope, f"{kind}/{text}")]
    if not pairs:
        raise _bad(option, text, "none of the actions that are named uses it")
    return pairs


def _checked(scope: Scope, option: str, arn: str, kinds: tuple[str, ...]) -> tuple[str, str]:
    """Return the resource type and the name of an SES resource's ARN."""
    example = f"arn:{scope.partition}:ses:eu-west-1:123456789012:{kinds[0]}/NAME"
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "ses":
        raise _bad(option, arn, f"isn't an ARN of SES; one looks like {example}")
    _, partition, _, region, account, resource = parts
    if partition != scope.partition:
        # IAM refuses a policy with another partition's ARNs: MalformedPolicyDocument,
        # "Partition … is not valid for resource …".
        raise _bad(option, arn, f"is of another partition than {scope.partition}")
    kind, slash, name = resource.partition("/")
    if not slash or kind not in kinds:
        raise _bad(option, arn, f"isn't of type {' or '.join(kinds)}; one looks like {example}")
    if not _REGION.fullmatch(region) or not _ACCOUNT.fullmatch(account):
        raise _bad(option, arn, f"names no region or no account; one looks like {example}")
    return kind, name
