"""Accounts to measure with: snapshots of any size whose policies look like those of real builds."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any, Literal, get_args

Json = dict[str, Any]
ACCOUNT = "123456789012"
SIMULATOR = "*@simulator.amazonses.com"
SHARED = 50
"""Managed policies that the roles of a shared account have among them."""
TEAMS = 24
"""Domains that the roles of a distinct account have among them; networks are as many."""

Kind = Literal["distinct", "shared", "own-domain"]
"""How the policies of an account compare.

``distinct``: an inline policy a role, no two alike: projects, log groups, buckets, Sids, the order
of the statements and which there are differ, while conditions and identities repeat, as teams of
one company write them. ``shared``: two of 50 managed policies a role. ``own-domain``: an inline
policy a role, and no two ask for the same identities and senders either, which no company has.
"""


def _statement(effect: str, action: str | list[str], resource: Any, condition: Any = None) -> Json:
    found: Json = {"Effect": effect, "Action": action, "Resource": resource}
    return found if condition is None else {**found, "Condition": condition}


def _document(number: int, team: int, pick: random.Random) -> Json:
    """Return a build role's policy: logs, artifacts, and one way (or none) to allow sends."""
    own = f"team{team}.example.com"
    region = "arn:aws:ses:{}:" + f"{ACCOUNT}:identity/{own}"
    resource = pick.choice(
        ["*", region.format("*"), [region.format("eu-west-1"), region.format("us-east-1")]]
    )
    closed = {"ForAllValues:StringLike": {"ses:Recipients": [SIMULATOR]}}
    statements = [
        _statement(
            "Allow",
            ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/codebuild/project{number}:*",
        ),
        _statement("Allow", ["s3:GetObject", "s3:PutObject"], f"arn:aws:s3:::artifacts-{number}/*"),
    ]
    ways = [
        [_statement("Allow", "ses:*", "*")],
        [
            _statement(
                "Allow",
                ["ses:SendEmail", "ses:SendRawEmail"],
                resource,
                {**closed, "Null": {"ses:Recipients": "false"}},
            )
        ],
        [
            _statement(
                "Allow", "ses:Send*", resource, {"StringLike": {"ses:FromAddress": f"*@{own}"}}
            )
        ],
        [
            _statement("Allow", "*", "*"),
            _statement(
                "Deny", "ses:*", "*", {"ForAnyValue:StringNotLike": {"ses:Recipients": SIMULATOR}}
            ),
        ],
        [
            _statement(
                "Allow",
                "ses:SendEmail",
                resource,
                {"ForAnyValue:StringLike": {"ses:Recipients": [SIMULATOR, f"*@{own}"]}},
            )
        ],
        [
            _statement(
                "Allow",
                "ses:SendEmail",
                resource,
                {
                    "IpAddress": {"aws:SourceIp": f"10.{team % 256}.0.0/16"},
                    "DateLessThan": {"aws:CurrentTime": f"2099-0{1 + team % 9}-01T00:00:00Z"},
                },
            )
        ],
        [],
        [],
    ]
    return {"Version": "2012-10-17", "Statement": statements + pick.choice(ways)}


def _distinct(number: int, pick: random.Random) -> Json:
    """Return a policy that is no other role's, made of what other roles' policies say too."""
    document = _document(number, number % TEAMS, pick)
    statements = document["Statement"]
    others = [
        _statement("Allow", ["ecr:GetAuthorizationToken"], "*"),
        _statement(
            "Allow",
            ["codebuild:CreateReport", "codebuild:UpdateReport"],
            f"arn:aws:codebuild:eu-west-1:{ACCOUNT}:report-group/project{number}-*",
        ),
        _statement(
            "Allow",
            "secretsmanager:GetSecretValue",
            f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:project{number}/*",
        ),
    ]
    statements += pick.sample(others, pick.randrange(len(others)))
    pick.shuffle(statements)
    named = [{"Sid": f"P{number}S{at}", **one} for at, one in enumerate(statements)]
    return {**document, "Statement": named}


def snapshot(roles: int, kind: Kind) -> Json:
    """Return an account as ``get-account-authorization-details`` prints it."""
    pick = random.Random(roles)
    shared = kind == "shared"
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "codebuild.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    policies = [
        {
            "PolicyName": f"shared{number}",
            "PolicyId": f"ANPA{number:016d}",
            "Arn": f"arn:aws:iam::{ACCOUNT}:policy/shared{number}",
            "DefaultVersionId": "v1",
            "PolicyVersionList": [
                {
                    "VersionId": "v1",
                    "IsDefaultVersion": True,
                    "Document": _document(number, number, pick),
                }
            ],
        }
        for number in range(SHARED if shared else 0)
    ]
    details = [
        {
            "Path": "/service-role/",
            "RoleName": f"codebuild-{number}",
            "RoleId": f"AROA{number:016d}",
            "Arn": f"arn:aws:iam::{ACCOUNT}:role/service-role/codebuild-{number}",
            "CreateDate": "2026-01-01T00:00:00+00:00",
            "AssumeRolePolicyDocument": trust,
            "InstanceProfileList": [],
            "RolePolicyList": []
            if shared
            else [
                {
                    "PolicyName": "build",
                    "PolicyDocument": _distinct(number, pick)
                    if kind == "distinct"
                    else _document(number, number, pick),
                }
            ],
            "AttachedManagedPolicies": [
                {"PolicyName": policy["PolicyName"], "PolicyArn": policy["Arn"]}
                for policy in (pick.sample(policies, 2) if shared else ())
            ],
            "Tags": [{"Key": "team", "Value": f"team{number}"}],
        }
        for number in range(roles)
    ]
    return {
        "UserDetailList": [],
        "GroupDetailList": [],
        "RoleDetailList": details,
        "Policies": policies,
    }


if __name__ == "__main__":
    # in a process of its own: what a parent holds counts into its children's peak memory
    made: dict[str, Kind] = {one: one for one in get_args(Kind)}
    Path(sys.argv[3]).write_text(
        json.dumps(snapshot(int(sys.argv[1]), made[sys.argv[2]]), indent=4)
    )
