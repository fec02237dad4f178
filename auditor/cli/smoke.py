"""``auditor smoke``: does mail reach the mailbox simulator, and nobody else? Tried in a build."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from auditor.cli.places import output_file
from auditor.cli.streams import say, write_file, write_report
from auditor.errors import CollectError, InputError

if TYPE_CHECKING:
    from auditor.account import Account
    from auditor.smoke.result import Caller

Form = Literal["text", "json", "junit"]

PASSED, FAILED = 0, 1

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
_ENDPOINTS = ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL")


def smoke(
    *,
    from_: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="ADDRESS",
            help="The sender, verified in SES. SES's bounces and automatic replies go to it.",
        ),
    ],
    via: Annotated[
        list[str] | None,
        typer.Option(
            metavar="v2|v1|raw|templated",
            help="How to send: by SES v2's SendEmail (the default), v1's, SendRawEmail or"
            " SendTemplatedEmail. Repeatable.",
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The template to send with, for --via templated."),
    ] = None,
    template_data: Annotated[
        str, typer.Option(metavar="JSON", help="Its values, an object.")
    ] = "{}",
    configuration_set: Annotated[
        str | None, typer.Option(metavar="NAME", help="The configuration set to send with.")
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="What tells this run's mail apart. By default the build's id"
            " (CODEBUILD_BUILD_ID), else a random one.",
        ),
    ] = None,
    events: Annotated[
        str | None,
        typer.Option(
            metavar="QUEUE_URL",
            help="Listen for SES's events in this SQS queue, and check that they are those that"
            " the simulator promises.",
        ),
    ] = None,
    wait: Annotated[
        int,
        typer.Option(metavar="SECONDS", min=0, max=900, help="How long to listen, at most."),
    ] = 60,
    refused: Annotated[
        bool,
        typer.Option(
            "--refused",
            help="Check too that mail to nobody@example.com is refused. It is tried only where the"
            " role's own policies prove that AWS refuses it.",
        ),
    ] = False,
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="PATH",
            help="Read the role's policies from a snapshot, as 'auditor scan' does, instead of"
            " asking AWS. For --refused.",
        ),
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="REGION", help="Where to send. By default, the session's region."),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Profile of the AWS configuration to use."),
    ] = None,
    format_: Annotated[Form, typer.Option("--format", help="How to write it.")] = "text",
    output: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Write it there, whole or not at all."),
    ] = None,
) -> int:
    """Send test mail to SES's mailbox simulator, and check what becomes of it.

    Run it in a build, under the build's own role. It sends to success, bounce,
    ooto, complaint and suppressionlist, each at simulator.amazonses.com with a
    label, and to nobody else (for --refused, see there). It deletes its own
    events from the queue of --events, and changes nothing else.

    \b
    Exit status:
      0  all as expected
      1  something isn't, or could not be checked
      2  wrong usage, or no credentials; one line says what
    """
    from auditor.cli.progress import progress
    from auditor.collect.clients import open_session
    from auditor.smoke.clients import make_clients
    from auditor.smoke.plan import Plan, vias_of
    from auditor.smoke.run import Around
    from auditor.smoke.run import smoke as run
    from auditor.smoke.scenarios import label_of_build
    from auditor.smoke.tell import FORMS, summary

    plan = Plan(
        sender=from_,
        label=label_of_build(os.environ.get("CODEBUILD_BUILD_ID")) if label is None else label,
        vias=vias_of(via or ["v2"]),
        template=template,
        template_data=template_data,
        configuration_set=configuration_set,
        queue=events,
        wait=wait,
        refused=refused,
        endpoints=tuple(filter(None, map(os.environ.get, _ENDPOINTS))),
    )
    if snapshot is not None and not refused:
        raise InputError("--snapshot: is read for --refused alone; add that, or leave it out")
    path = output_file(output, {"--snapshot": snapshot})
    session = open_session(profile, None if region is None else _checked(region))
    if not session.region_name:
        raise InputError("no region is set; give --region, or set AWS_DEFAULT_REGION")
    where = _checked(session.region_name)
    clients = make_clients(session, where, plan)
    with progress() as step:
        found = run(clients, plan, Around(where, partial(_read, session, snapshot), step))
    text = FORMS[format_](found)
    if path is None:
        write_report(text)
    else:
        write_file(path, text)
        say(summary(found))
    return PASSED if found.passed else FAILED


def _checked(region: str) -> str:
    from auditor.domains import is_region

    if not is_region(region):
        raise InputError(f"--region {region[:100]!r}: isn't a region; one looks like eu-west-1")
    return region


def _read(session: Any, snapshot: str | None, caller: Caller) -> Account:
    """Return an account that holds the caller's role: from a snapshot, or as IAM has it now.

    The session is boto3's, which is not imported up here.
    """
    from auditor.account import Account
    from auditor.collect.single import read_role
    from auditor.collect.snapshot import read_snapshot

    if snapshot is not None:
        return read_snapshot(snapshot)
    name = caller.role or ""
    role = read_role(session, name, partition=caller.partition)
    if role is None:
        raise CollectError(f"IAM knows no role {name}")
    gaps = ("projects", "scps", "identity-policies")
    return Account(caller.account, caller.partition, (role,), gaps)
