"""What is known of the caller: keys never there, keys of another account's identity."""

from __future__ import annotations

import pytest

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
