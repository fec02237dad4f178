"""``auditor denial`` as people run it: on an error, on a log, with the role at hand."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from auditor.cli import main
from auditor.denial.problems import ROWS
from auditor.errors import AuditorError
from tests.cli.conftest import CLEAN, TRUST, role
from tests.cli.conftest import run as run_apart
from tests.collect import gaps
from tests.corrective.readers import from_cloudformation, from_terraform
from tests.judge.calls import Subject
from tests.judge.verdicts import verdict

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "123456789012"
IDENTITY = f"arn:aws:ses:eu-west-1:{ACCOUNT}:identity/example.com"
BUILD = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/builds/AWSCodeBuild-{BUILD}"
ERROR = (
    "An error occurred (AccessDenied) when calling the SendEmail operation: User"
    f" `{ROLE}' is not authorized to perform `ses:SendEmail' on resource `{IDENTITY}'"
)
LOG = f"""[Container] 2026/11/23 03:00:00.000001 CODEBUILD_BUILD_ID=web:{BUILD}
[Container] 2026/11/23 03:00:00.123456 Running command pytest -q
\x1b[31mE   botocore.exceptions.ClientError: {ERROR}\x1b[0m
An error occurred (AccessDenied) when calling the PutObject operation: Access Denied
[Container] 2026/11/23 03:00:09.9 Phase complete: BUILD State: FAILED
"""
QUIET = "[Container] 2026/11/23 03:00:00.1 Running command pytest -q\n12 passed\n"
BULK = ERROR.replace("SendEmail", "SendBulkEmail")


def run(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command in this process: the same, and quicker than one of its own."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name, stream in zip(("stdout", "stderr", "stdin"), (*streams, given), strict=True):
            patch.setattr(sys, name, stream)
        status = main(args)
    out, err = (stream.buffer.getvalue().decode() for stream in streams)
    return subprocess.CompletedProcess(args, status, out, err)


def told(*args: str, stdin: str = "") -> Any:
    done = run("denial", *args, "--format", "json", stdin=stdin)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("how", ["argument", "standard input", "dash", "file", "file dash"])
def test_wherever_the_text_comes_from(how: str, tmp_path: Path) -> None:
    """The error as an argument, a log on standard input or in a file: found all the same."""
    path = tmp_path / "build.log"
    path.write_text(LOG, "utf-8")
    args = {"argument": [ERROR], "dash": ["-"], "file": ["--file", str(path)],
            "file dash": ["--file", "-"]}.get(how, [])  # fmt: skip
    (caller,) = told(*args, stdin="" if how in ("argument", "file") else LOG)["callers"]

    (denial,) = caller["denials"]
    assert caller["principal"]["name"] == "builds"
    assert (denial["action"], denial["resource"]) == ("ses:SendEmail", IDENTITY)
    assert denial["build"] == BUILD
    sure = None if how == "argument" else {"name": "web", "sure": True}
    assert denial["project"] == sure


def test_the_page_of_a_log() -> None:
    """The page says where, who, which build, on what and why; what isn't mail's is one line."""
    done = run_apart("denial", stdin=LOG)

    assert (done.returncode, done.stderr) == (0, "")
    for text in (
        "1 call to SES was refused by a policy.",
        "line 3",
        "role builds of account 123456789012",
        "web, by the build's id in the log",
        IDENTITY,
        "botocore",
        "PutObject",
        "*@simulator.amazonses.com",
        "aws iam put-role-policy --role-name=builds",
    ):
        assert text in " ".join(done.stdout.split()), text
    assert "\x1b" not in done.stdout


def test_the_policy_alone() -> None:
    """The policy is IAM's own JSON on standard output: of the simulator alone, by the engine."""
    done = run("denial", "--format", "policy", ERROR)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert verdict(Subject((document,))).verdict == "simulator_only"
    assert document["Statement"][0]["Action"] == ["ses:SendEmail"]


def test_the_other_forms() -> None:
    """CloudFormation, Terraform and the command hold the very same policy."""
    policy = json.loads(run("denial", "--format", "policy", ERROR).stdout)
    command = shlex.split(run("denial", "--format", "command", ERROR).stdout)
    assert json.loads(command[-1].partition("=")[2]) == policy
    assert command[3] == "--role-name=builds"
    for form, read in (("terraform", from_terraform), ("cloudformation", from_cloudformation)):
        assert read(run("denial", "--format", form, ERROR).stdout, "sender") == policy


@pytest.mark.parametrize("form", ["policy", "cloudformation", "terraform", "command"])
def test_no_policy_to_print(form: str) -> None:
    """For SendBulkEmail, and for a problem that no policy solves, nothing is on standard output:
    the reason is on standard error, and the status is 1.
    """
    done = run("denial", "--format", form, BULK)
    assert (done.returncode, done.stdout) == (1, "")
    assert "ses:SendBulkEmail: no policy is safe" in done.stderr
    problem = run("denial", "--format", form, "MessageRejected: Email address is not verified.")
    assert (problem.returncode, problem.stdout) == (1, "")
    assert "no " in problem.stderr
    nothing = run("denial", "--format", form, QUIET)
    assert (nothing.returncode, nothing.stdout) == (1, "")


def test_a_bulk_send_gets_advice() -> None:
    """A refused SendBulkEmail is explained, without a policy."""
    done = run("denial", BULK)
    assert done.returncode == 0
    assert "SendBulkTemplatedEmail" in done.stdout
    assert '"Statement"' not in done.stdout


def test_a_reason_that_an_allow_doesnt_mend() -> None:
    """Where a Deny or an SCP refused, it is said first that the policy isn't enough."""
    error = (
        f"User: {ROLE} is not authorized to perform: ses:SendEmail on resource: {IDENTITY}"
        " with an explicit deny in a service control policy"
    )
    page = " ".join(run("denial", error).stdout.split())
    assert "Needed as well, and not enough" in page
    assert "What lets these calls" not in page
    done = run("denial", "--format", "policy", error)
    assert done.returncode == 0
    assert "warning: the policy is not enough" in done.stderr


def test_statuses() -> None:
    """0 for a refused call or another problem of mail, 1 for a text without, also where something
    else was refused.
    """
    assert run_apart("denial", ERROR).returncode == 0
    assert run("denial", "454 Throttling failure: Daily message quota exceeded.").returncode == 0
    quiet = run_apart("denial", QUIET)
    assert (quiet.returncode, quiet.stderr) == (1, "")
    assert "Nothing about mail was found in 3 lines." in quiet.stdout
    other = run("denial", LOG.replace("SendEmail", "DeleteBucket").replace("ses:", "s3:"))
    assert other.returncode == 1
    assert "s3:DeleteBucket" in other.stdout
    empty = run("denial", stdin="")
    assert empty.returncode == 1


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["x", "--file", "y"], "leave one of them out"),
        (["--file", "/nowhere/build.log"], "/nowhere/build.log: can't be read"),
        (["--file", "/"], "can't be read"),
        (["x", "--snapshot", "s", "--live"], "--snapshot: not together with"),
        (["x", "--snapshot", "s", "--profile", "p"], "--snapshot: not together with"),
        (["-", "--snapshot", "-"], "standard input has the log"),
        (["x", "--format", "yaml"], "--format"),
        ([ERROR, "--snapshot", "/nowhere/account.json"], "/nowhere/account.json"),
    ],
)
def test_wrong_usage(args: list[str], message: str) -> None:
    """What can't be used is one line that says what, and status 2."""
    done = run("denial", *args)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_log_that_is_too_large(tmp_path: Path) -> None:
    """A file beyond the limit is refused by name (a hole in a file takes no room)."""
    path = tmp_path / "large.log"
    with path.open("wb") as file:
        file.truncate((1 << 28) + 1)
    done = run("denial", "--file", str(path))
    assert done.returncode == 2
    assert "is larger than 256 MiB" in done.stderr


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "latin-1"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    """A log in UTF-16, as PowerShell writes it, or with bytes that aren't UTF-8, is read."""
    path = tmp_path / "build.log"
    path.write_bytes(f"caf\u00e9\n{ERROR}\n".encode(encoding))
    assert told("--file", str(path))["callers"][0]["denials"][0]["lines"] == [2]


def test_two_callers_have_two_policies() -> None:
    """A file for one tool can't hold two policies: one line says so. Commands are a line each."""
    other = ERROR.replace("builds", "others").replace("example.com", "example.org")
    done = run("denial", "--format", "terraform", stdin=f"{ERROR}\n{other}\n")
    assert done.returncode == 2
    assert "several callers (builds, others)" in done.stderr
    commands = run("denial", "--format", "command", stdin=f"{ERROR}\n{other}\n").stdout
    assert [shlex.split(line)[3] for line in commands.splitlines()] == [
        "--role-name=builds", "--role-name=others",
    ]  # fmt: skip


def test_with_a_snapshot(snapshot: Callable[..., str]) -> None:
    """The role in a snapshot is asked: here its Allow is for another region."""
    path = snapshot(
        role(
            "builds",
            Action="ses:SendEmail",
            Resource="*",
            Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        )
    )
    (caller,) = told(ERROR, "--snapshot", path)["callers"]
    asked = caller["denials"][0]["asked"]
    assert (asked["to_simulator"], asked["with_policy"]) == ("not allowed", "allowed")
    assert any("aws:RequestedRegion us-east-1 doesn't hold" in line for line in asked["told"])
    page = run("denial", ERROR, "--snapshot", path).stdout
    assert "With the policy below the role may make this call" in " ".join(page.split())


def test_a_snapshot_whose_role_mails_the_simulator_already(snapshot: Callable[..., str]) -> None:
    """Nothing has to be added then: the tests mail somebody else, and the page says so."""
    safe = {"ForAllValues:StringLike": {"ses:Recipients": "*@simulator.amazonses.com"}}
    path = snapshot(role("builds", Action="ses:SendEmail", Resource="*", Condition=safe))
    done = run("denial", ERROR, "--snapshot", path)
    text = " ".join(done.stdout.split())
    assert done.returncode == 0
    assert "Change the recipients" in text
    assert '"Statement"' not in text
    policy = run("denial", ERROR, "--snapshot", path, "--format", "policy")
    assert (policy.returncode, policy.stdout) == (1, "")


def test_what_a_snapshot_lacks(snapshot: Callable[..., str]) -> None:
    """AWS's own reason is told beside the role's policies, and so is what a snapshot can't have."""
    error = (
        f"User: {ROLE} is not authorized to perform: ses:SendEmail on resource: {IDENTITY}"
        " with an explicit deny in a service control policy"
    )
    path = snapshot(role("builds", Action="*", Resource="*"))
    text = " ".join(run("denial", error, "--snapshot", path).stdout.split())
    assert "A Deny in a service control policy of the organization stands in the way" in text
    assert "What was looked at can't contain: projects, scps" in text
    assert "Needed as well, and not enough" in text


def test_a_snapshot_without_the_role(snapshot: Callable[..., str]) -> None:
    """That the role isn't there is said; the advice by the message alone stays."""
    done = run("denial", ERROR, "--snapshot", snapshot(role("other", Action="*", Resource="*")))
    assert done.returncode == 0
    assert "has no role builds" in " ".join(done.stdout.split())
    assert '"Statement"' in done.stdout


def test_nothing_of_the_log_steers_the_terminal() -> None:
    """Names out of a log are shown with everything that doesn't print made visible."""
    hostile = (
        "User `\u202ebuilds\x07\u200b' is not authorized to perform `ses:SendEmail' on resource"
        " `arn:aws:ses:eu-west-1:123456789012:identity/\u202e\x9b31mexample.com'\n"
        "Email address is not verified. The following identities failed the check in region"
        " EU-WEST-1: \u202e\x07someone@example.com\n"
        "User: x\u202e is not authorized to perform: s3:PutObject"
    )
    page = run("denial", stdin=hostile).stdout
    assert all(char.isprintable() or char == "\n" for char in page)
    assert "\\u202e" in page


def test_aws_is_asked_nothing_unless_told_to(tmp_path: Path) -> None:
    """Without --live, --profile or --snapshot, boto3 isn't even imported."""
    code = (
        "import sys\nfor name in ('boto3', 'botocore'):\n    sys.modules[name] = None\n"
        "from auditor.cli import main\nsys.exit(main(['denial', sys.argv[1]]))"
    )
    done = subprocess.run(  # noqa: S603 - our own text
        [sys.executable, "-c", code, ERROR],
        capture_output=True, text=True, env=CLEAN, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_what_isnt_proven_isnt_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the engine didn't find a policy to be the simulator's alone, it wouldn't be handed out."""

    def refuse(*_: object, **__: object) -> None:
        raise AuditorError("not printed: a role with this policy would be exposed")

    monkeypatch.setattr("auditor.cli.proof.prove", refuse)
    assert main(["denial", ERROR]) == 0
    shown = capsys.readouterr().out
    assert "would be exposed" in shown
    assert '"Statement"' not in shown


def test_live() -> None:
    """With --live the role is read from AWS, and the projects that use it are named."""
    gaps.fill()
    moto_api_backend.reset()  # what other servers of this process were told
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        environ = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }
        session = boto3.Session("testing", "testing", region_name="eu-west-1")
        iam = session.client("iam", endpoint_url=environ["AWS_ENDPOINT_URL"])
        codebuild = session.client("codebuild", endpoint_url=environ["AWS_ENDPOINT_URL"])
        made = iam.create_role(RoleName="builds", AssumeRolePolicyDocument=json.dumps(TRUST))
        codebuild.create_project(
            name="shop",
            serviceRole=made["Role"]["Arn"],
            artifacts={"type": "NO_ARTIFACTS"},
            source={"type": "S3", "location": "bucket/source.zip"},
            environment={
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
            },
        )
        done = run_apart("denial", ERROR, "--live", "--format", "json", environ=environ)
    finally:
        server.stop()
    assert done.returncode == 0, done.stderr
    (caller,) = json.loads(done.stdout)["callers"]
    assert [project["name"] for project in caller["projects"]] == ["shop"]
    asked = caller["denials"][0]["asked"]
    assert (asked["to_simulator"], asked["with_policy"]) == ("not allowed", "allowed")


def test_the_help_is_quoted() -> None:
    """docs/commands.md has the command's help to the letter."""
    page = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")
    shown = run_apart("denial", "--help").stdout.rstrip()
    assert f"$ auditor denial --help\n{shown}\n```" in page


def test_the_page_names_every_problem() -> None:
    """docs/denial.md explains each problem that may be named, and no other."""
    page = (Path(__file__).parents[2] / "docs" / "denial.md").read_text("utf-8")
    section = page.partition("## What isn't a policy's doing")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert {row.id for row in ROWS} == set(re.findall(r"`([a-z-]+)`", " ".join(cells)))


def test_very_many_callers() -> None:
    """Of very many callers the first are told of, and that there are more is said."""
    log = "\n".join(ERROR.replace("/builds/", f"/builds{n}/") for n in range(53))
    done = run("denial", "--format", "command", stdin=log)
    assert (done.returncode, done.stdout.count("\n")) == (0, 50)
    assert "53 callers were refused" in done.stderr
