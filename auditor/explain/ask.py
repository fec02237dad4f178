"""From what a person gives (an action, addresses, keys) to one request that a role could make."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor import domains
from auditor.actions import BULK, FROM_ADDRESS, RECIPIENTS, SEND_ACTIONS, SendAction
from auditor.engine.request import Request
from auditor.errors import InputError
from auditor.policy.values import iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from auditor.engine.caller import Caller

DEFAULT_REGION = {"aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Where a request goes that names no region; ``us-east-1`` in the other partitions."""
RECIPIENTS_MAX = 50  # https://docs.aws.amazon.com/ses/latest/dg/quotas.html

_ITS_OWN = (
    "A policy of the resource itself may allow or deny more: none but those of SES identities is"
    " looked at."
)


class Wish(NamedTuple):
    """What was asked for, as it was given. ``context`` has keys as they were spelled."""

    action: str
    resources: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    sender: str | None = None
    context: Mapping[str, tuple[str, ...]] = {}
    region: str | None = None


class Asked(NamedTuple):
    """A request, what was filled in that nobody gave (by key or ``resource``), and remarks.

    ``session`` are the keys that are known of every session of the role.
    """

    request: Request
    filled: tuple[str, ...]
    session: Mapping[str, str]
    remarks: tuple[str, ...] = ()


def request_of(wish: Wish, caller: Caller) -> Asked:
    """Return the request. Raises ``InputError`` where no such request can exist, or too little is

    known of it: one line with what to give.
    """
    row = _row(wish.action)
    action = row.name if row is not None else _action(wish.action)
    given = {key.lower() for key in wish.context}
    context: dict[str, str | tuple[str, ...]] = {
        key: values if key.lower() == RECIPIENTS or len(values) != 1 else values[0]
        for key, values in wish.context.items()
    }
    filled: list[str] = []
    _recipients(wish, row, context, given)
    sender = _sender(wish, row, context, given)
    region = wish.region or DEFAULT_REGION.get(caller.partition, "us-east-1")
    resources = wish.resources
    if not resources:
        resources = _resources(row, action, sender, caller, region)
        filled.append("resource")
    _agree(wish, resources, action)
    if row is not None and sender is None and _carries(row, FROM_ADDRESS):
        context["ses:FromAddress"] = _sender_of(resources)
        filled.append("ses:FromAddress")
    known: dict[str, str] = {
        "aws:RequestedRegion": _part(resources[0], 3) or region,
        "aws:CurrentTime": iso(caller.now),
        "aws:EpochTime": str(caller.now),
        "aws:userid": domains.user_id(caller.role_id).nice[0],
    }
    owner = _part(resources[0], 4)
    if owner and owner != caller.account:
        known["aws:ResourceAccount"] = owner
    for key, value in known.items():
        if key.lower() not in given:
            context[key] = value
            filled.append(key)
    return Asked(
        Request(action, resources, context),
        tuple(filled),
        _session(caller, given),
        _remarks(row, context),
    )


def _agree(wish: Wish, resources: Sequence[str], action: str) -> None:
    """Refuse what can't be one request: two regions, or several roles to assume."""
    for arn in resources:
        there = _part(arn, 3)
        if wish.region and there and there != wish.region and not set(there) & {"*", "?"}:
            raise InputError(f"--region {wish.region!r}: the resource is in {there!r}: {arn}")
    if action.lower() == "sts:assumerole" and len(resources) > 1:
        raise InputError("--resource: sts:AssumeRole is about one role; name one")


def with_target(asked: Asked, facts: Sequence[tuple[str, str | None]]) -> Asked:
    """Return the request with what is known of the resource, such as its tags, filled in."""
    request = asked.request
    given = {key.lower() for key in request.context}
    more = {key: text for key, text in facts if text is not None and key.lower() not in given}
    whole = request._replace(context={**request.context, **more})
    return asked._replace(request=whole, filled=(*asked.filled, *more), remarks=())


def _session(caller: Caller, given: set[str]) -> dict[str, str]:
    """Return what is known of the role's sessions, but for what the request overrides."""
    keys = ("aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:PrincipalOrgID")
    tags = (f"aws:PrincipalTag/{key}" for key in sorted(caller.tags))
    found = ((key, caller.known(key.lower())) for key in (*keys, *tags))
    return {
        key: value for key, value in found if isinstance(value, str) and key.lower() not in given
    }


def _row(action: str) -> SendAction | None:
    return next((row for row in SEND_ACTIONS if row.name.lower() == action.lower()), None)


def _action(text: str) -> str:
    service, colon, name = text.partition(":")
    if not (colon and service and name) or set(text) & {"*", "?"}:
        raise InputError(
            f"--action {text!r}: name one action with its service, such as ses:SendEmail"
        )
    return text


def _carries(row: SendAction, key: str) -> bool:
    return key in (name.lower() for name in row.context_keys)


def _recipients(
    wish: Wish, row: SendAction | None, context: dict[str, str | tuple[str, ...]], given: set[str]
) -> None:
    """Put the recipients in. SendBulkEmail has them for the twin action that AWS may check."""
    if wish.to and RECIPIENTS in given:
        raise InputError("--to: the recipients are given by --context too; leave one of them out")
    carries = row is not None and (row.carries_recipients or row.name == BULK)
    if wish.to and not carries:
        raise InputError(f"--to: {wish.action} carries no recipients; leave --to out")
    for address in wish.to:
        if not domains.is_mailbox(address):
            raise InputError(f"--to {address!r}: isn't an address such as someone@example.com")
    if wish.to:
        context["ses:Recipients"] = wish.to
    found = next((v for key, v in context.items() if key.lower() == RECIPIENTS), ())
    if row is not None and row.carries_recipients and not found:
        raise InputError(f"--to: every {row.name} has recipients; name one or more")
    if len(found) > RECIPIENTS_MAX:
        raise InputError(f"--to: a request has at most {RECIPIENTS_MAX} recipients")


def _sender(
    wish: Wish, row: SendAction | None, context: dict[str, str | tuple[str, ...]], given: set[str]
) -> str | None:
    """Put the From address in, where the action carries it; return it."""
    if wish.sender is None:
        value = next((v for key, v in context.items() if key.lower() == FROM_ADDRESS), None)
        return value if isinstance(value, str) else None
    if FROM_ADDRESS in given:
        raise InputError("--from: the sender is given by --context too; leave one of them out")
    if row is None:
        raise InputError(f"--from: {wish.action} carries no From address; leave --from out")
    if not domains.is_mailbox(wish.sender):
        raise InputError(f"--from {wish.sender!r}: isn't an address such as ci@example.com")
    if _carries(row, FROM_ADDRESS):
        context["ses:FromAddress"] = wish.sender
    return wish.sender


def _resources(
    row: SendAction | None, action: str, sender: str | None, caller: Caller, region: str
) -> tuple[str, ...]:
    """Return the identity of the From address's domain, and an example of each other type."""
    if row is None:
        raise InputError(
            f"--resource: name the ARN that {action} is about, or '*' for an action without one"
        )
    start = f"arn:{caller.partition}:ses:{region}:{caller.account}:"
    found = []
    for kind in row.required:
        if kind != "identity":
            found.append(start + domains.RESOURCES[kind].nice[0])
        elif sender is None:
            raise InputError(f"--from: name the sender of {action}, or an identity by --resource")
        else:
            found.append(f"{start}identity/{sender.rpartition('@')[2]}")
    return tuple(found)


def _sender_of(resources: Sequence[str]) -> str:
    """Return an address that belongs to the identity among the resources."""
    names = (_part(arn, 5).partition("identity/")[2] for arn in resources)
    name = next((name for name in names if name), "")
    if not name:
        return "sender@example.com"
    return name if "@" in name else f"sender@{name}"


def _part(arn: str, number: int) -> str:
    parts = arn.split(":", 5)
    return parts[number] if arn.startswith("arn:") and len(parts) == 6 else ""


def owners(request: Request, caller: Caller) -> tuple[str, ...]:
    """Return the other accounts that a request's resources belong to."""
    found = (_part(arn, 4) for arn in request.resources)
    return tuple(dict.fromkeys(owner for owner in found if owner and owner != caller.account))


def _remarks(
    row: SendAction | None, context: Mapping[str, str | tuple[str, ...]]
) -> tuple[str, ...]:
    if row is None:
        return (_ITS_OWN,)
    own = {name.lower() for name in row.context_keys} | (
        {RECIPIENTS} if row.name == BULK else set()
    )
    odd = [key for key in context if key.lower().startswith("ses:") and key.lower() not in own]
    return tuple(f"Requests of {row.name} don't carry {key}: taken as given." for key in odd)
