"""Accounts for the page's tests: hostile ones, and ones of any size. Audited for real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from auditor.account import Account, Failure, PolicyText, Role
from auditor.audit import audit
from tests.examples import ACCOUNT, NOW

if TYPE_CHECKING:
    from auditor.findings import Report

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
HOSTILE = (
    "</script><script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "'\"><svg onload=window.pwned=1>",
    "{{ 7 * 7 }} ${7*7} <!--",
    "line\nbreak \u202eturned \u2028 \x1b[31m \ud800",
)


def role(name: str, *statements: dict[str, Any], policy: str = "build", **more: Any) -> Role:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return Role(
        arn=f"arn:aws:iam::{ACCOUNT}:role/{name}",
        name=name,
        role_id="AROAEXAMPLE",
        tags={},
        inline=(PolicyText(policy, None, "inline", document),),
        **{"attached": (), "trust": PolicyText("trust", None, "trust", TRUST), **more},
    )


def allow(
    action: object = "ses:SendEmail", resource: object = "*", **more: object
) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def report(*roles: Role, failures: tuple[Failure, ...] = (), **more: Any) -> Report:
    return audit(Account(ACCOUNT, "aws", roles, failures=failures, **more), now=NOW)


def hostile() -> Report:
    """A report in which every text of others tries to be markup."""
    roles = [
        role(
            text,
            allow(
                Sid=text, Condition={"StringEquals": {"aws:UserAgent": text.replace("$", "${$}")}}
            ),
            policy=text,
        )
        for text in HOSTILE
    ]
    odd = [
        role(f"odd {text}", {"Effect": text, "Action": "ses:*", "Resource": "*"}, policy=text)
        for text in HOSTILE
    ]
    shut = [
        role(
            f"shut {text}", allow(), {**allow("ses:*"), "Sid": text, "Effect": "Deny"}, policy=text
        )
        for text in HOSTILE
    ]
    failures = tuple(Failure(text, text) for text in HOSTILE)
    return report(*roles, *odd, *shut, failures=failures, not_evaluated=HOSTILE)


def large(roles: int) -> Report:
    """An account of many roles, no two policies alike: open, half open, closed, silent."""
    return report(*(role(f"codebuild-{n}", *_ways(n), policy=f"build-{n}") for n in range(roles)))


def _ways(number: int) -> list[dict[str, Any]]:
    own = f"team{number}.example.com"
    simulator = "*@simulator.amazonses.com"
    ways: tuple[list[dict[str, Any]], ...] = (
        [allow("ses:*", Sid=f"Team{number}")],
        [allow(Condition={"StringLike": {"ses:FromAddress": f"*@{own}"}})],
        [
            allow(
                ["ses:SendEmail", "ses:SendRawEmail"],
                Condition={"ForAnyValue:StringLike": {"ses:Recipients": [simulator, f"*@{own}"]}},
            )
        ],
        [
            allow("*", Sid=f"Team{number}"),
            {
                "Effect": "Deny",
                "Action": "ses:*",
                "Resource": "*",
                "Condition": {"ForAnyValue:StringNotLike": {"ses:Recipients": simulator}},
            },
        ],
        [allow(Condition={"ForAllValues:StringLike": {"ses:Recipients": simulator}})],
        [allow(["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::artifacts-{number}/*")],
    )
    return ways[number % len(ways)]
