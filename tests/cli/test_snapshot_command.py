"""``auditor snapshot``, and ``auditor scan`` on what it wrote: the whole way, through processes."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
from moto.sesv2.responses import SESV2Response

from auditor.cli import main
from tests.cli.conftest import CLEAN, OPEN, SAFE, TRUST, run
from tests.collect import gaps

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = ("--now", "2026-11-23T03:00:00Z")
REGIONS = ("--region", "eu-west-1", "--region", "us-east-1")
COMMANDS = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def account() -> Iterator[dict[str, str]]:
    """An account with two roles, three projects, an identity and an organization."""
    gaps.fill()
    moto_api_backend.reset()  # what other servers of this process were told
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environ = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    try:
        build(environ["AWS_ENDPOINT_URL"])
        yield environ
    finally:
        server.stop()
        moto_api_backend.reset()


def build(endpoint: str) -> None:
    session = boto3.Session("testing", "testing", region_name="eu-west-1")
    iam = session.client("iam", endpoint_url=endpoint)
    codebuild = session.client("codebuild", endpoint_url=endpoint)
    for role in (SAFE, OPEN):
        name = role["RoleName"]
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
        document = json.dumps(role["RolePolicyList"][0]["PolicyDocument"])
        iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=document)
        arns = [made["Role"]["Arn"], *([made["Role"]["Arn"] + "-gone"] if role is OPEN else [])]
        for number, arn in enumerate(arns):
            codebuild.create_project(
                name=f"project-{name}-{number}",
                source={"type": "S3", "location": "bucket/source.zip"},
                artifacts={"type": "NO_ARTIFACTS"},
                environment={
                    "type": "LINUX_CONTAINER",
                    "image": "aws/codebuild/standard:7.0",
                    "computeType": "BUILD_GENERAL1_SMALL",
                },
                serviceRole=arn,
            )
    ses: Any = session.client("sesv2", endpoint_url=endpoint)
    ses.create_email_identity(EmailIdentity="example.com")
    organizations: Any = session.client("organizations", endpoint_url=endpoint)
    organizations.create_organization(FeatureSet="ALL")


def test_a_bundle_gives_the_live_report(account: dict[str, str], tmp_path: Path) -> None:
    """Byte for byte, in each format, from the file or from standard input, without AWS."""
    path = tmp_path / "account.bundle"
    wrote = run("snapshot", "--output", str(path), *REGIONS, environ=account)
    assert (wrote.returncode, wrote.stdout) == (0, "")
    assert wrote.stderr == (
        f"auditor: account 123456789012: 2 roles, 3 projects, 2 regions,"
        f" {path.stat().st_size:,} bytes in {path}\n"
    )
    for form in ("json", "table"):
        live = run("scan", *REGIONS, "--format", form, *NOW, environ=account)
        again = run("scan", "--snapshot", str(path), "--format", form, *NOW)
        assert (again.returncode, again.stderr) == (live.returncode, live.stderr) == (1, "")
        # The table's last lines say how to go on, each from its own source.
        steps = "  See what would close"
        assert again.stdout.split(steps)[0] == live.stdout.split(steps)[0]
        assert form == "table" or again.stdout == live.stdout
        limit = {"table": "LIMITED AUDIT: ", "json": '"regions": ["eu-west-1", "us-east-1"]}'}
        assert limit[form] in again.stdout, "where whoever made the file looked"
    piped = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-m", "auditor", "scan", "--snapshot", "-", "--format", "table", *NOW],
        input=path.read_bytes(),
        capture_output=True,
        env=CLEAN,
        timeout=60,
        check=False,
    )
    assert piped.returncode == 1
    assert piped.stdout.decode().split(steps)[0] == live.stdout.split(steps)[0]


def test_failures_are_carried_over(
    account: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What couldn't be read is said, makes the status 3, and is the same in both reports."""

    def denied(_: SESV2Response) -> str:
        raise JsonRESTError("AccessDeniedException", "not authorized")

    monkeypatch.setattr(SESV2Response, "list_email_identities", denied)
    path = tmp_path / "account.bundle"
    wrote = run("snapshot", "--output", str(path), *REGIONS, environ=account)
    assert (wrote.returncode, wrote.stdout) == (3, "")
    warning, summary = wrote.stderr.splitlines()
    assert warning == (
        "auditor: warning: not read: sesv2:ListEmailIdentities (every region):"
        " AccessDeniedException: not authorized"
    )
    assert "2 roles" in summary
    live = run("scan", *REGIONS, "--format", "json", *NOW, environ=account)
    again = run("scan", "--snapshot", str(path), "--format", "json", *NOW)
    assert again.stdout == live.stdout
    document = json.loads(again.stdout)
    assert document["complete"] is False
    assert document["not_evaluated"] == ["identity-policies"]
    assert [error["where"] for error in document["errors"]] == [
        "sesv2:ListEmailIdentities (every region)"
    ]
    assert document["unresolved_projects"]


def test_when_and_by_whom(account: dict[str, str], tmp_path: Path) -> None:
    """The file says when (UTC) and by whom it was made, and where was looked."""
    path = tmp_path / "account.bundle"
    before = datetime.now(UTC).replace(microsecond=0)
    run("snapshot", "--output", str(path), "--region", "eu-west-1", environ=account)
    content = json.loads(gzip.decompress(path.read_bytes()).splitlines()[1])
    assert before <= datetime.fromisoformat(content["taken_at"]) <= datetime.now(UTC)
    assert content["caller"].startswith("arn:aws:sts::123456789012:")
    assert content["regions"] == ["eu-west-1"]
    assert "testing" not in json.dumps(content), "no credentials"


def test_the_file_is_for_its_owner_alone(account: dict[str, str], tmp_path: Path) -> None:
    """Mode 0600, also in place of a file that others could read; nothing else is left there."""
    path = tmp_path / "account.bundle"
    path.write_text("old")
    path.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(path)
    run("snapshot", "--output", str(link), "--region", "eu-west-1", environ=account)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"\x1f\x8b")
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [path, link]


def test_a_pipe_is_written_to(account: dict[str, str], tmp_path: Path) -> None:
    """What isn't a file, such as a program that encrypts, gets the bytes themselves."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["/bin/cat", str(pipe)], stdout=subprocess.PIPE) as reader:  # noqa: S603
        run("snapshot", "--output", str(pipe), "--region", "eu-west-1", environ=account)
        assert reader.stdout
        assert reader.stdout.read(2) == b"\x1f\x8b"
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Missing option '--output'"),
        (("--output", "."), "is a directory"),
        (("--output", ""), "--output: no file is named; name one"),
        (("--output", "no/such/place"), "there is no directory no/such"),
        (("--output", "x", "--region", "mars-1"), "region 'mars-1': no region with CodeBuild"),
        (("--output", "x", "--profile", "nobody"), "nobody"),
        (("--output", "x"), "NoCredentialsError"),
    ],
)
def test_one_line_says_what_is_wrong(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    """Status 2, one line on standard error, and no file, before anything is asked."""
    quiet = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    done = run("snapshot", *arguments, cwd=tmp_path, environ=quiet)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def file_of(body: bytes = b"{}", **header: object) -> bytes:
    digest = hashlib.sha256(body).hexdigest()
    right = {"format": "auditor-snapshot", "version": 1, "bytes": len(body), "sha256": digest}
    return gzip.compress(json.dumps(right | header).encode() + b"\n" + body)


BAD = {
    "cut": (file_of()[:-9], "it ends in the middle"),
    "damaged": (file_of()[:-8] + bytes(8), "a damaged file"),
    "checksum": (file_of(sha256="0"), "its checksum differs"),
    "a bomb": (file_of(b" " * 10**7, bytes=5), "longer than it says"),
    "a bomb that says so": (file_of(bytes=10**15), "more than any account needs"),
    "no bundle": (gzip.compress(b'{"RoleDetailList": []}'), "not by `auditor snapshot`"),
    "newer": (file_of(version=2), "written by a newer auditor (bundle version 2): update"),
    "older": (file_of(version=0), "bundle version 0 isn't known any more"),
    "hand-made": (file_of(b'{"roles": 5}'), "a bundle that can't be used"),
}


@pytest.mark.parametrize(("data", "says"), BAD.values(), ids=BAD)
def test_a_bad_bundle_is_one_line(
    tmp_path: Path, data: bytes, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is wrong with a bundle is one line that names the file, and status 2."""
    path = tmp_path / "account.bundle"
    path.write_bytes(data)
    status = main(["scan", "--snapshot", str(path)])
    shown = capsys.readouterr()
    assert (status, shown.out) == (2, "")
    assert shown.err.startswith(f"auditor: error: {path}: ")
    assert says in shown.err
    assert shown.err.count("\n") == 1


def test_the_documents_quote_its_help() -> None:
    """docs/commands.md has the help of the command, to the letter."""
    shown = run("snapshot", "--help").stdout.rstrip()
    assert f"$ auditor snapshot --help\n{shown}\n```" in COMMANDS
