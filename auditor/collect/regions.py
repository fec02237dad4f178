"""Which regions to ask for CodeBuild projects, and whose silence is harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.collect.clients import AWS_ERRORS, describe, error_code, pages_of
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import boto3
    from mypy_boto3_account import AccountClient

    from auditor.collect.clients import Clients

# Regions launched before March 20, 2019 are enabled in every account and can't be disabled; every
# later one must be enabled first, in the partition ``aws``. The other partitions have none such.
# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html
_ALWAYS_ENABLED = frozenset(
    f"{area}-{number}"
    for area, count in {
        "ap-northeast": 3,
        "ap-south": 1,
        "ap-southeast": 2,
        "ca-central": 1,
        "eu-central": 1,
        "eu-north": 1,
        "eu-west": 3,
        "sa-east": 1,
        "us-east": 2,
        "us-west": 2,
    }.items()
    for number in range(1, count + 1)
)

# A region that isn't enabled knows none of the account's credentials, and says so:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
_NOT_ENABLED_CODES = frozenset(
    {"AuthFailure", "InvalidClientTokenId", "OptInRequired", "UnrecognizedClientException"}
)

# The region whose endpoints answer for a whole partition (IAM, STS, Account Management).
_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


class RegionPlan(NamedTuple):
    """The regions to read.

    ``certain`` must answer: a failure there makes the audit incomplete. ``unsure`` may not be
    enabled, and then has no projects. ``note`` says in one line why that isn't known, or is None.
    """

    certain: tuple[str, ...]
    unsure: tuple[str, ...] = ()
    note: str | None = None

    def excuses(self, region: str, error: Exception) -> bool:
        """Return whether an error in ``region`` means that the account doesn't use the region."""
        return region in self.unsure and error_code(error) in _NOT_ENABLED_CODES


def home_region(session: boto3.Session, partition: str) -> str:
    """Return the region to ask for what a whole partition shares."""
    if partition in _HOME:
        return _HOME[partition]
    known = session.get_available_regions("codebuild", partition)
    return known[0] if known else session.region_name or "us-east-1"


def first_region(session: boto3.Session, regions: Sequence[str]) -> str:
    """Return the region of the first call, made before the partition is known.

    Credentials are valid in one partition alone, so it comes from what the person configured.

    :raises InputError: if CodeBuild is in no partition's region of a name in ``regions``: a region
        that doesn't exist has no endpoint that could say so.
    """
    every = session.get_available_partitions()
    known = {r for p in every for r in session.get_available_regions("codebuild", p)}
    for region in regions:
        if region not in known:
            raise InputError(
                f"region {region!r}: no region with CodeBuild; one looks like eu-west-1 (a newer"
                " boto3 may know more)"
            )
    return session.region_name or next(iter(regions), "us-east-1")


def plan_regions(
    session: boto3.Session, clients: Clients, partition: str, asked: Sequence[str]
) -> RegionPlan:
    """Return the regions to read: those asked for, or all that the account may use.

    :raises InputError: if CodeBuild isn't known to exist in a region asked for.
    """
    known = session.get_available_regions("codebuild", partition)
    if asked:
        for region in asked:
            if region not in known:
                raise InputError(
                    f"region {region!r}: no region with CodeBuild in partition {partition};"
                    f" there are {', '.join(known) or 'none'} (a newer boto3 may know more)"
                )
        return RegionPlan(tuple(dict.fromkeys(asked)))
    if partition != "aws":
        return RegionPlan(tuple(known))
    try:
        status = _opt_status(clients.account(home_region(session, partition)))
    except AWS_ERRORS as error:
        return RegionPlan(
            tuple(r for r in known if r in _ALWAYS_ENABLED),
            tuple(r for r in known if r not in _ALWAYS_ENABLED),
            "account:ListRegions can't be asked which regions are enabled"
            f" ({describe(error)}); trying every region",
        )
    usable = {"ENABLED", "ENABLED_BY_DEFAULT"}
    certain = tuple(r for r in known if r in _ALWAYS_ENABLED or status.get(r) in usable)
    # ENABLING and DISABLING last minutes to hours; a region that the answer leaves out may be new.
    unsure = tuple(r for r in known if r not in certain and status.get(r) != "DISABLED")
    note = None if status else "account:ListRegions named no region; trying every region"
    return RegionPlan(certain, unsure, note)


def _opt_status(client: AccountClient) -> dict[str, str]:
    """Return the opt-in status of every region the answer names.

    https://docs.aws.amazon.com/accounts/latest/reference/API_ListRegions.html
    """
    pages = client.get_paginator("list_regions").paginate()
    return {
        region["RegionName"]: region["RegionOptStatus"]
        for page in pages_of(pages)
        for region in page.get("Regions", ())
        if "RegionName" in region and "RegionOptStatus" in region
    }
