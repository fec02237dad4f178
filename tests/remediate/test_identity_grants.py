"""A power over SES identities' policies is told of where a grant there could help, and only there.

Such a policy grants sends in its own account, and a Deny beats it:
https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_AccessPolicyLanguage_Interplay.html
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from auditor.account import Organization, PolicyText, ScpLevel
from auditor.audit import audit
from auditor.corrective.documents import guard

from .plan_world import GUARD_ARN, NOW, account, allow, arn_of, deny, document, plan_of, role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from auditor.account import Role

POWER = allow("ses:PutIdentityPolicy")
SIMULATOR = {"ForAnyValue:StringNotLike": {"ses:Recipients": "*@simulator.amazonses.com"}}
DENIES: Any = guard()["Statement"]
GUARD = PolicyText("ses-simulator-guard", GUARD_ARN, "managed", guard())
COVERED = ("ses:SendEmail", "ses:SendRawEmail", "ses:Send*TemplatedEmail")


class Case(NamedTuple):
    """A role's statements, what else holds it, and whether a grant could help it."""

    statements: tuple[dict[str, Any], ...]
    helps: bool
    more: Mapping[str, Any] = MappingProxyType({})
    scp: tuple[dict[str, Any], ...] = ()


CASES = {
    "the power alone": Case((POWER,), True),
    "everything of SES": Case((allow("ses:*"),), True),
    "with the guard": Case((allow("ses:*"),), False, {"attached": (GUARD,)}),
    "with the guard, inline": Case((allow("*"), *DENIES), False),
    "one action left out of the Deny": Case(
        (POWER, deny("ses:SendEmail", "ses:Send*TemplatedEmail")), True
    ),
    "no send at all": Case((POWER, deny(*COVERED)), False),
    "a Deny of what no identity grants": Case((POWER, deny("ses:SendBulkEmail")), True),
    "a Deny that a sender passes": Case(
        (POWER, deny("ses:Send*", where={"StringNotEquals": {"ses:FromAddress": "a@example.com"}})),
        True,
    ),
    "a Deny of real recipients": Case((POWER, deny("ses:Send*", where=SIMULATOR)), False),
    "a boundary that lacks sends": Case((POWER,), True, {"boundary": document(POWER)}),
    "a boundary that denies them": Case(
        (POWER,), False, {"boundary": document(allow("*"), deny("ses:Send*", where=SIMULATOR))}
    ),
    "an SCP that denies them": Case(
        (POWER,), False, scp=(allow("*"), deny("ses:Send*", where=SIMULATOR))
    ),
    "an SCP that lacks sends": Case((POWER,), False, scp=(POWER,)),
    "an SCP that is open": Case((POWER,), True, scp=(allow("*"),)),
}


def _told(*roles: Role, scp: tuple[dict[str, Any], ...] = ()) -> dict[str, list[str]]:
    """What is said of each role's own powers."""
    text = PolicyText("scp", None, "scp", document(*scp))
    levels = (ScpLevel("r-1", "Root", (text,)),)
    given = account(*roles, organization=Organization("o-1", False, levels) if scp else None)
    return {
        one.name: [found.title for found in one.findings if found.rule == "self-granting"]
        for one in audit(given, now=NOW).roles
    }


@pytest.mark.parametrize("name", CASES)
def test_a_grant_that_could_help(name: str) -> None:
    """The power is told of unless Denies, or SCPs, stop each real recipient whatever is granted."""
    case = CASES[name]
    (told,) = _told(role("web", *case.statements, **case.more), scp=case.scp).values()
    if name == "with the guard, inline":  # it may rewrite that, and is told so
        assert all("an SES identity" not in title for title in told)
        return
    sentence = "web may have an SES identity grant it sends (ses:PutIdentityPolicy)."
    assert told == ([sentence] if case.helps else [])


def test_what_cant_be_read_may_hold_no_deny() -> None:
    """Where a policy could not be read nobody knows, and the power is told of."""
    lost = PolicyText("lost", None, "inline", None, missing="AccessDenied")
    (told,) = _told(role("web", POWER, inline=(lost,))).values()
    assert told


@pytest.mark.parametrize("order", [("api", "web"), ("web", "api")])
def test_a_deny_that_tells_roles_apart(order: tuple[str, ...]) -> None:
    """Roles that have the very same policies are told apart where a Deny tells them apart."""
    mine = {"ArnEquals": {"aws:PrincipalArn": arn_of("web")}}
    text = PolicyText("own", None, "managed", document(POWER, deny("ses:Send*", where=mine)))
    told = _told(*(role(name, attached=(text,)) for name in order))
    assert {name: bool(titles) for name, titles in told.items()} == {"web": False, "api": True}


def test_a_plan_says_nothing_that_the_guard_stops() -> None:
    """With the guard on it a role isn't said to be able to have an identity grant it sends."""
    (change,) = plan_of(role("web", allow("ses:*"))).changes
    assert not any("identity" in sentence for sentence in change.still)
    assert change.warnings == ()
