"""``auditor remediate list``: the plans that a journal knows, and where each stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.account import Form  # noqa: TC001 - typer reads it
from auditor.cli.asking import count, names
from auditor.cli.planning import Profile  # noqa: TC001 - typer reads it
from auditor.cli.streams import say, write_report

if TYPE_CHECKING:
    from auditor.remediate.known import PlanKnown


def list_plans(
    *,
    journal: Annotated[
        str | None,
        typer.Option(
            metavar="PLACE",
            help="A file, or dynamodb:TABLE. By default, the accounts' files in the user's state"
            " directory.",
        ),
    ] = None,
    format_: Annotated[Form, typer.Option("--format", help="How to write them.")] = "text",
    profile: Profile = None,
) -> int:
    """List the plans that a journal knows: when, which policy, and where they stand.

    Changes nothing, and asks AWS only where the journal is a table: what is listed is
    what the journal says, not what is on the roles.

    \b
    Exit status:
      0  listed, or there is none
      2  wrong usage, or a journal that can't be used
    """
    from auditor.cli.changing import journals, open_journal
    from auditor.remediate.known import plans_of

    places = list(journals()) if journal is None else [open_journal(journal, None, profile)]
    known = [one for place in places for one in plans_of(place)]
    for place in places:
        for trouble in place.troubles():
            say(f"warning: {trouble}")
    known.sort(key=lambda one: (one.at, one.plan_id))
    if format_ == "json":
        write_report(json.dumps({"plans": [_machine(one) for one in known]}, indent=2) + "\n")
    else:
        write_report("".join(map(_told, known)) or "No plan is known.\n")
    return 0


def _machine(one: PlanKnown) -> dict[str, object]:
    return {**one._asdict(), "at": one.at.isoformat()}


def _told(one: PlanKnown) -> str:
    from auditor.text import visible

    lines = [
        f"{one.plan_id}  {one.at:%Y-%m-%d %H:%M} UTC  {one.policy}  account {one.account_id}",
        f"  on {one.on:,} of {count(one.roles)}, by {one.who}",
    ]
    if one.open:
        lines.append(f"  BEGUN AND NOT FINISHED: {names(one.open)}: apply it again, or undo it")
    return "".join(f"{visible(line)}\n" for line in lines)
