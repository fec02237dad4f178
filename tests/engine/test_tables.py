"""Tables of single facts: the clock, the ties, the two readings, the session, resource types."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.engine.evaluate import evaluate
from auditor.engine.request import Request
from tests.engine.cases import (
    ACCOUNT,
    OTHER_ACCOUNT,
    SIMULATOR,
    Case,
    Json,
    allow,
    deny,
    document,
    identity,
    verdict,
)

SEND = "ses:SendEmail"
TO = "ses:Recipients"
EMAIL = "arn:aws:ses:*:*:identity/*"


def send(**condition: object) -> Json:
    return allow(SEND, **condition)


def check(expected: str, *statements: Json, **options: Any) -> None:
    assert verdict(identity(*statements, **options)) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"DateGreaterThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"}}, "exposed proven"),
        ({"DateLessThan": {"aws:CurrentTime": "2026-11-23T03:00:00Z"}}, "no_send"),
        ({"DateLessThanEquals": {"aws:CurrentTime": "2026-11-23T03:00:00Z"}}, "exposed proven"),
        ({"DateEquals": {"aws:CurrentTime": "2026-11-23T03:00:00Z"}}, "exposed proven"),
        ({"DateEquals": {"aws:CurrentTime": "2026-11-23T02:59:59Z"}}, "no_send"),
        ({"DateLessThan": {"aws:EpochTime": "1795402800"}}, "no_send"),
        ({"NumericGreaterThan": {"aws:EpochTime": "1795402800"}}, "exposed proven"),
        ({"NumericLessThan": {"aws:EpochTime": "1795402800"}}, "no_send"),
        ({"Null": {"aws:CurrentTime": "true"}}, "no_send"),
        ({"Null": {"aws:EpochTime": "false"}}, "exposed proven"),
        (
            {
                "DateGreaterThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"},
                "DateLessThan": {"aws:EpochTime": "1798761601"},
            },
            "no_send",
        ),  # one clock, in whole seconds: nothing between 1798761600 and 1798761601
        (
            {
                "DateGreaterThan": {"aws:CurrentTime": "2027-01-01T00:00:00Z"},
                "DateLessThan": {"aws:EpochTime": "1798761602"},
            },
            "exposed proven",
        ),
        ({"DateGreaterThan": {"aws:CurrentTime": "9999-12-31T23:59:59Z"}}, "no_send"),
    ],
)
def test_the_clock(condition: dict[str, object], expected: str) -> None:
    """Both time keys show one clock, from now on: what has closed is closed, later opens later."""
    check(expected, send(**condition))


def test_windows_that_close_between_them_are_closed() -> None:
    """Denies that cover all time from now on leave no second to send in."""
    early = deny(DateLessThan={"aws:CurrentTime": "2028-01-01T00:00:00Z"})
    late = deny(DateGreaterThanEquals={"aws:CurrentTime": "2028-01-01T00:00:00Z"})
    check("no_send", send(), early, late)
    check("exposed proven", send(), early)


@pytest.mark.parametrize(
    ("resource", "sender", "expected"),
    [
        ("identity/example.com", "*@example.com", "exposed proven"),
        ("identity/example.com", "*@mail.example.com", "exposed proven"),
        ("identity/jane@example.com", "jane@example.com", "exposed proven"),
        ("identity/jane@example.com", "john@example.com", "exposed possible"),
        ("identity/mail.example.com", "*@example.com", "exposed possible"),
        ("identity/other.net", "*@example.com", "exposed possible"),
        ("identity/*.net", "*@example.*", "exposed proven"),
        ("identity/*.net", "*.com", "exposed possible"),
        ("identity/com", "*@example.com", "exposed possible"),
        ("identity/*", "*@*", "exposed proven"),
    ],
)
def test_sender_and_identity_are_tied(resource: str, sender: str, expected: str) -> None:
    """The identity is the From address, its domain or a parent of it; else "possible" at most.

    https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    """
    arn = f"arn:aws:ses:*:*:{resource}"
    case = identity(allow(SEND, arn, StringLike={"ses:FromAddress": sender}))
    assert verdict(case) == expected
    request = case.decide().exposures[0].request
    if expected == "exposed proven":
        name = request.resources[0].partition("identity/")[2]
        address = request.context["ses:FromAddress"]
        assert isinstance(address, str)
        domain = address.partition("@")[2]
        assert name in (address, domain) or domain.endswith(f".{name}")


def test_a_deny_may_break_the_tie() -> None:
    """Where Denies leave only pairs that don't belong together, the exposure is "possible"."""
    mine = "arn:aws:ses:*:*:identity/example.com"
    check(
        "exposed possible",
        allow(SEND, mine),
        deny(StringLike={"ses:FromAddress": ["*@example.com", "*.example.com"]}),
    )


@pytest.mark.parametrize(
    ("resource", "region", "expected"),
    [
        ("arn:aws:ses:eu-west-1:*:identity/*", "eu-*", "exposed proven"),
        ("arn:aws:ses:eu-west-1:*:identity/*", "us-*", "no_send"),
        ("arn:aws:ses:eu-*:*:identity/*", "*-west-1", "exposed proven"),
        ("arn:aws:ses:cn-*:*:identity/*", "*", "no_send"),
        ("arn:aws-cn:ses:*:*:identity/*", "*", "no_send"),
    ],
)
def test_the_region_of_the_resource_is_the_requests(
    resource: str, region: str, expected: str
) -> None:
    """``aws:RequestedRegion`` and the region in the ARN are one, and of the role's partition."""
    check(expected, allow(SEND, resource, StringLike={"aws:RequestedRegion": region}))


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([send(StringLike={TO: "*@example.com"})], "exposed possible"),
        ([send(StringLike={TO: SIMULATOR})], "exposed possible"),
        ([send(StringEquals={TO: "success@simulator.amazonses.com"})], "exposed possible"),
        ([send(StringNotLike={TO: "*"})], "no_send"),
        ([send(), deny(StringNotLike={TO: SIMULATOR})], "exposed possible"),
        ([send(), deny(StringLike={TO: "*@never.example"})], "exposed proven"),
        ([send(), deny(StringLike={TO: "*"})], "exposed possible"),
        ([send(Null={TO: "true"})], "no_send"),
        ([send(Null={TO: "false"})], "exposed proven"),
        ([send(StringLikeIfExists={TO: SIMULATOR})], "exposed possible"),
        ([allow("ses:SendBulkEmail")], "exposed possible"),
        ([allow("ses:SendBulkEmail", Null={TO: "false"})], "no_send"),
        (
            [allow("ses:SendBulkEmail", ForAllValues__StringLike={TO: SIMULATOR})],
            "exposed possible",
        ),
        ([allow("ses:SendBulkEmail", ForAnyValue__StringLike={TO: "*"})], "no_send"),
        (
            [allow("ses:SendBulkEmail", ForAnyValue__StringLikeIfExists={TO: SIMULATOR})],
            "exposed possible",
        ),
        ([send(StringLike={"aws:UserAgent": "${ses:FromAddress}"})], "exposed possible"),
        ([send(StringNotLike={"aws:PrincipalTag/x": "${aws:UserAgent}"})], "exposed proven"),
        (
            [send(), deny(StringLike={"aws:PrincipalAccount": "${aws:UserAgent}"})],
            "exposed possible",
        ),
        ([send(StringLike={"aws:PrincipalAccount": "${aws:username}"})], "exposed possible"),
        (
            [send(StringLike={"aws:PrincipalAccount": f"${{aws:username, '{ACCOUNT}'}}"})],
            "exposed proven",
        ),
        ([allow(SEND, f"arn:aws:ses:*:{OTHER_ACCOUNT}:identity/*")], "exposed possible"),
        ([send(StringEquals={"aws:ResourceAccount": ACCOUNT})], "exposed proven"),
        ([send(StringEquals={"aws:ResourceAccount": OTHER_ACCOUNT})], "exposed possible"),
        ([send(), deny(StringEquals={"aws:ResourceAccount": ACCOUNT})], "exposed possible"),
    ],
)
def test_the_two_readings(statements: list[Json], expected: str) -> None:
    """Exposed under the reading of least access is proven, under that of most alone possible."""
    check(expected, *statements)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "no_send"),
        ({"Bool": {"aws:MultiFactorAuthPresent": "false"}}, "exposed possible"),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, "exposed proven"),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, "exposed possible"),
        ({"Null": {"aws:MultiFactorAuthPresent": "true"}}, "exposed possible"),
        ({"Null": {"aws:MultiFactorAuthAge": "true"}}, "exposed proven"),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}}, "exposed proven"),
        ({"StringLike": {"aws:userid": "AROAEXAMPLE:*"}}, "exposed proven"),
        ({"StringEquals": {"aws:userid": "AROAEXAMPLE:build"}}, "exposed proven"),
        ({"StringLike": {"aws:userid": "AROAOTHER:*"}}, "no_send"),
        ({"StringEquals": {"aws:userid": "AROAEXAMPLE"}}, "no_send"),
        ({"StringLike": {"aws:userid": "AROAEXAMPLE:" + "?" * 65}}, "no_send"),
        ({"StringLike": {"aws:username": "*"}}, "no_send"),
        ({"StringNotLike": {"aws:username": "*"}}, "exposed proven"),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, "exposed proven"),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, "no_send"),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, "exposed proven"),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:sts::*:assumed-role/*"}}, "no_send"),
        ({"Bool": {"aws:ViaAWSService": "true"}}, "no_send"),
        ({"Bool": {"aws:PrincipalIsAWSService": "false"}}, "exposed proven"),
        ({"StringEquals": {"aws:PrincipalTag/Team": "web"}}, "exposed proven"),
        ({"StringEquals": {"AWS:principaltag/TEAM": "web"}}, "exposed proven"),
        ({"StringEquals": {"aws:PrincipalTag/Team": "Web"}}, "no_send"),
        ({"StringEquals": {"aws:PrincipalTag/Other": "web"}}, "no_send"),
        ({"StringNotEquals": {"aws:PrincipalTag/Other": "web"}}, "exposed proven"),
        ({"StringLike": {"aws:RequestTag/x": "*"}}, "no_send"),
        ({"ForAllValues:StringLike": {"aws:TagKeys": "x"}}, "exposed proven"),
        ({"StringLike": {"s3:prefix": "*"}}, "no_send"),
        ({"StringLike": {"aws:CalledVia": "*"}}, "no_send"),
        ({"StringLike": {"ses:Unknown": "*"}}, "no_send"),
        ({"StringLike": {"aws:SourceVpc": "*"}}, "exposed proven"),
    ],
)
def test_what_is_known_of_a_session(condition: dict[str, object], expected: str) -> None:
    """Keys of the role's session have their one value, are absent, or are the caller's choice.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    check(expected, send(**condition), tags=(("Team", "web"),))


def arn(kind: str) -> str:
    return f"arn:aws:ses:*:*:{kind}/*"


@pytest.mark.parametrize(
    ("action", "kinds", "expected"),
    [
        (SEND, ["identity"], "exposed proven"),
        (SEND, ["template"], "exposed possible"),
        (SEND, ["configuration-set"], "exposed possible"),
        (SEND, ["custom-verification-email-template"], "no_send"),
        ("ses:SendRawEmail", ["identity"], "exposed proven"),
        ("ses:SendRawEmail", ["template"], "no_send"),
        ("ses:SendTemplatedEmail", ["identity"], "exposed possible"),
        ("ses:SendTemplatedEmail", ["template"], "exposed possible"),
        ("ses:SendTemplatedEmail", ["identity", "template"], "exposed proven"),
        ("ses:SendBulkTemplatedEmail", ["identity", "template"], "exposed proven"),
        ("ses:SendBulkEmail", ["identity", "template"], "exposed possible"),
        ("ses:SendCustomVerificationEmail", ["identity"], "exposed possible"),
        (
            "ses:SendCustomVerificationEmail",
            ["custom-verification-email-template"],
            "exposed proven",
        ),
        ("ses:SendBounce", ["identity"], "no_send"),
    ],
)
def test_resource_types(action: str, kinds: list[str], expected: str) -> None:
    """Each required type allowed is proven, any listed type alone is possible."""
    check(expected, allow(action, [arn(kind) for kind in kinds]))


def test_a_deny_on_any_resource_of_a_call_refuses_it() -> None:
    """A templated call is refused where its template is denied, under the least reading."""
    case = identity(
        allow("ses:SendTemplatedEmail"), deny("ses:SendTemplatedEmail", arn("template"))
    )
    assert verdict(case) == "exposed possible"
    for least in (True, False):
        request = Request(
            "ses:SendTemplatedEmail",
            tuple(
                f"arn:aws:ses:eu-west-1:{ACCOUNT}:{name}"
                for name in ("identity/example.com", "template/x")
            ),
            {"ses:Recipients": ("a@b.c",), "aws:RequestedRegion": "eu-west-1"},
        )
        assert not evaluate(request, case.caller, case.layers, least=least).allowed


def test_send_bounce_is_beside_the_verdict() -> None:
    """A role that may SendBounce and nothing else sends nothing, and the way is told."""
    found = identity(allow("ses:SendBounce")).decide()
    assert found.verdict == "no_send"
    assert found.bounce is not None
    assert identity(allow(SEND)).decide().bounce is None


def test_each_partition_has_its_regions() -> None:
    """A role of a partition is exposed in that partition's regions alone."""
    for partition, region in (("aws", "us-"), ("aws-cn", "cn-"), ("aws-us-gov", "us-gov-")):
        case = Case((document(allow(SEND)),), partition=partition)
        request = case.decide().exposures[0].request
        shown = request.context["aws:RequestedRegion"]
        assert isinstance(shown, str)
        assert shown.startswith(region)
        assert request.resources[0].startswith(f"arn:{partition}:ses:{shown}:{ACCOUNT}:")


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_old_documents_have_no_variables(version: str | None) -> None:
    """Without version 2012-10-17 ``${…}`` is plain text."""
    made = document(
        send(StringEquals={"aws:PrincipalAccount": "${aws:PrincipalAccount}"}), version=version
    )
    assert verdict(Case((made,))) == "no_send"
