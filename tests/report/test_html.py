"""The HTML report as text: that it is inert, whole, small enough, and needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auditor.report.formats.html import render
from auditor.report.page.build import LABELS
from auditor.report.rulebook import RULEBOOK
from auditor.text import visible
from tests import examples
from tests.report.accounts import HOSTILE, allow, hostile, large, report, role
from tests.report.page_reader import Page

if TYPE_CHECKING:
    from auditor.findings import Report

ROOT = Path(__file__).resolve().parents[2]
SIZE_MAX = 5_000_000
AWS_PAGES = {told.url for told in RULEBOOK.values()}


def test_nothing_of_others_is_markup() -> None:
    """Names, Sids, reasons, messages and policy text open no element, attribute or script."""
    plain, attacked = Page(render(examples.full())), Page(render(hostile()))

    names = {(one.tag, *sorted(one.attributes)) for one in attacked.elements}
    assert names <= {(one.tag, *sorted(one.attributes)) for one in plain.elements} | {
        ("a", "class", "href")
    }
    assert len(attacked.all("script")) == len(plain.all("script"))
    for text in HOSTILE:
        shown = visible(text)
        assert shown in [one.text for one in attacked.all("span", class_="name")]
        assert f"{shown}: {shown}" in [one.text for one in attacked.all("li")]
        assert any(
            shown in where
            for proof in attacked.proofs()
            for one in proof["findings"]
            for where, _, _ in one["statements"]
        )


def test_the_data_cannot_end_its_element() -> None:
    """What the script reads has no ``<``, ``>`` or ``&`` of its own, and is ASCII."""
    data = Page(render(hostile())).one("script", type="application/json").text

    assert not set("<>&") & set(data)
    assert data.isascii()


def test_the_policy_names_exactly_what_runs() -> None:
    """The Content-Security-Policy allows the page's own styles and scripts by hash, and no more."""
    page = Page(render(examples.full()))
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    rules = {name: values for name, *values in (part.split() for part in policy.split(";") if part)}

    runs = [one.text for one in page.all("script") if not one.attributes]
    looks = [one.text for one in page.all("style")]
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == [_hash(text) for text in runs]
    assert rules["style-src"] == [_hash(text) for text in looks]
    assert rules["img-src"] == ["data:"]
    assert "unsafe" not in policy
    assert page.elements.index(page.all("meta")[1]) < page.elements.index(page.all("style")[0])


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_nothing_is_loaded_and_nothing_is_inline() -> None:
    """No element or style names an address to load, no element has a handler or a style."""
    page = Page(render(hostile()))

    for element in page.elements:
        assert not {name for name in element.attributes if name.startswith("on")}
        assert not {"style", "src", "srcset", "action", "background"} & set(element.attributes)
        href = element.attributes.get("href", "#")
        leads = element.tag == "a" and href in AWS_PAGES  # only for who clicks
        assert href.startswith("#") or leads or (element.tag == "link" and href.startswith("data:"))
    for style in page.all("style"):
        assert not re.search(r"url\(|@import|https?:", style.text)
    for script in page.all("script"):
        assert not re.search(r"\b(fetch|XMLHttpRequest|import|WebSocket)\b\s*\(", script.text)
        assert "innerHTML" not in script.text


@pytest.fixture(scope="module")
def many() -> Report:
    return large(2_000)


def test_two_thousand_roles_fit(many: Report) -> None:
    """A page on 2,000 different roles is under 5 MB, and lists each without any script."""
    text = render(many)
    page = Page(text)

    assert len(text) < SIZE_MAX
    assert sorted(one.text for one in page.all("span", class_="name")) == sorted(
        one.name for one in many.roles
    )
    assert len(page.proofs()) == len(many.roles)


def test_the_same_bytes_in_any_encoding() -> None:
    """One report gives one text, in ASCII: however it is stored, it reads the same."""
    found = render(hostile())

    assert found == render(hostile())
    assert found.isascii()
    assert found.endswith("</html>\n")


def test_without_scripts_every_role_is_told() -> None:
    """The list itself has each role's verdict, name, ARN and worst finding."""
    page = Page(render(examples.full()))
    rows = [one.text for one in page.all("li", class_="role")]

    assert len(rows) == 5
    for one in examples.full().roles:
        (row,) = [row for row in rows if one.arn in row]
        assert LABELS[one.certainty or one.verdict] in row
        told = one.reason or (
            one.findings[0].title if one.findings else "No statement allows a send"
        )
        assert told in row
    assert page.one("p", id="plain").text.startswith("Every role is listed here")
    assert "hidden" in page.one("form").attributes


@pytest.mark.parametrize("name", ["web", "--version", *HOSTILE])
def test_the_command_is_one_that_a_shell_takes_as_meant(name: str) -> None:
    """Whatever a role is called, the copied command has one option with exactly its name."""
    (proof,) = Page(render(report(role(name, allow())))).proofs()

    arguments = shlex.split(proof["fix"])
    assert arguments[:3] == ["auditor", "remediate", "plan"]
    assert " ".join(arguments[3:]).removeprefix("--role")[1:] == visible(name)


def test_it_works_from_a_zip(tmp_path: Path) -> None:
    """Templates, styles and scripts are read as package data: no file need lie on a disk."""
    archive = tmp_path / "code.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted((ROOT / "auditor").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                packed.write(path, path.relative_to(ROOT))
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from datetime import UTC, datetime\n"
        "import auditor\n"
        "assert auditor.__file__.startswith(sys.argv[1]), auditor.__file__\n"
        "from auditor.account import Account\n"
        "from auditor.audit import audit\n"
        "from auditor.report.interface import PLAIN, load_format\n"
        "report = audit(Account('123456789012', 'aws', ()), now=datetime.now(UTC))\n"
        "print(load_format('html').render(report, PLAIN))\n"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code, str(archive)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "No CodeBuild role was found" in done.stdout


def test_the_wheel_has_what_the_page_is_made_of() -> None:
    """Every file beside the page's modules is of a kind that the package takes along."""
    import tomllib

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    taken = settings["tool"]["setuptools"]["package-data"]["*"]
    others = [one for one in (ROOT / "auditor/report/page").iterdir() if one.is_file()]

    assert [one for one in others if one.suffix != ".py"]
    for one in others:
        assert one.suffix == ".py" or any(one.match(pattern) for pattern in taken), one.name


def test_the_command_line_writes_the_page(tmp_path: Path) -> None:
    """``auditor scan --format html`` writes the page, with the status of every other format."""
    snapshot = tmp_path / "account.json"
    details = {
        "RoleName": "web",
        "Arn": f"arn:aws:iam::{examples.ACCOUNT}:role/web",
        "AssumeRolePolicyDocument": role("web").trust.document,
        "RolePolicyList": [
            {
                "PolicyName": "build",
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [allow()]},
            }
        ],
        "AttachedManagedPolicies": [],
    }
    snapshot.write_text(json.dumps({"RoleDetailList": [details], "Policies": []}), "utf-8")
    done = subprocess.run(  # noqa: S603 - our own command
        [
            *(sys.executable, "-m", "auditor", "scan", "--snapshot", str(snapshot)),
            *("--format", "html", "--now", "2026-11-23T03:00:00Z"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert Page(done.stdout).one("h1").text == "The one audited role can mail real people."
