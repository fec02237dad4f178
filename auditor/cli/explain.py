"""``auditor explain``: why a role has its verdict."""

from __future__ import annotations

from typing import Annotated

import typer

from auditor.cli.account import Form, moment_of, read_any, role_named
from auditor.cli.streams import say, screen, write_report


def explain(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Name or ARN of the role.")],
    *,
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Read a snapshot, as 'auditor scan' does, instead of asking AWS; - reads standard"
            " input.",
        ),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(
            metavar="ISO8601",
            help="The time that conditions see; UTC if it names no zone. By default, the clock's.",
        ),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REGION",
            help="Look for SES identities there. Repeatable. By default, in every region that the"
            " account may use.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Profile of the AWS configuration to use."),
    ] = None,
    format_: Annotated[Form, typer.Option("--format", help="How to write it.")] = "text",
) -> int:
    """Tell why a role has its verdict.

    Of an exposed role, tell what opens it and what would close it. Of a safe role, tell
    what keeps it safe: each limit is taken away in turn and the role decided again.
    Suggested changes are tried out the same way, on paper. Nothing is changed.

    \b
    Exit status:
      0  told
      2  wrong usage, or input that can't be used; one line says what
    """
    from auditor.explain.story import explain as tell

    moment = moment_of(now)
    if snapshot is not None and region:
        say("warning: --region has no effect with --snapshot")
    account = read_any(snapshot, region or [], profile)
    story = tell(account, role_named(account, role), moment)
    if format_ == "json":
        import json

        from auditor.explain.json import to_dict

        text = json.dumps(to_dict(story), indent=2) + "\n"
    else:
        from auditor.explain.page import Page
        from auditor.explain.tell import render

        look = screen()
        text = render(story, Page(look.width, color=look.color))
    write_report(text)
    return 0
