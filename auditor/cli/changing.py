"""The account of a profile's credentials, as applying and undoing need it: read, changed, read."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from auditor.cli.streams import say
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from auditor.account import Account
    from auditor.collect.single import RoleReader
    from auditor.remediate.interface import Journal
    from auditor.remediate.partly import Judge

TABLE: Final = "dynamodb:"
"""What ``--journal`` begins with where it names a table."""


class Workbench(NamedTuple):
    """One account at hand. ``who`` is the ARN of the caller, which the journal keeps.

    ``decide`` decides roles that were read anew, among the account's others, as of now.
    """

    account: Account
    who: str
    iam: Any  # boto3's client, which no other module of the command line knows of
    reader: RoleReader
    decide: Judge


def clock() -> datetime:
    """Return the time, in UTC and whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def open_account(
    profile: str | None, regions: Sequence[str], step: Callable[[str], None]
) -> Workbench:
    """Read the account of a profile's credentials; what can't be read of it is said."""
    from auditor.collect.clients import open_session
    from auditor.collect.live import read_account
    from auditor.collect.regions import home_region
    from auditor.collect.single import role_reader
    from auditor.remediate import clients
    from auditor.remediate.partly import Judge

    session = open_session(profile)
    found = read_account(session, regions=regions, progress=step)
    for failure in found.account.failures:
        say(f"warning: not read: {failure.where}: {failure.message}")
    partition = found.account.partition
    iam = clients.iam(session, home_region(session, partition))
    reader = role_reader(session, partition)
    return Workbench(found.account, found.caller, iam, reader, Judge(found.account, clock))


def open_journal(place: str | None, account_id: str | None, profile: str | None) -> Journal:
    """Return the journal at a place (a file, or ``dynamodb:TABLE``), or an account's own file.

    It is tried first, so that a bad place is known before anything else is done.

    :param account_id: None where nothing will be written.
    :raises AuditorError: if it can't be used.
    """
    from pathlib import Path

    from auditor.remediate.journal_file import FileJournal

    if place is not None and place.startswith(TABLE):
        table = _table(place.removeprefix(TABLE), profile)
        table.plans()
        return table
    if place == "":  # Path would take it as the current directory
        raise InputError("--journal: no file is named; name one")
    path = Path(place) if place else _default(account_id or "")
    file = FileJournal(path)
    if account_id is None:
        file.plans()
        if not path.exists():  # a name that was mistyped must not look as if nothing were known
            raise InputError(f"--journal {place}: there is no such file; name what apply wrote to")
    else:
        file.check()
    return file


def journals() -> Iterator[Journal]:
    """Yield the accounts' own journals on this machine, by account."""
    from auditor.remediate.journal_file import FileJournal

    for path in sorted(_default("0" * 12).parent.glob("journal-*.jsonl")):
        yield FileJournal(path)


def journal_with(plan_id: str, place: str | None, profile: str | None) -> Journal:
    """Return the journal that knows a plan: the one at a place, or an account's own file.

    :raises InputError: if none of them knows it.
    """
    if place is not None:
        found = open_journal(place, None, profile)
        if plan_id in found.plans():
            return found
        from auditor.remediate.trouble import one_line

        unread = "".join(f"; {trouble}" for trouble in found.troubles())
        raise InputError(f"--journal {place}: knows of no {one_line(plan_id)}{unread}")
    known = list(journals())
    for journal in known:
        if plan_id in journal.plans():
            return journal
    unread = "".join(f"; {trouble}" for journal in known for trouble in journal.troubles())
    raise InputError(
        f"{plan_id[:80]}: no journal in {_default('0' * 12).parent} knows of such a plan; give"
        f" --journal, with what it was applied with{unread}"
    )


def _default(account_id: str) -> Path:
    import os
    from pathlib import Path

    from auditor.remediate.journal_file import default_path

    return default_path(account_id, os.environ, Path.home())


def _table(name: str, profile: str | None) -> Journal:
    from auditor.collect.clients import open_session
    from auditor.remediate import clients
    from auditor.remediate.journal_table import TableJournal

    if not name:
        raise InputError(f"--journal {TABLE}: no table is named; name one")
    session = open_session(profile)
    if session.region_name is None:
        raise InputError(
            f"--journal {TABLE}{name}: in which region? Set AWS_REGION, or the profile's region"
        )
    return TableJournal(clients.dynamodb(session), name, clock=clock)


@contextmanager
def stoppable(plan_id: str) -> Iterator[Callable[[], bool]]:
    """Yield what tells whether Ctrl-C was pressed: a run then ends after the role it is at.

    Pressed once more, it interrupts at once, as ever, and a line says how to go on.
    """
    import signal
    import threading

    pressed = False

    def press(_number: int, _frame: object) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)
        say("stopping after this role; Ctrl-C once more stops at once")

    # Python lets the main thread alone set handlers:
    # https://docs.python.org/3/library/signal.html#signals-and-threads
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGINT, press)
    try:
        yield lambda: pressed
    except KeyboardInterrupt:
        say(
            f"{plan_id}: what was done stands in the journal: run the same again to finish it, or"
            f" 'auditor remediate undo {plan_id}'"
        )
        raise
    finally:
        signal.signal(signal.SIGINT, before)
