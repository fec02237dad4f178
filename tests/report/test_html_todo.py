"""The HTML report's first screen says who is exposed, and what to do about it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from auditor.account import PolicyText
from auditor.findings import Suppressed
from auditor.report import table
from auditor.report.formats.html import render
from auditor.report.interface import PLAIN, Again
from tests import examples
from tests.report import held_examples
from tests.report.accounts import TRUST, allow, large, report, role
from tests.report.page_reader import Page

if TYPE_CHECKING:
    from auditor.account import Role
    from auditor.findings import Report, RoleReport

TO_ALL = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{examples.ACCOUNT}:root"},
            "Action": "sts:AssumeRole",
        }
    ],
}
NO_MAIL = {"Effect": "Deny", "Action": "ses:*", "Resource": "*"}
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


def sender(name: str = "sender") -> Role:
    """Return a role that isn't CodeBuild's, that others may assume and that mails anybody."""
    return role(name, allow(), trust=PolicyText("trust", None, "trust", TO_ALL))


def texts(found: Report, again: Again = PLAIN.again) -> tuple[str, str]:
    """Return the page's header, and what the table ends with, on one line each."""
    look = replace(PLAIN, width=400, again=again)
    ends = table.render(found, look).rpartition(" no send")[2]
    return Page(render(found, look)).one("header").text, " ".join(ends.split())


def test_no_guard_is_offered_where_it_closes_nothing() -> None:
    """What a role sends as another one alone: the other one is named, in place of a command."""
    chained = role("web", allow("sts:AssumeRole"), allow("ses:SendBounce"))
    for text in texts(report(chained, sender())):
        assert "remediate plan" not in text
        assert "by hand" not in text
        assert "what these roles send as another one: web (as sender)." in text
        assert "Close the other role, or take away sts:AssumeRole on it" in text


def test_a_guard_is_offered_for_those_that_it_closes() -> None:
    """Of two roles one is closed by a guard: that one's is planned, and the other is told apart."""
    chained = role("web", allow("sts:AssumeRole"), NO_MAIL)
    found = report(chained, role("api", allow()), sender())
    assert command(found)[3:] == ["--role", "api"]
    for text in texts(found):
        assert "remediate plan" in text
        assert "web (as sender)" in text


def test_a_chain_to_a_role_that_is_planned_for_leaves_nothing_open() -> None:
    """The guard on the other role closes both where that one is CodeBuild's, and not excepted."""
    way_in = role("api", allow())
    trust = {**TO_ALL, "Statement": [*TO_ALL["Statement"], *TRUST["Statement"]]}
    api = replace(way_in, trust=PolicyText("trust", None, "trust", trust))
    found = report(role("web", allow("sts:AssumeRole"), NO_MAIL), api)
    assert command(found)[3:] == ["--role", "api"]
    assert not any("(as api)" in text for text in texts(found))
    covered = [
        replace(
            one,
            findings=(),
            suppressed=tuple(Suppressed(f, held_examples.COVER) for f in one.findings),
        )
        if one.name == "api"
        else one
        for one in found.roles
    ]
    assert all("web (as api)" in text for text in texts(replace(found, roles=covered)))


def test_commands_mind_the_exceptions() -> None:
    """So that what somebody answers for is left alone; what is closed all the same is said."""
    again = Again(
        ("--role", "--x=y", "--exceptions", "e.yaml"),
        ("--snapshot", "-"),
    )
    open_ = examples.report(examples.WEB)
    source = ["--snapshot", "-"]
    assert command(open_, again)[3:-2] == ["--role", "codebuild-web", *source]
    assert command(open_, again)[-2:] == ["--exceptions", "e.yaml"]
    joined = Again(("--profile", "a=b", "--exceptions=-e.yaml"))
    assert command(open_, joined)[-1] == "--exceptions=-e.yaml"

    look = replace(PLAIN, again=again)
    part = replace(
        examples.WEB, suppressed=(Suppressed(replace(examples.OPEN, id="x"), held_examples.COVER),)
    )
    page = Page(render(examples.report(part), look))
    assert "Either closes what exceptions cover as well." in page.one("header").text
    assert page.proofs()[0]["fix"].endswith("--exceptions e.yaml")
    assert "closes that as well" in page.proofs()[0]["overrules"]
    assert "closes what exceptions cover of them as well" in texts(examples.report(part))[1]
    whole = Page(render(examples.report(held_examples.covered()), look)).proofs()[0]
    assert "--exceptions" not in whole["fix"], "it would plan nothing"
    assert "all the same" in whole["overrules"]
    assert Page(render(open_, look)).proofs()[0]["overrules"] is None


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (examples.report(examples.ODD), ["Correct what", f"auditor explain {examples.ODD.name}"]),
        (examples.report(held_examples.covered()), ["Close the excepted roles before"]),
        (replace(examples.clean(), complete=False), ["Allow or repair the reads that failed"]),
    ],
)
def test_there_is_a_next_step_without_an_open_role(found: Report, words: list[str]) -> None:
    """What keeps a page from being good has a next step on its first screen; nothing else has."""
    header = Page(render(found)).one("header").text
    for one in ("What to do", *words):
        assert one in header
    assert "What to do" not in Page(render(examples.clean())).one("header").text
