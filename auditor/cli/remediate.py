"""``auditor remediate``: plan what closes exposed roles, apply it, list it, take it back."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.account import Form
from auditor.cli.closing import given
from auditor.cli.listing import list_plans
from auditor.cli.planning import Profile, Regions, plan, text_of
from auditor.cli.streams import say
from auditor.errors import InputError

if TYPE_CHECKING:
    from auditor.cli.changing import Workbench
    from auditor.remediate.model import Plan

remediate = typer.Typer(
    rich_markup_mode=None,
    help="Close exposed roles: plan, apply, undo. Only apply and undo change anything.",
)
remediate.command("plan")(plan)

_Yes = Annotated[bool, typer.Option("--yes", help="Don't ask. Needed where nobody can answer.")]
_Journal = Annotated[
    str | None,
    typer.Option(metavar="PLACE", help="Where what is done is recorded, for undo: a file, or"
                 " dynamodb:TABLE. By default, a file of the account's in the user's state"
                 " directory."),
]  # fmt: skip
_Format = Annotated[Form, typer.Option("--format", help="How to write what was done.")]


@remediate.command("apply")
def apply(
    plan: Annotated[str, typer.Argument(metavar="PLAN.json", help="What plan --output wrote.")],
    *,
    yes: _Yes = False,
    max_changes: Annotated[
        int, typer.Option(min=1, help="Stop after so many roles; run it again for the rest.")
    ] = 25,
    create_policies: Annotated[
        bool,
        typer.Option(
            "--create-policies", help="Create the managed policy where the account hasn't got it."
        ),
    ] = False,
    journal: _Journal = None,
    format_: _Format = "text",
    region: Regions = None,
    profile: Profile = None,
) -> int:
    """Carry a plan out, role by role, and decide each role again.

    Each role is read again just before it is changed, and left alone where it isn't
    what the plan saw any more. May be killed and run again, and from two places.
    Ctrl-C stops after the role it is at, and tells what was done.

    \b
    Exit status:
      0    every role of the plan has its policy, and is what the plan promised
      1    some isn't, or can't be decided; one line each says what happened
      2    wrong usage, a plan that can't be used, or nobody to ask
      3    as 0, but the account could be read in part only
      130  stopped by Ctrl-C
    """  # fmt: skip
    from auditor.cli import asking, telling
    from auditor.cli.changing import clock, open_account, open_journal, stoppable
    from auditor.cli.progress import progress
    from auditor.remediate.apply import apply as carry_out
    from auditor.remediate.reading import read_plan
    from auditor.remediate.request import document_of

    made = read_plan(text_of(plan, "PLAN.json"), plan)
    if not made.changes:
        say(f"{made.id}: nothing is planned, so nothing is done")
        return telling.DONE
    asking.check_somebody(yes=yes)
    kept = open_journal(journal, made.account_id, profile)
    asking.ask(asking.about_plan(made), yes=yes)
    with progress() as step:
        bench = open_account(profile, region or [], step)
        if not create_policies:
            _check_policy(made, bench)
        with stoppable(made.id) as pressed:
            results = carry_out(
                made,
                iam=bench.iam,
                reader=bench.reader,
                journal=kept,
                decide=bench.decide,
                document=document_of(made.policy),
                max_changes=max_changes,
                create_policy=create_policies,
                who=bench.who,
                clock=clock,
                sleep=sleep,
                progress=step,
                until=pressed,
            )
            same = (
                *given("--journal", journal),
                *given("--region", *(region or ())),
                *given("--profile", profile),
            )
            done = telling.Done("apply", made.id, results, pressed(), same)
    return telling.tell(done, bench, kept, format_, well=telling.applied_well(made, results))


def _check_policy(made: Plan, bench: Workbench) -> None:
    """Raise InputError where the managed policy isn't there, and may not be created."""
    if not any(one.way == "attach" for one in made.changes):
        return
    if bench.reader.managed(made.policy_arn) is None:
        raise InputError(
            f"{made.policy_arn} isn't in the account: deploy the stack, which brings it, or give"
            " --create-policies; nothing was changed"
        )


@remediate.command("undo")
def undo(
    plan_id: Annotated[str, typer.Argument(metavar="PLAN_ID", help="As plan and apply name it.")],
    *,
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only from this role (name or ARN). Repeatable."),
    ] = None,
    yes: _Yes = False,
    journal: _Journal = None,
    format_: _Format = "text",
    region: Regions = None,
    profile: Profile = None,
) -> int:
    """Take back what a plan attached, no more, and say which roles are exposed again.

    What to take back is what the journal says. Policies that were there before are
    left, and so is the managed policy itself.

    \b
    Exit status:
      0    nothing of the plan is on any role any more (of those named)
      1    something is, or a role can't be decided; one line each says what happened
      2    wrong usage, a plan that the journal doesn't know, or nobody to ask
      3    as 0, but the account could be read in part only
      130  stopped by Ctrl-C
    """
    from auditor.cli import asking, telling
    from auditor.cli.changing import clock, journal_with, open_account, stoppable
    from auditor.cli.progress import progress
    from auditor.remediate.undo import undo as take_back

    if "" in (role or ()):
        raise InputError("--role: is empty; give a role's name or ARN")
    asking.check_somebody(yes=yes)
    kept = journal_with(plan_id, journal, profile)
    asking.ask(asking.about_undo(plan_id, kept.entries(plan_id), role or ()), yes=yes)
    with progress() as step:
        bench = open_account(profile, region or [], step)
        with stoppable(plan_id) as pressed:
            results = take_back(
                plan_id,
                iam=bench.iam,
                reader=bench.reader,
                journal=kept,
                decide=bench.decide,
                who=bench.who,
                clock=clock,
                sleep=sleep,
                progress=step,
                until=pressed,
                roles=role,
            )
            done = telling.Done("undo", plan_id, results, pressed())
    return telling.tell(done, bench, kept, format_, well=telling.undone_well(results, bench))


remediate.command("list")(list_plans)
