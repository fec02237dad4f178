"""Refused calls whose resource's name may go on, put to the same call where its end is sure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.denial.arns import resource_of

if TYPE_CHECKING:
    from auditor.denial.model import Denial, Principal, Resource, Why


class Call(NamedTuple):
    """By what refused calls are told apart. ``operation`` counts where no action is named."""

    principal: Principal | None
    action: str
    resource: Resource | None
    why: Why
    operation: str = ""


def settle(denials: dict[Call, list[Denial]]) -> None:
    """Put calls whose resource's name may go on to the same call where it is sure."""
    shorter: dict[Call, list[Call]] = {}
    for key, (one, *_) in denials.items():
        if one.resource is not None and one.resource.longer:
            end = resource_of(one.resource.text)
            sure = Call(one.principal, one.action, end, one.why)
            shorter.setdefault(sure, []).append(key)
    for sure, keys in shorter.items():
        # before two different lines the name ends in its own: a wrapped one goes on alike
        if sure in denials or len(keys) > 1:
            known = denials.setdefault(sure, [])
            told = (one for key in keys for one in denials.pop(key))
            known += (one._replace(resource=sure.resource) for one in told)
            continue
        resource = denials[keys[0]][0].resource
        whole = resource_of(resource.longer if resource is not None else "")
        if (on := sure._replace(resource=whole)) in denials:
            denials[on] += denials.pop(keys[0])
