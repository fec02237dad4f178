"""``auditor scan --confirm``: what AWS's simulator says of witnesses, and what if it says nothing.

moto lacks the call. What it takes and gives is held against botocore's model (``Stubber``); faults
and pages go through botocore's real retries, parsing and paging (``before-send``).
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber
from jsonschema import Draft202012Validator

from auditor.account import Account, PolicyText, Role
from auditor.audit import audit
from auditor.cli import main
from auditor.collect import simulate
from auditor.collect.clients import Clients
from auditor.findings import Finding, Witness
from auditor.report.json import to_dict
from auditor.report.table import render
from tests.cli.conftest import OPEN, SIMULATOR, TRUST, page
from tests.cli.test_docs import SCHEMA
from tests.collect.wire import Request, Wire, answer, refuse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore.awsrequest import AWSResponse

    from auditor.findings import Confirmation, Report

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
CALL = "iam:SimulatePrincipalPolicy"
ARN = "arn:aws:iam::123456789012:role/open"
IDENTITY = "arn:aws:ses:us-east-1:123456789012:identity/example.com"
TEMPLATE = "arn:aws:ses:us-east-1:123456789012:template/welcome"


@pytest.fixture(autouse=True)
def _sealed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give made-up credentials, no waits between tries, and no way to the network."""
    import os

    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))

    def send(_: object, request: object) -> None:
        raise AssertionError(f"a test reached for the network: {request}")

    monkeypatch.setattr("botocore.httpsession.URLLib3Session.send", send)


def report_of(*statements: object, names: tuple[str, ...] = ("open",)) -> Report:
    """The audit of roles that all have these statements."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    roles = [
        Role(
            arn=f"arn:aws:iam::123456789012:role/{name}",
            name=name,
            role_id="AROAEXAMPLE",
            tags={},
            trust=PolicyText("trust", None, "trust", TRUST),
            inline=(PolicyText("mail", None, "inline", document),),
            attached=(),
        )
        for name in names
    ]
    return audit(Account("123456789012", "aws", roles), now=NOW)


SEND = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}


def result(decision: str, resources: dict[str, str], *, extra: str = "", inner: str = "") -> str:
    """One evaluation result as IAM's XML has it."""
    specific = "".join(
        f"<member><EvalResourceName>{arn}</EvalResourceName>"
        f"<EvalResourceDecision>{word}</EvalResourceDecision>{inner}</member>"
        for arn, word in resources.items()
    )
    return (
        f"<member><EvalActionName>ses:SendEmail</EvalActionName>"
        f"<EvalResourceName>*</EvalResourceName><EvalDecision>{decision}</EvalDecision>{extra}"
        f"<ResourceSpecificResults>{specific}</ResourceSpecificResults></member>"
    )


def xml(*results: str, marker: str | None = None) -> AWSResponse:
    """A page of results, with a marker where more follow."""
    more = (
        "<IsTruncated>false</IsTruncated>"
        if marker is None
        else f"<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>"
    )
    body = (
        '<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<SimulatePrincipalPolicyResult>{more}<EvaluationResults>{''.join(results)}"
        "</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
    )
    return answer(200, body, {"content-type": "text/xml"})


def _flag(name: str) -> str:
    """A detail that says no."""
    inner = f"<AllowedBy{name}>false</AllowedBy{name}>"
    return f"<{name}DecisionDetail>{inner}</{name}DecisionDetail>"


def confirmed(
    rule: Callable[[Request], AWSResponse | None], report: Report | None = None
) -> tuple[Report, Wire]:
    """Confirm a report (by default of one open role) where AWS answers by a rule."""
    session = boto3.Session()
    wire = Wire()
    wire.attach(session)
    wire.on(CALL, rule)
    return simulate.confirm(session, report or report_of(SEND)), wire


def only(report: Report) -> Confirmation:
    (finding,) = report.roles[0].findings
    assert finding.confirmation is not None
    return finding.confirmation


def test_the_question_and_the_answer_have_awss_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked passes botocore's model; each key has its own type; the answer is read."""
    client = boto3.client("iam", region_name="us-east-1")
    context: dict[str, str | tuple[str, ...]] = {
        "ses:Recipients": ("someone@example.com",),
        "aws:SourceIp": "203.0.113.7",
        "aws:CurrentTime": "2026-11-23T03:00:00Z",
        "aws:EpochTime": "1795402800",
        "aws:SecureTransport": "true",
        "aws:UserAgent": "x",
    }
    types = ("stringList", "ip", "date", "numeric", "boolean", "string")
    expected = {
        "PolicySourceArn": ARN,
        "ActionNames": ["ses:SendEmail"],
        "ResourceArns": [IDENTITY, TEMPLATE],
        "ContextEntries": [
            {
                "ContextKeyName": key,
                "ContextKeyType": kind,
                "ContextKeyValues": [value] if isinstance(value, str) else list(value),
            }
            for (key, value), kind in zip(context.items(), types, strict=True)
        ],
    }
    response = {
        "IsTruncated": False,
        "EvaluationResults": [
            {
                "EvalActionName": "ses:SendEmail",
                "EvalResourceName": "arn:${Partition}:ses:${Region}:${Account}:identity/${Name}",
                "EvalDecision": "allowed",
                "MatchedStatements": [{"SourcePolicyId": "role_open_mail"}],
                "MissingContextValues": [],
                "OrganizationsDecisionDetail": {"AllowedByOrganizations": True},
                "ResourceSpecificResults": [
                    {"EvalResourceName": arn, "EvalResourceDecision": "allowed"}
                    for arn in (IDENTITY, TEMPLATE)
                ],
            }
        ],
    }
    report = report_of(SEND)
    (role,) = report.roles
    witness = Witness("ses:SendEmail", (IDENTITY, TEMPLATE), context)
    role.findings = (replace(role.findings[0], witness=witness),)
    with Stubber(client) as stubber:
        stubber.add_response("simulate_principal_policy", response, expected)
        monkeypatch.setattr(Clients, "iam", lambda _self, _region: client)
        after = simulate.confirm(boto3.Session(), report)
        stubber.assert_no_pending_responses()
    assert only(after).outcome == "agrees"
    assert only(after).decision == "allowed"


def test_agreement_is_counted_and_told() -> None:
    """A witness that AWS allows too is said so in the table and in the JSON, which stays valid."""
    report, _ = confirmed(lambda _: xml(result("allowed", {IDENTITY: "allowed"})))
    assert only(report) == ("agrees", "allowed", "AWS's policy simulator allows it too")
    document: Any = to_dict(report)
    Draft202012Validator(SCHEMA).validate(document)
    assert document["roles"][0]["findings"][0]["confirmation"]["outcome"] == "agrees"
    assert "AWS says   agrees on 1 witness" in render(report)
    assert report.api_calls == {CALL: 1}


@pytest.mark.parametrize(
    ("extra", "inner", "told"),
    [
        ("", "", "and doesn't say why"),
        (
            _flag("Organizations"),
            "",
            "a service control policy stops it",
        ),
        (
            "",
            _flag("PermissionsBoundary"),
            "the permissions boundary doesn't allow it",
        ),
        (
            "",
            "<MissingContextValues><member>aws:SourceVpc</member></MissingContextValues>",
            "it wasn't told aws:SourceVpc, which some policy asks about",
        ),
    ],
)
def test_disagreement_is_loud_and_says_what_it_rests_on(extra: str, inner: str, told: str) -> None:
    """What AWS refuses stands in capitals in the table, with the details that AWS gives."""
    body = result("implicitDeny", {IDENTITY: "implicitDeny"}, extra=extra, inner=inner)
    report, _ = confirmed(lambda _: xml(body))
    found = only(report)
    assert (found.outcome, found.decision) == ("disagrees", "implicitDeny")
    assert told in found.message
    assert "DISAGREES on ses:SendEmail" in render(report)
    Draft202012Validator(SCHEMA).validate(to_dict(report))


def test_a_possible_witness_is_not_refuted_by_a_refusal() -> None:
    """Of a witness that needs AWS's most generous reading, a refusal's message says so."""
    condition = {"StringLike": {"ses:Recipients": "*@example.com"}}
    report, _ = confirmed(
        lambda _: xml(result("implicitDeny", {IDENTITY: "implicitDeny"})),
        report_of({**SEND, "Condition": condition}),
    )
    assert "only possible" in only(report).message


def test_one_refused_resource_is_a_refusal() -> None:
    """Of several resources each must be allowed; the worst decision is the one reported."""
    report = report_of({**SEND, "Action": "ses:SendTemplatedEmail"})
    body = result("explicitDeny", {IDENTITY: "allowed", TEMPLATE: "explicitDeny"})
    after, wire = confirmed(lambda _: xml(body), report)
    assert (only(after).outcome, only(after).decision) == ("disagrees", "explicitDeny")
    assert wire.seen[0].fields["ResourceArns.member.2"] == TEMPLATE


def test_every_page_is_read() -> None:
    """An answer in pages is one answer: what is refused on the last page counts."""
    report = report_of({**SEND, "Action": "ses:SendTemplatedEmail"})

    def paged(request: Request) -> AWSResponse:
        if "Marker" not in request.fields:
            return xml(result("allowed", {IDENTITY: "allowed"}), marker="more")
        assert request.fields["Marker"] == "more"
        return xml(result("implicitDeny", {TEMPLATE: "implicitDeny"}))

    after, wire = confirmed(paged, report)
    assert only(after).outcome == "disagrees"
    assert wire.tries(CALL) == 2
    assert after.api_calls == {CALL: 2}


def test_an_answer_about_something_else_is_none() -> None:
    """An answer that lacks one of the resources, or has none at all, is neither yes nor no."""
    report = report_of({**SEND, "Action": "ses:SendTemplatedEmail"})
    for body in ((result("allowed", {IDENTITY: "allowed"}),), ()):
        after, _ = confirmed(lambda _, body=body: xml(*body), report)  # type: ignore[misc]
        assert (only(after).outcome, only(after).decision) == ("unanswered", None)
        Draft202012Validator(SCHEMA).validate(to_dict(after))


@pytest.mark.parametrize(
    ("code", "status", "tries"),
    [
        ("AccessDenied", 403, 1),
        ("NoSuchEntity", 404, 1),
        ("InvalidInput", 400, 1),
        ("Throttling", 400, 8),
        ("PolicyEvaluation", 500, 8),
    ],
)
def test_what_cannot_be_asked_costs_its_answer_alone(code: str, status: int, tries: int) -> None:
    """An error is the confirmation's message, after the standard retries; the report stays."""
    before = report_of(SEND)
    report, wire = confirmed(refuse(code, "not\u202e today", status), before)
    found = only(report)
    assert (found.outcome, found.decision) == ("unanswered", None)
    assert found.message.startswith(f"{code}: ")
    assert found.message.isprintable()
    assert wire.tries(CALL) == tries
    assert (report.roles[0].verdict, report.complete) == ("exposed", True)
    assert "no answer on ses:SendEmail" in render(report)
    Draft202012Validator(SCHEMA).validate(to_dict(report))


def test_throttling_that_passes_is_no_matter() -> None:
    """A throttled question is asked again, and its answer counts."""
    turns = [refuse("Throttling"), refuse("Throttling")]

    def rule(request: Request) -> AWSResponse:
        return turns.pop()(request) if turns else xml(result("allowed", {IDENTITY: "allowed"}))

    report, wire = confirmed(rule)
    assert only(report).outcome == "agrees"
    assert wire.tries(CALL) == 3


def test_one_role_that_fails_costs_the_others_nothing() -> None:
    """Every exposed role's witness is asked about, each with its own answer; safe roles aren't."""
    names = tuple(f"role-{n}" for n in range(9))
    report = report_of(SEND, names=names)

    def rule(request: Request) -> AWSResponse:
        if request.fields["PolicySourceArn"].endswith("role-4"):
            return refuse("NoSuchEntity")(request)
        return xml(result("allowed", {IDENTITY: "allowed"}))

    after, wire = confirmed(rule, report)
    outcomes = [role.findings[0].confirmation for role in after.roles]
    assert [found and found.outcome for found in outcomes] == [
        "unanswered" if n == 4 else "agrees" for n in range(9)
    ]
    assert {one.fields["PolicySourceArn"] for one in wire.seen} == {
        f"arn:aws:iam::123456789012:role/{name}" for name in names
    }


def test_a_safe_account_asks_nothing() -> None:
    """Where no role is exposed there is nothing to ask, and no client is made."""
    condition = {"ForAllValues:StringLike": {"ses:Recipients": SIMULATOR}}
    report = report_of({**SEND, "Condition": condition})
    after, wire = confirmed(lambda _: None, report)
    assert after is report
    assert wire.seen == []


def test_not_with_a_snapshot(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """--confirm asks AWS, and a snapshot is there for not asking: one line and status 2."""
    path = tmp_path / "snapshot.json"
    path.write_text(page(OPEN), encoding="utf-8")
    assert main(["scan", "--confirm", "--snapshot", str(path)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("auditor: error: --confirm: asks AWS")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    ("rule", "outcome", "said"),
    [
        (lambda _: xml(result("allowed", {IDENTITY: "allowed"})), "agrees", ""),
        (
            lambda _: xml(result("explicitDeny", {IDENTITY: "explicitDeny"})),
            "disagrees",
            f"auditor: warning: {ARN}: ses:SendEmail: AWS's policy simulator answers explicitDeny",
        ),
        (
            refuse("AccessDenied", "not you", 403),
            "unanswered",
            "auditor: warning: 1 of the requests could not be confirmed: AccessDenied: not you",
        ),
    ],
)
def test_the_whole_command(
    rule: Callable[[Request], AWSResponse],
    outcome: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A live scan with --confirm asks about what it found; the status stays the audit's."""
    from auditor.collect import live

    document = OPEN["RolePolicyList"][0]["PolicyDocument"]
    found = Account(
        "123456789012",
        "aws",
        [
            Role(
                arn=ARN,
                name="open",
                role_id="AROAOPEN",
                tags={},
                trust=PolicyText("trust", None, "trust", TRUST),
                inline=(PolicyText("inline", None, "inline", document),),
                attached=(),
            )
        ],
    )
    wire = Wire()
    wire.on(CALL, rule)

    def collected(session: boto3.Session, **_: object) -> Account:
        wire.attach(session)
        return found

    monkeypatch.setattr(live, "collect_account", collected)
    assert main(["scan", "--confirm", "--format", "json"]) == 1
    shown = capsys.readouterr()
    (finding,) = json.loads(shown.out)["roles"][0]["findings"]
    assert finding["confirmation"]["outcome"] == outcome
    assert shown.err.startswith(said)
    assert bool(shown.err) == bool(said)
    assert main(["scan", "--format", "json"]) == 1
    assert "confirmation" not in capsys.readouterr().out


def test_another_roles_witness_is_not_asked_of_this_one() -> None:
    """The request of a role that may be assumed is that role's own: here it is left unasked."""
    report = report_of(SEND)
    (finding,) = report.roles[0].findings
    other: Finding = replace(finding, rule="assumable-sender")
    report.roles[0].findings = (other,)
    after, wire = confirmed(lambda _: None, report)
    assert only(after).outcome == "unanswered"
    assert wire.seen == []
