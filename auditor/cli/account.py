"""What commands on an account share: where it comes from, at what time, and which role is meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, NamedTuple

from auditor.cli.streams import say
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditor.account import Account, Role
    from auditor.findings import Report

Form = Literal["text", "json"]

_NEAR = 3  # names suggested for one that doesn't exist


class Live(NamedTuple):
    """An account read from AWS, and what puts a report's witnesses to AWS's own simulator."""

    account: Account
    confirm: Callable[[Report], Report]


def moment_of(text: str | None) -> datetime:
    """Return the time that conditions see, in UTC and whole seconds."""
    try:
        moment = datetime.now(UTC) if text is None else datetime.fromisoformat(text)
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:  # OverflowError: before year 1 in UTC
        raise InputError(
            f"--now {text!r}: isn't an ISO 8601 time; write it as 2026-11-23T03:00:00Z"
        ) from error
    return aware.replace(microsecond=0)


def read_live(
    regions: Sequence[str], profile: str | None, step: Callable[[str], None], *, strict: bool = True
) -> Live:
    """Read the account of a profile's credentials.

    ``strict``: a region where CodeBuild isn't known to exist is an ``InputError``. Otherwise, one
    of ``regions`` not being known means to look in all of them.
    """
    from auditor.collect.clients import open_session
    from auditor.collect.live import collect_account
    from auditor.collect.simulate import confirm

    session = open_session(profile)
    # Before the first call: a region that doesn't exist has no endpoint that could say so.
    known = {
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("codebuild", partition)
    }
    for name in regions if strict else ():
        if name not in known:
            raise InputError(
                f"--region {name!r}: there is no such region with CodeBuild;"
                " one looks like eu-west-1 (a newer boto3 may know more)"
            )
    asked = regions if known.issuperset(regions) else ()
    account = collect_account(session, regions=asked, progress=step)
    return Live(account, lambda report: confirm(session, report, progress=step))


def read_any(
    snapshot: str | None, regions: Sequence[str], profile: str | None, *, strict: bool = True
) -> Account:
    """Return the account of a snapshot, or of a profile's credentials.

    What could not be read of it is said on standard error.
    """
    from auditor.cli.progress import progress

    with progress() as step:
        if snapshot is None:
            account = read_live(regions, profile, step, strict=strict).account
        else:
            from auditor.collect.snapshot import read_snapshot

            if profile is not None:
                say("warning: --profile has no effect with --snapshot")
            step("reading the snapshot")
            account = read_snapshot(snapshot)
    for failure in account.failures:
        say(f"warning: not read: {failure.where}: {failure.message}")
    return account


def role_named(account: Account, text: str) -> Role:
    """Return the role of a name or ARN. Raises ``InputError`` with near names where there is none.

    Names are compared as IAM has them: two of them never differ by case alone.
    """
    from difflib import get_close_matches

    roles = list(account.roles)
    for role in roles:
        if text in (role.arn, role.name):
            return role
    name = text.rpartition("/")[2] if text.startswith("arn:") else text
    lower = {role.name.lower(): role.name for role in roles}
    near = get_close_matches(name.lower(), lower, n=_NEAR)
    meant = f"; did you mean {' or '.join(lower[one] for one in near)}?" if near else ""
    raise InputError(f"there is no role {text!r} in account {account.account_id}{meant}")
