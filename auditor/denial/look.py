"""The account's part: the role behind each refused call, asked, and the advice that follows."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from auditor.denial.advice import enough, refusals_of
from auditor.denial.why import can_ask, examine, world_of
from auditor.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from auditor.account import Account, Project, Role
    from auditor.denial.advice import Advice
    from auditor.denial.model import Denial, Principal
    from auditor.denial.why import Examined

NOTHING_TO_ADD = (
    "nothing has to be added: the role may make these calls already, if every recipient is the"
    " simulator's"
)


class Seen(NamedTuple):
    """What the account tells of one caller.

    ``advice`` has no policy where none is needed. ``examined`` are its calls that could be asked
    about, ``projects`` those that use the role. ``remark`` says why nothing could be looked at.
    ``replaces``: the role has an inline policy of the sender's name, which the command replaces.
    ``unseen`` names what the account's source can't contain, as a report's ``not_evaluated`` does.
    """

    advice: Advice
    examined: Mapping[Denial, Examined] = MappingProxyType({})
    projects: tuple[Project, ...] = ()
    remark: str = ""
    replaces: bool = False
    unseen: tuple[str, ...] = ()

    def asked(self, denial: Denial) -> Examined | None:
        """Return what the engine says of a call, None where it could not be asked."""
        return self.examined.get(denial)


def look(advices: Sequence[Advice], account: Account, now: datetime) -> tuple[Seen, ...]:
    """Ask the account about each caller. ``now`` (aware) is the time that conditions see."""
    standing = Standing(account, int(now.timestamp()))
    return tuple(_seen(advice, standing) for advice in advices)


def _seen(advice: Advice, standing: Standing) -> Seen:
    from auditor.corrective.names import MANAGED

    role, remark = _role(advice.principal, standing.account)
    if role is None:
        return Seen(advice, remark=remark)
    world = world_of(standing, role)
    covered = {one for one in advice.denials if not refusals_of(one)}
    examined = {
        one: examine(one, world, advice.policy if one in covered else None)
        for one in advice.denials
        if can_ask(one)
    }
    fine = {one for one, asked in examined.items() if asked.simulated == "allowed"}
    # what AWS named (an SCP, say) may be missing from the source: then "allowed" isn't all
    if covered and covered <= fine and all(map(enough, covered)):
        advice = advice._replace(
            policy=None, scope=None, refusals=(*advice.refusals, NOTHING_TO_ADD)
        )
    replaces = any(policy.name == MANAGED["sender"] for policy in role.inline)
    unseen = standing.account.not_evaluated
    return Seen(advice, examined, role.projects, "", replaces, unseen)


def _role(principal: Principal | None, account: Account) -> tuple[Role | None, str]:
    """Return the caller's role, or why it can't be looked at. Sessions don't tell a role's path."""
    if principal is None:
        return None, "the message doesn't say who was refused"
    if principal.kind != "role":
        return None, "the caller isn't a role"
    if not principal.account:
        return None, "the message has the account's id blanked out"
    if principal.account != account.account_id:
        return None, f"the role is of account {principal.account}, not of {account.account_id}"
    found = [role for role in account.roles if role.name == principal.name]
    if not found:
        return None, f"account {account.account_id} has no role {principal.name}"
    return found[0], ""
