"""What the sender can be bound to, and what is refused since a policy couldn't say it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from auditor.corrective.documents import SIZE_MAX, sender, size_of
from auditor.corrective.scope import Scope
from auditor.errors import InputError
from tests.corrective.requests import statement
from tests.corrective.strategies import ACCOUNT, NOW


def arns(scope: Scope) -> list[str]:
    listed = statement(sender(scope))["Resource"]
    assert isinstance(listed, list)
    return [arn.split(":", 3)[3] for arn in listed]


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (
            Scope(identities=("example.com",)),
            ["*:*:identity/example.com", "*:*:configuration-set/*"],
        ),
        (
            Scope(identities=("example.com",), configuration_sets=("ci",)),
            ["*:*:identity/example.com", "*:*:configuration-set/ci"],
        ),
        (
            Scope(configuration_sets=("ci",), account=ACCOUNT),
            [f"*:{ACCOUNT}:identity/*", f"*:{ACCOUNT}:configuration-set/ci"],
        ),
        (
            Scope(regions=("eu-west-1", "eu-west-1", "us-*")),
            ["eu-west-1:*:identity/*", "us-*:*:identity/*",
             "eu-west-1:*:configuration-set/*", "us-*:*:configuration-set/*"],
        ),
        (
            Scope(("SendTemplatedEmail",), identities=("example.com",)),
            ["*:*:identity/example.com", "*:*:configuration-set/*", "*:*:template/*"],
        ),
        (
            Scope(("SendTemplatedEmail", "SendCustomVerificationEmail"), templates=("a",)),
            ["*:*:identity/*", "*:*:configuration-set/*", "*:*:template/a",
             "*:*:custom-verification-email-template/a"],
        ),
        (
            Scope(("SendCustomVerificationEmail",), identities=("example.com",)),
            ["*:*:identity/example.com", "*:*:custom-verification-email-template/*"],
        ),
        (
            Scope(("SendEmail",), templates=(f"arn:aws:ses:eu-west-1:{ACCOUNT}:template/a",)),
            ["*:*:identity/*", "*:*:configuration-set/*", f"eu-west-1:{ACCOUNT}:template/a"],
        ),
    ],
)  # fmt: skip
def test_resources(scope: Scope, expected: list[str]) -> None:
    """What an action needs beside what is bound stays allowed: a default configuration set and
    templates are checked as resources too.

    https://github.com/aws/serverless-application-model/issues/2844
    """
    assert arns(scope) == expected


BAD: list[tuple[dict[str, Any], str]] = [
    ({"actions": ("ses:SendBulkEmail",)}, "carry no ses:Recipients"),
    ({"actions": ("SendBounce",)}, "carry no ses:Recipients"),
    ({"actions": ("ses:Send*",)}, "no wildcards"),
    ({"actions": ("s3:GetObject",)}, "isn't one of ses:SendEmail"),
    ({"actions": ()}, "none is named"),
    ({"identities": ("",)}, "a domain or an address"),
    ({"identities": ("${aws:PrincipalTag/domain}",)}, "a domain or an address"),
    ({"identities": ("a@b@example.com",)}, "a domain or an address"),
    ({"identities": ("example.com\n",)}, "a domain or an address"),
    ({"identities": ("bücher.example",)}, "a domain or an address"),
    ({"identities": ("x:identity/y",)}, "a domain or an address"),
    ({"identities": ('x", "Resource": "*',)}, "a domain or an address"),
    ({"identities": ("arn:aws:s3:::builds",)}, "isn't an ARN of SES"),
    ({"identities": ("arn:*:ses:*:*:identity/x",)}, "another partition"),
    ({"identities": (f"arn:aws-cn:ses:*:{ACCOUNT}:identity/x",)}, "another partition"),
    ({"identities": (f"arn:aws:ses::{ACCOUNT}:identity/x",)}, "no region"),
    ({"identities": ("arn:aws:ses:eu-west-1:1234:identity/x",)}, "no account"),
    ({"identities": (f"arn:aws:ses:eu-west-1:{ACCOUNT}:template/x",)}, "isn't of type identity"),
    ({"identities": (f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity",)}, "isn't of type identity"),
    ({"identities": (f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/${{a}}",)}, "what it names"),
    ({"configuration_sets": ("a b",)}, "a configuration set's name"),
    ({"configuration_sets": ("a" * 65,)}, "a configuration set's name"),
    ({"templates": ("{{resolve:ssm:x}}",)}, "a template's name"),
    ({"actions": ("SendRawEmail",), "templates": ("x",)}, "none of the actions"),
    ({"from_address": "example.com"}, "isn't an address"),
    ({"from_address": "${aws:username}@example.com"}, "isn't an address"),
    ({"from_address": "%{x@example.com"}, "isn't an address"),
    ({"partition": "*"}, "isn't one of aws, aws-cn, aws-us-gov"),
    ({"account": "12345678901"}, "12 digits"),
    ({"account": "١٢٣٤٥٦٧٨٩٠١٢"}, "12 digits"),
    ({"regions": ("EU-WEST-1",)}, "isn't a region"),
    ({"regions": ("eu-west-1:*",)}, "isn't a region"),
    ({"regions": ()}, "none is named"),
    ({"not_before": datetime(2027, 1, 1)}, "names no time zone"),  # noqa: DTZ001 - the case
    ({"not_after": NOW + timedelta(microseconds=1)}, "whole seconds"),
    ({"not_before": NOW, "not_after": NOW - timedelta(seconds=1)}, "later than not-after"),
    ({"not_before": datetime.fromisoformat("0001-01-01T00:00:00+14:00")}, "beyond the calendar"),
    ({"identities": tuple(f"a{n}.example.com" for n in range(200))}, "IAM takes 6,144"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "said"), BAD, ids=[str(case)[:60] for case in BAD])
def test_what_can_not_be_meant_is_refused(options: dict[str, Any], said: str) -> None:
    """A scope that would say something else in a policy is refused, in one short line."""
    with pytest.raises(InputError, match=re.escape(said)) as found:
        sender(Scope(**options))
    assert str(found.value).isprintable()
    assert len(str(found.value)) < 300


def test_the_size_is_iams() -> None:
    """A policy of exactly as many characters as IAM takes is written, and none of one more.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    names = tuple(f"{n:03}.{'a' * 60}.example.com" for n in range(50))
    room = SIZE_MAX - size_of(sender(Scope(identities=names)))
    while room > 150:
        names = (*names, f"{len(names):03}.{'a' * 60}.example.com")
        room = SIZE_MAX - size_of(sender(Scope(identities=names)))

    def grown(by: int) -> Scope:
        return Scope(identities=(*names[1:], f"{'b' * by}{names[0]}"))

    assert size_of(sender(grown(room))) == SIZE_MAX
    with pytest.raises(InputError, match="the policy has 6,145 characters"):
        sender(grown(room + 1))


def test_a_scope_takes_times_in_utc_alone() -> None:
    """A scope's times are in UTC whatever zone they were given in, so that equal ones are equal."""
    here = Scope(not_before=datetime.fromisoformat("2027-01-01T02:00:00+02:00"))
    assert here == Scope(not_before=datetime(2027, 1, 1, tzinfo=UTC))
