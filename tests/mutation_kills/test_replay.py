"""The evaluator of one request, and what is no part of a request."""

from __future__ import annotations

import pytest

from auditor.account import PolicyText
from auditor.engine.evaluate import evaluate
from auditor.engine.layers import Layer, Placed
from auditor.engine.powers import Powers
from auditor.engine.request import Request, Value
from auditor.policy.parse import parse
from tests.engine.cases import ACCOUNT, Case, Json, allow, deny, document, identity, verdict
from tests.mutation_kills.test_grants import (
    ARN,
    OTHER_ROLE,
    ROLE,
    SESSION,
    TEMPLATES,
    decided,
    of_identity,
)


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ({"AWS": ROLE}, True),
        ({"AWS": SESSION}, False),
        ({"AWS": ACCOUNT}, False),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, False),
        ({"AWS": OTHER_ROLE}, False),
        ({"Service": "ses.amazonaws.com"}, False),
    ],
)
def test_an_identity_s_policy_grants_by_itself_to_whom_it_names(
    principal: object, expected: bool
) -> None:
    """An account that is named leaves it to the role's own policies, and there are none.

    The request says nothing of its session, so one session's grant isn't its own.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html
    """
    case = Case(())
    opened = of_identity(principal, allow("ses:SendEmail"))
    request = Request(
        "ses:SendEmail",
        (ARN,),
        {"ses:Recipients": ("someone@example.com",), "aws:RequestedRegion": "eu-west-1"},
    )
    for least in (True, False):
        judged = evaluate(request, case.caller, case.layers, [opened], least=least)
        assert judged.allowed == expected


@pytest.mark.parametrize(
    ("value", "there", "expected"),
    [
        ("true", False, True),
        ("true", True, False),
        ("false", False, False),
        ("false", True, True),
        ("TRUE", False, True),
        ("FALSE", False, False),
    ],
)
@pytest.mark.parametrize("least", [True, False])
def test_presence_is_judged_alike_under_both_readings(
    value: str, there: bool, expected: bool, least: bool
) -> None:
    """``Null`` with "true" or "false" leaves nothing to a reading, in an Allow and in a Deny.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Null
    """
    context: dict[str, Value] = {
        "ses:Recipients": ("someone@example.com",),
        "aws:RequestedRegion": "eu-west-1",
    }
    if there:
        context["aws:SourceVpc"] = "vpc-1"
    request = Request("ses:SendEmail", (ARN,), context)
    asked = {"Null": {"aws:SourceVpc": value}}
    for case, outcome in (
        (identity(allow(**asked)), expected),
        (identity(allow(), deny(**asked)), not expected),
    ):
        assert evaluate(request, case.caller, case.layers, least=least).allowed == outcome


def test_an_identity_s_policy_on_an_action_it_does_not_cover_changes_nothing() -> None:
    """Sending authorization doesn't cover SendBulkEmail: what such a statement asks is no matter.

    https://docs.aws.amazon.com/ses/latest/dg/sending-authorization.html
    """
    case = identity(allow("ses:SendBulkEmail", TEMPLATES))
    asks = allow("ses:SendBulkEmail", StringEquals={"aws:PrincipalAccount": ACCOUNT})
    (alone,) = decided(case).exposures
    (beside,) = decided(case, of_identity({"AWS": ROLE}, asks)).exposures
    assert beside.request == alone.request
    assert "aws:PrincipalAccount" not in beside.request.context


def assumed(**condition: object) -> str | None:
    """Return how sure it is that a role may assume another that trusts it so."""
    case = Case(())
    own = document(allow("sts:AssumeRole"))
    said: Json = {**allow("sts:AssumeRole", **condition), "Principal": {"AWS": ROLE}}
    del said["Resource"]
    trusting = PolicyText("trust", None, "trust", None)
    trust = Placed(trusting, parse(document(said), every=True, attached=True))
    source = PolicyText("own", None, "inline", own)
    mine = Layer("identity", (Placed(source, parse(own, every=True)),))
    call = Powers(case.caller, (mine,)).assume(OTHER_ROLE, Layer("trust", (trust,)), ())
    return None if call is None else call.certainty


@pytest.mark.parametrize(
    "asked",
    [
        {"ForAnyValue__StringEquals": {"aws:TagKeys": "team"}},
        {"StringEquals": {"aws:RequestTag/team": "mail"}},
        {"StringEquals": {"sts:SourceIdentity": "jane"}},
        {"ForAnyValue__StringEquals": {"sts:TransitiveTagKeys": "team"}},
    ],
)
def test_what_a_call_may_carry_with_a_further_permission_makes_it_possible(
    asked: dict[str, object],
) -> None:
    """Session tags and a source identity need a permission that isn't looked at.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    """
    assert assumed() == "proven"
    assert assumed(**asked) == "possible"


OUT_OF = [
    "::/0", "1.0.0.0/8", "2.0.0.0/7", "4.0.0.0/6", "8.0.0.0/5", "16.0.0.0/4", "32.0.0.0/3",
    "64.0.0.0/2", "128.0.0.0/1",
]  # fmt: skip
"""Every address but those of 0.0.0.0/8."""


def test_addresses_below_the_lowest_block_are_left() -> None:
    """What several blocks leave may lie before the first of them, where no block begins or ends."""
    present = {"Null": {"aws:SourceIp": "false"}}
    key = "aws:SourceIp"
    assert verdict(identity(allow(NotIpAddress={key: OUT_OF}, **present))) == "exposed proven"
    closed = [*OUT_OF, "0.0.0.0/8"]
    assert verdict(identity(allow(NotIpAddress={key: closed}, **present))) == "no_send"


def test_a_date_is_found_beside_one_that_is_excluded_as_text() -> None:
    """The second after a threshold is refused by its text; the one after that isn't."""
    key = "aws:TokenIssueTime"
    late = allow(
        "ses:SendEmail",
        DateGreaterThan={key: "2026-01-01T00:00:00Z"},
        StringNotEquals={key: "2026-01-01T00:00:01Z"},
    )
    assert verdict(identity(late)) == "exposed proven"


def test_the_empty_text_is_a_value_too() -> None:
    """A sender may have an empty display name: it is no number, and has no first character."""
    key = "ses:FromDisplayName"
    case = identity(
        allow(
            "ses:SendEmail",
            StringNotLike={key: "?*"},
            NumericNotEquals={key: "5"},
            Null={key: "false"},
        )
    )
    (exposure,) = case.decide().exposures
    assert (exposure.certainty, exposure.request.context[key]) == ("proven", "")


def test_a_default_serves_only_where_the_key_is_known_to_be_absent() -> None:
    """A display name is the caller's choice: what ``${ses:FromDisplayName}`` is isn't known.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """

    def told(key: str) -> str:
        return verdict(identity(allow(StringEquals={"aws:UserAgent": f"${{{key}, 'night'}}"})))

    assert told("ses:FromDisplayName") == "exposed possible"
    assert told("aws:UserAgent") == "exposed possible"
    assert told("aws:username") == "exposed proven"
    assert told("ses:NoSuchKey") == "exposed proven"
