"""The account's part: the role behind each refused call, asked, and the advice that follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.denial.advice import refusals_of
from auditor.denial.why import can_ask, examine, world_of
from auditor.standing import Standing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from auditor.account import Account, Project, Role
    from auditor.denial.advice import Advice
    from auditor.denial.model import Principal
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
    """

    advice: Advice
    examined: tuple[Examined, ...] = ()
    projects: tuple[Project, ...] = ()
    remark: str = ""
    replaces: bool = False


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
    examined = tuple(
        examine(one, world, None if refusals_of(one) else advice.policy)
        for one in advice.denials
        if can_ask(one)
    )
    covered = [one for one in advice.denials if not refusals_of(one)]
    fine = [one.denial for one in examined if one.simulated == "allowed"]
    if covered and all(one in fine for one in covered):
        advice = advice._replace(
            policy=None, scope=None, refusals=(*advice.refusals, NOTHING_TO_ADD)
        )
    replaces = any(policy.name == MANAGED["sender"] for policy in role.inline)
    return Seen(advice, examined, role.projects, "", replaces)


def _role(principal: Principal | None, account: Account) -> tuple[Role | None, str]:
    """Return the caller's role, or why it can't be looked at. Sessions don't tell a role's path."""
    if principal is None:
        return None, "the message doesn't say who was refused"
    if principal.kind != "role":
        return None, "the caller isn't a role"
    if principal.account != account.account_id:
        return None, f"the role is of account {principal.account}, not of {account.account_id}"
    found = [role for role in account.roles if role.name == principal.name]
    if not found:
        return None, f"account {account.account_id} has no role {principal.name}"
    return found[0], ""
