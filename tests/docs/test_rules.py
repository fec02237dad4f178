"""docs/rules: a page for each rule, and what it shows is what the engine finds."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from auditor.account import (
    Account,
    Identity,
    Organization,
    PolicyText,
    Role,
    ScpLevel,
    SesRegion,
)
from auditor.actions import POWERS
from auditor.audit import audit
from auditor.domains import is_mailbox
from auditor.engine.constraints import REAL
from auditor.globs import like
from auditor.report.json import role_to_dict
from auditor.rules.catalogue import RULES
from tests.docs.pages import ROOT, RULES_FOLDER, fences, sections, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import RoleReport

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
# Rules about more than one role's own policies: each page describes an account.
SEVERAL = ("assumable-sender", "identity-policy-grant", "self-granting")
ALONE = sorted(set(RULES) - set(SEVERAL))
# By the contract of each rule: what its page's first policy comes to.
VERDICTS = {
    "assumable-sender": ("exposed", "proven", "high"),
    "identity-policy-grant": ("exposed", "proven", "high"),
    "inverted-condition": ("exposed", "proven", "high"),
    "loose-recipient-pattern": ("exposed", "proven", "high"),
    "missing-null-check": ("simulator_only", None, "info"),
    "mixed-recipients": ("exposed", "proven", "high"),
    "other-recipients-allowed": ("exposed", "proven", "high"),
    "self-granting": ("no_send", None, "low"),
    "uncheckable-action": ("exposed", "possible", "medium"),
    "undefined-condition": ("exposed", "possible", "medium"),
    "unrestricted-send": ("exposed", "proven", "high"),
}


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def page(rule: str) -> str:
    return (ROOT / RULES[rule].page).read_text("utf-8")


def policies(rule: str, section: str) -> list[Any]:
    """Return the JSON blocks of one section of a rule's page."""
    return [json.loads(text) for text in fences(sections(page(rule))[section], "json")]


CODEBUILD = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "codebuild.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


def role(name: str, *documents: object, trust: object = CODEBUILD) -> Role:
    """Return a role that has these inline policies."""
    return Role(
        arn=f"arn:aws:iam::123456789012:role/{name}",
        name=name,
        role_id="AROAEXAMPLE",
        tags={},
        trust=PolicyText("trust", None, "trust", trust),
        inline=tuple(PolicyText(f"policy-{n}", None, "inline", d) for n, d in enumerate(documents)),
        attached=(),
    )


def example(*roles: Role, scps: Sequence[object] = (), identity: object = None) -> RoleReport:
    """Audit the account of a page, and return the report on ``codebuild-example``."""
    organization = None
    if scps:
        full = {"Version": "2012-10-17", "Statement": EVERYTHING}
        held = [PolicyText(f"scp-{n}", None, "scp", d) for n, d in enumerate((full, *scps))]
        organization = Organization("o-example", False, (ScpLevel("r", "root", tuple(held)),))
    ses: tuple[SesRegion, ...] = ()
    if identity is not None:
        arn = "arn:aws:ses:eu-west-1:123456789012:identity/example.com"
        grants = (PolicyText("grant", None, "identity-policy", identity),)
        ses = (SesRegion("eu-west-1", True, True, (Identity("example.com", arn, True, grants),)),)
    account = Account("123456789012", "aws", roles, organization=organization, ses=ses)
    (report,) = audit(account, now=NOW).roles
    assert report.name == "codebuild-example"
    return report


def decided(*documents: object) -> RoleReport:
    """Audit a role that has these inline policies."""
    return example(role("codebuild-example", *documents))


def before(rule: str) -> RoleReport:
    """Audit what a page describes under "Before"."""
    shown = policies(rule, "Before")
    if rule == "assumable-sender":
        own, trust, mail = shown
        return example(role("codebuild-example", own), role("mailer", mail, trust=trust))
    (document,) = shown
    if rule == "identity-policy-grant":
        return example(role("codebuild-example"), identity=document)
    return decided(document)


def rules_of(report: RoleReport) -> set[str]:
    return {finding.rule for finding in report.findings}


def test_each_rule_has_its_page() -> None:
    """Every rule has a page, and there is no page without a rule."""
    assert {path.stem for path in RULES_FOLDER.glob("*.md")} - {"README"} == set(RULES)


def test_each_rule_stands_in_the_index() -> None:
    """The folder's index names every rule in the catalogue's order, with its own sentence."""
    index = (RULES_FOLDER / "README.md").read_text("utf-8")
    rows = [line for line in index.splitlines() if line.startswith("| [`")]
    assert rows == [
        f"| [`{rule.id}`]({rule.id}.md) |"
        f" {rule.title.format(role='The role', action='a send action')} |"
        for rule in RULES.values()
    ]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_page_has_its_parts(rule: str) -> None:
    """A page says what, why, before, after and from where; a found rule's has its witness too."""
    text = page(rule)
    wanted = ["What it is", "Why it matters", "Before", "The witness", "After", "Sources"]

    assert text.startswith(f"# {rule}\n")
    assert list(sections(text)) == wanted
    assert "https://docs.aws.amazon.com/" in sections(text)["Sources"]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_what_is_before_has_the_finding(rule: str) -> None:
    """What a page shows first yields its rule, with the verdict and severity that it says."""
    verdict, certainty, severity = VERDICTS[rule]
    report = before(rule)

    assert (report.verdict, report.certainty) == (verdict, certainty)
    assert rules_of(report) == {rule}
    assert report.findings[0].severity == severity
    assert f"`{severity}`" in page(rule).split("\n## ")[0]


@pytest.mark.parametrize("rule", sorted(RULES))
def test_the_witness_is_the_engines(rule: str) -> None:
    """The request on a page is the one that the auditor reports for what the page shows first."""
    told: Any = role_to_dict(before(rule))
    witness = told["findings"][0]["witness"]

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
    (first,) = policies(rule, "Before")
    for guard in policies(rule, "After")[1:]:
        report = decided(first, guard)

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
    (first,) = policies("uncheckable-action", "Before")
    first["Statement"][0]["Condition"]["Null"] = {"ses:Recipients": "false"}
    report = decided(first)

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


def test_either_remedy_ends_the_chain() -> None:
    """Naming roles in the build's policy, or in the other role's trust policy, is enough."""
    own, trust, mail = policies("assumable-sender", "Before")
    better_own, better_trust = policies("assumable-sender", "After")
    for one, other in ((better_own, trust), (own, better_trust)):
        mailer = role("mailer", mail, trust=other)
        report = example(role("codebuild-example", one), mailer)
        assert (report.verdict, report.findings) == ("no_send", ())


def test_an_external_id_doesnt_end_the_chain() -> None:
    """As that page says, a role that knows the external id passes it."""
    own, trust, mail = policies("assumable-sender", "Before")
    trust["Statement"][0]["Condition"] = {"StringEquals": {"sts:ExternalId": "secret"}}
    report = example(role("codebuild-example", own), role("mailer", mail, trust=trust))
    assert rules_of(report) == {"assumable-sender"}


def test_a_named_role_comes_in_without_a_policy_of_its_own() -> None:
    """As that page says, a trust policy that names a role is enough."""
    mail = policies("assumable-sender", "Before")[2]
    trust = policies("assumable-sender", "After")[1]
    trust["Statement"][0]["Principal"]["AWS"] = "arn:aws:iam::123456789012:role/codebuild-example"
    report = example(role("codebuild-example"), role("mailer", mail, trust=trust))
    assert (report.verdict, report.certainty) == ("exposed", "proven")


def test_a_limited_grant_reaches_the_simulator_alone() -> None:
    """The identity's policy that the page recommends lets nothing else through."""
    (document,) = policies("identity-policy-grant", "After")
    report = example(role("codebuild-example"), identity=document)
    assert (report.verdict, report.findings) == ("simulator_only", ())


def test_an_account_as_principal_grants_nothing() -> None:
    """As that page says, a grant to the account leaves it to the role's own policies."""
    (document,) = policies("identity-policy-grant", "Before")
    document["Statement"][0]["Principal"]["AWS"] = "arn:aws:iam::123456789012:root"
    report = example(role("codebuild-example"), identity=document)
    assert (report.verdict, report.findings) == ("no_send", ())


def test_either_remedy_keeps_a_role_from_itself() -> None:
    """A policy about other roles alone, or an SCP, ends the finding."""
    (first,) = policies("self-granting", "Before")
    narrow, scp = policies("self-granting", "After")
    assert decided(narrow).findings == ()
    assert example(role("codebuild-example", first), scps=[scp]).findings == ()
    everything = {"Version": "2012-10-17", "Statement": EVERYTHING}
    assert "self-granting" in rules_of(decided(everything))
    assert "self-granting" not in rules_of(
        example(role("codebuild-example", everything), scps=[scp])
    )


def test_every_call_of_self_granting_is_on_its_page() -> None:
    """The page names each action that its finding may be about, in full."""
    told = sections(page("self-granting"))["What it is"]
    assert [name for name in POWERS if f"`{name}`" not in told] == ["sts:AssumeRole"]


@pytest.mark.parametrize("action", sorted(set(POWERS) - {"sts:AssumeRole"}))
def test_the_scp_stops_each_call_of_self_granting(action: str) -> None:
    """The service control policy that the page recommends denies each such action by name."""
    scp = policies("self-granting", "After")[1]
    (statement,) = scp["Statement"]
    assert any(like(text.lower()).matches(action.lower()) for text in statement["Action"])


@pytest.mark.parametrize("rule", SEVERAL)
def test_blocks_about_several_policies_are_whole_documents(rule: str) -> None:
    """Each policy on a page about an account can be copied as it stands."""
    for section in ("Before", "After"):
        for document in policies(rule, section):
            assert document["Version"] == "2012-10-17"
            assert document["Statement"]
