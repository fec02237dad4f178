"""The account of a profile's credentials, as applying and undoing need it: read, changed, read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from auditor.account import Account, Role
    from auditor.collect.single import RoleReader
    from auditor.remediate.interface import Journal
    from auditor.remediate.model import Standing


class Workbench(NamedTuple):
    """One account at hand. ``who`` is the ARN of the caller, which the journal keeps."""

    account: Account
    who: str
    iam: Any  # boto3's client, which no other module of the command line knows of
    reader: RoleReader

    def decide(self, roles: Sequence[Role]) -> Mapping[str, Standing]:
        """Decide roles that were read anew, among the account's others, as of now."""
        from auditor.remediate.deciding import decided

        return decided(self.account, roles, now=clock())


def clock() -> datetime:
    """Return the time, in UTC and whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def open_account(
    profile: str | None, regions: Sequence[str], step: Callable[[str], None]
) -> Workbench:
    """Read the account of a profile's credentials."""
    from auditor.collect.clients import open_session
    from auditor.collect.live import read_account
    from auditor.collect.regions import home_region
    from auditor.collect.single import role_reader
    from auditor.remediate import clients

    session = open_session(profile)
    found = read_account(session, regions=regions, progress=step)
    partition = found.account.partition
    iam = clients.iam(session, home_region(session, partition))
    return Workbench(found.account, found.caller, iam, role_reader(session, partition))


def open_journal(path: str | None, account_id: str) -> Journal:
    """Return the journal in a file: the one named, or the account's own."""
    import os
    from pathlib import Path

    from auditor.remediate.journal_file import FileJournal, default_path

    place = Path(path) if path else default_path(account_id, os.environ, Path.home())
    return FileJournal(place)
