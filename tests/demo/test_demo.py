"""``make demo``: what a first-time user is promised, held against one real run of the tour."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]

EXPECTED = {
    "codebuild-campaigns": ("EXPOSED possible", "uncheckable-action", "ses:SendBulkEmail"),
    "codebuild-checkout": ("EXPOSED proven", "loose-recipient-pattern", "ses:SendEmail"),
    "codebuild-infra": ("EXPOSED proven", "mixed-recipients", "ses:SendEmail"),
    "codebuild-invoices": ("EXPOSED proven", "unrestricted-send", "ses:SendEmail"),
    "codebuild-newsletter": ("EXPOSED proven", "mixed-recipients", "ses:SendEmail"),
    "codebuild-release": ("EXPOSED proven", "unrestricted-send", "ses:SendEmail"),
    "codebuild-search": ("EXPOSED proven", "inverted-condition", "ses:SendEmail"),
    "codebuild-signup": ("EXPOSED possible", "undefined-condition", "ses:SendEmail"),
    "codebuild-support": ("EXPOSED proven", "other-recipients-allowed", "ses:SendEmail"),
    "codebuild-office": ("undetermined", None, None),
    "codebuild-docs": ("simulator only", "missing-null-check", None),
    "codebuild-mail-tests": ("simulator only", None, None),
    "codebuild-platform": ("simulator only", None, None),
    "codebuild-inbound": ("no send", "uncheckable-action", None),
    "codebuild-legacy": ("no send", None, None),
    "codebuild-migration": ("no send", None, None),
    "codebuild-web": ("no send", None, None),
}
EXPOSED = sorted(name for name, row in EXPECTED.items() if row[0].startswith("EXPOSED"))


class Tour(NamedTuple):
    """One run: what it printed, and the folder of its files."""

    status: int
    text: str
    errors: str
    out: Path


def run(out: Path, cwd: Path, environ: Mapping[str, str]) -> Tour:
    done = subprocess.run(  # noqa: S603 - our own tool on our own files
        [sys.executable, str(ROOT / "tools" / "demo.py"), "--out", str(out)],
        cwd=cwd,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Tour(done.returncode, done.stdout, done.stderr, out)


@pytest.fixture(scope="module")
def tour(tmp_path_factory: pytest.TempPathFactory) -> Tour:
    """One run from another folder, with AWS and proxy settings that must not be used."""
    nowhere = "http://127.0.0.1:9"
    settings = {
        "AWS_PROFILE": "the-users-own",
        "AWS_ACCESS_KEY_ID": "THEUSERSOWN",
        "AWS_REGION": "ap-south-1",
        "AWS_ENDPOINT_URL_SNS": nowhere,
        "AUDITOR_TOPIC_ARN": "arn:aws:sns:eu-west-1:999999999999:the-users-own",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "ALL_PROXY": nowhere,
    }
    folder = tmp_path_factory.mktemp("demo")
    return run(folder / "files", folder, settings)


def block(tour: Tour, role: str) -> str:
    """Return the report's lines about one exposed role."""
    return tour.text.split(f"\n  {role}  EXPOSED", 1)[1].split("\n\n", 1)[0]


def test_it_goes_well_and_quietly(tour: Tour) -> None:
    """The tour ends with status 0, and no log of any kind is in its output."""
    assert tour.status == 0, tour.errors
    assert tour.errors == ""
    assert "HTTP/1.1" not in tour.text
    assert '"level"' not in tour.text
    assert '"_aws"' not in tour.text


def test_it_fits_a_terminal(tour: Tour) -> None:
    """No line is wider than 80 columns, apart from the names of files outside the project."""
    lines = [line for line in tour.text.splitlines() if str(tour.out) not in line]

    assert [line for line in lines if len(line) > 80] == []


def test_every_verdict(tour: Tour) -> None:
    """The table has each role of the account once, with the verdict that its policy deserves."""
    words = "EXPOSED proven|EXPOSED possible|undetermined|simulator only|no send"
    rows = re.findall(rf"^({words}) +(codebuild-\S+) ", tour.text, re.MULTILINE)

    assert {name: verdict for verdict, name in rows} == {
        name: row[0] for name, row in EXPECTED.items()
    }
    assert len(rows) == len(EXPECTED)


@pytest.mark.parametrize("role", EXPOSED)
def test_every_exposed_role_has_its_proof(tour: Tour, role: str) -> None:
    """Each exposed role is shown with its rule, the call, the sender's identity and recipients."""
    _, rule, action = EXPECTED[role]
    shown = block(tour, role)

    assert f" {rule}: " in shown
    assert re.search(rf"^ +call +{action}$", shown, re.MULTILINE)
    assert re.search(r"^ +from +arn:aws:ses:", shown, re.MULTILINE)
    (to,) = re.findall(r"^    to {9}(.+)$", shown, re.MULTILINE)
    addresses = re.findall(r"[^\s,]+@[^\s,]+", to)
    real = [one for one in addresses if not one.endswith("@simulator.amazonses.com")]
    assert real or action == "ses:SendBulkEmail"


def test_what_is_said_of_the_others(tour: Tour) -> None:
    """The undecided role has its reason; advice, and a project whose role is gone, are listed."""
    tail = tour.text.split("\nUndetermined: ", 1)[1]

    assert "  codebuild-office\n    ses:SendEmail: " in tail
    assert "info missing-null-check: codebuild-docs" in tail
    assert "low uncheckable-action: codebuild-inbound" in tail
    assert "forgotten (eu-west-1)" in tail
    # Not CodeBuild's, so not audited; only told of where an audited role may make use of it.
    assert "role/lambda-mailer" not in tour.text
    assert not re.search(r"(EXPOSED|proven|possible|send|only) +lambda-mailer", tour.text)


def test_the_message_arrived(tour: Tour) -> None:
    """The mail is quoted, and the queue's JSON has every role that somebody must hear of."""
    mail = (tour.out / "mail.txt").read_text("utf-8")
    body: dict[str, Any] = json.loads((tour.out / "message.json").read_text("utf-8"))

    assert re.search(r"  \| Subject: auditor: .*9 exposed, 1 undetermined", tour.text)
    assert f"  | EXPOSED, PROVEN: {EXPOSED[1]}" in tour.text
    assert [name for name in EXPOSED if name not in mail] == []
    told = sorted(role["name"] for role in body["roles"])
    assert told == sorted([*EXPOSED, "codebuild-office"])
    assert body["summary"]["roles"] == len(EXPECTED)


def test_the_function_was_the_deployed_one(tour: Tour) -> None:
    """The scheduled function ran under Chalice: its log and its metrics are in the file named."""
    log = (tour.out / "lambda.log").read_text("utf-8")

    assert str(tour.out / "lambda.log") in tour.text
    assert '"message": "audit done"' in log
    assert '"RolesAudited":[17.0]' in log


def test_what_to_type_next_works(tour: Tour, tmp_path: Path) -> None:
    """The commands on the demo's own snapshot work as they stand, and every page named exists."""
    ending = tour.text.split("\nWhat to type next\n", 1)[1]
    typed = re.findall(r"bin/auditor (.*--snapshot.*)", ending.replace("\\\n", ""))
    proof, page, plan = [
        subprocess.run(  # noqa: S603 - our own commands on the demo's file
            [sys.executable, "-m", "auditor", *command.split()],
            capture_output=True,
            text=True,
            cwd=tmp_path if "report.html" in command and str(tour.out) in command else ROOT,
            check=False,
        )
        for command in typed
    ]

    assert proof.returncode == 1, proof.stderr
    (role,) = json.loads(proof.stdout)["roles"]
    assert (role["name"], role["certainty"]) == ("codebuild-release", "proven")
    assert page.returncode == 1, page.stderr
    assert "codebuild-release" in (tmp_path / "report.html").read_text("utf-8")
    assert "codebuild-release: exposed (proven) -> simulator only" in plan.stdout
    pages = re.findall(r"docs/[\w-]+\.md", ending)
    assert len(pages) == 3
    assert [page for page in pages if not (ROOT / page).is_file()] == []


def test_a_failure_is_one_line(tmp_path: Path) -> None:
    """Where the tour can't be made it says why in one line, with a status that isn't 0."""
    blocked = tmp_path / "a-file"
    blocked.write_text("", "utf-8")

    failed = run(blocked, tmp_path, {})

    assert failed.status == 1
    assert failed.errors.count("\n") == 1
    assert failed.errors.startswith("demo: FileExistsError: ")


def test_the_readmes_excerpt_is_real(tour: Tour) -> None:
    """What the README shows of the demo stands in the demo's output, line for line."""
    readme = (ROOT / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```text\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    (shown,) = [block for block in blocks if block.startswith("Verdict")]

    parts = shown.split("...\n")
    assert len(parts) == 2
    assert [part for part in parts if part not in tour.text] == []


def test_the_readme_counts_the_roles(tour: Tour) -> None:
    """The README says how many roles the demo's account has."""
    readme = (ROOT / "README.md").read_text("utf-8")

    assert f"account with {len(EXPECTED)} roles" in readme
    assert f"An account with {len(EXPECTED)} CodeBuild roles" in tour.text
