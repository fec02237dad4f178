"""What an explanation tells of roles whose answer is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from auditor.account import PolicyText
from auditor.audit import audit
from auditor.explain.json import to_dict
from auditor.explain.page import Page
from auditor.explain.story import explain
from auditor.explain.tell import render
from tests.explain.world import ACCOUNT, GUARD, NOW, OPEN, SIMULATOR, account, document, role


def page(*statements: object, **others: Any) -> str:
    """The page on a role of an account of its own, folded lines joined."""
    scps = others.pop("scps", ())
    one = role(*statements, **others)
    return " ".join(render(explain(account(one, scps=scps), one, NOW), Page(400)).split())


def test_the_deny_that_misses_is_told_with_condition_and_value() -> None:
    """The very condition, the request's recipient and the pattern it matches are named."""
    loose = {
        **GUARD,
        "Condition": {"ForAnyValue:StringNotLike": {"ses:Recipients": "*@*amazonses.com"}},
    }
    text = page(OPEN, loose)
    assert "EXPOSED, proven: build can mail real people." in text
    assert (
        "the Deny in statement 1 of inline policy mail doesn't apply: -"
        " ForAnyValue:StringNotLike ses:Recipients *@*amazonses.com: every recipient here matches"
        " *@*amazonses.com: someone@amazonses.com" in text
    )
    assert (
        "change the value of ses:Recipients to *@simulator.amazonses.com; then the role can mail"
        " the simulator alone" in text
    )


def test_actions_that_are_alike_are_told_once() -> None:
    """Two actions opened by one statement for one request stand under one heading."""
    text = page({**OPEN, "Action": ["ses:SendEmail", "ses:SendRawEmail"]})
    assert "ses:SendEmail and ses:SendRawEmail: proven" in text
    assert text.count("Opened by") == 1


def test_one_operator_is_changed_where_that_is_enough() -> None:
    """ForAnyValue in an Allow: the smallest change is the set operator, and it comes first."""
    condition = {"ForAnyValue:StringLike": {"ses:Recipients": SIMULATOR}}
    one = role({**OPEN, "Condition": condition})
    (way,) = explain(account(one), one, NOW).ways
    assert "change ForAnyValue:StringLike to ForAllValues:StringLike" in way.closings[0].what
    assert way.closings[0].verdict == "simulator_only"
    assert way.closings[0].statement == {
        **OPEN,
        "Condition": {"ForAllValues:StringLike": {"ses:Recipients": SIMULATOR}},
    }


def test_a_deny_that_forgets_an_action_is_named_more() -> None:
    """Where a Deny by recipients names other actions only, naming this one too is offered."""
    text = page(OPEN, {**GUARD, "Action": "ses:SendRawEmail"})
    assert "In the Deny in statement 1 of inline policy mail, name ses:SendEmail too" in text


def test_boundary_and_scps_that_let_it_through_are_named() -> None:
    """The Allows of the boundary and of each level of SCPs stand beside the role's own."""
    everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
    text = page(OPEN, boundary=everything, scps=(everything,))
    assert "Let through by the Allow in statement 0 of the permissions boundary limits" in text
    assert "the Allow in statement 0 of service control policy scp-0" in text


@pytest.mark.parametrize("where", ["boundary", "scps"])
def test_what_bounds_a_role_is_what_keeps_it_safe(where: str) -> None:
    """A boundary or a level of SCPs that allows no mail is named, with the witness without it."""
    storage = document({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    bounds: dict[str, Any] = {where: (storage,) if where == "scps" else storage}
    text = page({**OPEN, "Action": "*"}, **bounds)
    name = {
        "boundary": f"The permissions boundary limits (arn:aws:iam::{ACCOUNT}:policy/limits).",
        "scps": "The service control policies of unit 0 (ou-0): scp-0.",
    }[where]
    assert f"{name} Without it the role is exposed (proven): ses:SendEmail to" in text
    assert "Not even a further policy that allows it everything" in text


def test_limits_that_stand_in_for_each_other() -> None:
    """Where no single removal exposes, the two that do together are named."""
    text = page(OPEN, GUARD, extra=document(GUARD))
    assert "Without both the role is exposed (proven)" in text
    assert (
        "The Deny in statement 1 of inline policy mail and the Deny in statement 0 of inline"
        " policy extra." in text
    )


def test_two_limits_in_one_document_go_together() -> None:
    """A pair of statements of the same document is taken away as a pair."""
    one = role(OPEN, GUARD, {**GUARD, "Action": "*"})
    kept = explain(account(one), one, NOW).keeping
    assert kept is not None
    assert not kept.matter
    assert [len(pair.limits) for pair in kept.pairs] == [2]


def test_a_role_without_sends_has_nothing_to_take_away() -> None:
    """A role that allows no send is told so, and what would change that."""
    text = page({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    assert "there is no limit to take away" in text
    assert "A further policy that allows it everything would expose it" in text


def test_an_identity_policy_that_grants() -> None:
    """A grant by an SES identity's policy is what opens, and the guard on the role closes it."""
    one = role({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    grant = document({**OPEN, "Principal": {"AWS": one.arn}})
    story = explain(account(one, identity=grant), one, NOW)
    assert (story.verdict, story.certainty) == ("exposed", "proven")
    text = " ".join(render(story, Page(400)).split())
    assert "Opened by the Allow in statement 0 of the SES identity's policy sharing" in text
    assert any(closing.document is not None for closing in story.ways[0].closings)


def test_undetermined_says_why_where_and_what_to_do() -> None:
    """The reason has its place, and what the role would be without the document is decided."""
    text = page(OPEN, odd=document({**OPEN, "Condition": {"StringLikes": {"a:b": "c"}}}))
    assert "EXPOSED, possibly" in text
    text = page({**OPEN, "Condition": {"StringLikes": {"ses:Recipients": "c"}}})
    assert "UNDETERMINED" in text
    assert "Statement[0].Condition: unknown condition operator 'StringLikes'" in text
    assert "Correct the document at the place that is named" in text
    assert "If what can't be read weren't there, the role couldn't mail" in text
    assert "If it allowed everything, the role would be exposed (proven)." in text


def test_a_change_is_offered_only_if_no_unread_policy_can_undo_it() -> None:
    """Beside a policy that can't be read, only what holds whatever that allows is offered."""
    one = role(OPEN)
    one.attached = (PolicyText("gone", "arn:aws:iam::1:policy/gone", "managed", None, "no access"),)
    (way,) = [w for w in explain(account(one), one, NOW).ways if w.closings]
    assert [closing.document is not None for closing in way.closings] == [True]
    assert way.doubts == ("the policy arn:aws:iam::1:policy/gone could not be read: no access",)


def test_a_role_that_may_become_another() -> None:
    """The verdict is the scan's: a role that may assume an exposed one is exposed, and told so."""
    sender = role(OPEN, name="sender")
    sender.trust = PolicyText(
        "trust",
        None,
        "trust",
        document(
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/build"},
                "Action": "sts:AssumeRole",
            }
        ),
    )
    builder = role({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": sender.arn})
    story = explain(account(builder, sender), builder, NOW)
    assert (story.verdict, story.own.verdict) == ("exposed", "no_send")
    text = " ".join(render(story, Page(400)).split())
    assert "It may become another role" in text
    assert "build -> sender" in text
    own = text.index("About its own policies only, which don't undo the way above")
    assert text.index("What keeps its own policies safe") > own
    assert "Found by rule assumable-sender (docs/rules/assumable-sender.md)." in text
    assert "build may assume sender, by the Allow in statement 0 of the trust policy" in text
    assert "The trust policy names the role itself" in text
    assert "The request, made as sender (proven of sender) ses:SendEmail to" in text
    assert "with aws:RequestedRegion = " in text
    assert "It is found by rule unrestricted-send (docs/rules/unrestricted-send.md)." in text
    found: Any = to_dict(story)["chain"]
    assert [step["assumes"] for step in found["steps"]] == [sender.arn]
    assert [one["id"] for one in found["rules"]] == ["assumable-sender", "unrestricted-send"]
    assert found["witness"]["action"] == "ses:SendEmail"


def may_come_in(name: str) -> PolicyText:
    who = {"AWS": f"arn:aws:iam::{ACCOUNT}:{name}"}
    allow = {"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}
    return PolicyText("trust", None, "trust", document(allow))


def test_each_step_of_a_way_is_told_and_each_closing_closes() -> None:
    """Both sides of each step are named, and a change, made by hand, ends the exposure."""
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    end, other = role(OPEN, name="end"), role(OPEN, name="other")
    middle = role(assume, name="middle")
    for one in (end, middle):
        one.trust = may_come_in("root")
    other.trust = may_come_in("nobody")
    start = role({**assume, "Resource": middle.arn})
    roles = (start, middle, end, other)
    story = explain(account(*roles), start, NOW)
    way = story.becoming
    assert way is not None
    assert [(step.role.name, step.target.name) for step in way.steps] == [
        ("build", "middle"),
        ("middle", "end"),
    ]
    for step in way.steps:
        assert {one.layer for one in step.call.allows} == {"trust", "identity"}
    assert [closing.what for closing in way.closings] == [
        "Add this policy to end",
        "Add a policy to build that takes away sts:AssumeRole on middle",
    ]
    for closing, changed in zip(way.closings, (end, start), strict=True):
        added = PolicyText("added", None, "inline", closing.document)
        after = tuple(
            replace(one, inline=(*one.inline, added)) if one is changed else one for one in roles
        )
        report = audit(account(*after), now=NOW, role_globs=[start.arn])
        assert report.roles[0].verdict == closing.verdict == "no_send"


def test_every_way_in_is_taken_away() -> None:
    """Where a role may assume two senders, the Deny names both."""
    senders = [role(OPEN, name=name) for name in ("one", "two")]
    for one in senders:
        one.trust = may_come_in("root")
    start = role({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})
    way = explain(account(start, *senders), start, NOW).becoming
    assert way is not None
    assert [closing.verdict for closing in way.closings] == ["exposed", "no_send"]
    text = " ".join(render(explain(account(start, *senders), start, NOW), Page(400)).split())
    assert "then this way is closed; the role is still exposed in another" in text
    assert "on one and two" in way.closings[1].what


@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (
            {"ForAnyValue:StringLike": {"ses:Recipients": SIMULATOR}},
            (
                "one recipient that fits is enough (success@simulator.amazonses.com):"
                " someone@example.com rides along"
            ),
        ),
        (
            {"ForAllValues:StringLike": {"ses:Recipients": "*@*amazonses.com"}},
            "its pattern *@*amazonses.com matches",
        ),
        (
            {"ForAllValues:StringNotLike": {"ses:Recipients": SIMULATOR}},
            "the operator is negated: it holds for what doesn't match, as someone@",
        ),
        (
            {"StringNotLike": {"ses:Recipient": SIMULATOR}},
            "SES never sends this key, and without it this operator holds",
        ),
    ],
    ids=["mixed", "loose", "negated", "unknown-key"],
)
def test_why_an_allows_own_condition_lets_it_through(condition: object, why: str) -> None:
    """The trap is named beside the condition, on the page and in the JSON, with the rule."""
    one = role({**OPEN, "Condition": condition})
    story = explain(account(one), one, NOW)
    assert why in " ".join(render(story, Page(400)).split())
    told: Any = to_dict(story)["opened"]
    (opened,) = told
    assert why in opened["allows"][0]["why"][0]
    (rule,) = opened["rules"]
    assert rule["page"] == f"docs/rules/{rule['id']}.md"
    report = audit(account(one), now=NOW).roles[0]
    assert rule["id"] in {finding.rule for finding in report.findings}
    assert f"Found by rule {rule['id']} ({rule['page']})." in render(story, Page(400))


def test_a_role_of_no_build_is_explained_too() -> None:
    """A role that no scan covers is decided by its policies, and the page says so."""
    one = role(OPEN)
    one.trust = PolicyText("trust", None, "trust", document())
    story = explain(account(one), one, NOW)
    assert not story.scanned
    assert story.verdict == "exposed"
    assert "a scan leaves it out" in render(story)


HOSTILE = "\x1b[31m\u202e[bold]\nforged: SAFE\u2028郵便" + "x" * 300


def test_hostile_text_stays_text() -> None:
    """Names and values steer nothing, forge no line, and never make a line too wide."""
    from rich.cells import cell_len

    one = role(
        {**OPEN, "Sid": HOSTILE},
        {**GUARD, "Sid": HOSTILE, "Condition": {"ForAnyValue:StringLike": {HOSTILE: HOSTILE}}},
        name=HOSTILE,
    )
    one.inline[0].name = HOSTILE
    story = explain(account(one), one, NOW)
    for width in (40, 80):
        text = render(story, Page(width))
        assert text.replace("\n", "").isprintable()
        assert all(cell_len(line) <= width for line in text.splitlines())
        assert not any(line.startswith("forged") for line in text.splitlines())
    assert json.loads(json.dumps(to_dict(story)))["role"]["name"] == HOSTILE


def test_long_lists_are_shortened_on_the_page_and_whole_in_json() -> None:
    """A condition of a thousand values takes a few lines; the JSON has every one."""
    many = [f"*@{n}.example.com" for n in range(1000)]
    one = role({**OPEN, "Condition": {"ForAllValues:StringLike": {"ses:Recipients": many}}})
    story = explain(account(one), one, NOW)
    assert "... and 994 more" in render(story)
    assert len(render(story).splitlines()) < 150
    found: Any = to_dict(story)
    assert found["opened"][0]["allows"][0]["written"]["Condition"] == {
        "ForAllValues:StringLike": {"ses:Recipients": many}
    }
