"""What is known of the caller: keys never there, keys of another account's identity."""

from __future__ import annotations

import pytest

from auditor.engine.decide import decide
from tests.engine.cases import allow, identity, verdict

NEVER = (
    "aws:username",
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:CalledVia",
    "aws:CalledViaFirst",
    "aws:CalledViaLast",
    "aws:TagKeys",
    "aws:RequestTag/team",
    "aws:PrincipalTag/none",
    "s3:prefix",
)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""


@pytest.mark.parametrize("key", NEVER)
def test_a_key_that_a_session_never_has_is_absent(key: str) -> None:
    """An Allow that asks for the key is void; one that asks for its absence is open."""
    assert verdict(identity(allow(StringLike={key: "*"}))) == "no_send"
    assert verdict(identity(allow(Null={key: "true"}))) == "exposed proven"


def test_another_account_s_identity_leaves_its_account_unknown() -> None:
    """``${aws:ResourceAccount}`` is this account for its own identities alone.

    Whose the identity is stands in its ARN, which the caller chooses: what the variable holds then
    may differ from the caller's account.
    """
    other = {"aws:PrincipalAccount": "${aws:ResourceAccount}"}
    elsewhere = "arn:aws:ses:*:210987654321:identity/*"
    assert verdict(identity(allow(resource=elsewhere, StringNotEquals=other))) == "exposed possible"
    assert verdict(identity(allow(StringEquals=other))) == "exposed proven"


@pytest.mark.parametrize("key", ["aws:PrincipalOrgID", "aws:PrincipalOrgPaths"])
def test_an_account_outside_organizations_has_none_of_their_keys(key: str) -> None:
    """Known to be in no organization: absent. Not known: it may be there."""
    asked = {"ForAnyValue__StringLike": {key: "*"}}
    case = identity(allow("ses:SendEmail", **asked))
    alone = case.caller._replace(organization="")
    assert decide(alone, case.layers).verdict == "no_send"
    unknown = case.caller._replace(organization=None)
    assert decide(unknown, case.layers).verdict == "exposed"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEqualsIfExists": {"aws:SourceVpc": []}}, "exposed proven"),
        ({"StringEquals": {"aws:SourceVpc": []}}, "no_send"),
        ({"Null": {"aws:SourceVpc": ["true", "false"]}}, "exposed proven"),
        ({"Null": {"aws:SourceVpc": []}}, "no_send"),
        ({"Bool": {"ses:FromDisplayName": "true"}}, "exposed proven"),
        ({"Bool": {"ses:FromDisplayName": "false"}}, "exposed proven"),
        (
            {
                "ArnLike": {"aws:SourceArn": "arn:aws:ses:*:*:identity/*"},
                "StringNotLike": {"aws:SourceArn": "*.com"},
            },
            "exposed proven",
        ),
        (
            {
                "ArnLike": {"aws:SourceArn": "arn:aws:ses:*:*:identity/*.com"},
                "StringNotLike": {"aws:SourceArn": "*com"},
            },
            "no_send",
        ),
    ],
)
def test_keys_that_may_be_there(condition: dict[str, object], expected: str) -> None:
    """Values of none, of both kinds of presence, and compared in two ways."""
    assert verdict(identity(allow("ses:SendEmail", **condition))) == expected
