"""What a plan warns of: whose template a role is in, what is unsure, who could undo the change."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from auditor.cli.asking import about_plan
from auditor.lasting import RoleException
from auditor.remediate.asked import excepted
from auditor.remediate.plan import PlanRequest, plan
from auditor.remediate.reading import plan_json, read_plan
from auditor.remediate.tell import plan_text

from .plan_world import (
    GUARD_ARN,
    MAIL,
    NOTHING,
    NOW,
    account,
    allow,
    arn_of,
    managed,
    plan_of,
    role,
    trust,
)

if TYPE_CHECKING:
    from auditor.account import Role
    from auditor.corrective.names import PolicyName
    from auditor.remediate.model import Plan

TEMPLATES = [
    ({"aws:cloudformation:stack-name": "ci"}, "cloudformation", "ManagedPolicyArns:"),
    ({"aws:cdk:path": "Ci/Role"}, "cdk", "addManagedPolicy"),
    ({"aws-cdk:id": "x", "aws:cloudformation:stack-name": "ci"}, "cdk", "addManagedPolicy"),
    ({"terraform": "true"}, "terraform", "aws_iam_role_policy_attachment"),
    ({"Managed-By": "Terraform Cloud"}, "terraform", "aws_iam_role_policy_attachment"),
    ({"managed_by": "opentofu"}, "terraform", "aws_iam_role_policy_attachment"),
    ({"ManagedBy": "pulumi"}, "pulumi", "RolePolicyAttachment"),
    ({"pulumi:project": "ci"}, "pulumi", "RolePolicyAttachment"),
]


@pytest.mark.parametrize(("tags", "code", "piece"), TEMPLATES)
def test_templates(tags: dict[str, str], code: str, piece: str) -> None:
    """A role that its tags give to a tool comes with what to put into that tool's template."""
    (change,) = plan_of(role("web", MAIL, tags=tags)).changes
    (warning,) = change.warnings
    assert warning.code == code
    assert warning.snippet is not None
    assert piece in warning.snippet
    assert GUARD_ARN in warning.snippet


@pytest.mark.parametrize("tags", [{"terraform": "false"}, {"team": "terraform"}, {"Name": "cdk"}])
def test_no_template(tags: dict[str, str]) -> None:
    """Tags that tell of no tool make no warning."""
    (change,) = plan_of(role("web", MAIL, tags=tags)).changes
    assert not change.warnings


def test_a_name_starts_nothing_in_a_template() -> None:
    """A role's name stays a name in Terraform, where ``${`` and quotes mean something."""
    (change,) = plan_of(role('w"${file(1)}%{x', MAIL, tags={"terraform": "yes"})).changes
    assert '"w\\"$${file(1)}%%{x"' in (change.warnings[0].snippet or "")


def test_possible_and_notes_are_said() -> None:
    """A role that is only possibly exposed is changed all the same, and that is said."""
    (change,) = plan_of(role("web", allow("ses:SendBulkEmail"))).changes
    assert [one.code for one in change.warnings] == ["possible"]
    assert (change.before.certainty, change.after.verdict) == ("possible", "no_send")
    assert change.still == ("It can mail nobody, the mailbox simulator included.",)


def test_who_may_undo_it_is_said() -> None:
    """A role that may detach what we attach is changed, and warned of, once."""
    (change,) = plan_of(role("web", MAIL, allow("iam:DetachRolePolicy"))).changes
    (warning,) = change.warnings
    assert warning.code == "undoable"
    assert warning.text.startswith("it may itself undo this (iam:DetachRolePolicy): only a ")
    assert not any("undo" in one for one in change.still)
    # it may not detach what is put inline: then what it may do is told beside the rest
    full = tuple(managed(f"p{number}") for number in range(10))
    (change,) = plan_of(
        role("web", MAIL, allow("iam:DetachRolePolicy"), attached=full), inline_allowed=True
    ).changes
    assert [one.code for one in change.warnings] == ["inline"]
    assert any("can undo any remedy" in one for one in change.still)


UNTIL = date(2027, 1, 31)
SENDS = RoleException(
    "mail", "unrestricted-send", "the digest\u2028", "team\ud800", UNTIL, "x.yaml:2"
)
THREE = allow("ses:SendEmail", "ses:SendBulkEmail", "ses:SendBounce")


def excepting(*exceptions: RoleException, roles: tuple[Role, ...], policy: PolicyName) -> Plan:
    """A plan that leaves alone what exceptions cover, as the commands make it."""
    whole = account(*roles)
    kept = excepted(whole, exceptions, NOW)
    asked = PlanRequest(policy=policy, except_globs=kept.globs, role_globs=("mail",))
    return kept.told(plan(whole, asked, now=NOW))


def test_closing_what_somebody_answers_for_is_said() -> None:
    """An exception that covers a part of a role doesn't keep it: its owner and reason are told, and
    what is closed of it, in the text, in the JSON and before the plan is applied.
    """
    lint = SENDS._replace(rule="missing-null-check")
    old = SENDS._replace(rule="uncheckable-action", expires=date(2026, 11, 22))
    found = excepting(lint, SENDS, old, roles=(role("mail", THREE),), policy="guard")

    ((warning,),) = (one.warnings for one in found.changes)
    assert warning.code == "closes-excepted"
    assert warning.text == (
        "it closes what somebody answers for: its sends by ses:SendEmail, excepted until 2027-01-31"
        " from unrestricted-send (the digest\u2028; owner: team\\ud800, x.yaml:2). Ask them before"
        " you apply this."
    )
    assert read_plan(plan_json(found), "p.json") == found, "its id fits"
    lines = plan_text(found).splitlines()
    assert "What an exception covers is closed by 1 change: see !." in lines
    assert any(one.startswith("  ! it closes what somebody answers for: its") for one in lines)
    assert "; 1 closes what an exception covers. Go on" in about_plan(found)


def test_each_exception_that_is_overruled_has_its_owner_told() -> None:
    """SendBounce counts too, which the guard denies, and so does a role that becomes this one."""
    bounce = SENDS._replace(rule="uncheckable-action", owner="support")
    via = RoleException("via", "*", "the letter", "press", UNTIL)
    roles = (
        role("mail", allow("ses:SendEmail", "ses:SendBounce"), let_in=trust(arn_of("via"))),
        role("via", allow("sts:AssumeRole", on=arn_of("mail"))),
    )
    found = excepting(bounce, via, roles=roles, policy="guard")

    told = [one.text for one in found.changes[0].warnings]
    assert len(told) == 2
    assert "its sends by ses:SendBounce, excepted until 2027-01-31 from uncheckable" in told[0]
    assert "the sends of via, which may become it, excepted until 2027-01-31 (the l" in told[1]
    assert "owner: press" in told[1]


def test_a_change_that_closes_nothing_excepted_warns_of_none() -> None:
    """Neither the sender nor a role that no exception is about has such a warning."""
    roles = (role("mail", MAIL), role("safe", NOTHING))
    other = SENDS._replace(role="safe")
    assert [one.warnings for one in excepting(other, roles=roles, policy="guard").changes] == [()]
    opens = excepting(SENDS, roles=(role("mail", NOTHING),), policy="sender")
    assert [one.warnings for one in opens.changes] == [()]
    assert "exception" not in plan_text(opens)
