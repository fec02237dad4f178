"""The merged template: valid, encrypted, watched, and with logs that end."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from auditor.history.items import KINDS
from tests.packaging.conftest import ROOT

if TYPE_CHECKING:
    from tests.packaging.conftest import Package

FUNCTIONS = ("AuditNightly", "AuditNow", "Remediate")


def of_type(package: Package, kind: str) -> dict[str, dict[str, Any]]:
    return {
        name: resource["Properties"]
        for name, resource in package.template["Resources"].items()
        if resource["Type"] == kind
    }


def test_cfn_lint_has_no_complaint(package: Package) -> None:
    """AWS's own linter finds no error and no warning."""
    linter = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run(  # noqa: S603 - our own tools on our own files
        [str(linter), "--regions", "us-east-1", "eu-west-1", "--", str(package.template_path)],
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip() == ""


def test_no_yaml_aliases(package: Package) -> None:
    """CloudFormation's YAML has no aliases, which Chalice's writer uses."""
    text = package.template_path.read_text(encoding="utf-8")

    assert not re.search(r"(^|\s)[&*]id\d+", text)


def test_each_function_is_as_configured(package: Package) -> None:
    """Handler, architecture, memory and time are the stage's; each function has its own role."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    stage = config["stages"]["prod"]
    functions = of_type(package, "AWS::Serverless::Function")

    assert tuple(sorted(functions)) == FUNCTIONS
    for logical, name in zip(FUNCTIONS, ("audit_nightly", "audit_now", "remediate"), strict=True):
        properties = functions[logical]
        assert properties["Handler"] == f"app.{name}"
        assert properties["Architectures"] == [stage["lambda_architecture"]] == ["x86_64"]
        assert properties["Timeout"] == stage["lambda_functions"][name]["lambda_timeout"]
        assert properties["MemorySize"] == stage["lambda_functions"][name]["lambda_memory_size"]
        assert properties["Role"] == {"Fn::GetAtt": [f"{logical}Role", "Arn"]}
        variables = properties["Environment"]["Variables"]
        told = ("AUDITOR_JOURNAL_TABLE", "Journal") if name == "remediate" else (
            "AUDITOR_TOPIC_ARN", "FindingsTopic"
        )  # fmt: skip
        assert variables[told[0]] == {"Ref": told[1]}
        assert stage["environment_variables"].items() <= variables.items()


def test_the_schedule_is_the_stage_s(package: Package) -> None:
    """The nightly audit runs when the stage's configuration says, and nothing else is scheduled."""
    config = json.loads((ROOT / ".chalice" / "config.json").read_text(encoding="utf-8"))
    expected = config["stages"]["prod"]["environment_variables"]["AUDITOR_SCHEDULE"]
    functions = of_type(package, "AWS::Serverless::Function")

    (event,) = functions["AuditNightly"]["Events"].values()
    assert event["Properties"]["Schedule"] == expected
    assert "Events" not in functions["AuditNow"]


@pytest.mark.parametrize("logical", FUNCTIONS)
def test_roles_keep_their_policy_files(package: Package, logical: str) -> None:
    """Merging dropped nothing: each role has exactly the statements of its policy file."""
    file = {
        "AuditNightly": "policy-audit-nightly.json",
        "AuditNow": "policy-audit-now.json",
        "Remediate": "policy-remediate.json",
    }[logical]
    role = of_type(package, "AWS::IAM::Role")[f"{logical}Role"]

    (policy,) = role["Policies"]
    expected = json.loads((ROOT / ".chalice" / file).read_text(encoding="utf-8"))
    assert policy["PolicyDocument"] == expected
    assert "ManagedPolicyArns" not in role


@pytest.mark.parametrize("logical", FUNCTIONS)
def test_logs_end_and_failed_events_are_kept(package: Package, logical: str) -> None:
    """Each function writes to a log group with a retention; failed events are kept."""
    properties = of_type(package, "AWS::Serverless::Function")[logical]
    groups = of_type(package, "AWS::Logs::LogGroup")

    assert properties["LoggingConfig"] == {"LogGroup": {"Ref": f"{logical}Logs"}}
    assert groups[f"{logical}Logs"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    # The nightly audit remembers what it told whom: another try tells nobody the same again.
    tries = 2 if logical == "AuditNightly" else 0
    assert properties["EventInvokeConfig"] == {"MaximumRetryAttempts": tries}
    queue = properties["DeadLetterQueue"]
    assert queue == {"Type": "SQS", "TargetArn": {"Fn::GetAtt": ["FailedEvents", "Arn"]}}


def test_findings_and_failed_events_are_encrypted(package: Package) -> None:
    """The topic with findings and the queue are encrypted at rest."""
    assert of_type(package, "AWS::SNS::Topic")["FindingsTopic"]["KmsMasterKeyId"]
    assert of_type(package, "AWS::SQS::Queue")["FailedEvents"]["SqsManagedSseEnabled"] is True


def test_alarms_go_to_a_topic_that_cloudwatch_may_publish_to(package: Package) -> None:
    """Every alarm names the alarm topic, which no key keeps CloudWatch out of."""
    alarms = of_type(package, "AWS::CloudWatch::Alarm")

    assert set(alarms) == {
        *("AuditNightlyFailed", "AuditNowFailed", "AuditNightlyDidNotRun", "FailedEventsWaiting"),
        *("RemediateFailed", "AuditNightlyDidNotSucceed", "AuditNightlySlow", "ChannelFailed"),
        "AuditIncomplete",
    }
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["AlarmDescription"]
    assert "KmsMasterKeyId" not in of_type(package, "AWS::SNS::Topic")["AlarmTopic"]
    (policy,) = of_type(package, "AWS::SNS::TopicPolicy").values()
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert policy["Topics"] == [{"Ref": "AlarmTopic"}]


def test_a_night_that_never_was_is_an_alarm(package: Package) -> None:
    """No invocation for more than a day breaches, for CloudWatch has no data point then."""
    alarm = of_type(package, "AWS::CloudWatch::Alarm")["AuditNightlyDidNotRun"]

    assert alarm["MetricName"] == "Invocations"
    assert alarm["TreatMissingData"] == "breaching"
    assert alarm["DatapointsToAlarm"] == alarm["EvaluationPeriods"]
    assert 24 * 3600 < alarm["Period"] * alarm["EvaluationPeriods"] < 48 * 3600


def test_remediation_is_off_until_it_is_configured(package: Package) -> None:
    """By default the nightly audit may invoke nothing; the journal outlives the stack."""
    resources = package.template["Resources"]
    parameters = package.template["Parameters"]

    assert parameters["RemediateRoles"]["Default"] == ""
    assert parameters["RemediateExcept"]["Default"] == ""
    assert parameters["RemediateApply"]["Default"] == "false"
    for function in ("AuditNightly", "Remediate"):
        known = resources[function]["Properties"]["Environment"]["Variables"]
        assert known["AUDITOR_REMEDIATE_EXCEPT"] == {"Ref": "RemediateExcept"}
        assert known["AUDITOR_EXCEPTIONS"] == {"Ref": "Exceptions"}
    assert resources["StartRemediation"]["Condition"] == "RemediatesNightly"
    for table in ("Journal", "History"):
        assert resources[table]["DeletionPolicy"] == "Retain"
        recovery = resources[table]["Properties"]["PointInTimeRecoverySpecification"]
        assert recovery == {"PointInTimeRecoveryEnabled": True}
    reserved = resources["Remediate"]["Properties"]["ReservedConcurrentExecutions"]
    assert reserved == {"Fn::If": ["OneAtATime", 1, {"Ref": "AWS::NoValue"}]}


CHANNELS = {
    "TellTheChat": "HasChatTopic",
    "TellSecurityHub": "HasSecurityHub",
    "TellTheEventBus": "HasEventBus",
    "ReadWebhookParameter": "WebhookInParameter",
    "ReadWebhookSecret": "WebhookInSecret",
    "ReadExceptionsObject": "ExceptionsInBucket",
    "ReadExceptionsParameter": "ExceptionsInParameter",
}


@pytest.mark.parametrize("policy", CHANNELS)
def test_what_is_not_configured_is_not_permitted(package: Package, policy: str) -> None:
    """Each channel's rights hang on its own condition, and every channel is off by default."""
    resource = package.template["Resources"][policy]

    assert resource["Condition"] == CHANNELS[policy]
    others = ["AuditNowRole", "RemediateRole"] if "Exceptions" in policy else []
    readers = ["AuditNightlyRole", *others]
    assert resource["Properties"]["Roles"] == [{"Ref": name} for name in readers]
    for name in ("SlackWebhook", "ChatTopicArn", "EventBus", "Exceptions"):
        assert package.template["Parameters"][name]["Default"] == ""
    assert package.template["Parameters"]["SecurityHub"]["Default"] == "false"


def test_the_dashboard_shows_every_alarm(package: Package) -> None:
    """Who looks there sees all that may ring."""
    (board,) = of_type(package, "AWS::CloudWatch::Dashboard").values()
    (widget,) = (
        one
        for one in json.loads(board["DashboardBody"]["Fn::Sub"])["widgets"]
        if one["type"] == "alarm"
    )
    alarms = of_type(package, "AWS::CloudWatch::Alarm")
    assert sorted(widget["properties"]["alarms"]) == sorted(f"${{{name}.Arn}}" for name in alarms)


def test_the_dashboard_shows_metrics_that_exist(package: Package) -> None:
    """Every metric of ours on the dashboard, and in an alarm, is one that the functions write."""
    (board,) = of_type(package, "AWS::CloudWatch::Dashboard").values()
    body = json.loads(board["DashboardBody"]["Fn::Sub"])
    shown = {
        metric[1]
        for widget in body["widgets"]
        for metric in widget["properties"].get("metrics", ())
        if metric[0] == "Auditor"
    }
    watched = {
        alarm["MetricName"]
        for alarm in of_type(package, "AWS::CloudWatch::Alarm").values()
        if alarm["Namespace"] == "Auditor"
    }
    written = {
        *("RolesAudited", "Exposed", "Undetermined", "ApiCalls", "DurationMs", "Incomplete"),
        *(kind.capitalize() for kind in KINDS),
        *("Excepted", "ChannelsFailed", "Succeeded"),
    }

    assert {"Exposed", "Excepted", "Succeeded", "ChannelsFailed"} <= shown <= written
    assert watched == {"Succeeded", "ChannelsFailed", "Incomplete"}
