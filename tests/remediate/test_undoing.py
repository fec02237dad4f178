"""Who could take a remedy away again: the role itself, and whoever it can get to.

The actions are those of the Service Authorization Reference for IAM:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from auditor import undoing
from auditor.account import Organization, PolicyText, ScpLevel
from auditor.chains import Chains
from auditor.engine.evaluate import evaluate
from auditor.engine.request import Request
from auditor.judging import Judge
from auditor.standing import Standing
from auditor.undoing import TOO_MANY, Undoers, Undoing

from .plan_world import (
    ACCOUNT,
    GUARD_ARN,
    MAIL,
    NOTHING,
    NOW,
    account,
    allow,
    arn_of,
    deny,
    document,
    managed,
    other,
    plan_of,
    role,
    trust,
)

if TYPE_CHECKING:
    from auditor.account import Account, Role
    from auditor.undoing import Way

WEB = arn_of("web")
OURS = {"ArnEquals": {"iam:PolicyARN": GUARD_ARN}}
THEIRS = {"ArnEquals": {"iam:PolicyARN": f"arn:aws:iam::{ACCOUNT}:policy/theirs"}}


def _standing(given: Account) -> Standing:
    return Standing(given, int(NOW.timestamp()))


def _undoing(way: Way, *roles: Role, given: Account | None = None) -> Undoing:
    """Who could undo a remedy of the first role."""
    known = _standing(given or account(*roles))
    chains = Chains(known, Judge(known).decide)
    return Undoers(known, chains, roles, GUARD_ARN).of(roles[0], way)


EDGE = {"StringEquals": {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/edge"}}
MADE = f"arn:aws:iam::{ACCOUNT}:role/made-by-builds/*"
USER = ("iam:CreateUser", "iam:AttachUserPolicy", "iam:CreateAccessKey")


class Own(NamedTuple):
    """A role's statements, and the actions by which it may undo a remedy of its own."""

    statements: tuple[dict[str, Any], ...]
    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()


DETACH = "iam:DetachRolePolicy"
OWN = {
    "nothing": Own((MAIL,)),
    "detaching": Own((allow(DETACH),), (DETACH,)),
    "detaching from itself": Own((allow(DETACH, on=WEB),), (DETACH,)),
    "detaching from another": Own((allow(DETACH, on=arn_of("api")),)),
    "detaching ours": Own((allow(DETACH, where=OURS),), (DETACH,)),
    "detaching another policy": Own((allow(DETACH, where=THEIRS),)),
    "detaching, but not ours": Own((allow(DETACH), deny(DETACH, where=OURS))),
    "detaching, but from itself": Own((allow("iam:Detach*"), deny(DETACH, on=WEB))),
    "any version": Own(
        (allow("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),),
        ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
    ),
    "a version of ours": Own(
        (allow("iam:CreatePolicyVersion", on=GUARD_ARN),), ("iam:CreatePolicyVersion",)
    ),
    "a version of another": Own(
        (allow("iam:CreatePolicyVersion", on=f"arn:aws:iam::{ACCOUNT}:policy/theirs"),)
    ),
    "deleting a version": Own((allow("iam:DeletePolicyVersion"),)),
    "deleting inline": Own((allow("iam:DeleteRolePolicy"),), (), ("iam:DeleteRolePolicy",)),
    "putting inline": Own(
        (allow("iam:PutRolePolicy"),), ("iam:PutRolePolicy",), ("iam:PutRolePolicy",)
    ),
    "attaching": Own(
        (allow("iam:AttachRolePolicy"),), ("iam:AttachRolePolicy",), ("iam:AttachRolePolicy",)
    ),
    "making a user": Own((allow(*USER),), USER, USER),
    "making a user of a kind": Own(
        (allow(*USER, on=f"arn:aws:iam::{ACCOUNT}:user/ci/*"),), USER, USER
    ),
    "making users that each may do less": Own(
        (
            allow("iam:CreateUser", on=f"arn:aws:iam::{ACCOUNT}:user/a/*"),
            allow(
                "iam:PutUserPolicy", "iam:CreateAccessKey", on=f"arn:aws:iam::{ACCOUNT}:user/b/*"
            ),
        )
    ),
    "making a user without keys": Own((allow("iam:CreateUser", "iam:PutUserPolicy"),)),
    "making a user with a boundary": Own(
        (allow("iam:CreateUser", where=EDGE), allow("iam:*UserPolicy", "iam:CreateAccessKey"))
    ),
    "making a role": Own(
        (allow("iam:CreateRole", "iam:AttachRolePolicy", on=MADE),),
        ("iam:CreateRole", "iam:AttachRolePolicy"),
        ("iam:CreateRole", "iam:AttachRolePolicy"),
    ),
    "making a role with a boundary": Own(
        (allow("iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy", on=MADE, where=EDGE),)
    ),
    "everything": Own(
        (allow("*"),),
        (DETACH, "iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"),
        ("iam:DeleteRolePolicy", "iam:PutRolePolicy"),
    ),
    "everything but IAM": Own(({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},)),
}


@pytest.mark.parametrize("name", OWN)
@pytest.mark.parametrize("way", ["attach", "inline"])
def test_by_itself(name: str, way: Way) -> None:
    """A role's own calls against a policy attached to it, or put inline: detaching ours, changing
    its text, or giving itself what it lacks; and each of them is one that the evaluator allows.
    """
    given = OWN[name]
    web = role("web", *given.statements)
    found = _undoing(way, web).found
    wanted = given.attached if way == "attach" else given.inline
    assert (() if found is None else tuple(one.action for one in found.calls)) == wanted
    known = _standing(account(web))
    for call in found.calls if found is not None else ():
        detaching = {"iam:PolicyARN": GUARD_ARN} if call.action == DETACH else {}
        request = Request(call.action, (call.resource,), detaching)
        layers = known.layers(web, whole=True)
        assert evaluate(request, known.caller(web), layers, least=True).allowed
        assert found is not None
        assert (found.roles, found.steps) == ((), ())


@pytest.mark.parametrize("limit", ["boundary", "scp"])
def test_what_holds(limit: str) -> None:
    """A permissions boundary that doesn't allow it, or an SCP that denies it, holds the remedy."""
    web = role("web", allow("*"), boundary=document(MAIL) if limit == "boundary" else None)
    scp = PolicyText("no", None, "scp", document(allow("*"), deny("iam:*")))
    levels = (ScpLevel("r-1", "Root", (scp,)),)
    organization = Organization("o-1", False, levels) if limit == "scp" else None
    found = _undoing("attach", web, given=account(web, organization=organization))
    assert found == Undoing(None)


def test_what_holds_whoever_it_makes() -> None:
    """Somebody whom the role makes is held by the SCPs, and by nothing of the role's own."""
    web = role("web", allow(*USER), deny("iam:Detach*", "iam:*PolicyVersion"))
    found = _undoing("attach", web).found
    assert found is not None
    assert tuple(one.action for one in found.calls) == USER
    scp = PolicyText("no", None, "scp", document(allow("*"), deny(DETACH, "iam:*PolicyVersion")))
    organization = Organization("o-1", False, (ScpLevel("r-1", "Root", (scp,)),))
    assert _undoing("attach", web, given=account(web, organization=organization)) == Undoing(None)


def test_making_somebody_through_another_role() -> None:
    """A role that may only make somebody is worth getting to."""
    admin = other("admin", allow(*USER), let_in=ADMIN_TRUST)
    found = _undoing("attach", role("web", INTO_ADMIN), admin).found
    assert found is not None
    assert [one.name for one in found.roles] == ["admin"]
    (change,) = plan_of(role("web", MAIL, INTO_ADMIN), admin).changes
    (warning,) = change.warnings
    assert "may undo it (by way of somebody of its own making: iam:CreateUser" in warning.text


def test_a_boundary_it_may_not_pass_by_tag() -> None:
    """The role's tags are known as those of the resource: a condition on them is decided."""
    where = {"StringEquals": {"aws:ResourceTag/team": "web"}}
    web = role("web", allow(DETACH, where=where), tags={"team": "web"})
    assert _undoing("attach", web).found is not None
    assert _undoing("attach", replace(web, tags={"team": "api"})).found is None


ADMIN_TRUST = trust(f"arn:aws:iam::{ACCOUNT}:root", service=None)
INTO_ADMIN = allow("sts:AssumeRole", on=arn_of("admin"))
RUN_BUILDS = allow("codebuild:CreateProject", "codebuild:StartBuild")


def _admin(let_in: dict[str, Any] | None = None, *statements: dict[str, Any]) -> Role:
    return other("admin", *(statements or (allow("iam:*"),)), let_in=let_in or ADMIN_TRUST)


def _through() -> dict[str, tuple[tuple[Role, ...], tuple[str, ...], tuple[str, ...]]]:
    """Roles, the first being asked about; then the way: by names, and by actions."""
    assume, hand = "sts:AssumeRole", "iam:PassRole"
    middle = other("middle", INTO_ADMIN, let_in=trust(WEB, service=None))
    builder = role("builder", allow("iam:*"))
    pass_it = allow(hand, on=arn_of("builder"))
    rewrite = allow("iam:UpdateAssumeRolePolicy", on=arn_of("builder"))
    no_build = allow("codebuild:StartBuild")
    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    back = allow("sts:AssumeRole", on=[WEB, arn_of("middle")])
    return {
        "assuming": ((role("web", INTO_ADMIN), _admin()), ("admin",), (assume,)),
        "by its trust policy alone": (
            (role("web", NOTHING), _admin(trust(WEB, service=None))),
            ("admin",),
            (assume,),
        ),
        "by its trust policy alone, without any policy": (
            (role("web"), _admin(trust(WEB, service=None))),
            ("admin",),
            (assume,),
        ),
        "as one session": (
            (
                role("web"),
                _admin(trust(f"arn:aws:sts::{ACCOUNT}:assumed-role/web/build-1", service=None)),
            ),
            ("admin",),
            (assume,),
        ),
        "everybody": ((role("web"), _admin(trust("*", service=None))), ("admin",), (assume,)),
        "no trust": ((role("web", INTO_ADMIN), _admin(trust(service="ec2.amazonaws.com"))), (), ()),
        "no permission": ((role("web", MAIL), _admin()), (), ()),
        "a role that may not": (
            (role("web", INTO_ADMIN), _admin(None, allow(DETACH, on=arn_of("api")))),
            (),
            (),
        ),
        "two steps": (
            (role("web", MAIL), middle, _admin()),
            ("middle", "admin"),
            (assume, assume),
        ),
        "the shortest of two": (
            (role("web", INTO_ADMIN), middle, _admin()),
            ("admin",),
            (assume,),
        ),
        "a ring": (
            (
                role("web", allow("sts:AssumeRole"), let_in=trust(arn_of("middle"))),
                other("middle", back, let_in=trust(WEB, service=None)),
            ),
            (),
            (),
        ),
        "a build of another project": (
            (role("web", pass_it, RUN_BUILDS), builder),
            ("builder",),
            (hand,),
        ),
        "no way to start it": ((role("web", pass_it, no_build), builder), (), ()),
        "passed to another service": (
            (role("web", allow(hand, where=to_lambda), RUN_BUILDS), builder),
            (),
            (),
        ),
        "letting itself in": (
            (role("web", rewrite), builder),
            ("builder",),
            ("iam:UpdateAssumeRolePolicy",),
        ),
        "assuming, then a build": (
            (
                role("web", allow("sts:AssumeRole", on=arn_of("middle"))),
                other("middle", pass_it, RUN_BUILDS, let_in=ADMIN_TRUST),
                builder,
            ),
            ("middle", "builder"),
            (assume, hand),
        ),
        "the last of many": (
            (
                role("web", allow(hand), RUN_BUILDS),
                *(role(f"b{n:03}", allow("sts:AssumeRole", on="arn:x")) for n in range(60)),
                role("z", allow(DETACH, on=WEB)),
            ),
            ("z",),
            (hand,),
        ),
    }


@pytest.mark.parametrize("name", _through())
def test_through_others(name: str) -> None:
    """Roles that it can assume, pass to a service that it can run, or let itself into are followed
    to the first that may undo the remedy, breadth first.
    """
    roles, way, steps = _through()[name]
    found = _undoing("attach", *roles)
    assert found.doubts == ()
    if not way:
        assert found.found is None
        return
    assert found.found is not None
    assert tuple(one.name for one in found.found.roles) == way
    assert found.found.steps == steps
    assert found.found.calls


def test_service_linked_roles_are_no_way() -> None:
    """AWS's own roles can't be assumed or passed on, whatever their trust policies say."""
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x/admin"
    admin = replace(_admin(), arn=arn)
    assert _undoing("attach", role("web", allow("sts:AssumeRole")), admin) == Undoing(None)


def test_what_can_not_be_told_is_said() -> None:
    """A trust policy that can't be read on the way is a doubt, never a no."""
    admin = _admin()
    admin.trust = replace(admin.trust, document=None, missing="AccessDenied")
    found = _undoing("attach", role("web", INTO_ADMIN), admin)
    assert found.found is None
    (doubt,) = found.doubts
    assert "assuming admin" in doubt
    assert "AccessDenied" in doubt


def test_the_bound_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies beyond the bound on pairs of roles is said to be unknown, in the plan too."""
    monkeypatch.setattr(undoing, "PAIRS_MAX", 3)
    others = [
        other(f"m{n}", allow("sts:AssumeRole", on=arn_of(f"m{n + 1}")), let_in=ADMIN_TRUST)
        for n in range(6)
    ]
    web = role("web", MAIL, allow("sts:AssumeRole", on=arn_of("m0")))
    admin = other("m6", allow("iam:*"), let_in=ADMIN_TRUST)
    found = _undoing("attach", web, *others, admin)
    assert found.found is None
    assert TOO_MANY in found.doubts
    (change,) = plan_of(web, *others, admin).changes
    (warning,) = change.warnings
    assert warning.code == "undoable-unknown"
    assert TOO_MANY in warning.text
    monkeypatch.undo()
    assert _undoing("attach", web, *others, admin).found is not None


def test_own_managed_policies_count() -> None:
    """A role that may change a policy which it has can give itself the undoing."""
    own = managed("deploy", allow("iam:CreatePolicyVersion", on="*:policy/deploy"))
    found = _undoing("attach", role("web", attached=(own,))).found
    assert found is not None
    assert [(one.action, one.resource) for one in found.calls] == [
        ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/deploy")
    ]
