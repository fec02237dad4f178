"""What a plan warns of: whose template a role is in, what is unsure, who could undo the change."""

from __future__ import annotations

import pytest

from .plan_world import GUARD_ARN, MAIL, allow, managed, plan_of, role

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
