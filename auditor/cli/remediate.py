"""``auditor remediate``: plan what closes exposed roles, apply it, take it back."""

from __future__ import annotations

from time import sleep
from typing import Annotated, Literal

import typer

from auditor.cli.account import Form, moment_of
from auditor.cli.planning import Asked, ask, count, plan_of, read_asked, tell
from auditor.cli.streams import check_output, output_path, say, screen, write_file, write_report

DONE, NOT_ALL, UNPLANNED = 0, 1, 3
"""Exit statuses, as the commands' help has them."""

remediate = typer.Typer(
    rich_markup_mode=None,
    help="Close exposed roles: plan, apply, undo. Only apply and undo change anything.",
)

PolicyChoice = Literal["guard", "sender"]
_Profile = Annotated[
    str | None, typer.Option(metavar="NAME", help="Profile of the AWS configuration to use.")
]
_Region = Annotated[
    list[str] | None,
    typer.Option(metavar="REGION", help="Look for CodeBuild projects there. Repeatable."),
]
_Yes = Annotated[bool, typer.Option("--yes", help="Don't ask. Needed where nobody can answer.")]
_Journal = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Where what is done is recorded, for undo. By default,"
                 " a file of the account's in the user's state directory."),
]  # fmt: skip
_Format = Annotated[Form, typer.Option("--format", help="How to write what was done.")]


@remediate.command("plan")
def plan(
    *,
    role: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Only roles whose name or ARN matches. Repeatable."),
    ] = None,
    except_: Annotated[
        list[str] | None,
        typer.Option("--except", metavar="GLOB", help="Leave these roles alone. Repeatable."),
    ] = None,
    report: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Only the exposed roles of this JSON report of a scan."),
    ] = None,
    policy: Annotated[
        PolicyChoice,
        typer.Option(
            help="'guard' closes exposed roles; 'sender' lets the named roles mail the simulator."
        ),
    ] = "guard",
    output: Annotated[
        str | None,
        typer.Option(metavar="PLAN.json", help="Write the plan there, for apply."),
    ] = None,
    format_: Annotated[Form, typer.Option("--format", help="How to print the plan.")] = "text",
    snapshot: Annotated[
        str | None,
        typer.Option(metavar="PATH", help="Plan for a snapshot or bundle. - reads standard input."),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(metavar="ISO8601", help="The time that conditions see. Default: the clock's."),
    ] = None,
    region: _Region = None,
    profile: _Profile = None,
) -> int:
    """Plan what closes exposed roles, and prove it. Changes nothing.

    For each role: the verdict now, the change, the verdict after, the request that
    works now and is refused then, and what the role can still do.

    \b
    Exit status:
      0  every exposed role that was asked about has its change, or none is exposed
      2  wrong usage, or input that can't be used; one line says what
      3  some role has none, and the plan says why; or the audit is incomplete
    """  # fmt: skip
    from auditor.collect.memory import cycle_search_paused
    from auditor.remediate.plan import plan as make
    from auditor.remediate.reading import plan_json
    from auditor.remediate.tell import plan_text

    moment = moment_of(now)
    path = None if output is None else output_path(output)
    if path is not None:
        check_output(path, snapshot)
    asked = Asked(policy, role or [], except_ or [], report)
    with cycle_search_paused():  # it would take a third of the time
        account, request = read_asked(asked, snapshot, region or [], profile)
        made = make(account, request, now=moment)
    for failure in account.failures:
        say(f"warning: not read: {failure.where}: {failure.message}")
    text = plan_json(made) if path is not None or format_ == "json" else ""
    if path is not None:
        write_file(path, text)
    write_report(text if format_ == "json" else plan_text(made, output, screen().width))
    unplanned = any(
        one.standing is not None and one.standing.verdict in ("exposed", "undetermined")
        for one in made.left
    )
    return UNPLANNED if unplanned or not made.complete else DONE


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
    region: _Region = None,
    profile: _Profile = None,
) -> int:
    """Carry a plan out, role by role, and decide each role again.

    Each role is read again just before it is changed, and left alone where it isn't
    what the plan saw any more. May be killed and run again, and from two places.

    \b
    Exit status:
      0  every role of the plan has its policy, and is what the plan promised
      1  some isn't; one line each says what happened
      2  wrong usage, a plan that can't be used, or nobody to ask
    """  # fmt: skip
    from auditor.cli.changing import clock, open_account, open_journal
    from auditor.remediate.apply import apply as carry_out
    from auditor.remediate.request import document_of

    made = plan_of(plan)
    if not made.changes:
        say(f"{made.id}: nothing is planned, so nothing is done")
        return DONE
    what = f"{made.policy} on {count(len(made.changes))} of account {made.account_id}"
    ask(f"{made.id}: put the {what}", yes=yes)
    from auditor.cli.progress import progress

    with progress() as step:
        bench = open_account(profile, region or [], step)
        results = carry_out(
            made,
            iam=bench.iam,
            reader=bench.reader,
            journal=(kept := open_journal(journal, made.account_id)),
            decide=bench.decide,
            document=document_of(made.policy),
            max_changes=max_changes,
            create_policy=create_policies,
            who=bench.who,
            clock=clock,
            sleep=sleep,
            progress=step,
        )
    promised = {change.role_arn: change.after for change in made.changes}
    kept_word = all(
        one.outcome in ("attached", "already") and one.standing == promised[one.role_arn]
        for one in results
    )
    return tell(results, f"apply {made.id}", kept, format_, well=kept_word)


@remediate.command("undo")
def undo(
    plan_id: Annotated[str, typer.Argument(metavar="PLAN_ID", help="As plan and apply name it.")],
    *,
    yes: _Yes = False,
    journal: _Journal = None,
    format_: _Format = "text",
    region: _Region = None,
    profile: _Profile = None,
) -> int:
    """Take back what a plan attached, no more, and say which roles are exposed again.

    What to take back is what the journal says. Policies that were there before are
    left, and so is the managed policy itself.

    \b
    Exit status:
      0  nothing of the plan is on any role any more
      1  something is; one line each says what happened
      2  wrong usage, a plan that the journal doesn't know, or nobody to ask
    """
    from auditor.cli.changing import clock, open_account, open_journal
    from auditor.cli.progress import progress
    from auditor.remediate.undo import undo as take_back

    ask(f"{plan_id}: take back what it attached", yes=yes)
    with progress() as step:
        bench = open_account(profile, region or [], step)
        results = take_back(
            plan_id,
            iam=bench.iam,
            reader=bench.reader,
            journal=(kept := open_journal(journal, bench.account.account_id)),
            decide=bench.decide,
            who=bench.who,
            clock=clock,
            sleep=sleep,
            progress=step,
        )
    gone = all(one.outcome in ("detached", "absent", "gone") for one in results)
    return tell(results, f"undo {plan_id}", kept, format_, well=gone)
