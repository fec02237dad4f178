"""Roles whose answer lies behind a dead end, or hangs on one value among several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.account import PolicyText
from auditor.actions import SEND_ACTIONS
from auditor.engine.conditions import Setting
from auditor.engine.decide import decide
from auditor.engine.evaluate import evaluate
from auditor.engine.layers import IdentityPolicies, Placed
from auditor.engine.request import Request, Value
from auditor.engine.resources import holds
from auditor.engine.witness import ties
from auditor.policy.parse import parse
from tests.engine.cases import ACCOUNT, SIMULATOR, Case, allow, deny, document, identity, verdict

if TYPE_CHECKING:
    from auditor.engine.decision import Decision
    from tests.engine.cases import Json

REGIONAL = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/"


def context_of(found: Decision) -> list[dict[str, object]]:
    return [dict(exposure.request.context) for exposure in found.exposures]


def _but_one(*names: str) -> Case:
    """Allows of these identities for one sender, and a Deny of all but ``c.example.com``."""
    sender = {"ses:FromAddress": "sender@c.example.com"}
    allows = [allow("ses:SendEmail", REGIONAL + name, StringEquals=sender) for name in names]
    refused: Json = {
        "Effect": "Deny",
        "Action": "ses:*",
        "NotResource": REGIONAL + "c.example.com",
        "Condition": {"StringEquals": {**sender, "aws:RequestedRegion": "eu-west-1"}},
    }
    return identity(*allows, refused)


def test_a_branch_that_reduces_to_nothing_ends_nothing_else() -> None:
    """Two Allows lead nowhere; the third is found all the same, and so is a wildcard."""
    assert verdict(_but_one("a.example.com", "b.example.com")) == "no_send"
    for last in ("c.example.com", "*"):
        found = _but_one("a.example.com", "b.example.com", last).decide()
        assert found.certainty == "proven"
        (exposure,) = found.exposures
        assert exposure.request.resources == (REGIONAL + "c.example.com",)


def test_a_full_answer_that_a_tie_refuses_ends_nothing() -> None:
    """A sender that isn't of its identity is refused; the next Allow is asked all the same."""
    untied = allow(
        "ses:SendEmail",
        REGIONAL + "b.example.net",
        StringLike={"ses:FromAddress": "*@a.example.com"},
    )
    tied = allow(
        "ses:SendEmail",
        REGIONAL + "c.example.com",
        StringLike={"ses:FromAddress": "*@c.example.com"},
    )
    assert verdict(identity(untied)) == "exposed possible"
    found = identity(untied, tied).decide()
    assert found.certainty == "proven"
    assert str(context_of(found)[0]["ses:FromAddress"]).endswith("@c.example.com")


def test_two_denies_that_each_want_a_stranger_are_content_with_two_recipients() -> None:
    """``ForAllValues`` in a Deny fails by one member outside; each Deny may have its own."""
    own = ["*@a.example.com", "*@b.example.com"]
    case = identity(
        allow(ForAllValues__StringLike={"ses:Recipients": own}),
        *(deny(ForAllValues__StringLike={"ses:Recipients": one}) for one in own),
    )
    found = case.decide()
    assert found.certainty == "proven"
    for exposure in found.exposures:
        if exposure.action.carries_recipients:
            members = exposure.request.context["ses:Recipients"]
            assert {member.partition("@")[2] for member in members} == {
                "a.example.com",
                "b.example.com",
            }


def test_a_key_that_may_be_absent_for_one_condition_must_be_there_for_another() -> None:
    """``…IfExists`` leaves a key out; the same comparison without it puts it back."""
    key = {"aws:SourceVpc": "vpc-1"}
    case = identity(allow("ses:SendEmail", StringEqualsIfExists=key, StringEquals=key))
    found = case.decide()
    assert found.certainty == "proven"
    assert [context["aws:SourceVpc"] for context in context_of(found)] == ["vpc-1"]


def test_what_only_the_simulator_question_meets_is_not_safe() -> None:
    """No real address gets through; whether the simulator does can't be told: undetermined."""
    name = "ses:FromDisplayName"
    case = identity(
        allow(
            "ses:SendEmail",
            ForAllValues__StringLike={"ses:Recipients": SIMULATOR},
            StringLike={name: "a*"},
            NumericEquals={name: "1"},
        )
    )
    found = case.decide()
    assert found.verdict == "undetermined"
    assert found.reason is not None


def test_a_key_compared_as_text_and_as_a_number() -> None:
    """Given texts are tried one by one; a pattern against a number is undetermined by name."""
    name = "ses:FromDisplayName"

    def both(text: str, operator: str) -> str:
        numbers = {"NumericLessThan": {name: "5"}, operator: {name: text}}
        return verdict(identity(allow("ses:SendEmail", **numbers)))

    assert both("abc", "StringEquals") == "no_send"
    assert both("4", "StringEquals") == "exposed proven"
    assert both("a*", "StringLike") == "undetermined"


def test_a_key_compared_as_a_number_and_as_a_date_is_never_safe_by_guessing() -> None:
    """The epoch second of a date is a number too: not finding a value is no proof here."""
    key = "aws:TokenIssueTime"
    both = allow(
        "ses:SendEmail",
        NumericGreaterThan={key: "5"},
        DateEquals={key: "2026-01-01T00:00:00Z"},
    )
    assert verdict(identity(both)) in {"exposed proven", "undetermined"}


def test_a_text_in_any_case_is_not_the_one_text_that_is_tried() -> None:
    """A date spelled in lower case is none; one of its other spellings is: never "safe"."""
    key = "aws:TokenIssueTime"
    early = allow(
        "ses:SendEmail",
        StringEqualsIgnoreCase={key: "2026-01-01T00:00:01.0Z"},
        DateLessThan={key: "2028-01-01T00:00:00Z"},
    )
    assert verdict(identity(early)) in {"exposed proven", "undetermined"}


def test_a_boolean_key_has_two_values_however_it_is_compared() -> None:
    """``aws:SecureTransport`` is true or false: a pattern that neither matches is decided."""
    key = "aws:SecureTransport"
    neither = allow("ses:SendEmail", Bool={key: "true"}, StringLike={key: "maybe*"})
    assert verdict(identity(neither)) == "no_send"
    one = allow("ses:SendEmail", Bool={key: "true"}, StringLike={key: "t*"})
    assert verdict(identity(one)) == "exposed proven"


def test_a_date_in_the_hours_after_1970_is_spelled_as_a_date() -> None:
    """Four digits are a year or an epoch second: a value that is tried must not be either."""
    early = allow("ses:SendEmail", DateEquals={"aws:TokenIssueTime": "1970-01-01T01:00:00Z"})
    found = identity(early).decide()
    assert found.certainty == "proven"
    assert [context["aws:TokenIssueTime"] for context in context_of(found)] == [
        "1970-01-01T01:00:00Z"
    ]


def test_a_clock_compared_as_text_is_met_where_the_pattern_s_beginning_is_a_date() -> None:
    """``2027-*`` is met by a second of 2027; ``2025-*`` has gone by."""
    later = allow("ses:SendEmail", StringLike={"aws:CurrentTime": "2027-*"})
    found = identity(later).decide()
    assert found.certainty == "proven"
    assert str(context_of(found)[0]["aws:CurrentTime"]).startswith("2027-")


def test_only_what_cannot_be_told_stands_for_any_text() -> None:
    """A resource with a variable of the caller's choice keeps the rest of its text, both ways."""
    text = f"{REGIONAL}${{aws:PrincipalAccount}}-${{aws:SourceVpc}}.example.*"
    case = identity(allow("ses:SendEmail", text))
    found = case.decide()
    assert (found.verdict, found.certainty) == ("exposed", "possible")
    name = found.exposures[0].request.resources[0].partition("identity/")[2]
    assert name.startswith(f"{ACCOUNT}-")
    assert "--" not in name
    assert ".example." in name
    asked: dict[str, Value] = {
        "ses:Recipients": ("someone@example.com",),
        "aws:RequestedRegion": "eu-west-1",
    }
    for other, expected in (
        (f"{ACCOUNT}-x.example.com", True),
        (f"{ACCOUNT}-x.example.org", True),
        (f"{ACCOUNT}-x.example-org", False),
        ("111122223333-x.example.com", False),
        (f"{ACCOUNT}-xexample.com", False),
    ):
        request = Request("ses:SendEmail", (REGIONAL + other,), asked)
        judged = evaluate(request, case.caller, case.layers, least=False)
        assert judged.allowed == expected, other
        assert not evaluate(request, case.caller, case.layers, least=True).allowed


def test_text_after_a_variable_is_text() -> None:
    """Braces that belong to no variable, closed or left open, are what they look like."""
    setting = Setting(identity(allow()).caller, SEND_ACTIONS[0], least=False)

    def covers(text: str, name: str) -> bool:
        (statement,) = parse(document(allow(resource=REGIONAL + text))).statements
        return holds(statement, REGIONAL + name, setting)

    for text, name, expected in (
        ("a${aws:SourceVpc}b}", "a-vpc-b}", True),
        ("a${aws:SourceVpc}b}", "a-vpc-b", False),
        ("a${aws:SourceVpc}b}", "a-vpc-}", False),
        ("a${aws:SourceVpc}b}", "vpc-b}", False),
        ("${aws:SourceVpc}${aws:SourceVpce}-c", "vpc-vpce-c", True),
        ("${aws:SourceVpc}${x", "vpc${x", True),
        ("${aws:SourceVpc}${x", "vpc", False),
        ("${aws:SourceVpc}${x", "vpcx", False),
    ):
        assert covers(text, name) == expected, (text, name)


def test_the_search_for_a_tied_pair_is_paid_for() -> None:
    """A sender and an identity that belong together cost steps, like every other answer."""
    case = identity(
        allow("ses:SendEmail", REGIONAL + "*z?*.com", StringLike={"ses:FromAddress": "*@*z7.com"})
    )
    (exposure,) = case.decide().exposures
    found = ties(exposure.state, exposure.question)
    assert exposure.certainty == "proven"
    assert found is not None
    assert decide(case.caller, case.layers, (), found.cost).certainty != "proven"
    assert decide(case.caller, case.layers, (), 10 * found.cost).certainty == "proven"


def test_a_grant_to_everyone_may_reach_past_a_boundary() -> None:
    """AWS doesn't say whether it does: possible. With ``aws:PrincipalArn`` it names the role."""
    arn = REGIONAL + "example.com"

    def granted(**condition: object) -> str:
        opened = {**allow("ses:SendEmail", arn, **condition), "Principal": "*"}
        placed = Placed(
            PolicyText("open", None, "identity-policy", None),
            parse(document(opened), attached=True),
        )
        policies = (IdentityPolicies(arn, "eu-west-1", "identity/example.com", (placed,)),)
        case = Case((), boundary=document(allow("s3:*")))
        found = decide(case.caller, case.layers, policies)
        return f"{found.verdict} {found.certainty}"

    assert granted() == "exposed possible"
    assert granted(StringLike={"aws:PrincipalArn": "*"}) == "no_send None"
