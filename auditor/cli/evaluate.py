"""``auditor evaluate``: may a role make this one request?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.account import Form, moment_of, read_any, role_named
from auditor.cli.streams import screen, write_report
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

STATUS = {"allowed": 0, "not allowed": 1, "not decided": 3}


def evaluate(
    role: Annotated[str, typer.Argument(metavar="ROLE", help="Name or ARN of the role.")],
    *,
    action: Annotated[
        str, typer.Option(metavar="ACTION", help="What is called, such as ses:SendEmail.")
    ],
    resource: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ARN",
            help="What it is called on. Repeatable. For a send, by default the identity of --from's"
            " domain.",
        ),
    ] = None,
    to: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A recipient: ses:Recipients. Repeatable."),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="ADDRESS", help="The sender: ses:FromAddress."),
    ] = None,
    context: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A condition key of the request. Repeatable, for one key with several values too.",
        ),
    ] = None,
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
            help="The time of the request; UTC if it names no zone. By default, the clock's.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            metavar="REGION",
            help="Where the request goes. By default where the resource is, else us-east-1.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Profile of the AWS configuration to use."),
    ] = None,
    format_: Annotated[Form, typer.Option("--format", help="How to write it.")] = "text",
) -> int:
    """Tell whether a role may make one request.

    Any service's request will do; the statements that decide are named. Keys that are known
    of the role's session, such as aws:PrincipalArn, are filled in, and so is the time.
    Nothing is sent or changed.

    \b
    Exit status:
      0  allowed
      1  not allowed
      2  wrong usage, or input that can't be used; one line says what
      3  not decided: AWS's documentation leaves it open, or a policy
         could not be read
    """
    from auditor.engine.powers import facts_of
    from auditor.explain.ask import Wish, request_of, with_target
    from auditor.explain.judge import judge
    from auditor.explain.trusting import Trust, is_assume
    from auditor.explain.world import world_of
    from auditor.standing import Standing

    moment = moment_of(now)
    given = _context(context or ())
    where = region or next((one.split(":")[3] for one in resource or () if _placed(one)), None)
    account = read_any(snapshot, [where or "us-east-1"], profile, strict=False)
    found = role_named(account, role)
    standing = Standing(account, int(moment.timestamp()))
    wish = Wish(action, tuple(resource or ()), tuple(to or ()), from_, given, region)
    asked = request_of(wish, standing.caller(found))
    trust = None
    if is_assume(asked.request.action):
        arn = asked.request.resources[0]
        target = next((one for one in account.roles if one.arn == arn), None)
        if target is not None:
            trust = Trust(target.name, standing.trust(target))
            asked = with_target(asked, facts_of(target))
    answer = judge(asked.request, world_of(standing, found, whole=True), trust)
    if format_ == "json":
        import json

        from auditor.explain.answer import to_dict

        text = json.dumps(to_dict(found, asked, answer, account.not_evaluated), indent=2) + "\n"
    else:
        from auditor.explain.answer import render
        from auditor.explain.page import Page

        look = screen()
        page = Page(look.width, color=look.color)
        text = render(found, asked, answer, account.not_evaluated, page)
    write_report(text)
    return STATUS[answer.outcome]


def _placed(arn: str) -> bool:
    parts = arn.split(":")
    return len(parts) > 5 and bool(parts[3])


def _context(pairs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read ``KEY=VALUE``s. Keys ignore case: the first spelling stays."""
    spelled: dict[str, str] = {}
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or ":" not in key:
            raise InputError(f"--context {pair!r}: write it as KEY=VALUE, such as aws:SourceIp=…")
        name = spelled.setdefault(key.lower(), key)
        found[name] = (*found.get(name, ()), value)
    return found
