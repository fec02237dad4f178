"""What is planned, what is left and why, and what is said of it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.account import Failure, PolicyText
from auditor.audit import audit
from auditor.corrective.names import MANAGED
from auditor.engine.evaluate import Judged
from auditor.errors import InputError
from auditor.remediate import proofs
from auditor.remediate.choose import choose
from auditor.remediate.fingerprint import fingerprint
from auditor.remediate.model import sha256_of
from auditor.remediate.plan import PlanRequest, plan
from auditor.remediate.request import document_of

from .plan_world import (
    ACCOUNT,
    GUARD_ARN,
    MAIL,
    NOTHING,
    NOW,
    PERSON,
    SENDER_ARN,
    TO_SIMULATOR,
    account,
    allow,
    arn_of,
    changed,
    deny,
    document,
    left_of,
    managed,
    other,
    plan_of,
    role,
    trust,
)

if TYPE_CHECKING:
    from auditor.account import Account

GUARD = PolicyText(MANAGED["guard"], GUARD_ARN, "managed", document_of("guard"))
FULL = tuple(managed(f"p{number}") for number in range(10))


def test_an_exposed_role_is_changed() -> None:
    """The exposed role gets the guard, and its change says what the account is like before and
    after, and which role exactly was seen.
    """
    web = role("web", MAIL)
    found = plan_of(web, role("safe", TO_SIMULATOR), role("idle", NOTHING))
    (change,) = found.changes
    assert (change.role_arn, change.role_id, change.way) == (arn_of("web"), "AROAWEB", "attach")
    assert change.projects == ("web-project (eu-west-1)",)
    assert (change.before.verdict, change.before.certainty) == ("exposed", "proven")
    assert (change.after.verdict, change.after.certainty) == ("simulator_only", None)
    assert change.seen == fingerprint(web)
    assert (found.policy_arn, found.account_id, found.partition) == (GUARD_ARN, ACCOUNT, "aws")
    assert found.policy_sha256 == sha256_of(document_of("guard"))
    assert found.id.startswith("plan-20261123T030000Z-")
    assert (found.complete, found.create_policy, found.left) == (True, False, ())
    mails = [proof for proof in change.proofs if proof.action == "ses:SendEmail"]
    assert [proof.context["ses:Recipients"] for proof in mails] == [(PERSON,)]
    assert (mails[0].simulator_before, mails[0].simulator_after) == (True, True)
    assert change.still == (
        "It can mail the mailbox simulator: ses:SendEmail and ses:SendRawEmail.",
    )
    assert not change.warnings


def _cases() -> dict[str, tuple[Account, PlanRequest, str, str]]:
    """Account, request, code and a piece of the sentence, for each reason to plan nothing."""
    web = role("web", MAIL)
    unread = PolicyText("gone", None, "inline", None, "AccessDenied")
    bad = PolicyText("bad", None, "inline", document(allow("ses:*", where={"NoSuch": {"a": "b"}})))
    way_in = allow("sts:AssumeRole", on=arn_of("mailer"))
    mailer = other("mailer", MAIL, let_in=trust(arn_of("web"), service=None))
    elsewhere = replace(web, arn=f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x/web")
    stopped = role("web", NOTHING, boundary=document(NOTHING))
    differing = replace(GUARD, document=document(deny("ses:SendEmail")))
    sender = PlanRequest(policy="sender", role_globs=("web",))
    named = PlanRequest(role_globs=("web",))
    return {
        "safe": (account(role("web", TO_SIMULATOR)), named, "not-exposed", "isn't"),
        "undetermined": (
            account(role("web", NOTHING, inline=(unread,))),
            PlanRequest(),
            "undetermined",
            "AccessDenied",
        ),
        "excepted": (account(web), PlanRequest(except_globs=("w*",)), "excepted", "by w*."),
        "excepted by ARN": (
            account(web),
            PlanRequest(except_globs=("arn:*:role/web",)),
            "excepted",
            "arn:*:role/web",
        ),
        "service-linked": (account(elsewhere), PlanRequest(), "service-linked", "AWS's own"),
        "not CodeBuild's": (
            account(other("web", MAIL, let_in=trust(service="lambda.amazonaws.com"))),
            named,
            "not-codebuild",
            "isn't a CodeBuild role",
        ),
        "through a role that isn't CodeBuild's": (
            account(role("web", way_in), mailer),
            PlanRequest(),
            "assumable-sender",
            "mailer isn't CodeBuild's and may be a production sender",
        ),
        "still exposed through another": (
            account(role("web", MAIL, way_in), mailer),
            PlanRequest(),
            "still-exposed",
            "web -> mailer",
        ),
        "undetermined then": (
            account(role("web", MAIL, inline=(bad,))),
            PlanRequest(),
            "undetermined-after",
            "NoSuch",
        ),
        "on it already": (
            account(role("web", MAIL, way_in, attached=(GUARD,)), mailer),
            PlanRequest(),
            "assumable-sender",
            "mailer",
        ),
        "quota": (account(role("web", MAIL, attached=FULL)), PlanRequest(), "quota", "10 is the"),
        "other text": (
            account(web),
            PlanRequest(existing=differing),
            "policy-differs",
            "something",
        ),
        "other text, seen on a role": (
            account(web, role("safe", NOTHING, attached=(differing,))),
            PlanRequest(),
            "policy-differs",
            "something else",
        ),
        "text unread": (
            account(web),
            PlanRequest(existing=replace(GUARD, missing="AccessDenied")),
            "policy-unread",
            "could not be read",
        ),
        "no such role": (account(), named, "no-such-role", "no such role"),
        "no such role in the report's account": (
            account(),
            PlanRequest(arns=(arn_of("web"),)),
            "no-such-role",
            "no such role",
        ),
        "sender: exposed": (account(web), sender, "exposed", "guard"),
        "sender: undetermined": (
            account(role("web", NOTHING, inline=(unread,))),
            sender,
            "undetermined",
            "AccessDenied",
        ),
        "sender: no effect": (account(stopped), sender, "no-effect", "nobody"),
        "sender: on it already": (
            account(
                role(
                    "web",
                    attached=(PolicyText("s", SENDER_ARN, "managed", document_of("sender")),),
                )
            ),
            sender,
            "already",
            "already",
        ),
    }


@pytest.mark.parametrize("name", _cases())
def test_left(name: str) -> None:
    """Each reason to plan nothing has its code and one sentence that says it."""
    given, request, code, piece = _cases()[name]
    found = plan(given, request, now=NOW)
    assert "web" not in changed(found)
    left = left_of(found)["web"]
    assert left.why.code == code
    assert piece in left.why.text
    assert "\n" not in left.why.text


@pytest.mark.parametrize("how", ["attached", "inline"])
def test_already_and_exposed_all_the_same(how: str) -> None:
    """A role that is found exposed with the guard on it is left to a person.

    No policy of a role's gets round the guard, so the finding is that of the role without it.
    """
    inline = PolicyText(MANAGED["guard"], None, "inline", document_of("guard"))
    reports = {one.arn: one for one in audit(account(role("web", MAIL)), now=NOW).roles}
    closed = {
        "attached": role("web", MAIL, attached=(GUARD,)),
        "inline": role("web", MAIL, inline=(inline,)),
    }[how]
    choice = choose(account(closed), (closed,), reports, PlanRequest())
    assert not choice.changing
    assert [one.why.code for one in choice.left] == ["already"]
    assert "exposed all the same" in choice.left[0].why.text


def test_only_what_is_asked_for() -> None:
    """Globs, a report's roles and exceptions each narrow the plan; safe roles are told of only
    where they are asked for.
    """
    roles = (role("web", MAIL), role("api", MAIL), role("safe", TO_SIMULATOR))
    assert changed(plan_of(*roles)) == ["api", "web"]
    assert not plan_of(*roles).left
    assert changed(plan_of(*roles, role_globs=("w*", "safe"))) == ["web"]
    assert list(left_of(plan_of(*roles, role_globs=("w*", "safe")))) == ["safe"]
    assert changed(plan_of(*roles, arns=(arn_of("api"),))) == ["api"]
    assert changed(plan_of(*roles, arns=())) == []
    assert changed(plan_of(*roles, arns=(arn_of("api"), arn_of("web")), role_globs=("web",))) == [
        "web"
    ]
    assert changed(plan_of(*roles, except_globs=("ap*",))) == ["web"]
    assert [one.why.text for one in plan_of(*roles, role_globs=("x*",)).left] == [
        "it matches no role of the account."
    ]


def test_all_changes_count_together() -> None:
    """A role is closed by the change of another that it may become: both are in the plan, and one
    that is exposed through it alone is told that.
    """
    mailer = role("mailer", MAIL, let_in=trust(arn_of("web"), arn_of("idle")))
    way_in = allow("sts:AssumeRole", on=mailer.arn)
    found = plan_of(mailer, role("web", MAIL, way_in), role("idle", way_in))
    assert changed(found) == ["mailer", "web"]
    assert all(one.after.verdict == "simulator_only" for one in found.changes)
    why = left_of(found)["idle"].why
    assert why.code == "assumable-sender"
    assert "the change of mailer is in this plan; with it this role is no send." in why.text
    narrow = plan_of(mailer, role("idle", way_in), role_globs=("idle",))
    assert left_of(narrow)["idle"].why.text.endswith("change mailer instead.")


def test_inline_where_the_quota_is_full() -> None:
    """Where ten policies are attached, and only if that is allowed, the same text is put inline."""
    full = role("web", MAIL, attached=FULL)
    (change,) = plan_of(full, inline_allowed=True).changes
    assert (change.way, change.after.verdict) == ("inline", "simulator_only")
    assert [one.code for one in change.warnings] == ["inline"]
    assert changed(plan_of(full, attached_quota=11)) == ["web"]


@pytest.mark.parametrize(
    ("inline", "piece"),
    [
        (PolicyText("long", None, "inline", document(allow("s3:" + "x" * 9_500))), "don't fit"),
        (PolicyText("odd", None, "inline", document(NOTHING), "AccessDenied"), "isn't read"),
        (PolicyText(MANAGED["guard"], None, "inline", document(NOTHING)), "something else"),
    ],
    ids=["no room", "unread", "the name is taken"],
)
def test_no_room_inline_either(inline: PolicyText, piece: str) -> None:
    """Nothing is put where it doesn't fit, where nobody knows, or over a policy of another text.

    10,240 characters, white space not counted:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    found = plan_of(role("web", MAIL, attached=FULL, inline=(inline,)), inline_allowed=True)
    assert left_of(found)["web"].why.code == "quota"
    assert piece in left_of(found)["web"].why.text


def test_white_space_is_not_counted() -> None:
    """An inline policy that is long by its white space alone leaves room."""
    text = json.dumps(document(NOTHING), indent=4_000)
    spaced = PolicyText("spaced", None, "inline", text)
    found = plan_of(role("web", MAIL, attached=FULL, inline=(spaced,)), inline_allowed=True)
    assert [one.way for one in found.changes] == ["inline"]


@pytest.mark.parametrize("existing", [None, GUARD])
@pytest.mark.parametrize("create", [True, False])
def test_the_policy_is_made_where_it_is_missing(existing: PolicyText | None, create: bool) -> None:
    """The plan makes the managed policy only if it is asked to and the account hasn't got it."""
    found = plan_of(role("web", MAIL), existing=existing, create_policy=create)
    assert found.create_policy is (create and existing is None)
    assert changed(found) == ["web"]


def test_our_text_in_another_layout_is_ours() -> None:
    """How the account's policy is laid out, or encoded, makes no other policy of it."""
    spaced = replace(GUARD, document=json.dumps(document_of("guard"), indent=3))
    assert changed(plan_of(role("web", MAIL), existing=spaced)) == ["web"]


def test_sender() -> None:
    """The sender opens the simulator and nobody else, for the roles that are named."""
    roles = (role("web", NOTHING), role("api", NOTHING))
    found = plan_of(*roles, policy="sender", role_globs=("web",))
    (change,) = found.changes
    assert (found.policy, found.policy_arn) == ("sender", SENDER_ARN)
    assert (change.before.verdict, change.after.verdict) == ("no_send", "simulator_only")
    for proof in change.proofs:
        assert (proof.allowed_before, proof.allowed_after) == (False, False)
        assert (proof.simulator_before, proof.simulator_after) == (False, True)
    with pytest.raises(InputError, match="name the ones that are to have it"):
        plan_of(*roles, policy="sender")


def test_other_partitions() -> None:
    """In another partition the policy's ARN, and the requests tried, are that partition's."""
    arn = f"arn:aws-us-gov:iam::{ACCOUNT}:role/web"
    given = replace(account(role("web", NOTHING, arn=arn)), partition="aws-us-gov")
    found = plan(given, PlanRequest(policy="sender", role_globs=("web",)), now=NOW)
    assert found.policy_arn == f"arn:aws-us-gov:iam::{ACCOUNT}:policy/auditor/ses-simulator-sender"
    assert found.changes[0].proofs[0].resources[0].startswith("arn:aws-us-gov:ses:us-gov-")
    assert changed(found) == ["web"]


def test_an_incomplete_account_is_said() -> None:
    """A plan for an account of which something could not be read isn't complete."""
    given = account(role("web", MAIL), failures=(Failure("codebuild:ListProjects", "denied"),))
    assert not plan(given, PlanRequest(), now=NOW).complete


def test_bounces_end_too() -> None:
    """The guard denies SendBounce as well, and the proof of it is there."""
    (change,) = plan_of(role("web", MAIL, allow("ses:SendBounce"))).changes
    bounce = next(one for one in change.proofs if one.action == "ses:SendBounce")
    assert (bounce.allowed_before, bounce.allowed_after) == (True, False)
    assert (bounce.simulator_before, bounce.simulator_after) == (None, None)


def test_the_evaluator_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the evaluator of requests contradicts the audit, nothing is planned."""
    always = Judged(allowed=True, allowing=(), denying=())
    monkeypatch.setattr(proofs, "evaluate", lambda *_given, **_how: always)
    found = plan_of(role("web", MAIL))
    assert left_of(found)["web"].why.code == "contradiction"
