"""``auditor denial``: the build is red, and its log says that somebody isn't authorized."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from auditor.cli.streams import say, screen, write_report
from auditor.errors import AuditorError, InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from auditor.denial.advice import Advice
    from auditor.denial.look import Seen

Form = Literal["text", "json", "policy", "cloudformation", "terraform", "command"]
LARGEST = 1 << 28
"""Bytes of a log that are read: CodeBuild's own logs end well before."""

CALLERS = 50
"""Callers that are advised on: each policy is proven, and a page has to end."""

FOUND = 0
NOTHING = 1


def denial(
    text: Annotated[
        str | None,
        typer.Argument(
            metavar="TEXT",
            help="The error, as it was printed. - or nothing reads standard input.",
            show_default=False,
        ),
    ] = None,
    *,
    file: Annotated[
        str | None,
        typer.Option(metavar="LOG", help="Read a file, such as a whole build log, instead."),
    ] = None,
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="PATH", help="Look at the role in a snapshot, as 'auditor scan' reads it."
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Look at the role in AWS, with the usual credentials.")
    ] = False,
    profile: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Look at the role in AWS, with this profile."),
    ] = None,
    format_: Annotated[Form, typer.Option("--format", help="What to write.")] = "text",
) -> int:
    """Tell why a build's mail was refused, and what lets it reach the simulator.

    It finds the refused calls in any SDK's message or in a whole log, and prints the
    smallest policy that lets these calls mail SES's mailbox simulator and nobody else.
    What isn't a policy's doing is named for what it is. Nothing is changed, and AWS is
    asked nothing unless --live or --profile is given.

    \b
    Exit status:
      0  a refused call, or another problem of mail, was found and told
      1  the text has none, or there is no policy to print
      2  wrong usage, or input that can't be used; one line says what
    """
    from datetime import UTC, datetime

    from auditor.denial.advice import advise
    from auditor.denial.find import find
    from auditor.denial.look import Seen

    if snapshot is not None and (live or profile is not None):
        raise InputError("--snapshot: not together with --live or --profile; give one of them")
    found = find(_log(text, file, snapshot))
    now = datetime.now(UTC).replace(microsecond=0)
    callers = advise(found.denials)
    if len(callers) > CALLERS:
        say(
            f"warning: {len(callers):,} callers were refused, and the first {CALLERS} are told of;"
            " cut the log for the others"
        )
    advices = [_proven(advice, now) for advice in callers[:CALLERS]]
    seen: Sequence[Seen] = [Seen(advice) for advice in advices]
    if advices and (snapshot is not None or live or profile is not None):
        seen = _looked(advices, snapshot, profile, now)
    if format_ == "json":
        import json

        from auditor.denial.json import to_dict

        write_report(json.dumps(to_dict(found, seen), indent=2) + "\n")
    elif format_ == "text":
        from auditor.denial.tell import render
        from auditor.explain.page import Page

        look = screen()
        write_report(render(found, seen, lambda: Page(look.width, color=look.color)))
    elif found:
        return _policies(seen, format_)
    else:
        say("no policy to print: nothing about mail was found")
    return FOUND if found else NOTHING


def _log(text: str | None, file: str | None, snapshot: str | None) -> str:
    """Return the text to look at, from wherever it comes."""
    import sys

    if text not in (None, "-") and file is not None:
        raise InputError("--file: the text is given already; leave one of them out")
    if file is None and text is not None and text != "-":
        return text
    if file not in (None, "-"):
        from pathlib import Path

        try:
            path = Path(str(file))
            if path.is_file() and path.stat().st_size > LARGEST:
                raise _too_large(f"--file {file}")
            with path.open("rb") as source:
                return _decoded(source.read(LARGEST + 1), f"--file {file}")
        except (OSError, ValueError) as error:  # ValueError: a null character in the path
            why = (error.strerror if isinstance(error, OSError) else None) or str(error)
            raise InputError(f"--file {file}: can't be read: {why}; name another file") from error
    if snapshot == "-":
        raise InputError("--snapshot -: standard input has the log; give one of them as a file")
    if sys.stdin is None or (text is None and file is None and sys.stdin.isatty()):
        raise InputError("nothing to look at: give the error as TEXT, or a log by --file")
    return _decoded(sys.stdin.buffer.read(LARGEST + 1), "standard input")


def _too_large(where: str) -> InputError:
    return InputError(f"{where}: is larger than {LARGEST >> 20} MiB; give the part that failed")


def _decoded(raw: bytes, where: str) -> str:
    if len(raw) > LARGEST:
        raise _too_large(where)
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):  # PowerShell's redirection writes UTF-16
        return raw.decode("utf-16", "replace")
    return raw.decode("utf-8-sig", "replace")


def _proven(advice: Advice, now: datetime) -> Advice:
    """Return the advice, without its policy unless the engine finds it the simulator's alone."""
    from auditor.cli.proof import EXAMPLE_ACCOUNT, prove

    scope = advice.scope
    if advice.policy is None or scope is None:
        return advice
    mine = EXAMPLE_ACCOUNT if scope.account == "*" else scope.account
    try:
        prove(advice.policy, partition=scope.partition, account_id=mine, now=now)
    except AuditorError as error:
        return advice._replace(policy=None, refusals=(*advice.refusals, str(error)))
    return advice


def _looked(
    advices: Sequence[Advice], snapshot: str | None, profile: str | None, now: datetime
) -> Sequence[Seen]:
    from auditor.cli.account import read_any
    from auditor.denial.look import look

    regions = {
        one.resource.region
        for advice in advices
        for one in advice.denials
        if one.resource is not None and one.resource.region
    }
    account = read_any(snapshot, sorted(regions), profile, strict=False)
    account.roles = tuple(account.roles)
    return look(advices, account, now)


def _policies(seen: Sequence[Seen], form: Form) -> int:
    """Print policies alone; what they aren't is said on standard error."""
    from auditor.corrective.write import FORMS
    from auditor.denial.advice import enough
    from auditor.denial.command import command_of
    from auditor.denial.notes import reason_of

    had = [one.advice for one in seen if one.advice.policy is not None]
    for text in dict.fromkeys(text for one in seen for text in one.advice.refusals):
        say(f"warning: {text}")
    for text in dict.fromkeys(
        reason_of(one) for advice in had for one in advice.denials if not enough(one)
    ):
        say(f"warning: the policy is not enough. {text}")
    if form == "command":
        written = [command_of(advice) for advice in had]
        if not any(written):
            say("no command to print: no role or user is known that could have the policy")
            return NOTHING
        write_report("".join(written))
        return FOUND
    if not had:
        say("no policy to print")
        return NOTHING
    if len({repr(advice.policy) for advice in had}) > 1:
        names = ", ".join(one.principal.name if one.principal else "unknown" for one in had)
        raise InputError(
            f"--format {form}: the log has refused calls of several callers ({names}); give the"
            " lines of one of them"
        )
    document = had[0].policy
    assert document is not None  # noqa: S101 - chosen above
    write_report(FORMS["json" if form == "policy" else form](document, "sender"))
    return FOUND
