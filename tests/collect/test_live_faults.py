"""What goes wrong between here and AWS: said, bounded, and never a traceback."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from auditor.account import Project, UnresolvedProject
from auditor.audit import audit
from auditor.collect.clients import open_session
from auditor.collect.live import collect_account
from auditor.errors import CollectError
from tests.collect.test_live import REGIONS, make_project, make_role
from tests.collect.values import ACCOUNT, attached, document, policy, role
from tests.collect.wire import Request, Wire, answer, fail, gaad_page, ok, refuse

if TYPE_CHECKING:
    import boto3
    from botocore.awsrequest import AWSResponse

GAAD = "iam:GetAccountAuthorizationDetails"


def test_one_region_denied(session: boto3.Session, wire: Wire) -> None:
    """The region stands in the failures with AWS's words; the others are read."""
    wire.on("codebuild:ListProjects", refuse("AccessDeniedException", "denied by SCP"), "us-east-1")
    project = make_project(session, "web", "eu-west-1", make_role(session, "web"))
    account = collect_account(session, regions=REGIONS)
    assert account.failures == (
        ("codebuild:ListProjects us-east-1", "AccessDeniedException: denied by SCP"),
    )
    assert [one.projects for one in account.roles] == [(project,)]


def test_throttled_past_every_retry(session: boto3.Session, wire: Wire, waits: list[float]) -> None:
    """Eight tries, then a failure; counted as the one call that it was."""
    wire.on("codebuild:ListProjects", refuse("ThrottlingException", "slow down"), "us-east-1")
    account = collect_account(session, regions=REGIONS)
    (failure,) = account.failures
    assert failure == ("codebuild:ListProjects us-east-1", "ThrottlingException: slow down")
    assert wire.tries("codebuild:ListProjects", "us-east-1") == 8
    assert len(waits) == 7
    assert account.api_calls["codebuild:ListProjects"] == 2


def test_throttled_for_a_while(session: boto3.Session, wire: Wire, waits: list[float]) -> None:
    """A burst of throttling costs time and nothing else."""
    slow = refuse("Throttling", "slow down")
    wire.on(GAAD, lambda request: slow(request) if wire.tries(GAAD) <= 4 else None)
    make_role(session, "web")
    account = collect_account(session, regions=["us-east-1"])
    assert account.failures == ()
    assert [one.name for one in account.roles] == ["web"]
    assert len(waits) == 4
    assert account.api_calls[GAAD] == 1


def test_read_timeout(session: boto3.Session, wire: Wire, waits: list[float]) -> None:
    """No answer in time, eight times: a failure that names the call."""
    wire.on(
        "codebuild:BatchGetProjects",
        fail(ReadTimeoutError(endpoint_url="https://codebuild.us-east-1.amazonaws.com/")),
        "us-east-1",
    )
    make_project(session, "web", "us-east-1", make_role(session, "web"))
    account = collect_account(session, regions=REGIONS)
    (failure,) = account.failures
    assert failure.where == "codebuild:BatchGetProjects us-east-1"
    assert failure.message.startswith("ReadTimeoutError: Read timeout on endpoint URL")
    assert failure.message.endswith("(1 projects weren't read)")
    assert len(waits) == 7


def test_one_batch_of_projects_fails(session: boto3.Session, wire: Wire) -> None:
    """The other batches of the region are read all the same."""
    arn = make_role(session, "web")
    names = [f"p{i:03}" for i in range(150)]
    wire.on("codebuild:ListProjects", lambda _: ok({"projects": names}))

    def got(request: Request) -> AWSResponse:
        if "p000" in request.fields["names"]:
            return refuse("AccessDeniedException", "p000")(request)
        return ok({"projects": [{"name": n, "serviceRole": arn} for n in request.fields["names"]]})

    wire.on("codebuild:BatchGetProjects", got)
    account = collect_account(session, regions=["us-east-1"])
    assert account.failures == (
        (
            "codebuild:BatchGetProjects us-east-1",
            "AccessDeniedException: p000 (100 projects weren't read)",
        ),
    )
    (one,) = account.roles
    assert [project.name for project in one.projects] == names[100:]


def test_second_page_of_project_names_fails(session: boto3.Session, wire: Wire) -> None:
    """Names that were listed are read, and the failure says that there are more."""
    arn = make_role(session, "web")
    denied = refuse("UnrecognizedClientException", "token")
    wire.on(
        "codebuild:ListProjects",
        lambda request: (
            denied(request)
            if "nextToken" in request.fields
            else ok({"projects": ["a"], "nextToken": "2"})
        ),
        "af-south-1",
    )
    wire.on(
        "codebuild:BatchGetProjects",
        lambda _: ok({"projects": [{"name": "a", "serviceRole": arn}]}),
        "af-south-1",
    )
    account = collect_account(session)
    (one,) = account.roles
    assert one.projects == (Project("a", "af-south-1", ""),)
    assert account.failures == (
        ("codebuild:ListProjects af-south-1", "UnrecognizedClientException: token"),
    )


@pytest.mark.parametrize(
    ("region", "told"),
    [("us-west-2", ()), ("us-west-2", ("us-east-1",)), ("me-south-1", ("me-south-1",))],
)
def test_an_enabled_region_gets_no_excuse(
    session: boto3.Session, wire: Wire, region: str, told: tuple[str, ...]
) -> None:
    """A region that is always enabled, or is known to be, fails out loud on a rejected token."""
    if told:
        status = [{"RegionName": name, "RegionOptStatus": "ENABLED"} for name in told]
        wire.on("account:ListRegions", lambda _: ok({"Regions": status}))
    wire.on("codebuild:ListProjects", refuse("UnrecognizedClientException", "token"), region)
    account = collect_account(session)
    assert account.failures == (
        (f"codebuild:ListProjects {region}", "UnrecognizedClientException: token"),
    )


def test_an_opt_in_region_that_denies_is_a_failure(session: boto3.Session, wire: Wire) -> None:
    """Only a rejected token means a region isn't enabled: a denial comes from one that is."""
    wire.on("codebuild:ListProjects", refuse("AccessDeniedException", "scp"), "me-south-1")
    account = collect_account(session)
    assert [failure.where for failure in account.failures] == ["codebuild:ListProjects me-south-1"]


def test_list_regions_is_not_waited_for(
    session: boto3.Session, wire: Wire, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    """Its throttling isn't sat out: where every region answers, nothing is missing without it."""
    wire.on("account:ListRegions", refuse("TooManyRequestsException", "slow", 429))
    with caplog.at_level(logging.WARNING):
        assert collect_account(session).failures == ()
    assert wire.tries("account:ListRegions") == 2
    assert len(waits) == 1
    assert "TooManyRequestsException" in caplog.text


def test_the_second_page_of_roles_fails(session: boto3.Session, wire: Wire) -> None:
    """Roles read before are audited, with what wasn't seen of their policies missing out loud."""
    denied = refuse("AccessDenied", "no more")
    other = f"arn:aws:iam::{ACCOUNT}:policy/other"
    first = role("one", AttachedManagedPolicies=[attached(), attached(other)])
    wire.on(
        GAAD,
        lambda request: (
            denied(request) if "Marker" in request.fields else gaad_page([first], [policy()], "p2")
        ),
    )
    lost = f"arn:aws:iam::{ACCOUNT}:role/two"
    project = make_project(session, "two", "us-east-1", lost)
    account = collect_account(session, regions=["us-east-1"])
    (one,) = account.roles
    assert [text.missing for text in one.attached] == [
        None,
        "AWS had not returned it when reading the account's policies failed",
    ]
    assert account.failures == ((GAAD, "AccessDenied: no more (page 2; 1 roles were read before)"),)
    assert account.unresolved_projects == (
        UnresolvedProject(
            project, lost, "the role could not be read: the account's roles were not all listed"
        ),
    )


def test_roles_denied_altogether(session: boto3.Session, wire: Wire) -> None:
    """No roles, one failure, and every project listed as one whose role couldn't be read."""
    arn = make_role(session, "web")
    project = make_project(session, "web", "us-east-1", arn)
    wire.on(GAAD, refuse("AccessDenied", "not authorized", 403))
    account = collect_account(session, regions=["us-east-1"])
    assert list(account.roles) == []
    assert account.account_id == ACCOUNT
    assert account.failures == ((GAAD, "AccessDenied: not authorized"),)
    (lost,) = account.unresolved_projects
    assert (lost.project, lost.role_arn) == (project, arn)
    assert "could not be read" in lost.reason


def test_a_malformed_role_from_aws(session: boto3.Session, wire: Wire) -> None:
    """An entry without an ARN is a failure here too, and then not every role was listed."""
    wire.on(GAAD, lambda _: gaad_page([{"RoleName": "lost"}, role("web")], []))
    make_project(session, "lost", "us-east-1", f"arn:aws:iam::{ACCOUNT}:role/lost")
    account = collect_account(session, regions=["us-east-1"])
    assert [one.name for one in account.roles] == ["web"]
    assert account.failures == (
        (GAAD, "page 1: the entry of role lost has no Arn; this role wasn't audited"),
    )
    assert "could not be read" in account.unresolved_projects[0].reason


def test_a_role_on_two_pages(session: boto3.Session, wire: Wire) -> None:
    """The same entry twice is one role; one that changed meanwhile is said, and undetermined."""
    changed = role("changed", RolePolicyList=[{"PolicyName": "p", "PolicyDocument": document()}])
    first, second = [role("web"), role("changed")], [changed, role("web")]
    wire.on(
        GAAD,
        lambda request: (
            gaad_page(second, []) if "Marker" in request.fields else gaad_page(first, [], "p2")
        ),
    )
    account = collect_account(session, regions=["us-east-1"])
    (failure,) = account.failures
    assert failure.where == GAAD
    assert failure.message.startswith(f"page 2: arn:aws:iam::{ACCOUNT}:role/changed: ")
    report = audit(account, now=datetime(2026, 11, 23, tzinfo=UTC))
    verdicts = {one.name: one.verdict for one in report.roles}
    assert verdicts == {"web": "no_send", "changed": "undetermined"}


SECRET = "IQoJb3JpZ2luX2VjEXAMPLE"


@pytest.mark.parametrize(
    ("code", "message", "says"),
    [
        ("ExpiredToken", "The security token is expired", "fresh"),
        ("InvalidClientTokenId", "The security token is invalid", "AWS_DEFAULT_REGION"),
        (
            "SignatureDoesNotMatch",
            f"No match. The Canonical String should be\n'POST\nx-amz-security-token:{SECRET}'",
            "clock",
        ),
        ("IncompleteSignature", f"Authorization=AWS4 Credential={SECRET}", "check the profile"),
        ("Odd\x1b[31m", f"X-Amz-Security-Token: {SECRET} " + "x" * 9999, "check the profile"),
    ],
)
def test_the_first_call_refused(
    session: boto3.Session, wire: Wire, code: str, message: str, says: str
) -> None:
    """One bounded printable line, with what to do and without the request's secrets."""
    if code.isprintable():
        wire.on("sts:GetCallerIdentity", refuse(code, message, 403))
    else:  # XML can't carry it: it comes from a client error as such
        error = ClientError({"Error": {"Code": code, "Message": message}}, "GetCallerIdentity")
        wire.on("sts:GetCallerIdentity", fail(error))
    with pytest.raises(CollectError) as caught:
        collect_account(session)
    line = str(caught.value)
    assert says in line
    assert line.startswith("sts:GetCallerIdentity us-east-1: ")
    assert line.isprintable()
    assert len(line) < 800
    assert SECRET not in line


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing configured: said in one line with the ways there are to sign in."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    with pytest.raises(CollectError, match=r"NoCredentialsError.*--profile"):
        collect_account(open_session())


def test_half_of_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key id without its secret says which half is missing."""
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(CollectError, match=r"PartialCredentialsError.*--profile"):
        collect_account(open_session())


def test_no_such_profile() -> None:
    """A profile's typo is one line before any call."""
    with pytest.raises(CollectError, match=r"ProfileNotFound: .*nowhere.*list-profiles"):
        open_session("nowhere")


def test_network_down(session: boto3.Session, wire: Wire, waits: list[float]) -> None:
    """No network at all ends the scan in one line after the tries."""
    wire.on("sts:GetCallerIdentity", fail(EndpointConnectionError(endpoint_url="https://sts/")))
    with pytest.raises(CollectError, match=r"EndpointConnectionError.*network"):
        collect_account(session)
    assert len(waits) == 7


PAGES = ["<html>sign in to the wifi<br></html>", "<html><p/></html>", "", "{}", "[]", "5", "null"]


@pytest.mark.parametrize("page", PAGES)
def test_something_else_says_who_we_are(
    session: boto3.Session, wire: Wire, waits: list[float], page: str
) -> None:
    """A proxy's page in place of the very first answer ends the scan in one line."""
    wire.on("sts:GetCallerIdentity", lambda _: answer(200, page, {}))
    with pytest.raises(CollectError, match=r"ResponseParserError.*network"):
        collect_account(session)
    assert len(waits) in (0, 7)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("call", [GAAD, "codebuild:ListProjects", "codebuild:BatchGetProjects"])
def test_something_else_answers(
    session: boto3.Session, wire: Wire, waits: list[float], call: str, page: str
) -> None:
    """A proxy's page in AWS's place never passes for an account without roles or projects."""
    make_project(session, "web", "us-east-1", make_role(session, "web"))
    wire.on(call, lambda _: answer(200, page, {}))
    account = collect_account(session, regions=["us-east-1"])
    (failure,) = account.failures
    assert failure.where in (call, f"{call} us-east-1")
    assert failure.message.isprintable()
    assert len(waits) in (0, 7)


@pytest.mark.parametrize("page", ["<html>sign in to the wifi</html>", "{}", '{"Regions": [{}]}'])
def test_something_else_names_the_regions(
    session: boto3.Session, wire: Wire, caplog: pytest.LogCaptureFixture, page: str
) -> None:
    """An answer without regions is no answer: every region is tried, and that is said."""
    wire.on("account:ListRegions", lambda _: answer(200, page, {}))
    assert collect_account(session).failures == ()
    assert "the answer names no region; every region was tried" in caplog.text
    assert wire.tries("codebuild:ListProjects") == 31
