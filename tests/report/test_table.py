"""The report for people: fits, shows, and can't be steered by a name."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from auditor.account import Project
from auditor.report.interface import PLAIN, Again, Look
from auditor.report.steps import Step, next_steps
from auditor.report.table import render
from auditor.text import visible
from tests import examples
from tests.strategies import NASTY, reports

if TYPE_CHECKING:
    from auditor.findings import Report

GOLDEN = Path(__file__).parent / "golden"
LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
COLOR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("full", examples.full()),
        ("clean", examples.clean()),
        ("empty", examples.report()),
    ],
)
def test_golden(name: str, report: Report) -> None:
    """The table looks as the file in golden/ says, to the last space, at 80 columns."""
    assert render(report, PLAIN) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


@LAW
@given(reports(), st.integers(40, 200))
def test_fits_its_width(report: Report, width: int) -> None:
    """No line is wider than the screen, whatever the names, and none ends in spaces.

    But for a word of a command: one that is cut wouldn't run.
    """
    words = {word for step in next_steps(report, Again()) for word in step.lines(1)}
    for line in render(report, Look(width)).split("\n"):
        assert cell_len(line) <= width or {line.strip(), f"{line.strip()} \\"} & words
        assert line == line.rstrip()


@LAW
@given(reports())
def test_plain_text_prints_as_itself(report: Report) -> None:
    """Without color nothing but printable text and line ends comes out: no escape, no override."""
    text = render(report, PLAIN)
    assert text.endswith("\n")
    assert text.replace("\n", "").isprintable()
    assert render(report, PLAIN) == text


@LAW
@given(reports())
def test_color_adds_color_alone(report: Report) -> None:
    """Color changes how the report looks and not one character of what it says."""
    colored = COLOR.sub("", render(report, Look(80, color=True)))
    assert [line.rstrip() for line in colored.split("\n")] == render(report, PLAIN).split("\n")


@LAW
@given(reports())
def test_every_role_and_gap_is_there(report: Report) -> None:
    """Each role, reason, witness, error and unresolved project is shown whole, folded or not."""
    text = _unfolded(render(report, Look(2000)))
    for role in report.roles:
        assert _unfolded(visible(role.name)) in text
        assert _unfolded(visible(role.reason or "")) in text
        worst = role.worst()
        if role.verdict == "exposed" and worst and worst.witness:
            assert _unfolded(visible(worst.witness.resources[0])) in text
            assert worst.witness.action in text
            assert _unfolded(visible(worst.remediation)) in text
        for finding in role.findings:
            line = finding.rule if role.verdict == "exposed" else visible(finding.title)
            assert _unfolded(line) in text
    for error in report.errors:
        assert _unfolded(visible(error.message)) in text
    for unresolved in report.unresolved_projects:
        assert _unfolded(visible(unresolved.reason)) in text
    assert ("INCOMPLETE" in text) == (not report.complete)


def _unfolded(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_visible(text: str) -> None:
    """What doesn't print as itself is written out; printable text stays as it is."""
    shown = visible(text)
    assert shown.isprintable()
    assert shown == text or "\\" in shown
    assert visible(shown) == shown


def test_markup_in_names_is_text() -> None:
    """Brackets and emoji codes in a name are shown, never obeyed."""
    role = replace(examples.WEB, name="[bold red]x[/] :warning:")
    assert "[bold red]x[/] :warning:" in render(examples.report(role), PLAIN)


def test_worst_comes_first() -> None:
    """Proven exposures stand above possible ones, then what is undetermined, then the safe."""
    order = re.findall(
        r"^(EXPOSED proven|EXPOSED possible|undetermined|simulator only|no send) ",
        render(examples.full(), PLAIN),
        re.MULTILINE,
    )
    assert order == [
        "EXPOSED proven",
        "EXPOSED possible",
        "undetermined",
        "simulator only",
        "no send",
    ]


def test_many_projects_are_counted() -> None:
    """A role that thousands of projects use takes a line or two, and says how many there are."""
    many = tuple(Project(f"p{n}", "eu-west-1", f"arn{n}") for n in range(2000))
    text = render(examples.report(replace(examples.WEB, projects=many)), Look(120))
    assert "and 1998 more" in text
    assert "and 1995 more" in text
    assert len(text.splitlines()) < 40


def test_the_shown_witness_is_the_worst() -> None:
    """Of one severity a proof beats a possibility, and the best known action comes first."""
    possible = replace(examples.BULK, id="1")
    proven = replace(examples.OPEN, severity="medium", id="2")
    raw = replace(proven, witness=proven.witness._replace(action="ses:SendRawEmail"), id="3")  # type: ignore[union-attr]
    role = replace(examples.WEB, findings=(possible, raw, proven))
    assert role.worst() is proven
    text = render(examples.report(role), PLAIN)
    assert "    call       ses:SendEmail\n" in text
    assert "    also       medium uncheckable-action: ses:SendBulkEmail\n" in text
    assert "    also       medium unrestricted-send: ses:SendRawEmail\n" in text


@LAW
@given(st.lists(st.text(min_size=1), min_size=1), st.integers(4, 200))
def test_a_shell_reads_a_command_as_one(words: list[str], width: int) -> None:
    """However it is laid out, a shell takes a command for the words that were meant."""
    step = Step("Do this:", tuple(map(visible, words)))

    for text in (step.shell(), "\n    ".join(step.lines(width))):
        done = subprocess.run(  # noqa: S603 - what it prints is what is tested
            ["sh", "-c", f"printf '%s\\n' {text}"],  # noqa: S607 - the system's own shell
            capture_output=True,
            check=True,
        )
        assert done.stdout.decode("utf-8").split("\n")[:-1] == list(step.command)


def test_the_commands_look_where_the_report_did() -> None:
    """What to do next is asked of the same source, with the same limits, as it was said."""
    look = Look(
        again=Again(
            ("--snapshot", "my account.json", "--exceptions", "e.yaml", "--role", "codebuild-*"),
            ("--snapshot", "my account.json"),
        )
    )
    assert render(examples.full(), look).endswith(
        """\
  See what would close the exposed roles, proven:
    auditor remediate plan --snapshot 'my account.json' --exceptions e.yaml \\
    --role 'codebuild-*'
  Correct what the undetermined roles' reasons name, then scan again.
  Allow or repair the reads that failed, then scan again.
  Look closer at one role:
    auditor explain codebuild-web --snapshot 'my account.json'
"""
    )
