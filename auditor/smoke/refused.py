"""Is mail to an address outside refused? Proven on the role's own policies before it is tried.

Nothing is sent on a guess. The search over every request that the role can make (``decide``) must
find none that mails anybody outside the simulator, and the plain evaluator must refuse this very
request, on each identity that SES may check it on, under the reading that gives most access.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auditor.account import Identity, PolicyText, SesRegion
from auditor.domains import is_domain_name
from auditor.engine.decide import decide
from auditor.engine.evaluate import evaluate
from auditor.engine.request import Request
from auditor.smoke.scenarios import ACTIONS, OUTSIDE
from auditor.smoke.trouble import AWS_ERRORS, describe, error_code, understood
from auditor.standing import Standing
from auditor.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from auditor.account import Account, Role
    from auditor.smoke.result import Caller
    from auditor.smoke.scenarios import Via

_GAP: Final = "identity-policies"
_MOST: Final = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": "*", "Action": "ses:*", "Resource": "*"},
}
"""As far as an identity's policy can go."""


class Proof(NamedTuple):
    """That AWS refuses mail from ``sender`` to ``to`` by these actions, and what shows it."""

    sender: str
    to: str
    actions: frozenset[str]
    says: str

    def denies(self, sender: str, to: str, via: Via) -> bool:
        """Tell whether this very mail is proven to be refused."""
        return (sender, to) == (self.sender, self.to) and ACTIONS[via] in self.actions


class NotProven(NamedTuple):
    """Why nothing is sent. ``open``: the role was shown to have a way to mail real people."""

    why: str
    open: bool = False


class Place(NamedTuple):
    """Where the mail would be sent from."""

    caller: Caller
    region: str
    sender: str


def prove(account: Account, place: Place, now: datetime) -> Proof | NotProven:
    """Return the proof that AWS refuses the calling role's mail to ``OUTSIDE``, or why not.

    ``account`` holds the role. What SES's identities allow must be in it or not asked for (then
    add it by ``with_identities`` before): where it is missing, nothing is proven. SCPs that aren't
    in it can only take more away.
    """
    caller = place.caller
    role = _role(account, caller)
    if isinstance(role, str):
        return NotProven(role)
    if _GAP in account.not_evaluated:
        return NotProven("the policies of SES identities weren't read, and they may allow more")
    standing = Standing(account, int(now.timestamp()))
    known, layers = standing.caller(role), standing.layers(role)
    found = decide(known, layers, standing.identities)
    if found.verdict == "undetermined":  # a Deny may hold whatever the unread ones grant
        standing = Standing(_granting(account), int(now.timestamp()))
        worst = decide(known, layers, standing.identities)
        found = found if worst.verdict == "exposed" else worst
    if found.verdict == "exposed":
        sure = "can" if found.certainty == "proven" else "may be able to"
        return NotProven(
            f"the role {role.name} {sure} mail real people by {found.exposures[0].action.name}"
            f" (see: auditor explain {role.name})",
            open=True,
        )
    if found.verdict == "undetermined":
        return NotProven(f"it can't be decided what the role may send: {found.reason}")
    actions = frozenset(ACTIONS.values())
    for request in _requests(place, actions):
        if evaluate(request, known, layers, standing.identities, least=False).allowed:
            return NotProven(
                f"the search finds no way to mail real people, and the replay of {request.action}"
                f" on {request.resources[0]} does: a defect of the auditor; please report it",
                open=True,
            )
    what = "may send no mail" if found.verdict == "no_send" else "mails the simulator alone"
    return Proof(place.sender, OUTSIDE, actions, f"decided: the role {role.name} {what}")


def _granting(account: Account) -> Account:
    """Return the account where each policy of an identity that wasn't read grants everything."""

    def most(policy: PolicyText) -> PolicyText:
        return policy if policy.missing is None else replace(policy, document=_MOST, missing=None)

    return replace(
        account,
        ses=tuple(
            region._replace(
                identities=tuple(
                    one._replace(policies=tuple(map(most, one.policies)))
                    for one in region.identities
                )
            )
            for region in account.ses
        ),
    )


def _role(account: Account, caller: Caller) -> Role | str:
    """Return the calling role, or why it isn't here."""
    if caller.role is None:
        return "the credentials aren't a role's, so there are no role's policies to decide"
    if account.account_id != caller.account:
        return f"the policies are account {account.account_id}'s, the caller is {caller.account}'s"
    # A session's ARN has the role's name without its path; no two roles of an account share one.
    for role in account.roles:
        if role.name.lower() == caller.role.lower():
            return role
    return f"there is no role {caller.role} in what was read of account {account.account_id}"


def _names(sender: str) -> Iterator[str]:
    """Yield the identities that may stand for a From address: itself, its domain, each parent.

    https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    """
    yield sender
    domain = sender.rpartition("@")[2]
    while is_domain_name(domain):
        yield domain
        domain = domain.partition(".")[2]


def _prefix(place: Place) -> str:
    return f"arn:{place.caller.partition}:ses:{place.region}:{place.caller.account}:identity/"


def _requests(place: Place, actions: frozenset[str]) -> Iterator[Request]:
    for action in sorted(actions):
        for name in _names(place.sender):
            context: dict[str, str | tuple[str, ...]] = {
                "ses:Recipients": (OUTSIDE,),
                "ses:FromAddress": place.sender,
                "aws:RequestedRegion": place.region,
            }
            yield Request(action, (_prefix(place) + name,), context)


def with_identities(account: Account, sesv2: Any, place: Place) -> Account:
    """Return the account with the policies of the identities that this mail may be checked on.

    Where the account already holds what its identities allow, it is returned as it is. An identity
    whose policies can't be read is kept as one that might allow anything.
    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentityPolicies.html
    """
    if _GAP not in account.not_evaluated:
        return account
    identities = tuple(
        Identity(name, _prefix(place) + name, True, policies)
        for name in _names(place.sender)
        if (policies := _policies(sesv2, name, _prefix(place) + name))
    )
    return replace(
        account,
        not_evaluated=tuple(gap for gap in account.not_evaluated if gap != _GAP),
        ses=(SesRegion(place.region, None, None, identities),),
    )


def _policies(sesv2: Any, name: str, arn: str) -> tuple[PolicyText, ...]:
    try:
        answer = understood(lambda: sesv2.get_email_identity_policies(EmailIdentity=name))
    except AWS_ERRORS as error:
        if error_code(error) == "NotFoundException":
            return ()
        return (_missing(arn, f"ses:GetEmailIdentityPolicies {name}: {describe(error)}"),)
    policies = answer.get("Policies") if isinstance(answer, dict) else None
    if not isinstance(policies, dict):
        return (_missing(arn, "something else than AWS answered"),)
    return tuple(
        PolicyText(str(key), arn, "identity-policy", policies[key]) for key in sorted(policies)
    )


def _missing(arn: str, why: str) -> PolicyText:
    return PolicyText("identity policies", arn, "identity-policy", None, one_line(why))
