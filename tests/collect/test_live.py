"""A whole account read through boto3, moto answering in AWS's place."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from auditor.account import Project, UnresolvedProject
from auditor.audit import audit
from auditor.collect.live import collect_account
from auditor.collect.snapshot import read_snapshot
from auditor.errors import InputError
from tests.collect.values import ACCOUNT, BUILD, TRUST, attached, document, plain, policy, role
from tests.collect.wire import Request, Wire, gaad_page, ok, refuse

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore.awsrequest import AWSResponse

REGIONS = ("eu-west-1", "us-east-1")


def make_role(session: boto3.Session, name: str, **more: Any) -> str:
    iam = session.client("iam", region_name="us-east-1")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **more)
    return made["Role"]["Arn"]


def make_project(session: boto3.Session, name: str, region: str, service_role: str) -> Project:
    codebuild = session.client("codebuild", region_name=region)
    made = codebuild.create_project(
        name=name,
        source={"type": "GITHUB", "location": "https://github.com/example/web.git"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={
            "type": "LINUX_CONTAINER",
            "image": "aws/codebuild/standard:7.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
        serviceRole=service_role,
    )
    return Project(name, region, made["project"]["arn"])


def list_regions(statuses: dict[str, str]) -> AWSResponse:
    return ok({"Regions": [{"RegionName": r, "RegionOptStatus": s} for r, s in statuses.items()]})


def test_end_to_end(session: boto3.Session) -> None:
    """Roles with all that bears on them, and the projects of two regions on the roles they use."""
    iam = session.client("iam", region_name="us-east-1")
    iam.create_policy(PolicyName="build", PolicyDocument=json.dumps(document("s3:*")))
    iam.create_policy_version(
        PolicyArn=BUILD, PolicyDocument=json.dumps(document("ses:*")), SetAsDefault=True
    )
    web = make_role(
        session,
        "web",
        Path="/service-role/",
        PermissionsBoundary=BUILD,
        Tags=[{"Key": "Team", "Value": "shop"}],
    )
    iam.put_role_policy(RoleName="web", PolicyName="mail", PolicyDocument=json.dumps(document()))
    iam.attach_role_policy(RoleName="web", PolicyArn=BUILD)
    idle = make_role(session, "idle")
    b = make_project(session, "b-web", "us-east-1", web)
    a = make_project(session, "a-web", "us-east-1", web)
    c = make_project(session, "c-web", "eu-west-1", web)
    said: list[str] = []
    account = collect_account(session, regions=REGIONS, progress=said.append)
    assert (account.account_id, account.partition) == (ACCOUNT, "aws")
    assert account.not_evaluated == ()
    assert account.organization is None
    assert [one.region for one in account.ses] == list(REGIONS)
    assert account.failures == ()
    assert account.unresolved_projects == ()
    by_arn = {one.arn: one for one in account.roles}
    assert set(by_arn) == {web, idle}
    one = by_arn[web]
    assert (one.name, one.tags, one.trust.document) == ("web", {"Team": "shop"}, TRUST)
    assert one.role_id.startswith("AROA")
    assert [(t.name, t.kind, t.document) for t in one.inline] == [("mail", "inline", document())]
    assert [(t.arn, t.kind, t.document) for t in one.attached] == [
        (BUILD, "managed", document("ses:*"))
    ]
    assert one.boundary
    assert (one.boundary.arn, one.boundary.kind, one.boundary.document) == (
        BUILD,
        "boundary",
        document("ses:*"),
    )
    assert one.projects == (c, a, b)
    assert by_arn[idle].projects == ()
    assert account.api_calls == {
        "codebuild:BatchGetProjects": 2,
        "codebuild:ListProjects": 2,
        "iam:GetAccountAuthorizationDetails": 1,
        "organizations:DescribeOrganization": 1,
        "sesv2:GetAccount": 2,
        "sesv2:ListEmailIdentities": 2,
        "sts:GetCallerIdentity": 1,
    }
    assert f"account {ACCOUNT}" in said
    assert "CodeBuild: 2 of 2 regions read" in said
    assert "SES: 2 of 2 regions read" in said


def test_aws_managed_policies() -> None:
    """A policy of AWS's own arrives with its document, shared by the roles that have it."""
    with mock_aws(config={"iam": {"load_aws_managed_policies": True}}):
        session = boto3.Session()
        iam = session.client("iam", region_name="us-east-1")
        arn = "arn:aws:iam::aws:policy/AmazonSESFullAccess"
        for name in ("one", "two"):
            make_role(session, name)
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        one, two = collect_account(session, regions=["us-east-1"]).roles
    (text,) = one.attached
    assert (text.name, text.kind, text.missing) == ("AmazonSESFullAccess", "aws-managed", None)
    assert isinstance(text.document, dict)
    assert two.attached == (text,)


def test_live_and_snapshot_agree(session: boto3.Session, wire: Wire, tmp_path: Path) -> None:
    """The same entries, from the API or from the CLI's file, are the same roles."""
    roles = [
        role(
            "web",
            RolePolicyList=[{"PolicyName": "mail", "PolicyDocument": document()}],
            AttachedManagedPolicies=[attached()],
            PermissionsBoundary={"PermissionsBoundaryArn": BUILD},
            Tags=[{"Key": "a", "Value": "b"}],
        ),
        role("bad", AssumeRolePolicyDocument="{not json"),
    ]
    wire.on("iam:GetAccountAuthorizationDetails", lambda _: gaad_page(roles, [policy()]))
    live = collect_account(session, regions=["us-east-1"])
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps({"RoleDetailList": roles, "Policies": [policy()]}))
    bad = next(one for one in live.roles if one.name == "bad")
    assert bad.trust.document == "%7Bnot%20json"  # as on the wire: AWS's text isn't judged here
    bad.trust.document = '""'
    snapshot = read_snapshot(str(file))
    next(one for one in snapshot.roles if one.name == "bad").trust.document = '""'
    assert plain(live)["roles"] == plain(snapshot)["roles"]


def test_all_pages_are_read(session: boto3.Session, wire: Wire) -> None:
    """Roles and policies arrive in any order over the pages, filtered to what is needed."""
    asked: list[dict[str, Any]] = []

    def page(request: Request) -> AWSResponse:
        asked.append(request.fields)
        if request.fields.get("Marker") == "p2":
            return gaad_page([role("two", AttachedManagedPolicies=[attached()])], [policy()])
        return gaad_page([role("one", AttachedManagedPolicies=[attached()])], [], "p2")

    wire.on("iam:GetAccountAuthorizationDetails", page)
    account = collect_account(session, regions=["us-east-1"])
    one, two = account.roles
    assert (one.name, two.name) == ("one", "two")
    assert one.attached[0] is two.attached[0]
    assert (one.attached[0].document, one.attached[0].missing) == (
        document("ses:SendRawEmail"),
        None,
    )
    assert account.api_calls["iam:GetAccountAuthorizationDetails"] == 2
    filters = [value for key, value in asked[0].items() if key.startswith("Filter")]
    assert filters == ["Role", "LocalManagedPolicy", "AWSManagedPolicy"]
    assert asked[0]["MaxItems"] == "1000"


def test_more_than_a_hundred_projects(session: boto3.Session, wire: Wire) -> None:
    """Names are listed page by page and read a hundred at a time, CodeBuild's own limit."""
    arn = make_role(session, "web")
    names = [f"p{i:03}" for i in range(250)]
    batches: list[list[str]] = []

    def listed(request: Request) -> AWSResponse:
        start = int(request.fields.get("nextToken", 0))
        more = {"nextToken": str(start + 90)} if start + 90 < len(names) else {}
        return ok({"projects": names[start : start + 90], **more})

    def got(request: Request) -> AWSResponse:
        batches.append(request.fields["names"])
        return ok({"projects": [{"name": n, "serviceRole": arn} for n in request.fields["names"]]})

    wire.on("codebuild:ListProjects", listed)
    wire.on("codebuild:BatchGetProjects", got)
    account = collect_account(session, regions=["us-east-1"])
    (one,) = account.roles
    assert [project.name for project in one.projects] == names
    assert [len(batch) for batch in batches] == [100, 100, 50]
    assert account.api_calls["codebuild:ListProjects"] == 3


def test_which_role_a_project_uses(session: boto3.Session, wire: Wire) -> None:
    """Service and batch roles, by ARN or by name, each once; what finds no role says why."""
    web = make_role(session, "web", Path="/ci/")
    batch = make_role(session, "Batch")
    elsewhere = "arn:aws:iam::999999999999:role/web"
    gone = f"arn:aws:iam::{ACCOUNT}:role/gone"
    old_path = f"arn:aws:iam::{ACCOUNT}:role/old/web"
    projects: list[dict[str, Any]] = [
        {"name": "both", "serviceRole": web, "buildBatchConfig": {"serviceRole": batch}},
        {"name": "same", "serviceRole": web, "buildBatchConfig": {"serviceRole": web}},
        {"name": "bare", "serviceRole": "web"},
        {"name": "path", "serviceRole": "ci/web"},
        {"name": "flat", "serviceRole": f"arn:aws:iam::{ACCOUNT}:role/web"},
        {"name": "case", "serviceRole": "batch"},
        {"name": "elsewhere", "serviceRole": elsewhere},
        {"name": "gone", "serviceRole": gone, "buildBatchConfig": {"serviceRole": batch}},
        {"name": "moved", "serviceRole": old_path},
        {"name": "none"},
    ]
    wire.on("codebuild:ListProjects", lambda _: ok({"projects": [p["name"] for p in projects]}))
    wire.on("codebuild:BatchGetProjects", lambda _: ok({"projects": projects}))
    account = collect_account(session, regions=["us-east-1"])
    used = {one.name: [project.name for project in one.projects] for one in account.roles}
    assert used == {
        "web": ["bare", "both", "flat", "path", "same"],
        "Batch": ["both", "case", "gone"],
    }
    assert account.unresolved_projects == tuple(
        UnresolvedProject(Project(name, "us-east-1", ""), named, reason)
        for name, named, reason in (
            (
                "elsewhere",
                elsewhere,
                "the role lives in another account (999999999999), which this audit doesn't read",
            ),
            ("gone", gone, "the role no longer exists"),
            ("moved", old_path, "the role no longer exists"),
            ("none", "", "the project names no service role"),
        )
    )
    assert account.failures == ()


def test_projects_deleted_meanwhile_and_projects_unanswered(
    session: boto3.Session, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """One that is gone when it is read is no loss; one that AWS says nothing about is."""
    wire.on("codebuild:ListProjects", lambda _: ok({"projects": ["gone", "web", "lost"]}))
    wire.on(
        "codebuild:BatchGetProjects",
        lambda _: ok({"projects": [{"name": "web"}], "projectsNotFound": ["gone"]}),
    )
    with caplog.at_level(logging.INFO):
        account = collect_account(session, regions=["us-east-1"])
    assert "us-east-1: deleted while being read: gone" in caplog.text
    assert account.failures == (
        ("codebuild:BatchGetProjects us-east-1", "no answer for 1 projects: lost"),
    )


def test_every_usable_region_is_asked(session: boto3.Session, wire: Wire) -> None:
    """Enabled regions are read, disabled ones aren't asked at all."""
    statuses = dict.fromkeys(REGIONS, "ENABLED_BY_DEFAULT")
    statuses |= {"af-south-1": "ENABLED", "me-south-1": "DISABLED", "il-central-1": "DISABLING"}
    wire.on("account:ListRegions", lambda _: list_regions(statuses))
    wire.on("codebuild:ListProjects", refuse("UnrecognizedClientException"), "il-central-1")
    arn = make_role(session, "web")
    project = make_project(session, "web", "af-south-1", arn)
    account = collect_account(session)
    (one,) = account.roles
    assert one.projects == (project,)
    assert account.failures == ()
    asked = {r.region for r in wire.seen if r.call == "codebuild:ListProjects"}
    assert {"af-south-1", "il-central-1", "eu-west-3", *REGIONS} <= asked
    assert "me-south-1" not in asked


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (
            refuse("AccessDeniedException", "not authorized", 403),
            "AccessDeniedException: not authorized",
        ),
        (lambda _: list_regions({}), "the answer names no region"),
    ],
    ids=["denied", "empty"],
)
def test_a_region_that_is_guessed_to_be_unused_is_a_failure(
    session: boto3.Session, wire: Wire, answer: Callable[[Request], AWSResponse], says: str
) -> None:
    """Where AWS doesn't say which regions are enabled, one that refuses the credentials may be one
    that they aren't valid in: the audit is incomplete, and names the region and the remedy."""
    wire.on("account:ListRegions", answer)
    wire.on("codebuild:ListProjects", refuse("UnrecognizedClientException"), "me-south-1")
    wire.on("sesv2:GetAccount", refuse("UnrecognizedClientException"), "af-south-1")
    wire.on("sesv2:ListEmailIdentities", refuse("UnrecognizedClientException"), "af-south-1")
    project = make_project(session, "web", "il-central-1", make_role(session, "web"))
    account = collect_account(session)
    (one,) = account.roles
    assert one.projects == (project,)
    (failure,) = account.failures
    assert failure.where == "account:ListRegions"
    assert failure.message == (
        f"{says}; taken as not enabled, as they refuse these credentials: af-south-1, me-south-1."
        " Permit account:ListRegions, or name the regions to read"
    )
    assert not audit(account, now=datetime(2026, 11, 23, tzinfo=UTC)).complete
    known = set(session.get_available_regions("codebuild"))
    assert known == {r.region for r in wire.seen if r.call == "codebuild:ListProjects"}


def test_without_list_regions_every_region_is_tried(
    session: boto3.Session, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    """Where every region answers nothing is guessed, and nothing missing: that is a log line."""
    wire.on("account:ListRegions", refuse("AccessDeniedException", "not authorized", 403))
    account = collect_account(session)
    assert account.failures == ()
    (note,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert note == (
        "account:ListRegions: AccessDeniedException: not authorized; every region was tried"
    )
    known = set(session.get_available_regions("codebuild"))
    assert known == {r.region for r in wire.seen if r.call == "codebuild:ListProjects"}


def test_moto_alone_lacks_list_regions(session: boto3.Session) -> None:
    """An emulator that doesn't know the operation at all is a fallback too, not an error."""
    assert collect_account(session).failures == ()


@pytest.mark.parametrize("region", ["eu-wset-1", "cn-north-1", "", "us-east-1.evil.example"])
def test_a_region_that_is_none_is_a_usage_error(
    session: boto3.Session, wire: Wire, region: str
) -> None:
    """A typo is refused at once by name, not after minutes of tries."""
    with pytest.raises(InputError, match="no region with CodeBuild"):
        collect_account(session, regions=["us-east-1", region])
    assert wire.tries("sts:GetCallerIdentity") == (region == "cn-north-1")


def test_regions_asked_for_twice_are_read_once(session: boto3.Session, wire: Wire) -> None:
    """``--region`` repeated with one name counts once, and ListRegions isn't needed."""
    collect_account(session, regions=["eu-west-1", "eu-west-1"])
    assert wire.tries("codebuild:ListProjects") == 1
    assert wire.tries("account:ListRegions") == 0


@pytest.mark.parametrize(
    ("region", "partition", "home"),
    [
        ("cn-northwest-1", "aws-cn", "cn-north-1"),
        ("us-gov-east-1", "aws-us-gov", "us-gov-west-1"),
    ],
)
def test_other_partitions(
    monkeypatch: pytest.MonkeyPatch, region: str, partition: str, home: str
) -> None:
    """The configured region tells the partition; all its regions are asked, without ListRegions."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    with mock_aws():
        session = boto3.Session()
        wire = Wire()
        wire.attach(session)
        account = collect_account(session)
    assert account.partition == partition
    assert wire.tries("account:ListRegions") == 0
    assert {r.region for r in wire.seen if r.call == "codebuild:ListProjects"} == set(
        session.get_available_regions("codebuild", partition)
    )
    assert home in session.get_available_regions("codebuild", partition)


def test_progress_comes_from_the_calling_thread(session: boto3.Session) -> None:
    """A progress bar need not be safe in several threads."""
    threads = set()
    collect_account(session, regions=REGIONS, progress=lambda _: threads.add(threading.get_ident()))
    assert threads == {threading.get_ident()}


def test_two_reads_give_the_same_account(session: boto3.Session) -> None:
    """Threads finish in any order; what they give is ordered by region and name."""
    arn = make_role(session, "web")
    for region in ("us-west-2", *REGIONS):
        for name in ("b-web", "a-web"):
            make_project(session, name, region, arn)
            make_project(session, f"lost-{name}", region, f"arn:aws:iam::{ACCOUNT}:role/lost")
    first = collect_account(session)
    assert plain(first) == plain(collect_account(session))
    (one,) = first.roles
    assert [(p.region, p.name) for p in one.projects] == [
        (region, name)
        for region in ("eu-west-1", "us-east-1", "us-west-2")
        for name in ("a-web", "b-web")
    ]
