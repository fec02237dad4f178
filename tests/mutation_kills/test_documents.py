"""What is read of a document beside its conditions: spellings, powers, principals."""

from __future__ import annotations

import pytest

from auditor.errors import PolicyError
from auditor.policy.operators import OPERATORS
from auditor.policy.parse import parse
from auditor.policy.shown import shorten
from auditor.policy.variables import Variable, split
from tests.engine.cases import allow, deny, document

SPELLED = (
    "aws:CurrentTime", "aws:EpochTime", "aws:PrincipalAccount", "aws:PrincipalArn",
    "aws:PrincipalIsAWSService", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths",
    "aws:PrincipalType", "aws:Referer", "aws:RequestedRegion", "aws:ResourceAccount",
    "aws:SecureTransport", "aws:SourceAccount", "aws:SourceArn", "aws:SourceIdentity",
    "aws:SourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:TokenIssueTime", "aws:UserAgent",
    "aws:userid", "aws:ViaAWSService", "aws:VpcSourceIp", "ses:ApiVersion",
    "ses:FeedbackAddress", "ses:FromAddress", "ses:FromDisplayName", "ses:MultiRegionEndpointId",
    "ses:Recipients", "ses:TenantName",
)  # fmt: skip
"""As https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and
the Service Authorization Reference for Amazon SES spell them."""


@pytest.mark.parametrize("key", SPELLED)
def test_a_key_is_shown_as_aws_spells_it(key: str) -> None:
    """However a policy spells a key, in a condition or a variable, a witness spells it one way."""
    (first,) = parse(document(allow(StringEquals={key.lower(): "x"}))).statements
    assert first.mentions == {key.lower(): key}
    (second,) = parse(document(allow(StringEquals={key.upper(): "x"}))).statements
    assert second.mentions == {key.lower(): key}
    (third,) = parse(document(allow(resource=f"arn:aws:ses:*:*:identity/${{{key}}}"))).statements
    assert third.mentions == {key.lower(): key}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (allow("logs:PutLogEvents"), False),
        (allow("ses:SendEmail"), False),
        (allow("iam:*"), True),
        (allow("iam:PutRolePolicy"), True),
        (allow("*"), True),
        (deny("iam:*"), False),
    ],
)
def test_powers_are_told_by_allows_that_name_one(
    statement: dict[str, object], expected: bool
) -> None:
    """A document without an Allow of a call that changes permissions need not be read whole."""
    assert parse(document(statement)).powers == expected


def test_not_principal_goes_with_deny_only() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html"""
    others = {"NotPrincipal": {"AWS": "arn:aws:iam::123456789012:root"}}
    with pytest.raises(PolicyError, match="NotPrincipal"):
        parse(document({**allow(), **others}), attached=True)
    (statement,) = parse(document({**deny(), **others}), attached=True).statements
    assert statement.principals is not None
    assert statement.principals.negated


@pytest.mark.parametrize(
    ("text", "default"),
    [
        ("${aws:SourceVpc, 'x'}", "x"),
        ("${aws:SourceVpc, ''}", ""),
        ("${aws:SourceVpc,''}", ""),
        ("${aws:SourceVpc, '}", None),
        ("${aws:SourceVpc, x}", None),
        ("${aws:SourceVpc}", None),
    ],
)
def test_a_variable_s_default_may_be_empty(text: str, default: str | None) -> None:
    """Between two quotes stands the default, nothing at all included."""
    assert split(text) == (Variable("aws:sourcevpc", default),)


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_an_operator_s_family_is_what_its_name_says(name: str) -> None:
    """Explanations and suggestions tell operators apart by family."""
    families = ["string", "arn", "numeric", "date", "bool", "binary", "null", "ip"]
    said = next(family for family in families if name.removeprefix("not").startswith(family))
    assert OPERATORS[name].family == said


def test_an_untrusted_value_is_shown_in_part_where_it_is_long() -> None:
    """Up to 60 characters it is shown whole; of a longer one as much as fits is shown."""
    whole = "x" * 58
    assert shorten(whole) == f"'{whole}'"
    assert shorten(f"{whole}x") == f"'{whole[:56]}…"
    assert shorten([whole] * 9) == "a list"
