"""Snapshot files -> ``Account``: what ``aws iam get-account-authorization-details`` printed.

Bundles, which ``auditor snapshot`` writes, are told by their first bytes and read by ``bundle``.

https://docs.aws.amazon.com/cli/latest/reference/iam/get-account-authorization-details.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.account import Account, Failure
from auditor.collect.bundle import GZIP_MAGIC, unpack
from auditor.collect.entries import MalformedEntry, PolicyBook, owner
from auditor.collect.memory import cycle_search_paused
from auditor.collect.pages import read_bytes, read_pages
from auditor.collect.roles import Roles
from auditor.errors import SnapshotError
from auditor.text import one_line

if TYPE_CHECKING:
    from auditor.account import Role

# What the AWS CLI's file can't contain.
NOT_EVALUATED = ("projects", "scps", "identity-policies")

_MISSING_POLICY = (
    "it isn't in the snapshot: make it without --filter and --max-items, or add the missing pages"
)
_FAILURE_LIMIT = 100  # malformed entries named one by one; the rest are counted


def read_snapshot(source: str) -> Account:
    """Return the account that a snapshot file describes.

    :param source: path of the file, or ``-`` for standard input. One object, a list of page
        objects, or page objects one after another (one a line, or printed over several lines);
        UTF-8, or UTF-16 as PowerShell's ``>`` writes it. Or a bundle.
    :raises SnapshotError: if it isn't a snapshot at all: one line with what, where and what to do.
        A malformed role costs that role, and stands in ``Account.failures``.
    """
    where = "standard input" if source == "-" else one_line(source) or ascii(source)
    with cycle_search_paused():
        data = read_bytes(source, where)
        if data.startswith(GZIP_MAGIC):
            return unpack(data, where).account
        pages = read_pages(data, where)
        del data  # as long as the file is
        return _account(pages, where)


def _entries(page: dict[str, object], key: str) -> list[object]:
    value = page.get(key)
    return value if isinstance(value, list) else [] if value is None else [value]


def _account(pages: list[dict[str, object]], where: str) -> Account:
    book = PolicyBook(_MISSING_POLICY)
    for page in pages:
        for entry in _entries(page, "Policies"):
            book.add(entry)
    found = _owner_without_roles(pages)
    roles, failures = _roles(pages, book, where)
    if roles:
        found = owner(roles[0].arn) or found
    truncated = _truncated(pages[-1])
    if truncated:
        failures.append(
            Failure(
                f"{where}: {truncated}",
                "the snapshot ends before the last page, so roles and policies are missing: make"
                " it again without --max-items, or add the pages that follow",
            )
        )
    partition, account_id = found
    return Account(account_id, partition, roles, NOT_EVALUATED, tuple(failures))


def _roles(
    pages: list[dict[str, object]], book: PolicyBook, where: str
) -> tuple[list[Role], list[Failure]]:
    roles = Roles(book)
    failures: list[Failure] = []
    lost = 0
    prefixes: tuple[str, ...] = ()
    for number, page in enumerate(pages, 1):
        entries = _entries(page, "RoleDetailList")
        for i, entry in enumerate(entries):
            try:
                role = roles.add(entry)
                if role is not None and not role.arn.startswith(prefixes):
                    prefixes = _same_account(prefixes, role.arn, where)
            except MalformedEntry as error:
                lost += 1
                if lost <= _FAILURE_LIMIT:
                    at = f"page {number}: " if len(pages) > 1 else ""
                    place = f"{where}: {at}RoleDetailList[{i}]"
                    failures.append(Failure(place, str(error)))
            entries[i] = None  # what the role doesn't keep can go while the rest is read
    if lost > _FAILURE_LIMIT:
        more = f"{lost - _FAILURE_LIMIT:,} more role entries can't be used, or contradict others"
        failures.append(Failure(where, more))
    return roles.all(), failures


def _same_account(known: tuple[str, ...], arn: str, where: str) -> tuple[str, ...]:
    """Return how the ARNs of the account's roles may begin: once for each partition seen.

    :raises SnapshotError: if an earlier role belongs to another account.
    """
    mine = arn.split(":")[4]
    others = [account for start in known if (account := start.split(":")[4]) != mine]
    if others:
        raise SnapshotError(
            f"{where}: roles of two accounts ({others[0]} and {mine}); give one account's snapshot"
            " at a time"
        )
    return (*known, arn[: arn.index("role/")])


def _owner_without_roles(pages: list[dict[str, object]]) -> tuple[str, str]:
    """Return (partition, account id) as other entries tell it, ("aws", "") where none does."""
    for page in pages:
        for key in ("Policies", "GroupDetailList", "UserDetailList"):
            for entry in _entries(page, key):
                if isinstance(entry, dict) and (found := owner(entry.get("Arn"))):
                    return found
    return "aws", ""


def _truncated(page: dict[str, object]) -> str | None:
    """Return the key by which a page says that more pages follow it, or None.

    ``IsTruncated`` is the API's own; the CLI writes ``NextToken`` where ``--max-items`` cut:
    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-pagination.html
    """
    if page.get("IsTruncated") in (True, "true"):
        return "IsTruncated"
    return next((key for key in ("NextToken", "Marker") if page.get(key)), None)
