"""``auditor smoke`` at the command line: its forms, its statuses, its pages."""

from __future__ import annotations

import os
from pathlib import Path
from typing import get_args
from xml.etree import ElementTree as ET  # the tests' own documents

import pytest

from auditor.smoke.scenarios import SCENARIOS
from auditor.smoke.tell import ADVICE
from auditor.smoke.trouble import Kind
from tests.cli.conftest import run
from tests.smoke.cli import FROM, Cli
from tests.smoke.conftest import cli as account
from tests.smoke.world import REGION, recipients, told

cli = account
COMMANDS = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")


def test_junit(cli: Cli, tmp_path: Path) -> None:
    """CodeBuild's report has a test case a check; what could not be checked is an error."""
    cli.world.stories["bounce"] = told("Send")
    path = tmp_path / "smoke.xml"
    args = ("--format", "junit", "--output", str(path), "--refused", *cli.listen())
    status, out, err = cli.run(*args)
    assert (status, out) == (1, "")
    assert "4 of 6 as expected" in err
    (suite,) = ET.fromstring(path.read_text("ascii"))  # noqa: S314 - our own document
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "6", "failures": "1", "errors": "1", "skipped": "0"}
    found = {case.get("name"): [one.tag for one in case] for case in suite.iter("testcase")}
    assert found["success"] == ["system-out"]
    assert (found["bounce"], found["refused"]) == (["failure"], ["error"])


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--label", "a b"), "--label"),
        (("--via", "smtp"), "--via"),
        (("--via", "templated"), "--template"),
        (("--wait", "901"), "--wait"),
        (("--events", "mail"), "--events"),
        (("--events", "https://sqs.eu-west-1.evil.example/123456789012/mail"), "--events"),
        (("--region", "mars"), "--region"),
        (("--snapshot", "x"), "--refused"),
        (("--output", ""), "--output"),
        (("--from", "a@example.com, b@example.com"), "--from"),
    ],
)
def test_wrong_usage(cli: Cli, args: tuple[str, ...], words: str) -> None:
    """Wrong usage is one line and status 2, and nothing is sent."""
    status, out, err = cli.run(*args)
    assert (status, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert list(recipients()) == []


def test_without_credentials() -> None:
    """Without credentials it says so in one line, with status 2."""
    environ = {
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    done = run("smoke", *FROM, environ=environ)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no credentials that AWS takes" in done.stderr
    assert done.stderr.count("\n") == 1


def test_refused_credentials(cli: Cli) -> None:
    """Credentials that AWS doesn't take end the run before anything is sent."""
    cli.answer("sts", 403, "ExpiredToken", "The security token included in the request is expired")
    status, out, err = cli.run()
    assert (status, out) == (2, "")
    assert "no credentials that AWS takes (ExpiredToken" in err
    assert list(recipients()) == []


def test_without_sts(cli: Cli) -> None:
    """Where STS alone doesn't answer, the test runs, and says what it can't know."""
    cli.answer("sts", 500, "InternalFailure", "down")
    status, report, checks = cli.checks("--refused")
    assert (status, report["role"]) == (1, None)
    assert checks["v2 success"]["passed"]
    assert checks["v2 refused"]["problem"] == "not-attempted"


def test_the_docs_quote_the_help() -> None:
    """docs/commands.md has the help, to the letter."""
    shown = run("smoke", "--help").stdout.rstrip()
    assert f"$ auditor smoke --help\n{shown}\n```" in COMMANDS


def test_every_problem_has_an_advice_and_a_line_in_the_docs() -> None:
    """docs/commands.md explains each problem that a check can have."""
    assert set(get_args(Kind)) == set(ADVICE)
    assert {kind for kind in ADVICE if f"`{kind}`" not in COMMANDS} == set()


def test_the_docs_have_every_scenario() -> None:
    """docs/commands.md tells of each address what SES must tell, and may."""
    for scenario in SCENARIOS:
        row = next(line for line in COMMANDS.splitlines() if f"`{scenario.mailbox}+LABEL" in line)
        _, must, may = (cell.strip() for cell in row.strip("|").split("|"))
        for words, events in ((must, scenario.expects), (may, scenario.may)):
            assert bool(words) == bool(events)
            for event in events:
                assert event.kind.lower() in words
                assert (event.bounce or "").lower() in words
