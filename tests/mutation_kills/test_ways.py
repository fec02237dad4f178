"""Which way to an answer is found and told, where several lead there or one hides another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.account import PolicyText
from auditor.actions import SEND_ACTIONS
from auditor.engine.layers import Layer, Placed, statements
from auditor.engine.memory import Memory
from auditor.engine.powers import Powers
from auditor.policy.parse import parse
from tests.engine.cases import (
    ACCOUNT,
    OTHER_ACCOUNT,
    Case,
    Json,
    allow,
    deny,
    document,
    identity,
    verdict,
)

if TYPE_CHECKING:
    from auditor.engine.decision import Decision

REGIONAL = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/"
OTHER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/other"
HIDDEN = range(14)
"""Denies of four ways round each: all their combinations are far beyond any budget."""


def keys_of(found: Decision) -> set[str]:
    (exposure,) = found.exposures
    return set(exposure.request.context)


def test_a_boundary_still_counts_after_a_dead_end() -> None:
    """The first Allow leads nowhere; the second must pass the boundary, with what that asks for."""
    first, second = {"aws:SourceVpc": "vpc-1"}, {"aws:SourceVpc": "vpc-2"}
    bound = [
        allow("ses:SendEmail", StringEquals={**second, "ses:FromAddress": f"{name}@example.com"})
        for name in ("jane", "john", "jack")
    ]
    case = identity(
        allow("ses:SendEmail", StringEquals=first),
        allow("ses:SendEmail", StringEquals=second),
        boundary=document(*bound),
    )
    found = case.decide()
    assert found.certainty == "proven"
    (exposure,) = found.exposures
    assert exposure.request.context["ses:FromAddress"] == "jane@example.com"
    assert [one.layer for one in exposure.allows] == ["identity", "permissions-boundary"]


def test_what_has_nothing_to_do_with_a_dead_end_is_not_gone_through_again() -> None:
    """Allows that lead nowhere, for a tie or a last Deny, are left for the one that does.

    Between them and their end stand Denies that have nothing to do with it: trying all ways round
    them would take longer than there is time. Allows that ask for less are tried first.
    """
    hidden = [[f"aws:Hidden{at}{letter}" for letter in "abcd"] for at in HIDDEN]
    without = {key: "true" for keys in hidden for key in keys}
    longer = {f"aws:More{at}": "true" for at in range(len(without) + 5)}
    met = {f"aws:Last{letter}": "x" for letter in "abcde"}
    strange = {"ses:FromAddress": "someone@a.example.com"}
    case = identity(
        allow("ses:SendEmail", REGIONAL + "b.example.net", StringEquals=strange, Null=without),
        allow("ses:SendEmail", StringEquals=met, Null=longer),
        allow("ses:SendEmail", Null={**without, **longer}),
        *(deny(StringEquals=dict.fromkeys(keys, "x")) for keys in hidden),
        deny(StringEquals=met),
    )
    assert verdict(case) == "exposed proven"


def test_a_deny_that_never_applies_asks_nothing_of_a_witness() -> None:
    """A condition without values never holds: the Deny's others needn't be got round."""
    case = identity(
        allow("ses:SendEmail", IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
        deny(
            StringNotEquals={"aws:SourceVpc": "vpc-1"},
            StringEquals={"aws:RequestedRegion": []},
        ),
    )
    assert keys_of(case.decide()) == {"ses:Recipients", "aws:RequestedRegion", "aws:SourceIp"}


def test_an_account_that_one_statement_of_several_names_is_asked_about() -> None:
    """Another account's identity is possible, whatever the role's other statements name."""
    elsewhere = f"arn:aws:ses:*:{OTHER_ACCOUNT}:identity/*"
    named = allow("ses:SendEmail", elsewhere)
    void = allow("ses:SendEmail", "arn:aws:ses:*:*:contact-list/*")
    assert verdict(identity(void)) == "no_send"
    assert verdict(identity(named, void)) == "exposed possible"
    assert verdict(identity(void, named)) == "exposed possible"


def test_one_of_several_named_identities_is_the_witness_s() -> None:
    """Two names in one Allow, or left out of one Deny, are alternatives: there are no others."""
    names = [f"arn:aws:ses:*:*:identity/{name}.example.com" for name in "ab"]
    besides: Json = {"Effect": "Deny", "Action": "ses:*", "NotResource": names}
    for case in (identity(allow("ses:SendEmail", names)), identity(allow(), besides)):
        found = case.decide()
        assert found.certainty == "proven"
        exposure = found.exposures[0]
        assert exposure.action.name == "ses:SendEmail"
        assert exposure.request.resources[0].rpartition("/")[2] in {
            "a.example.com",
            "b.example.com",
        }
    only_b: Json = {"Effect": "Deny", "Action": "ses:*", "NotResource": names[1]}
    assert verdict(identity(allow("ses:SendEmail", names[0]), only_b)) == "no_send"


def test_a_call_is_told_by_the_allow_that_asks_for_nothing() -> None:
    """Whatever conditional Allow stands before it: the call needs no condition to be met."""
    both: list[Json] = [
        allow("iam:PassRole", IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
        allow("iam:PassRole"),
    ]
    placed = Placed(PolicyText("own", None, "inline", None), parse(document(*both), every=True))
    found = Powers(Case(()).caller, (Layer("identity", (placed,)),)).call(
        "iam:PassRole", OTHER_ROLE
    )
    assert found is not None
    assert found.plain
    assert [one.statement.index for one in found.allows] == [1]


def test_patterns_that_differ_in_case_cover_nothing_of_each_other() -> None:
    """A Deny of ``*a*`` leaves an Allow's ``*A*`` open: IAM's ``StringLike`` minds the case."""
    key = "aws:UserAgent"
    case = identity(
        allow("ses:SendEmail", StringLike={key: "*QA*"}),
        deny("ses:SendEmail", StringLike={key: "*qa*"}),
    )
    assert verdict(case) == "exposed proven"


def test_a_role_that_is_equal_to_a_known_one_is_not_decided_again() -> None:
    """The second role's answer is the first one's, the very same request."""
    memory = Memory()
    case = identity(allow("ses:SendEmail"), deny(StringEquals={"aws:SourceVpc": "vpc-1"}))
    first, second = (memory.decide(case.caller, case.layers) for _ in range(2))
    assert first.certainty == second.certainty == "proven"
    assert second.exposures[0].request is first.exposures[0].request


def test_a_layer_s_statements_are_told_apart_by_action_and_effect() -> None:
    """A rule is named after the Denies of the action that is exposed, and of no other."""
    case = identity(
        allow(["ses:SendEmail", "ses:SendBounce"]),
        allow("ses:SendRawEmail"),
        deny(["ses:SendRawEmail", "ses:SendBulkEmail"]),
        deny("ses:SendEmail"),
    )
    (layer,) = case.layers
    told = {
        action.name: [
            [one.statement.index for one in statements(layer, bit, allows=allows)]
            for allows in (True, False)
        ]
        for bit, action in enumerate(SEND_ACTIONS)
    }
    assert told == {
        "ses:SendEmail": [[0], [3]],
        "ses:SendRawEmail": [[1], [2]],
        "ses:SendTemplatedEmail": [[], []],
        "ses:SendBulkTemplatedEmail": [[], []],
        "ses:SendCustomVerificationEmail": [[], []],
        "ses:SendBulkEmail": [[], [2]],
        "ses:SendBounce": [[0], []],
    }
