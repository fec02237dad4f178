"""``auditor policy``: the guard and the sender, proven and printed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from auditor.cli.places import output_file
from auditor.cli.streams import write_file, write_report
from auditor.errors import InputError

if TYPE_CHECKING:
    from auditor.corrective.documents import Document
    from auditor.corrective.names import PolicyName

policy = typer.Typer(
    rich_markup_mode=None,
    help="Print a policy that closes a role, or opens it to the simulator.",
)

Form = Literal["json", "cloudformation", "terraform", "cdk"]
_Format = Annotated[Form, typer.Option("--format", help="For which tool to write it.")]
_Output = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Write the policy there, whole or not at all."),
]


@policy.command("guard")
def guard(*, format_: _Format = "json", output: _Output = None) -> int:
    """Print the Deny that closes a role, whatever else it is allowed.

    It denies each mail that isn't shown to go to SES's mailbox simulator alone,
    and nothing else. Before it is printed, a role that may do everything is
    decided with it, and has to come out as simulator_only. Nothing is changed.

    \b
    Exit status:
      0  printed
      2  wrong usage, or a policy that isn't proven; one line says what
    """
    from auditor.cli.proof import EVERYTHING, EXAMPLE_ACCOUNT, prove
    from auditor.corrective.documents import guard as make
    from auditor.corrective.scope import PARTITIONS

    document = make()
    now = datetime.now(UTC)
    for partition in PARTITIONS:  # it names no ARN, so it serves in each
        prove(EVERYTHING, document, partition=partition, account_id=EXAMPLE_ACCOUNT, now=now)
    return _write(document, "guard", format_, output)


@policy.command("sender")
def sender(
    *,
    action: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ACTION",
            help="A send action to allow. Repeatable. By default, ses:SendEmail and"
            " ses:SendRawEmail.",
        ),
    ] = None,
    identity: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A domain or an address to send as, or its ARN."),
    ] = None,
    configuration_set: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A configuration set, or its ARN."),
    ] = None,
    template: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A template to send with, or its ARN."),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="PATTERN", help="The From addresses to allow."),
    ] = None,
    not_before: Annotated[
        str | None,
        typer.Option(metavar="ISO8601", help="From when on; UTC if it names no zone."),
    ] = None,
    not_after: Annotated[
        str | None,
        typer.Option(metavar="ISO8601", help="Until when; UTC if it names no zone."),
    ] = None,
    account: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The account that names belong to. By default, any."),
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="REGION", help="A region that names belong to. By default, any."),
    ] = None,
    partition: Annotated[
        str, typer.Option(metavar="NAME", help="aws, aws-cn or aws-us-gov.")
    ] = "aws",
    format_: _Format = "json",
    output: _Output = None,
) -> int:
    """Print an Allow of mail to SES's mailbox simulator alone.

    It takes nothing away: a role that may mail real people still may, until it
    has the guard. The options bind it further. Those for actions, names and
    regions are repeatable. Names, regions and --from take * and ? as wildcards.
    Before it is printed, a role with this policy alone is decided, and has to
    come out as simulator_only. Nothing is changed.

    \b
    Exit status:
      0  printed
      2  wrong usage, or a policy that isn't proven; one line says what
    """
    from auditor.cli.proof import EXAMPLE_ACCOUNT, prove
    from auditor.corrective.documents import sender as make
    from auditor.corrective.scope import Scope

    now = datetime.now(UTC)
    scope = Scope(
        actions=tuple(action) if action else Scope.actions,
        identities=tuple(identity or ()),
        configuration_sets=tuple(configuration_set or ()),
        templates=tuple(template or ()),
        from_address=from_,
        not_before=_time("not-before", not_before),
        not_after=_time("not-after", not_after),
        partition=partition,
        account=Scope.account if account is None else account,
        regions=tuple(region) if region else Scope.regions,
    )
    if scope.not_after is not None and scope.not_after < now:
        raise InputError(f"not-after {not_after}: is over; name a later time")
    document = make(scope)
    mine = EXAMPLE_ACCOUNT if scope.account == "*" else scope.account
    prove(document, partition=partition, account_id=mine, now=now)
    return _write(document, "sender", format_, output)


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{option} {text[:100]!r}: isn't an ISO 8601 time; write it as 2026-11-23T03:00:00Z"
        ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _write(document: Document, name: PolicyName, form: Form, output: str | None) -> int:
    from auditor.corrective.write import FORMS

    path = output_file(output)
    text = FORMS[form](document, name)
    if path is None:
        write_report(text)
    else:
        write_file(path, text)
    return 0
