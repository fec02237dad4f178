"""The policy lets exactly what was refused reach the simulator, and nothing else reach anybody."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.denial.advice import NO_BOUNCE, NO_BULK, Advice, advise, enough
from auditor.denial.arns import principal_of, resource_of
from auditor.denial.command import command_of
from auditor.denial.find import find
from auditor.denial.model import Denial, Why
from auditor.denial.notes import _DENYING, _SILENT, notes_of, reason_of
from auditor.denial.wordings import LAYERS
from tests.corrective.requests import KEYED, REAL, SIMULATED, check, resources, send
from tests.denial.cases import Case, read
from tests.judge.calls import ACCOUNT, SENDS, Subject
from tests.judge.concrete import Reading, Request, allows
from tests.judge.verdicts import verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/codebuild-web-service-role/AWSCodeBuild-1"
SES = f"arn:aws:ses:eu-west-1:{ACCOUNT}:"
REFUSED = [case for case in read() if case.finds]
KINDS = {"identity/example.com": "identity", "configuration-set/ci": "configuration-set",
         "template/welcome": "template", "identity/ci@example.com": "identity"}  # fmt: skip


def denial(
    action: str = "ses:SendEmail",
    resource: str | None = f"{SES}identity/example.com",
    *,
    who: str | None = ROLE,
    operation: str = "",
    version: str = "",
    why: Why | None = None,
) -> Denial:
    return Denial(
        (1,), 1, "", operation, "", version,
        None if who is None else principal_of(who), action,
        None if resource is None else resource_of(resource), why or Why(),
    )  # fmt: skip


def one(*denials: Denial) -> Advice:
    (advice,) = advise(denials)
    return advice


def statement(advice: Advice) -> dict[str, Any]:
    assert advice.policy is not None
    statements = advice.policy["Statement"]
    assert isinstance(statements, list)
    (found,) = statements
    assert isinstance(found, dict)
    return found


def subject(advice: Advice) -> Subject:
    assert advice.policy is not None
    return Subject((advice.policy,))


calls = st.tuples(
    st.sampled_from(KEYED), st.sampled_from(list(KINDS)), st.sampled_from(("1", "2", ""))
)


@given(st.lists(calls, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_judged_by_others(asked: list[tuple[str, str, str]]) -> None:
    """By evaluators that share no code with ours: what was refused gets through to each address of
    the simulator; no send reaches anybody else, in any list of recipients.
    """
    denials = [
        denial(action, f"{SES}{resource}", version=version)
        for action, resource, version in asked
        if KINDS[resource] in (*SENDS[action].required, *SENDS[action].optional)
    ]
    if not denials:
        return
    advice = one(*denials)
    role = subject(advice)
    assert verdict(role).verdict == "simulator_only"
    for refused in denials:
        assert refused.resource is not None
        for address in SIMULATED:
            context: Mapping[str, Any] = {"ses:recipients": (address,)}
            request = Request(refused.action, refused.resource.text, context)
            assert allows(role.policies, None, request, Reading.LEAST)
    places = resources()
    named = set(statement(advice)["Action"])
    for action in SENDS:
        for recipients in ((REAL[0],), (SIMULATED[0], REAL[1]), None):
            assert not send(role, action, recipients, Reading.MOST, places)
        if action not in named:
            assert not send(role, action, (SIMULATED[0],), Reading.MOST, places)
    for arn in places.values():
        assert not check(role, "ses:SendBounce", arn, Reading.MOST)


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_of_every_case(case: Case) -> None:
    """Of every case on record comes a policy for the simulator alone that admits what was refused,
    or a reason why there is none.
    """
    for advice in advise(find(case.text).denials):
        assert advice.policy is not None or advice.refusals
        if advice.policy is None:
            continue
        partition = advice.scope.partition if advice.scope else "aws"
        role = Subject((advice.policy,), arn=f"arn:{partition}:iam::{ACCOUNT}:role/case")
        assert verdict(role).verdict == "simulator_only"
        for refused in advice.denials:
            if refused.resource is None or not refused.resource.kind:
                continue
            for to, passes in ((SIMULATED[0], True), (REAL[0], False)):
                context: Mapping[str, Any] = {"ses:recipients": (to,)}
                request = Request(refused.action, refused.resource.text, context)
                if refused.action in SENDS and refused.action != "ses:SendBulkEmail":
                    assert allows(role.policies, None, request, Reading.LEAST) is passes


def test_no_wider_than_what_was_refused() -> None:
    """Another identity, region or account than the refused one stays out, and so do templates."""
    advice = one(denial())
    assert statement(advice)["Resource"] == [
        f"{SES}identity/example.com",
        f"{SES}configuration-set/*",
    ]
    role = subject(advice)
    to = (SIMULATED[0],)
    assert send(
        role, "ses:SendEmail", to, Reading.LEAST, {"identity": f"{SES}identity/example.com"}
    )
    for other in (
        f"{SES}identity/example.org",
        f"arn:aws:ses:eu-west-2:{ACCOUNT}:identity/example.com",
        "arn:aws:ses:eu-west-1:210987654321:identity/example.com",
        f"{SES}template/welcome",
    ):
        context: Mapping[str, Any] = {"ses:recipients": to}
        assert not allows(
            role.policies, None, Request("ses:SendEmail", other, context), Reading.MOST
        )


BOTH = ["ses:SendEmail", "ses:SendRawEmail"]


@pytest.mark.parametrize(
    ("refused", "actions"),
    [
        (denial("ses:SendEmail", version="2", operation="SendEmail"), BOTH),
        (denial("ses:SendRawEmail", version="2", operation="SendEmail"), BOTH),
        (denial("ses:SendRawEmail"), BOTH),
        (denial("ses:SendEmail", version="1", operation="SendEmail"), ["ses:SendEmail"]),
        (denial("ses:SendRawEmail", version="smtp"), ["ses:SendRawEmail"]),
        (denial("ses:SendTemplatedEmail", version="1"), ["ses:SendTemplatedEmail"]),
        (
            denial("ses:SendTemplatedEmail", version="2", operation="SendEmail"),
            [*BOTH, "ses:SendTemplatedEmail"],
        ),
        (denial("ses:SendBulkTemplatedEmail", operation="SendBulkEmail", version="2"),
         ["ses:SendBulkTemplatedEmail"]),
        (denial("", None, operation="SendEmail", version="1"), ["ses:SendEmail"]),
    ],
)  # fmt: skip
def test_actions_that_go_together(refused: Denial, actions: list[str]) -> None:
    """API v2's SendEmail needs both actions, by how the content is given; API v1's and SMTP's one.

    https://anymail.dev/en/stable/esps/amazon_ses/#iam-permissions
    """
    assert statement(one(refused))["Action"] == actions


def test_what_no_condition_can_limit_gets_no_policy() -> None:
    """SendBulkEmail and SendBounce carry no recipients: a reason, and never a policy."""
    for action, why in (("ses:SendBulkEmail", NO_BULK), ("ses:SendBounce", NO_BOUNCE)):
        assert one(denial(action)).policy is None
        assert one(denial(action)).refusals == (why,)
    bare = one(denial("", None, operation="SendBulkEmail", version="2"))
    assert (bare.policy, bare.refusals) == (None, (NO_BULK,))
    mixed = one(denial("ses:SendBulkEmail"), denial("ses:SendEmail", version="1"))
    assert statement(mixed)["Action"] == ["ses:SendEmail"]
    assert mixed.refusals == (NO_BULK,)
    note, *_ = notes_of(denial("ses:SendBulkTemplatedEmail", operation="SendBulkEmail"))
    assert "ses:SendBulkEmail, which no policy can limit" in note


@pytest.mark.parametrize(
    "arn",
    [
        "*",
        f"{SES}identity/*",
        f"{SES}identity/*.example.com",
        f"{SES}identity/${{aws:username}}@example.com",
        f"{SES}identity/a?b@example.com",
        f"{SES}identity/example",
        f"{SES}configuration-set/ci/../x",
        f"{SES}configuration-set/*",
        f"{SES}contact-list/all",
        "arn:aws:ses:*:123456789012:identity/example.com",
        "arn:aws:ses:eu-west-1:1234:identity/example.com",
        f"arn:aws:ses:eu-west-1:{chr(0x661) * 12}:identity/example.com",
        "arn:aws-us:ses:eu-west-1:123456789012:identity/example.com",
        f'{SES}identity/example.com"}}',
        f"{SES}identity/example.com\n",
        f"arn:aws-cn:ses:cn-north-1:{ACCOUNT}:identity/example.com",
        "arn:aws:s3:::bucket",
    ],
)
def test_what_isnt_a_strict_name_gets_into_no_policy(arn: str) -> None:
    """A wildcard, a variable, another partition or type, or a broken ARN: told, and left out."""
    advice = one(denial(resource=arn))
    assert advice.policy is None
    assert advice.refusals
    beside = one(denial(resource=arn), denial())
    assert statement(beside)["Resource"] == statement(one(denial()))["Resource"]


def test_each_caller_has_advice_of_its_own() -> None:
    """Roles aren't given what another was refused; sessions of a role are one caller."""
    other = ROLE.replace("web", "api")
    advices = advise([
        denial(), denial(who=other, resource=f"{SES}identity/example.org"),
        denial(who=f"{ROLE}2", resource=f"{SES}configuration-set/ci"),
        denial(who=None), denial(who="somebody"),
    ])  # fmt: skip
    assert [a.principal.text if a.principal else None for a in advices] == [
        ROLE, other, None, "somebody",
    ]  # fmt: skip
    assert statement(advices[0])["Resource"] == [
        f"{SES}identity/example.com",
        f"{SES}configuration-set/ci",
    ]
    assert statement(advices[1])["Resource"][0] == f"{SES}identity/example.org"
    assert statement(advices[2])["Resource"][0] == f"{SES}identity/example.com"


def test_without_a_resource() -> None:
    """Where the message names none, the policy is for the caller's account."""
    advice = one(denial(resource=None, version="1"))
    assert statement(advice)["Resource"] == [
        f"arn:aws:ses:*:{ACCOUNT}:identity/*",
        f"arn:aws:ses:*:{ACCOUNT}:configuration-set/*",
    ]


def test_too_many_resources_for_a_policy() -> None:
    """What wouldn't fit IAM's limit of characters is refused by name, not cut."""
    many = [denial(resource=f"{SES}identity/host-{n}.long-enough.example.com") for n in range(200)]
    advice = one(*many)
    assert advice.policy is None
    assert "6,144" in advice.refusals[0]


def test_the_command_is_one_line_that_a_shell_reads_as_meant() -> None:
    """The command puts this policy on this role, or this user; nothing else is there to run."""
    advice = one(denial(resource=f"{SES}identity/o'neil@example.com"))
    words = shlex.split(command_of(advice))
    assert words[:4] == ["aws", "iam", "put-role-policy", "--role-name=codebuild-web-service-role"]
    assert json.loads(words[-1].partition("=")[2]) == advice.policy
    assert command_of(advice).count("\n") == 1
    user = one(denial(who=f"arn:aws:iam::{ACCOUNT}:user/ci/mailer"))
    assert shlex.split(command_of(user))[2:4] == ["put-user-policy", "--user-name=mailer"]
    for nobody in (None, "somebody", f"arn:aws:sts::{ACCOUNT}:assumed-role/a;rm -rf x/s"):
        assert command_of(one(denial(who=nobody))) == ""


@pytest.mark.parametrize("layer", LAYERS)
def test_every_reason_is_told(layer: Any) -> None:
    """Each layer has its words, without and with a Deny; an Allow of the role's own is said to be
    enough only where that layer is the silent one.
    """
    assert set(_SILENT) == set(_DENYING) == set(LAYERS)
    silent = denial(why=Why("implicit", layer))
    denied = denial(why=Why("explicit", layer))
    assert reason_of(silent) != reason_of(denied)
    assert enough(silent) is (layer == "identity-based policy")
    assert not enough(denied)
    assert enough(denial())


def test_odd_things_are_noted() -> None:
    """A recipient's identity, another account's, a user, a session that is no build's: told."""
    address = " ".join(notes_of(denial(resource=f"{SES}identity/someone@example.com")))
    assert "recipient" in address
    other = " ".join(
        notes_of(denial(resource=SES.replace(ACCOUNT, "210987654321") + "identity/example.com"))
    )
    assert "account 210987654321" in other
    user = " ".join(notes_of(denial(who=f"arn:aws:iam::{ACCOUNT}:user/mailer")))
    assert "IAM user mailer" in user
    assert "isn't one of CodeBuild's" not in " ".join(notes_of(denial(who=ROLE)))
    session = denial(who=ROLE.replace("AWSCodeBuild-1", "tests"))
    assert "isn't one of CodeBuild's" in " ".join(notes_of(session))
    assert principal_of(ROLE).build == "1"
    raw = " ".join(notes_of(denial("ses:SendRawEmail", version="2")))
    assert "the call was SendEmail" in raw


def test_a_deny_without_its_policy() -> None:
    """AWS may say no more than "with an explicit deny": then no Allow is said to be enough."""
    (found,) = find(
        f"User: {ROLE} is not authorized to perform: ses:SendEmail on resource:"
        f" {SES}identity/example.com with an explicit deny"
    ).denials
    assert found.why == Why("explicit")
    assert not enough(found)
    assert "A Deny stands in the way" in reason_of(found)


def test_an_account_that_is_blanked_out() -> None:
    """The policy is for any account's such resource; the role is still known by its name."""
    for mask in ("***", "XXXX", "000000000000", "1234XXXXXXXX"):
        who = ROLE.replace(ACCOUNT, mask)
        advice = one(denial(who=who, resource=SES.replace(ACCOUNT, mask) + "identity/example.com"))
        assert statement(advice)["Resource"] == [
            "arn:aws:ses:eu-west-1:*:identity/example.com",
            "arn:aws:ses:eu-west-1:*:configuration-set/*",
        ]
        assert "--role-name=codebuild-web-service-role" in command_of(advice)


def test_an_address_may_be_the_recipients() -> None:
    """Then the sender's identity isn't known, so any is in the policy; the simulator's alone."""
    advice = one(denial(resource=f"{SES}identity/someone@example.org"))
    assert f"{SES}identity/*" in statement(advice)["Resource"]
    assert verdict(subject(advice)).verdict == "simulator_only"
