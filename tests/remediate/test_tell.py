"""Plans and results as people read them, and files of plans and reports read back."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from auditor.account import Failure
from auditor.audit import audit
from auditor.errors import InputError
from auditor.remediate.model import Outcome, Result, Standing
from auditor.remediate.plan import PlanRequest, plan
from auditor.remediate.reading import plan_json, read_plan, roles_of_report
from auditor.remediate.tell import next_command, plan_text, results_text
from auditor.report.json import render

from .plan_world import (
    ACCOUNT,
    GUARD_ARN,
    MAIL,
    NOTHING,
    NOW,
    TO_SIMULATOR,
    account,
    allow,
    arn_of,
    managed,
    other,
    plan_of,
    role,
    trust,
)

if TYPE_CHECKING:
    from auditor.remediate.model import Plan

PLAIN = """\
1 role would get the guard ses-simulator-guard, and can then mail nobody but the
mailbox simulator.
Plan {id}, account 123456789012

web: exposed (proven) -> simulator only
    projects web-project (eu-west-1)
  + attach arn:aws:iam::123456789012:policy/auditor/ses-simulator-guard
    works now  ses:SendEmail to someone@example.com on {on}
    then       refused
    also       ses:SendRawEmail: refused then
    simulator  still reached
    still      It can mail the mailbox simulator: ses:SendEmail and
               ses:SendRawEmail.
  ! it looks managed by Terraform (tag terraform = yes), whose next deployment
    may undo this: put it there instead.
      resource "aws_iam_role_policy_attachment" "ses_simulator_guard" {{
        role       = "web"
        policy_arn = "arn:aws:iam::123456789012:policy/auditor/ses-simulator-guard"
      }}

Left as they are: 2 roles
  - bare: it isn't a CodeBuild role, and only those are changed.
  - safe: it isn't exposed: there is nothing to close.

Nothing has been changed yet. To apply this plan:
  auditor remediate apply plan.json
"""


def test_a_whole_plan() -> None:
    """A plan reads: what will change, on which role, proven how, what to mind, what is left and
    why, and the command that applies it.
    """
    found = plan_of(
        role("web", MAIL, tags={"terraform": "yes"}),
        role("safe", TO_SIMULATOR),
        other("bare", NOTHING, let_in=trust(service="ec2.amazonaws.com")),
        role_globs=("web", "safe", "bare"),
    )
    request = found.changes[0].proofs[0]
    on = request.resources[0]
    with_ = "".join(
        f", with {key}={value}" for key, value in request.context.items() if key != "ses:Recipients"
    )
    text = plan_text(found, "plan.json", width=200)
    shown = PLAIN.format(id=found.id, on=on + with_)
    assert text.split() == shown.split()
    narrow = plan_text(found, "plan.json")
    copied = (GUARD_ARN, "aws_iam_role_policy_attachment", "auditor remediate apply")
    for line in narrow.splitlines():
        assert len(line) <= 80 or any(one in line for one in copied), line


def test_what_a_reader_must_not_miss() -> None:
    """An incomplete audit, a policy that is created, inline changes and a lost simulator stand
    there in words.
    """
    full = tuple(managed(f"p{n}") for n in range(10))
    failed = (Failure("codebuild:ListProjects", "denied"),)
    given_ = account(role("web", MAIL, attached=full), role("api", MAIL), failures=failed)
    found = plan(given_, PlanRequest(inline_allowed=True, create_policy=True), now=NOW)
    text = plan_text(found)
    assert "INCOMPLETE" in text
    assert "which is created first (1 of them inline)" in " ".join(text.split())
    assert "+ put inline policy ses-simulator-guard" in text
    assert "--output PLAN.json" in text
    lost = found.changes[0].proofs[0].model_copy(update={"simulator_after": False})
    change = found.changes[0].model_copy(update={"proofs": (lost,)})
    worse = found.model_copy(update={"changes": (change,)})
    assert f"NOT reached any more by {lost.action}" in plan_text(worse)
    passed = lost.model_copy(update={"allowed_after": True})
    change = change.model_copy(update={"proofs": (passed,)})
    assert "let through all the same" in plan_text(found.model_copy(update={"changes": (change,)}))


def test_nothing_to_do() -> None:
    """A plan without changes says so and names no command; many safe roles share a line."""
    found = plan_of(*(role(f"safe{n:02}", TO_SIMULATOR) for n in range(25)), role_globs=("safe*",))
    text = plan_text(found, "plan.json")
    assert text.startswith("Nothing would be changed.")
    assert text.endswith("Nothing to apply.\n")
    assert "safe19 and 5 more: it isn't exposed" in " ".join(text.split())
    assert next_command(found, "plan.json") is None


def test_the_next_command() -> None:
    """The command fits the plan: its file quoted for a shell, the limit raised where need be."""
    few = plan_of(role("web", MAIL))
    assert shlex.split(next_command(few, "my plan; rm *.json") or "") == [
        *("auditor", "remediate", "apply", "my plan; rm *.json")
    ]
    many = plan_of(*(role(f"web{n}", MAIL) for n in range(26)))
    assert (next_command(many, "p") or "").endswith(" p --max-changes 26")
    where = ("--region", "eu-west-1", "--profile", "my own")
    assert "apply p --region eu-west-1 --profile 'my own'\n" in plan_text(few, "p", 80, where)


def test_the_sender_reads_as_what_it_is() -> None:
    """The sender's plan says that it opens the simulator alone."""
    found = plan_of(role("web", NOTHING), policy="sender", role_globs=("web",))
    text = " ".join(plan_text(found).split())
    assert "1 role would get the sender ses-simulator-sender, and can then also mail the" in text
    assert "web: no send -> simulator only" in text
    assert "ses:SendEmail to the simulator; to anybody else it stays refused" in text


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(min_size=1, max_size=40),
    key=st.text(max_size=20),
    value=st.text(max_size=40),
    glob=st.text(max_size=20),
    width=st.integers(20, 120),
)
def test_nothing_steers_the_terminal(
    name: str, key: str, value: str, glob: str, width: int
) -> None:
    """Whatever a name, a tag or an option holds, the text has printable lines alone, none wider
    than asked for but those to be copied.
    """
    where = {"StringEquals": {"aws:SourceVpce": value}}
    found = plan_of(
        role(name, MAIL | {"Condition": where}, tags={key: value, "terraform": value}),
        role("safe", TO_SIMULATOR),
        role_globs=(name, glob, "safe"),
        except_globs=(glob,),
    )
    text = plan_text(found, "plan.json", width)
    results = results_text(
        [Result(role_arn="x", role_name=name, outcome="refused", message=value)]
        if name.encode("utf-8", "ignore").decode() == name
        and value.encode("utf-8", "ignore").decode() == value
        else [],
        "apply",
        width,
    )
    for line in (text + results).split("\n"):
        assert line.isprintable()
    wide = [line for line in results.split("\n") if cell_len(line) > max(width, 40)]
    assert not wide


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_every_outcome_has_its_words(outcome: Outcome) -> None:
    """Each outcome of an apply or an undo has a line for the role and a part in the summary."""
    text = results_text(
        [
            Result(
                role_arn=arn_of("web"),
                role_name="web",
                outcome=outcome,
                message="what AWS said",
                before=Standing(verdict="exposed", certainty="proven"),
                standing=Standing(verdict="simulator_only"),
            )
        ],
        "apply plan-x",
    )
    first, line, summary = (" ".join(part.split()) for part in text.split("\n\n"))
    assert first == "apply plan-x, account 123456789012"
    assert line.startswith("web: ")
    told_of = "" if outcome in ("limit", "stopped") else "; exposed (proven) -> simulator only"
    assert f"{told_of}: what AWS said" in line
    assert summary.startswith("1 role: 1 ")


def test_what_went_wrong_stands_last() -> None:
    """Roles that were done come first, those that weren't last, just above the summary; roles that
    can mail people are counted at the very end.
    """
    bad = Standing(verdict="exposed", certainty="proven")
    results = [
        Result(role_arn="a", role_name="gone", outcome="gone"),
        Result(role_arn="b", role_name="done", outcome="detached", standing=bad),
        Result(role_arn="c", role_name="slow", outcome="limit"),
    ]
    lines = [line for line in results_text(results).splitlines() if line]
    assert [line.split(":")[0] for line in lines[:3]] == ["done", "gone", "slow"]
    assert lines[3] == "3 roles: 1 taken back, 1 gone, 1 beyond the limit."
    assert lines[4] == "1 role can mail real people now."
    assert results_text([]) == "0 roles: nothing to do.\n"


def test_one_reason_is_said_once() -> None:
    """Roles that a run didn't come to, for one reason, share a line; many are counted."""
    results = [
        Result(role_arn="a", role_name=f"r{number:02}", outcome="stopped", message="no more time")
        for number in range(30)
    ]
    text = " ".join(results_text(results).split())
    assert text.count("no more time") == 1
    assert "r00, r01, " in text
    assert "r19 and 10 more: not reached: no more time" in text


@pytest.mark.parametrize("outcome", ["changed", "gone"])
def test_nothing_is_said_twice(outcome: Outcome) -> None:
    """Why nothing was done stands there once, in the words of the run: apply's or undo's."""
    why = "there is no such role any more"
    text = results_text([Result(role_arn="a", role_name="web", outcome=outcome, message=why)])
    assert text.startswith(f"web: NOT DONE: {why}\n")


def test_an_inline_policy_is_put() -> None:
    """What was put inline isn't called attached."""
    text = results_text([Result(role_arn="a", role_name="web", way="inline", outcome="attached")])
    assert text.startswith("web: put as an inline policy\n")


GOOD = plan_of(role("web", MAIL), role("api", MAIL))


def _with(**changed: Any) -> str:
    return json.dumps({**json.loads(plan_json(GOOD)), **changed})


def _change(number: int, **changed: Any) -> str:
    changes = json.loads(plan_json(GOOD))["changes"]
    changes[number].update(changed)
    return _with(changes=changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "p.json: isn't JSON (Expecting property name"),
        ("", "p.json: isn't JSON ("),
        ("[]", "p.json: isn't a plan of 'auditor remediate': its top is no object"),
        ("{}", "p.json: isn't a plan: it has no plan_version"),
        ("[" * 100_000, "p.json: isn't a plan of 'auditor remediate': nested too deeply"),
        (_with(plan_version="2"), "p.json: is a plan of version 2, and this auditor reads 1"),
        (_with(plan_version={}), "p.json: is a plan of version dict, and this auditor reads 1"),
        (_with(more=1), "p.json: isn't a plan: more: Extra inputs are not permitted"),
        (_with(left=3), "p.json: isn't a plan: left: Input should be a valid"),
        (_with(policy_sha256="0" * 64), "p.json: was made for another text of the guard than"),
        (_with(policy_arn="arn:aws:iam::aws:policy/Admin"), "p.json: policy_arn arn:aws:iam::aws"),
        (_change(1, role_arn="arn:aws:iam::999999999999:role/web"), "p.json: changes[1]: arn:aws:"),
        (_change(1, role_name="admin"), "p.json: changes[1]: arn:aws:iam::123456789012:role/web"),
        (_change(0, role_arn=arn_of("web"), role_name="web"), "p.json: changes[1]: arn:aws:iam::"),
        (_change(0, way="inline"), "p.json: was changed after it was made (its id doesn't fit)"),
        (_with(id="plan-1"), "p.json: was changed after it was made (its id doesn't fit)"),
        (_with(complete=False), "p.json: was changed after it was made (its id doesn't fit)"),
    ],
)
def test_bad_plans(text: str, message: str) -> None:
    """Each kind of file that isn't a plan of ours, as we made it, is refused in one clear line."""
    with pytest.raises(InputError) as caught:
        read_plan(text, "p.json")
    assert str(caught.value).startswith(message)
    assert str(caught.value).isprintable()


def test_a_good_plan_is_read() -> None:
    """What was written is read back as the same plan, with a byte order mark too."""
    assert read_plan(plan_json(GOOD), "p.json") == GOOD
    assert read_plan("\ufeff" + plan_json(GOOD), "p.json") == GOOD


@settings(max_examples=40, deadline=None)
@given(text=st.text(max_size=60), name=st.sampled_from(["id", "left", "changes", "created_at"]))
def test_any_text_is_refused_in_one_line(text: str, name: str) -> None:
    """No text makes anything but one clear line, wherever it stands in a plan."""
    for one in (text, _with(**{name: text})):
        with pytest.raises(InputError) as caught:
            read_plan(one, "p.json")
        assert str(caught.value).isprintable()


REPORT = render(audit(account(role("web", MAIL), role("safe", TO_SIMULATOR)), now=NOW))


def _report(**changed: Any) -> str:
    return json.dumps({**json.loads(REPORT), **changed})


def test_a_report_names_its_exposed_roles() -> None:
    """Of a report of the scan, the roles that are exposed are taken, and a plan made for those."""
    arns = roles_of_report(REPORT, "r.json", ACCOUNT)
    assert arns == (arn_of("web"),)
    found: Plan = plan_of(role("web", MAIL), role("new", MAIL), arns=arns)
    assert [one.role_name for one in found.changes] == ["web"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "r.json: isn't JSON ("),
        ("7", "r.json: isn't a report of 'auditor scan --format json': its top is no object"),
        ("{}", "r.json: isn't a report of 'auditor scan --format json': no schema_version"),
        (_report(roles=None), "r.json: isn't a report of 'auditor scan --format json': no list of"),
        (_report(schema_version="2"), "r.json: is a report of version 2, and this auditor reads 1"),
        (_report(account_id="999999999999"), "r.json: tells of account 999999999999, and this one"),
        (_report(roles=[{"arn": 1}]), "r.json: roles[0]: has no arn or no verdict"),
        (_report(roles=["web"]), "r.json: roles[0]: has no arn or no verdict"),
    ],
)
def test_bad_reports(text: str, message: str) -> None:
    """Each kind of file that isn't a report of this account is refused in one clear line."""
    with pytest.raises(InputError) as caught:
        roles_of_report(text, "r.json", ACCOUNT)
    assert str(caught.value).startswith(message)


def test_a_warning_of_undoing_is_shown() -> None:
    """Who could undo a change is said where the change stands."""
    text = " ".join(plan_text(plan_of(role("web", MAIL, allow("iam:*")))).split())
    assert "! it may itself undo this (iam:DetachRolePolicy, iam:CreatePolicyVersion and" in text
