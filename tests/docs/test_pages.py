"""The pages for users and contributors: what they name exists, and what they show is so."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

from auditor.actions import SEND_ACTIONS
from auditor.collect import live, snapshot
from auditor.findings import SEVERITIES
from tests.docs.pages import ROOT, anchor, fences, links, name_of, pages, sections, table

if TYPE_CHECKING:
    from pathlib import Path

README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
DECIDES = (ROOT / "docs" / "how-it-decides.md").read_text("utf-8")
PAGES = [pytest.param(page, id=name_of(page)) for page in pages()]
_INLINE = re.compile(r"`([^`\n]+)`")

SNAPSHOT = {
    "RoleDetailList": [
        {
            "RoleName": "codebuild-example",
            "Arn": "arn:aws:iam::123456789012:role/codebuild-example",
            "RoleId": "AROAEXAMPLE",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "codebuild.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                },
            },
            "RolePolicyList": [],
            "AttachedManagedPolicies": [],
        }
    ],
    "Policies": [],
}


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, "-m", "auditor", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@cache
def help_of(*command: str) -> str:
    done = run(*command, "--help")
    assert done.returncode == 0, f"auditor {' '.join(command)} is not a command"
    return done.stdout


def shell_lines(page: str) -> list[str]:
    """Return the commands of a page: those of shell blocks, continued lines joined."""
    blocks = [*fences(page, "sh"), *fences(page, "console")]
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [line.removeprefix("$ ").strip() for line in lines]


def auditor_commands(page: str) -> list[list[str]]:
    """Return the arguments of every ``auditor …`` in shell blocks and between backticks."""
    texts = [*shell_lines(page), *_INLINE.findall(page)]
    found = [
        text.partition("auditor ")[2] for text in texts if re.match(r"(\S*/)?auditor \S", text)
    ]
    return [shlex.split(text.split("|")[0].split(" < ")[0], comments=True) for text in found]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: Path) -> None:
    """Every link to a page of this project leads to a file, and to a heading where it names one."""
    for link in links(page.read_text("utf-8")):
        if link.startswith(("https://", "http://")):
            continue
        path, _, heading = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            assert heading in map(anchor, headings), link


@pytest.mark.parametrize("page", PAGES)
def test_files_named_exist(page: Path) -> None:
    """Files of this project that a page names between backticks exist."""
    own = r"(?:\.chalice|\.ci|auditor|bench|chalicelib|docs|tests|tools)/[\w./-]+"
    for name in _INLINE.findall(page.read_text("utf-8")):
        if re.fullmatch(own, name) and "YYYY" not in name:  # a key in S3
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_named_exist(page: Path) -> None:
    """Every ``make …`` that a page tells to type is a target of the Makefile."""
    text = page.read_text("utf-8")
    typed = [*shell_lines(text), *_INLINE.findall(text)]
    named = {match[1] for line in typed if (match := re.match(r"make ([a-z]+)\b", line))}
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert named <= targets


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_options_named_exist(page: Path) -> None:
    """Every ``auditor …`` on a page is a command, with options that its help lists."""
    for arguments in auditor_commands(page.read_text("utf-8")):
        words = 2 if arguments[0] in ("policy", "remediate") else 1  # those have commands below
        command = [word for word in arguments[:words] if word[0] not in "-…<["]
        text = help_of(*command)
        for option in (word for word in arguments if word.startswith("-") and word != "-"):
            assert re.search(rf"(^|[ ,]){re.escape(option)}\b", text, re.MULTILINE), option


def test_options_are_found_on_pages() -> None:
    """The check above sees commands in blocks and in running text."""
    assert ["scan", "--snapshot", "account.json"] in auditor_commands(README)
    assert auditor_commands("Type `auditor scan --role 'a b'`.") == [["scan", "--role", "a b"]]


def test_the_readme_starts_with_what_runs() -> None:
    """The README gives the two commands to start with, and names the test command."""
    first = fences(README.partition("## Start")[2], "sh")[0]

    assert re.findall(r"^make (\w+)", first, re.MULTILINE) == ["demo", "test"]


def test_the_readmes_offline_commands_run(tmp_path: Path) -> None:
    """The README's commands that need no AWS account work as they stand there."""
    (tmp_path / "account.json").write_text(json.dumps(SNAPSHOT), "utf-8")
    offline = [c for c in auditor_commands(README) if "--snapshot" in c]

    assert offline
    for arguments in offline:
        done = run(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert "codebuild-example" in done.stdout


def test_the_readmes_exit_statuses_are_those_of_the_help() -> None:
    """The README lists the statuses that the command's own help lists."""
    told = [row[0] for row in table(sections(README)["Scan an account"])]

    assert told == re.findall(r"^ {4}(\d)  ", help_of("scan"), re.MULTILINE)


def test_the_send_actions_are_those_of_the_code() -> None:
    """The table of actions says what the engine's table says."""
    told = {}
    for action, carries, resources in table(sections(DECIDES)["The actions"]):
        name = action.split("`")[1]
        told[name] = (carries == "yes", tuple(resources.split(" and ")))

    assert told == {a.name: (a.carries_recipients, a.required) for a in SEND_ACTIONS}


def test_the_severities_are_those_of_the_code() -> None:
    """The page on deciding explains every severity, worst first."""
    rows = table(sections(DECIDES)["Severity"])

    assert [row[0].strip("`") for row in rows] == list(SEVERITIES)


def test_what_is_not_evaluated_is_told() -> None:
    """What a scan names under not_evaluated is explained under the same name."""
    section = sections(DECIDES)["What isn't looked at"]

    assert re.findall(r"\(`([a-z-]+)`\)", section) == list(snapshot.NOT_EVALUATED)
    assert set(live.NOT_EVALUATED) < set(snapshot.NOT_EVALUATED)


def test_the_readme_names_every_command() -> None:
    """Each command of the program stands in the README, and so does --confirm."""
    named = {arguments[0] for arguments in auditor_commands(README)}
    commands = help_of().partition("\nCommands:\n")[2]

    assert named == set(re.findall(r"^  (\w+) ", commands, re.MULTILINE))
    assert ["scan", "--confirm"] in auditor_commands(README)


def test_the_floors_in_contributing_are_those_held() -> None:
    """The table of floors has what the floors' test holds, in its order."""
    from tests.test_floors import FLOORS, sources

    rows = [row[0].strip("`").rstrip("/") for row in table(sections(CONTRIBUTING)["The floors"])]
    told = [name.removesuffix(".py").replace("/", ".") for name in rows[:-1]]
    known = [name for floor in reversed(FLOORS[1:]) for name in floor if "__main__" not in name]
    here = set(sources())  # a floor may be kept for a package that is still to come
    assert told == [name for name in known if name in here]


def test_the_readme_s_first_screen(tmp_path: Path) -> None:
    """The error at the top of the README gives the policy below it, by the command between them."""
    error, policy = fences(README, "text")[0], fences(README, "json")[0]
    log = tmp_path / "build.log"
    log.write_text(error, "utf-8")
    done = run("denial", "--file", str(log), "--format", "policy")

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == policy.strip()
