"""The account's roles and policies, by one paged sweep of GetAccountAuthorizationDetails.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.account import Failure, Role
from auditor.collect.clients import AWS_ERRORS, describe, pages_of
from auditor.collect.entries import MalformedEntry, PolicyBook
from auditor.collect.roles import Roles

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_iam import IAMClient

_WHERE = "iam:GetAccountAuthorizationDetails"
_PAGE_SIZE = 1000  # the most that AWS puts on a page; its own choice is 100
_NOT_READ = "AWS had not returned it when reading the account's policies failed"
_NOT_RETURNED = "AWS did not return it among the account's policies"


class Sweep(NamedTuple):
    """The roles that were read, whether that is all of them, and what went wrong."""

    roles: list[Role]
    complete: bool
    failures: list[Failure]


def sweep_roles(client: IAMClient, progress: Callable[[str], None]) -> Sweep:
    """Return every role with its policies and boundary, as far as they can be read.

    Where a later page fails, the roles read so far are kept; policies come in any order, so those
    not seen yet are ``missing`` from them.
    """
    book = PolicyBook(_NOT_RETURNED)
    roles = Roles(book)
    failures: list[Failure] = []
    # Users and groups have no part in what a role may do, and can be most of an account.
    pages = client.get_paginator("get_account_authorization_details").paginate(
        Filter=["Role", "LocalManagedPolicy", "AWSManagedPolicy"],
        PaginationConfig={"PageSize": _PAGE_SIZE},
    )
    number = 0
    try:
        for number, page in enumerate(pages_of(pages), 1):
            for policy in page.get("Policies", ()):
                book.add(policy)
            for entry in page.get("RoleDetailList", ()):
                try:
                    roles.add(entry)
                except MalformedEntry as error:
                    failures.append(Failure(_WHERE, f"page {number}: {error}"))
            progress(f"IAM: {len(roles):,} roles read")
    except AWS_ERRORS as error:
        book.replace_missing(_NOT_READ)
        read = f" (page {number + 1}; {len(roles):,} roles were read before)"
        failure = Failure(_WHERE, describe(error) + (read if number else ""))
        failures.insert(0, failure)
    return Sweep(roles.all(), complete=not failures, failures=failures)
