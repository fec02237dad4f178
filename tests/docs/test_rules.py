"""docs/rules: a page for each rule, and what it shows is what the engine finds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from auditor.account import Account, PolicyText, Role
from auditor.audit import audit
from auditor.domains import is_mailbox
from auditor.engine.constraints import REAL
from auditor.globs import like
from auditor.report.json import role_to_dict
from auditor.rules.catalogue import RULES
from tests.docs.pages import ROOT, RULES_FOLDER, fences, sections, table

if TYPE_CHECKING:
    from auditor.findings import RoleReport

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
# Rules about more than one policy of one role: their pages can't be decided by themselves.
SEVERAL = ("assumable-sender", "identity-policy-grant", "self-granting")
ALONE = sorted(set(RULES) - set(SEVERAL))
# By the contract of each rule: what its page's first policy comes to.
VERDICTS = {
    "inverted-condition": ("exposed", "proven", "high"),
    "loose-recipient-pattern": ("exposed", "proven", "high"),
    "missing-null-check": ("simulator_only", None, "info"),
    "mixed-recipients": ("exposed", "proven", "high"),
    "other-recipients-allowed": ("exposed", "proven", "high"),
    "uncheckable-action": ("exposed", "possible", "medium"),
    "undefined-condition": ("exposed", "possible", "medium"),
    "unrestricted-send": ("exposed", "proven", "high"),
}


def page(rule: str) -> str:
    return (ROOT / RULES[rule].page).read_text("utf-8")


def policies(rule: str, section: str) -> list[Any]:
    """Return the JSON blocks of one section of a rule's page."""
    return [json.loads(text) for text in fences(sections(page(rule))[section], "json")]


def decided(*documents: object) -> RoleReport:
    """Audit a role that has these inline policies."""
    trust = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Principal": {"Service": "codebuild.amazonaws.com"},
            "Action": "sts:AssumeRole",
        },
    }
    role = Role(
        arn="arn:aws:iam::123456789012:role/codebuild-example",
        name="codebuild-example",
        role_id="AROAEXAMPLE",
        tags={},
        trust=PolicyText("trust", None, "trust", trust),
        inline=tuple(PolicyText(f"policy-{n}", None, "inline", d) for n, d in enumerate(documents)),
        attached=(),
    )
    return audit(Account("123456789012", "aws", [role]), now=NOW).roles[0]


def rules_of(report: RoleReport) -> set[str]:
    return {finding.rule for finding in report.findings}


def test_each_rule_has_its_page() -> None:
    """Every rule has a page, and there is no page without a rule."""
    assert {path.stem for path in RULES_FOLDER.glob("*.md")} == set(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_page_has_its_parts(rule: str) -> None:
    """A page says what, why, before, after and from where; a found rule's has its witness too."""
    text = page(rule)
    wanted = ["What it is", "Why it matters", "Before", "The witness", "After", "Sources"]
    if rule in SEVERAL:
        wanted.remove("The witness")

    assert text.startswith(f"# {rule}\n")
    assert list(sections(text)) == wanted
    assert "https://docs.aws.amazon.com/" in sections(text)["Sources"]


@pytest.mark.parametrize("rule", ALONE)
def test_the_policy_before_has_the_finding(rule: str) -> None:
    """The first policy of a page yields its rule, with the verdict and severity that it says."""
    verdict, certainty, severity = VERDICTS[rule]
    (before,) = policies(rule, "Before")
    report = decided(before)

    assert (report.verdict, report.certainty) == (verdict, certainty)
    assert rules_of(report) == {rule}
    assert report.findings[0].severity == severity
    assert f"`{severity}`" in page(rule).split("\n## ")[0]


@pytest.mark.parametrize("rule", ALONE)
def test_the_witness_is_the_engines(rule: str) -> None:
    """The request on a page is the one that the auditor reports for the page's first policy."""
    (before,) = policies(rule, "Before")
    role: Any = role_to_dict(decided(before))
    witness = role["findings"][0]["witness"]

    shown = policies(rule, "The witness")
    assert shown == ([] if witness is None else [witness])


@pytest.mark.parametrize("rule", ALONE)
def test_the_policy_after_is_closed(rule: str) -> None:
    """The policy that a page recommends lets through mail to the simulator and nothing else."""
    report = decided(policies(rule, "After")[0])

    assert report.verdict == "simulator_only"
    assert report.findings == ()


@pytest.mark.parametrize("rule", ALONE)
def test_the_guards_close_what_they_stand_beside(rule: str) -> None:
    """A further policy under "After" is a guard: beside the first policy it ends the finding."""
    (before,) = policies(rule, "Before")
    for guard in policies(rule, "After")[1:]:
        report = decided(before, guard)

        assert report.verdict == "simulator_only"
        assert rule not in rules_of(report)


def test_the_general_guard_closes_an_administrator() -> None:
    """The guard of unrestricted-send works beside an Allow of everything, as its page says."""
    (_, guard) = policies("unrestricted-send", "After")
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }

    assert decided(everything, guard).verdict == "simulator_only"
    # "The second statement is needed"
    first = {**guard, "Statement": guard["Statement"][:1]}
    assert rules_of(decided(everything, first)) == {"uncheckable-action", "self-granting"}


def test_a_null_check_alone_closes_uncheckable_actions() -> None:
    """As that page says, the Null check is enough to end both of its findings."""
    (before,) = policies("uncheckable-action", "Before")
    before["Statement"][0]["Condition"]["Null"] = {"ses:Recipients": "false"}
    report = decided(before)

    assert (report.verdict, report.findings) == ("simulator_only", ())


def test_each_loose_pattern_lets_its_example_in() -> None:
    """The near misses in the table are real: the address beside each is real, and matches."""
    rows = table(sections(page("loose-recipient-pattern"))["What it is"])

    assert len(rows) == 6
    for pattern, example in ([cell.strip("`") for cell in row] for row in rows):
        condition = {"ForAllValues:StringLike": {"ses:Recipients": pattern}}
        statement = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": {**statement, "Condition": condition}}
        assert is_mailbox(example)
        assert REAL.holds(example)
        assert like(pattern).matches(example)
        assert rules_of(decided(document)) == {"loose-recipient-pattern"}, pattern


@pytest.mark.parametrize("rule", SEVERAL)
def test_blocks_about_several_policies_are_json(rule: str) -> None:
    """Their policies are whole documents nevertheless."""
    for section in ("Before", "After"):
        (document,) = policies(rule, section)
        assert document["Version"] == "2012-10-17"
        assert document["Statement"]
