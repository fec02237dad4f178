"""The HTML report's first screen says who is exposed, and what to do about it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.report.formats.html import render
from auditor.report.interface import PLAIN, Again
from tests import examples
from tests.report import held_examples
from tests.report.accounts import allow, large, report, role
from tests.report.page_reader import Page

if TYPE_CHECKING:
    from auditor.findings import Report, RoleReport

AGAIN = Again(("--snapshot", "my file.json", "--role", "w*"), ("--snapshot", "my file.json"))


def command(found: Report, again: Again = PLAIN.again) -> list[str]:
    page = Page(render(found, replace(PLAIN, again=again)))
    return shlex.split(page.one("code", id="plan-text").text)


def named(name: str, base: RoleReport = examples.WEB) -> RoleReport:
    return replace(base, name=name, arn=examples.role_arn(name))


def test_names_and_command_come_before_everything_else() -> None:
    """Who is exposed, what closes it and the guard stand in the header, before what changed."""
    page = Page(render(held_examples.report()))
    header = page.one("header").text
    assert "codebuild-again" in header
    assert "auditor remediate plan" in header
    assert header.index("auditor remediate plan") < header.index("Since earlier audits")
    places = [page.source.index(one) for one in ('id="plan-text"', 'href="#guard"', "gaps held")]
    assert places == sorted(places)
    assert page.all("section", id="guard")
    assert page.one("button", **{"data-copies": "plan-text"}).attributes["hidden"] == ""


def test_few_roles_are_named_in_the_command() -> None:
    """So that it plans these alone, and none that an exception covers."""
    assert command(report(role("web", allow()))) == [
        "auditor", "remediate", "plan", "--role", "web",
    ]  # fmt: skip
    assert "codebuild-web" not in command(held_examples.report())
    assert command(report(role("-x", allow())))[3:] == ["--role=-x"]


def test_the_command_is_about_what_was_audited() -> None:
    """A page on a file plans for that file; where roles aren't named, the audit's limits hold."""
    few = command(report(role("web", allow())), AGAIN)
    assert few[3:] == ["--role", "web", "--snapshot", "my file.json"]
    many = command(large(40), AGAIN)
    assert many[3:] == list(AGAIN.plan)
    page = Page(render(report(role("web", allow())), replace(PLAIN, again=AGAIN)))
    assert page.proofs()[0]["fix"] == "auditor remediate plan --role web --snapshot 'my file.json'"


def test_excepted_roles_are_left_alone() -> None:
    """Of many exposed roles none is named: then those that exceptions cover are left out."""
    open_ = [named(f"open-{number}") for number in range(4)]
    both = examples.report(*open_, held_examples.covered())
    assert command(both)[3:] == ["--except", "codebuild-web"]
    assert command(both, Again(("--exceptions", "e.yaml")))[3:] == ["--exceptions", "e.yaml"]


@pytest.mark.parametrize("found", [examples.clean(), examples.report(held_examples.covered())])
def test_nothing_to_plan_no_command(found: Report) -> None:
    """Where no role is exposed and unanswered for, none is offered."""
    assert not Page(render(found)).all("code", id="plan-text")


def test_lists_count_what_they_are_about() -> None:
    """Of 60 resolved roles, 50 are listed and all are counted."""
    held = held_examples.report()
    assert held.resolved is not None
    (one,) = held.resolved
    arns = [examples.role_arn(f"gone-{number}") for number in range(60)]
    many = replace(held, resolved=tuple(one._replace(role_arn=arn, id=arn) for arn in arns))
    page = Page(render(many))
    (told,) = (each.text for each in page.all("div", class_="held") if "Resolved" in each.text)
    assert "60 roles: " in told
    assert "and 10 more roles" in told
