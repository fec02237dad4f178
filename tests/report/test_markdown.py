"""The Markdown report: others' text stays inert, GitHub's limit is kept, nothing is hidden."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from auditor.account import Failure, Identity, Project, SesRegion, UnresolvedProject
from auditor.findings import Witness
from auditor.report.inert import block, cell, code
from auditor.report.json import role_to_dict
from auditor.report.markdown import LONGEST, render
from auditor.text import visible
from tests import examples
from tests.report import big
from tests.strategies import reports, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

    from auditor.findings import Report

LAW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
DOCUMENT = (Path(__file__).parents[2] / "docs" / "formats.md").read_text("utf-8")
LOST = UnresolvedProject(examples.project("orphan"), "arn:gone", "no such role")
OURS = {"text", "code_inline", "strong_open", "strong_close", "softbreak"}
BLOCKS = {
    f"{name}_{end}"
    for name in (
        "heading", "paragraph", "blockquote", "bullet_list", "list_item",
        "table", "thead", "tbody", "tr", "th", "td",
    )
    for end in ("open", "close")
} | {"inline", "fence"}  # fmt: skip
HOSTILE = (
    "@everyone",
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden -->",
    "https://evil.example",
    "www.evil.example",
    "#1 GH-1 owner/repo#1",
    ":tada: **bold** _it_ ~~no~~",
    "a|b",
    "a\\|b\\",
    "` `` ``` ````",
    "```\n# heading\n```",
    "> quote",
    "- item\n1. one",
    "| a | b |\n|---|---|",
    "&lt;b&gt; &#64;all",
    "\\`@everyone\\`",
    "`@everyone`",
    " `",
    "   ",
)


def parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def inline(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield from token.children or ()


def assert_inert(text: str) -> None:
    """Hold that outside of code there is nothing but our own words and marks."""
    tokens = parsed(text)
    assert {token.type for token in tokens} <= BLOCKS
    for token in inline(tokens):
        assert token.type in OURS, token
        if token.type == "text":
            # what GitHub would turn into a link or an icon, and what starts a tag or a span
            assert not re.search(r"[@#<>`\[\]!&\\_*~|]|://|www\.|:\w+:", token.content), token


@LAW
@given(reports())
def test_hostile_reports_are_inert(report: Report) -> None:
    """Whatever the names and messages are, the page has our own structure and no other."""
    text = render(report)
    assert_inert(text)
    assert render(report) == text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_inert(hostile: str) -> None:
    """Mentions, links, images, HTML and table rows in names, reasons and values are only shown."""
    witness = Witness(hostile, (hostile,), {"ses:Recipients": (hostile,), hostile: hostile})
    opened = replace(examples.OPEN.statements[0], sid=hostile, policy=hostile)
    finding = replace(
        examples.OPEN, title=hostile, witness=witness, remediation=hostile, statements=(opened,)
    )
    project = Project(hostile, hostile, hostile)
    web = replace(
        examples.WEB, name=hostile, projects=(project,), findings=(finding,), notes=(hostile,)
    )
    report = examples.report(
        web,
        replace(examples.ODD, name=hostile, reason=hostile),
        replace(examples.TESTS, findings=(replace(examples.LINT, title=hostile),)),
        errors=(Failure(hostile, hostile),),
        not_evaluated=(hostile,),
        unresolved=(UnresolvedProject(project, hostile, hostile),),
    )
    seen = SesRegion(hostile, True, True, (Identity(hostile, hostile, True, ()),))
    text = render(replace(report, ses=(seen,)))
    assert_inert(text)
    if hostile.strip():
        spans = [token.content for token in inline(parsed(text)) if token.type == "code_inline"]
        assert visible(hostile) in spans


@given(st.one_of(texts(), st.sampled_from(HOSTILE), st.text("` \\|a@", min_size=1)))
def test_code_shows_the_text_itself(text: str) -> None:
    """A code span shows the very text, backticks and spaces included, in a table too."""
    shown = visible(text)
    spans = [token for token in inline(parsed(f"x {code(text)} x")) if token.type != "text"]
    if not shown.strip():
        assert spans == []
        return
    assert [(span.type, span.content) for span in spans] == [("code_inline", shown)]
    rows = parsed(f"| a | b |\n|---|---|\n| {cell(text)} | {cell(text)} |\n")
    cells = [token.content for token in inline(rows) if token.type == "code_inline"]
    assert cells == [shown.replace("|", r"\x7c")] * 2


@given(st.text("`~\n a", min_size=1))
def test_a_block_ends_where_it_should(text: str) -> None:
    """A fenced block holds its whole text, whatever fences are in it."""
    [fence] = parsed(f"{block(text)}\n")
    assert fence.content == f"{text}\n"


@LAW
@given(reports())
def test_everything_is_told(report: Report) -> None:
    """Each exposed and undetermined role, each request and each gap stands on the page."""
    tokens = parsed(render(report))
    shown = "\n".join([t.content for t in tokens] + [t.content for t in inline(tokens)])
    for role in report.roles:
        if role.verdict in ("exposed", "undetermined") and role.name.strip():
            assert visible(role.name) in shown
        worst = role.worst()
        if role.verdict == "exposed" and worst is not None:
            values = role_to_dict(role)["findings"]
            assert isinstance(values, list)
            requests = [each["witness"] for each in values]
            assert any(json.dumps(each, indent=2) in shown for each in requests if each)
    for error in report.errors:
        assert not error.message.strip() or visible(error.message) in shown
    assert ("Incomplete audit" in shown) == (not report.complete)


@pytest.mark.parametrize(
    ("report", "headline"),
    [
        (examples.full(), "Yes: 2 roles exposed"),
        (examples.report(examples.BATCH), "Possibly: 1 role exposed** (0 proven, 1 possible)"),
        (examples.report(examples.ODD), "Not decided: 1 role undetermined"),
        (examples.report(examples.LINTER, errors=(Failure("a", "b"),)), "Not decided"),
        (examples.report(), "No CodeBuild role was found."),
        (examples.report(examples.LINTER, not_evaluated=("identity-policies",)), "as far as"),
        (examples.report(examples.LINTER, unresolved=(LOST,)), "as far as"),
        (examples.clean(), "**No**: no CodeBuild role can."),
    ],
)
def test_the_headline_never_says_no_too_early(report: Report, headline: str) -> None:
    """The first line says no only where every role was decided and everything was read."""
    first = render(report).splitlines()[2]
    assert headline in first
    assert ("**No**: no" in first) == (report == examples.clean())


def test_many_roles_fit_into_a_comment() -> None:
    """GitHub's limit holds for any account, and what is left out is counted."""
    text = render(big.exposed())
    assert len(text.encode()) <= LONGEST == 65_536
    assert "Yes: 5,000 roles exposed" in text
    rows = len(re.findall(r"^\| EXPOSED", text, re.MULTILINE))
    sections = len(re.findall(r"^### `codebuild-", text, re.MULTILINE))
    assert min(rows, sections) > 20
    assert f"- {5_000 - rows:,} of the exposed roles are not in the table." in text
    assert f"- {5_000 - sections:,} of the exposed roles have no section." in text


def test_gaps_are_told_beside_many_roles() -> None:
    """However many roles are exposed, what could not be read or decided is on the page."""
    odd = [
        replace(examples.ODD, arn=f"{examples.ODD.arn}{number}", name=f"odd-{number}")
        for number in range(3_000)
    ]
    failed = tuple(Failure(f"call-{number}", "x" * 500) for number in range(3_000))
    text = render(examples.report(*big.exposed().roles, *odd, errors=failed))
    assert len(text.encode()) <= LONGEST
    assert "`odd-0`" in text
    assert "`call-0`" in text
    listed = len(re.findall(r"^- `odd-", text, re.MULTILINE))
    assert f"- {3_000 - listed:,} of the undetermined roles are not listed." in text


def test_one_huge_role_hides_no_other() -> None:
    """A role whose own section can't fit is counted, and the others are shown all the same."""
    to = ("someone@example.com",)
    context: dict[str, str | tuple[str, ...]] = {"ses:Recipients": to, "a:b": "x" * LONGEST}
    huge = replace(examples.OPEN, witness=Witness("ses:SendEmail", ("r",), context))
    first = replace(examples.WEB, arn="arn:aws:iam::123456789012:role/a", findings=(huge,))
    text = render(examples.report(first, examples.BATCH))
    assert len(text.encode()) <= LONGEST
    assert f"### `{examples.BATCH.name}`" in text
    assert "- 1 of the exposed roles have no section." in text


def test_the_documented_example_is_a_report() -> None:
    """The example in docs/formats.md is the beginning of what the format prints."""
    example = re.search(r"````markdown\n(.*?)````", DOCUMENT, re.DOTALL)
    assert example
    assert render(examples.report(examples.WEB)) == example[1]
