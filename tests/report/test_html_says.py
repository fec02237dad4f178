"""What the HTML report says: the picture, and each role's proof."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from auditor.account import Organization, PolicyText, ScpLevel
from auditor.corrective.documents import guard
from auditor.report.formats.html import render
from tests import examples
from tests.report.accounts import allow, report, role
from tests.report.page_reader import Page

ROOT = Path(__file__).resolve().parents[2]
SIZE_MAX = 5_000_000


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
