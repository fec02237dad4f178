"""``auditor policy``: what it prints, what it refuses, and that its pages say what it does."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import auditor.corrective.documents as documents
from auditor.cli import main
from auditor.corrective.documents import guard, sender
from auditor.corrective.scope import Scope
from tests.cli.conftest import run

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = (DOCS / "commands.md").read_text("utf-8")
POLICIES = (DOCS / "policies.md").read_text("utf-8")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command in this process: status, standard output, standard error."""

    def go(*arguments: str) -> tuple[int, str, str]:
        status = main(["policy", *arguments])
        out, err = capsys.readouterr()
        return status, out, err

    return go


@pytest.mark.parametrize("name", ["guard", "sender"])
def test_standard_output_carries_the_policy_alone(name: str) -> None:
    """Through the real program: the policy on standard output, nothing on standard error."""
    done = run("policy", name)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == (guard() if name == "guard" else sender())


def test_each_option_reaches_the_policy(cli: Any) -> None:
    """Every option of the sender ends up in the policy as the value that it names."""
    status, out, err = cli(
        "sender", "--action=SendTemplatedEmail", "--action=ses:sendemail", "--identity=example.com",
        "--identity=ci@example.org", "--configuration-set=ci", "--template=welcome",
        "--from=*@example.com", "--not-before=2026-01-01", "--not-after=2999-12-31T23:59:59-01:00",
        "--account=123456789012", "--region=us-gov-west-1", "--partition=aws-us-gov",
    )  # fmt: skip
    (statement,) = json.loads(out)["Statement"]
    start = "arn:aws-us-gov:ses:us-gov-west-1:123456789012:"

    assert (status, err) == (0, "")
    assert statement["Action"] == ["ses:SendEmail", "ses:SendTemplatedEmail"]
    assert statement["Resource"] == [
        f"{start}identity/example.com",
        f"{start}identity/ci@example.org",
        f"{start}configuration-set/ci",
        f"{start}template/welcome",
    ]
    assert statement["Condition"] == {
        "ForAllValues:StringLike": {"ses:Recipients": "*@simulator.amazonses.com"},
        "Null": {"ses:Recipients": "false"},
        "StringLike": {"ses:FromAddress": "*@example.com"},
        "DateGreaterThanEquals": {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
        "DateLessThanEquals": {"aws:CurrentTime": "3000-01-01T00:59:59Z"},
    }


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ("json", '"Version"'),
        ("cloudformation", "AWS::IAM::ManagedPolicy"),
        ("terraform", 'resource "aws_iam_policy"'),
        ("cdk", '"managedPolicyName"'),
    ],
)
def test_forms_and_files(form: str, kind: str, cli: Any, tmp_path: Path) -> None:
    """Each form is printed, or written to a file: the same text."""
    path = tmp_path / "policy"
    printed = cli("guard", f"--format={form}")

    assert cli("guard", f"--format={form}", f"--output={path}") == (0, "", "")
    assert printed == (0, path.read_text("utf-8"), "")
    assert kind in printed[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sender", "--action=ses:SendBulkEmail"], "carry no ses:Recipients"),
        (["sender", "--identity=${aws:username}"], "isn't a domain or an address"),
        (["sender", "--identity=a\x1b[31m\nb"], "isn't a domain or an address"),
        (["sender", "--from="], "isn't an address"),
        (["sender", "--not-before=soon"], "isn't an ISO 8601 time"),
        (["sender", "--not-after=2026-01-01"], "is over"),
        (["sender", "--account="], "12 digits"),
        (["sender", "--partition=aws-iso"], "isn't one of"),
        (["sender", "--region=cn-north-1"], "would be no_send"),
        (["sender", "--partition=aws-cn", "--region=eu-west-1"], "would be no_send"),
        (["guard", "--format=yaml"], "--format"),
        (["guard", "--output="], "no file is named"),
        (["guard", "--output=/nowhere/guard.json"], "there is no directory"),
        (["guard", "--identity=example.com"], "No such option"),
        ([], "Missing command"),
    ],
    ids=str,
)
def test_what_it_refuses(arguments: list[str], said: str, cli: Any) -> None:
    """Status 2 and one line that says what; nothing is printed."""
    status, out, err = cli(*arguments)

    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert err.rstrip("\n").isprintable()


def test_a_policy_that_is_not_proven_is_not_printed(
    cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each policy is decided before it is printed: a guard with a hole is refused."""
    holed = guard()
    statements = holed["Statement"]
    assert isinstance(statements, list)
    del statements[2]
    monkeypatch.setattr(documents, "guard", lambda: holed)
    status, out, err = cli("guard")

    assert (status, out) == (2, "")
    assert "would be exposed" in err


def test_a_wide_sender_is_not_printed(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a sender that lets mail through to others."""
    monkeypatch.setattr(documents, "SIMULATOR", "*@simulator.amazonses.*")
    status, out, err = cli("sender")

    assert (status, out) == (2, "")
    assert "would be exposed" in err


def test_it_needs_no_aws() -> None:
    """Neither command loads boto3: no credentials are looked for, and start-up stays short."""
    code = (
        "import sys; sys.modules['boto3'] = sys.modules['botocore'] = None\n"
        "from auditor.cli import main\n"
        "sys.exit(main(['policy', 'guard']) or main(['policy', 'sender']))"
    )
    done = run(command=(sys.executable, "-c", code))

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", ["policy", "policy guard", "policy sender"])
def test_commands_quotes_the_help(command: str) -> None:
    """docs/commands.md has the help of each command, to the letter."""
    shown = run(*command.split(), "--help").stdout.rstrip()

    assert f"$ auditor {command} --help\n{shown}\n```" in COMMANDS


def examples() -> Iterator[list[str]]:
    """Yield the arguments of each example in the pages' shell blocks."""
    for page in (COMMANDS, POLICIES):
        for block in re.findall(r"^```bash\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if line.startswith("auditor policy "):
                    yield shlex.split(line, comments=True)[2:]


@pytest.mark.parametrize("arguments", list(examples()), ids=" ".join)
def test_the_examples_work(
    arguments: list[str], cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every example of the pages prints or writes a policy."""
    monkeypatch.chdir(tmp_path)
    status, out, err = cli(*arguments)

    assert (status, err) == (0, "")
    assert out or [path.stat().st_size for path in tmp_path.iterdir()]


def test_there_are_examples_of_both() -> None:
    """The test above sees the pages' examples."""
    found = list(examples())

    assert {arguments[0] for arguments in found} == {"guard", "sender"}
    assert len(found) >= 8


def test_the_page_shows_the_policies() -> None:
    """docs/policies.md shows the guard, the sender, and a bound sender as they are printed."""
    shown = [json.loads(b) for b in re.findall(r"```json\n(.*?)```", POLICIES, re.DOTALL)]

    bound = Scope(identities=("example.com",), from_address="*@example.com")
    assert shown == [guard(), sender(), sender(bound)]


def test_the_page_explains_every_statement() -> None:
    """Each statement of the guard has its row in docs/policies.md, and each form its command."""
    statements = guard()["Statement"]
    assert isinstance(statements, list)
    for statement in statements:
        assert f"\n| `{statement['Sid']}`" in POLICIES
    for form in ("cloudformation", "terraform", "cdk"):
        assert f"--format {form}" in POLICIES


def test_the_page_attaches_what_is_made() -> None:
    """The page's names are those that the forms make."""
    made = yaml.safe_load(run("policy", "guard", "--format=cloudformation").stdout)
    ((logical, resource),) = made["Resources"].items()

    assert f"!Ref {logical}" in POLICIES
    assert f"policy{resource['Properties']['Path']}ses-simulator-guard" in POLICIES
    assert "ses_simulator_guard_roles" in run("policy", "guard", "--format=terraform").stdout
