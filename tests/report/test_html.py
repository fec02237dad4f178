"""The HTML report as text: what it says, that it is inert, and that it needs nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from auditor.account import Organization, PolicyText, ScpLevel
from auditor.corrective.documents import guard
from auditor.report.formats.html import render
from auditor.report.page.answer import answer
from auditor.report.page.build import LABELS
from auditor.report.page.trend import Past
from auditor.text import visible
from tests import examples
from tests.report.accounts import HOSTILE, allow, hostile, large, report, role
from tests.report.page_reader import Page

if TYPE_CHECKING:
    from auditor.findings import Report, RoleReport

ROOT = Path(__file__).resolve().parents[2]
SIZE_MAX = 5_000_000


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
        assert href.startswith("#") or (element.tag == "link" and href.startswith("data:"))
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
        told = one.reason or (one.findings[0].title if one.findings else "No request that sends")
        assert told in row
    assert page.one("p", id="plain").text.startswith("Every role is listed here")
    assert "hidden" in page.one("form").attributes


def test_the_first_screen_says_what_was_not_seen() -> None:
    """Failed reads, projects without a role, undecided roles and missing sources: all on top."""
    page = Page(render(examples.full()))
    top = page.one("header").text

    assert "1 read failed: the audit is incomplete" in top
    assert "1 CodeBuild project whose role was not audited" in top
    assert "1 role could not be decided" in top
    assert "not in the source: service control policies, policies on SES identities" in top
    lines = [one.text for one in page.all("li")]
    assert any(line.startswith("codebuild:ListProjects ap-south-1: AccessDenied") for line in lines)
    assert any(line.startswith("orphan (eu-west-1)") for line in lines)
    assert "Everything that this audit looks at" in Page(render(examples.clean())).source


def _incomplete(found: Report) -> Report:
    return replace(found, complete=False)


def _roles(verdict: str, roles: int) -> list[RoleReport]:
    return [replace(examples.LINTER, verdict=verdict, reason="odd") for _ in range(roles)]  # type: ignore[arg-type]  # one of the verdicts


@pytest.mark.parametrize(
    ("found", "tone", "headline"),
    [
        (examples.report(), "unsure", "No CodeBuild role was found, so nothing was decided."),
        (examples.clean(), "good", "None of 2 CodeBuild roles can mail real people."),
        (
            examples.report(examples.LINTER),
            "good",
            "The one CodeBuild role can't mail real people.",
        ),
        (
            examples.report(examples.WEB),
            "bad",
            "The one CodeBuild role can mail real people.",
        ),
        (
            examples.full(),
            "bad",
            "1 of 5 CodeBuild roles can mail real people, and 1 more may.",
        ),
        (
            examples.report(examples.BATCH, examples.LINTER),
            "bad",
            "1 of 2 CodeBuild roles may be able to mail real people.",
        ),
        (
            examples.report(*_roles("undetermined", 2), examples.LINTER),
            "unsure",
            "No role is known to mail real people, but 2 could not be decided.",
        ),
        (
            _incomplete(examples.clean()),
            "unsure",
            "None of 2 CodeBuild roles can mail real people, but not everything could be read.",
        ),
        (
            examples.report(examples.LINTER, not_evaluated=("identity-policies",)),
            "unsure",
            "The one CodeBuild role can't mail real people, as far as this source tells.",
        ),
        (
            examples.report(examples.LINTER, not_evaluated=("scps",)),
            "good",
            "The one CodeBuild role can't mail real people.",
        ),
        (
            examples.report(examples.LINTER, not_evaluated=("something-new",)),
            "unsure",
            "The one CodeBuild role can't mail real people, as far as this source tells.",
        ),
        (
            examples.report(examples.LINTER, unresolved=examples.full().unresolved_projects),
            "unsure",
            "The one CodeBuild role can't mail real people, but not everything could be read.",
        ),
    ],
)
def test_the_answer(found: Report, tone: str, headline: str) -> None:
    """The headline counts, and is only ever reassuring where nothing was left open."""
    assert answer(found) == (tone, headline)
    assert f">{headline}</h1>".replace("'", "&#39;") in render(found)


def test_an_incomplete_audit_without_an_error_says_so() -> None:
    """What is incomplete is told even where no error says why."""
    top = Page(render(_incomplete(examples.clean()))).one("header").text

    assert "the audit is incomplete" in top


def test_alike_roles_show_their_own_text() -> None:
    """Two roles that are decided alike, but spelled differently, each show their own statement."""
    page = Page(
        render(report(role("one", allow(["ses:*", "s3:*"])), role("two", allow("ses:Send*"))))
    )
    first, second = (one["findings"][0]["statements"][0][1] for one in page.proofs())

    assert json.loads(first)["Action"] == ["ses:*", "s3:*"]
    assert json.loads(second)["Action"] == "ses:Send*"


def _marked(*statements: dict[str, object], finding: int = 0) -> list[list[str]]:
    """Return the marked lines of each statement of a role's finding."""
    (proof,) = Page(render(report(role("web", *statements)))).proofs()
    found = proof["findings"][finding]["statements"]
    return [[text.split("\n")[n].strip(" ,") for n in marks] for _, text, marks in found]


ELSEWHERE = {"ForAnyValue:StringNotLike": {"ses:Recipients": ["*@simulator.amazonses.com"]}}


@pytest.mark.parametrize(
    ("statements", "marked"),
    [
        ([allow(["s3:GetObject", "SES:send*"])], [['"SES:send*"', '"Resource": "*"']]),
        (
            [{"Effect": "Allow", "NotAction": ["iam:*"], "NotResource": "arn:aws:s3:::x"}],
            [['"NotAction": [', '"iam:*"', '"NotResource": "arn:aws:s3:::x"']],
        ),
        (
            [
                allow(
                    resource=[
                        "arn:aws:s3:::x",
                        f"arn:aws:ses:eu-west-1:{examples.ACCOUNT}:identity/*",
                    ],
                    Condition={
                        "StringLike": {"aws:UserAgent": "*"},
                        "ForAllValues:StringLike": {"SES:recipients": ["*@example.com"]},
                    },
                )
            ],
            [
                [
                    '"Action": "ses:SendEmail"',
                    f'"arn:aws:ses:eu-west-1:{examples.ACCOUNT}:identity/*"',
                    '"ForAllValues:StringLike": {',
                    '"SES:recipients": [',
                    '"*@example.com"',
                ]
            ],
        ),
    ],
)
def test_what_decides_is_marked(
    statements: list[dict[str, object]], marked: list[list[str]]
) -> None:
    """The lines on the request's action, its resource and its recipients are marked."""
    assert _marked(*statements) == marked


def test_a_long_statement_is_named_and_said_to_be_left_out() -> None:
    """A statement too long for the page keeps its place, and the page says why it has no text."""
    huge = allow(["ses:SendEmail", *(f"s3:Get{number}" for number in range(2_000))])
    page = Page(render(report(role("web", huge))))

    (where, text, _), *_ = page.proofs()[0]["findings"][0]["statements"]
    assert where == "Allow in statement 0 of inline policy build"
    assert text is None
    assert any("Too long to show" in one for one in page.data["texts"])


def test_a_report_without_policy_texts_says_so() -> None:
    """Where a report carries no policy text, the page names the statement and says as much."""
    page = Page(render(examples.full()))

    assert all(s[1] is None for p in page.proofs() for f in p["findings"] for s in f["statements"])
    assert any("doesn't carry" in one for one in page.data["texts"])


def test_statements_of_the_organization_have_their_text() -> None:
    """An SCP that lets a send through is shown as the organization's own text."""
    document = {"Version": "2012-10-17", "Statement": [allow("*", Sid="FullAccess")]}
    scp = PolicyText("FullAWSAccess", "arn:aws:organizations::x:policy/p-1", "scp", document)
    levels = (ScpLevel("r-1", "Root", (scp,)),)
    found = report(role("web", allow()), organization=Organization("o-1", False, levels))

    texts = [s[1] for s in Page(render(found)).proofs()[0]["findings"][0]["statements"]]
    assert json.loads(texts[1]) == allow("*", Sid="FullAccess")


def test_chains_show_each_roles_own_text_and_close_the_right_role() -> None:
    """On the way to another role each statement is its owner's, and the guard goes on the last."""
    target = role("mailer", allow(), policy="mail")
    target.trust = PolicyText(
        "trust",
        None,
        "trust",
        {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{examples.ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            },
        },
    )
    found = report(role("web", allow("sts:AssumeRole", target.arn)), target)
    (proof,) = Page(render(found)).proofs()

    texts = [json.loads(text) for _, text, _ in proof["findings"][0]["statements"]]
    assert allow("sts:AssumeRole", target.arn) in texts
    assert texts[-1] == allow()
    assert any("Principal" in text for text in texts)
    assert proof["others"] == ["mailer"]
    assert proof["fix"] is None


@pytest.mark.parametrize("name", ["web", "--version", *HOSTILE])
def test_the_command_is_one_that_a_shell_takes_as_meant(name: str) -> None:
    """Whatever a role is called, the copied command has one option with exactly its name."""
    (proof,) = Page(render(report(role(name, allow())))).proofs()

    arguments = shlex.split(proof["fix"])
    assert arguments[:3] == ["auditor", "remediate", "plan"]
    assert " ".join(arguments[3:]).removeprefix("--role")[1:] == visible(name)


def test_the_guard_is_the_one_that_is_attached() -> None:
    """The policy to copy is the guard, whole; a page without exposed roles has none."""
    page = Page(render(examples.full()))

    assert json.loads(page.one("pre", id="guard-text").text) == guard()
    assert "guard-text" not in [
        one.attributes.get("id") for one in Page(render(examples.clean())).elements
    ]


def test_a_request_reads_like_one() -> None:
    """The witness is told as call, sender, recipients, resource, region and the rest."""
    only = {
        "StringLike": {"ses:FromAddress": "ci@example.com"},
        "Bool": {"aws:SecureTransport": "true"},
    }
    (proof,) = Page(render(report(role("web", allow(Condition=only))))).proofs()

    rows = dict(row for row in proof["findings"][0]["request"] if row[0] != "With")
    assert rows["Call"] == "ses:SendEmail"
    assert rows["From"] == "ci@example.com"
    assert rows["To"] == "someone@example.com"
    assert rows["Resource"].startswith("arn:aws:ses:")
    assert rows["Region"] in rows["Resource"]
    assert ["With", "aws:SecureTransport = true"] in proof["findings"][0]["request"]


def test_every_action_is_told() -> None:
    """Findings that differ in their action alone are one, which names every action."""
    found = report(role("web", allow("ses:*")))
    (proof,) = Page(render(found)).proofs()

    told = [row[0] for one in proof["findings"] for row in one["also"]]
    told += [row[1] for one in proof["findings"] for row in one["request"] if row[0] == "Call"]
    actions = [one.witness.action for one in found.roles[0].findings if one.witness]
    assert sorted(told) == sorted(actions)


def test_the_picture_has_every_role_once() -> None:
    """The ways of the picture add up to the roles, worst first; many ways are drawn as few."""
    policies = [role(f"web-{n}", allow(), policy=f"build-{n}") for n in range(30)]
    page = Page(render(report(*policies, role("idle", allow("s3:*")))))
    ways = page.all("li", class_="way")

    assert [re.findall(r"[\d,]+ roles?", one.text)[0] for one in ways] == ["30 roles", "1 role"]
    assert "such as someone@example.com" in ways[0].text
    assert "Nobody" in ways[1].text


def test_the_trend_needs_a_past() -> None:
    """Without past audits there is no trend; with some, each has its bar and its numbers."""
    past = [Past(examples.NOW - timedelta(days=days), 5, days, 1, 0) for days in range(1, 40)]

    assert not Page(render(examples.full())).all("figure")
    page = Page(render(examples.full(), history=past))
    assert len(page.all("rect", class_="proven")) == 30
    days = [one.text for one in page.all("th", scope="row")]
    numbers = [int(one.text) for one in page.all("td")]
    assert days[:2] == ["2026-11-23", "2026-11-22"]
    assert numbers[:8] == [5, 1, 1, 1, 5, 1, 1, 0]


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
    assert Page(done.stdout).one("h1").text == "The one CodeBuild role can mail real people."
