"""From what was refused to the smallest policy that lets the tests reach the simulator alone.

Never more than that: what no condition can limit to the simulator gets a reason instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.actions import BOUNCE, BULK, SEND_ACTIONS
from auditor.corrective.documents import sender
from auditor.corrective.scope import Scope
from auditor.errors import InputError
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.corrective.documents import Document
    from auditor.denial.model import Denial, Principal, Resource

_SENDS: Final = {action.name: action for action in SEND_ACTIONS}
_PLAIN: Final = ("ses:SendEmail", "ses:SendRawEmail")
_TWIN: Final = "ses:SendBulkTemplatedEmail"
_KINDS: Final = {
    "identity": "identities",
    "configuration-set": "configuration_sets",
    "template": "templates",
    "custom-verification-email-template": "templates",
}
NO_BULK: Final = (
    "ses:SendBulkEmail: no policy is safe. Its requests carry no ses:Recipients, so no condition"
    " could limit it to the simulator. Let the tests call SendEmail for each recipient, or API"
    " v1's SendBulkTemplatedEmail: those can be limited."
)
NO_BOUNCE: Final = (
    "ses:SendBounce: no policy. It answers a mail that came in, to whoever sent it, and its"
    " requests carry no ses:Recipients."
)


class Advice(NamedTuple):
    """What to do for one caller. ``denials`` are its own.

    ``policy`` is what would let them through, to the simulator alone, for ``actions`` on what was
    refused; None where nothing of it can be had. ``refusals`` say what gets no policy, and why.
    """

    principal: Principal | None
    denials: tuple[Denial, ...]
    policy: Document | None
    scope: Scope | None
    refusals: tuple[str, ...]


def advise(denials: Sequence[Denial]) -> tuple[Advice, ...]:
    """Return advice for each caller, in the order of the log. The sessions of a role are one."""
    callers: dict[object, list[Denial]] = {}
    for denial in denials:
        who = denial.principal
        key = None if who is None else (who.partition, who.account, who.kind, who.name or who.text)
        callers.setdefault(key, []).append(denial)
    return tuple(_of(own) for own in callers.values())


def _of(denials: list[Denial]) -> Advice:
    refusals: list[str] = []
    covered = [one for one in denials if not refusals_of(one)]
    refusals += dict.fromkeys(text for one in denials for text in refusals_of(one))
    principal = denials[0].principal
    policy = scope = None
    if covered:
        try:
            scope = _scope(covered, principal)
            policy = sender(scope)
        except InputError as error:
            refusals.append(f"no policy can be written: {error}")
            scope = None
    return Advice(principal, tuple(denials), policy, scope, tuple(refusals))


def refusals_of(denial: Denial) -> tuple[str, ...]:
    """Return why a refused call gets no policy; nothing where it gets one."""
    action = denial.action or f"ses:{denial.operation}"
    if action == BULK:
        return (NO_BULK,)
    if action == BOUNCE:
        return (NO_BOUNCE,)
    if action not in _SENDS:
        why = "sends no mail, so no policy for the simulator is about it"
        return (f"{visible(action)}: {why}. If the tests need it, allow it by name.",)
    resource = denial.resource
    if resource is not None and not resource.kind:
        shown = visible(resource.text)
        if resource.doubt:
            other = f" as {visible(resource.longer)!r}" if resource.longer else ""
            return (
                (
                    f"{action}: no policy for {shown!r}, since {resource.doubt}{other}. Give the"
                    " message whole, on one line."
                ),
            )
        return (f"{action}: no policy, since {shown!r} isn't the ARN of one SES resource.",)
    who = denial.principal
    if resource is not None and who is not None and who.partition not in ("", resource.partition):
        return (f"{action}: no policy, since {resource.text} is of another partition.",)
    return ()


def actions_of(denial: Denial) -> tuple[str, ...]:
    """Return the actions that the call needs, as far as the message tells.

    API v2's SendEmail is checked as ses:SendRawEmail where the content is raw:
    https://anymail.dev/en/stable/esps/amazon_ses/#iam-permissions
    """
    action = denial.action or f"ses:{denial.operation}"
    plain = action in _PLAIN and denial.version not in ("1", "smtp")
    second = denial.operation == "SendEmail" and denial.version == "2"
    return tuple(dict.fromkeys((action, *(_PLAIN if plain or second else ()))))


def _scope(denials: list[Denial], principal: Principal | None) -> Scope:
    """Return the scope of exactly these calls. Raises ``InputError`` where none can be made."""
    named: dict[str, list[str]] = {}
    for resource in _resources(denials):
        named.setdefault(_KINDS[resource.kind], []).append(resource.arn)
        if recipients(resource):
            named["identities"].append(resource._replace(name="*").arn)
    known = list(_resources(denials))
    partition = principal.partition if principal else ""
    account = principal.account if principal else ""
    if known:
        partition, account = partition or known[0].partition, account or known[0].account
        if any(one.partition != partition for one in known):
            raise InputError("the resources are of several partitions")
    places = {kind: tuple(dict.fromkeys(arns)) for kind, arns in named.items()}
    return Scope(
        actions=tuple(dict.fromkeys(name for one in denials for name in actions_of(one))),
        identities=places.get("identities", ()),
        configuration_sets=places.get("configuration_sets", ()),
        templates=places.get("templates", ()),
        partition=partition or "aws",
        account=account or "*",
        regions=tuple(dict.fromkeys(one.region for one in known)) or ("*",),
    )


def recipients(resource: Resource | None) -> bool:
    """Tell whether a refused resource may be the recipient's: in the sandbox SES checks that too.

    Then the sender's identity isn't known. https://github.com/cloudposse/terraform-aws-ses/issues/40
    """
    return resource is not None and resource.kind == "identity" and "@" in resource.name


def _resources(denials: list[Denial]) -> Iterator[Resource]:
    for one in denials:
        if one.resource is not None:
            yield one.resource


def enough(denial: Denial) -> bool:
    """Tell whether an Allow in the role's own policies may be all it takes, by AWS's message."""
    why = denial.why
    return why.outcome != "explicit" and why.layer in (None, "identity-based policy")
