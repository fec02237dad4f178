"""Which regions to ask for CodeBuild projects and SES identities; whose silence is harmless."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor.collect.clients import AWS_ERRORS, describe, error_code, pages_of
from auditor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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

LIST_REGIONS = "account:ListRegions"

# The region whose endpoints answer for a whole partition (IAM, STS, Account Management).
_HOME = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


class RegionPlan(NamedTuple):
    """The regions to read one service in.

    ``certain`` must answer: a failure there makes the audit incomplete. ``unsure`` may not be
    enabled, and then has nothing of the account.
    """

    certain: tuple[str, ...]
    unsure: tuple[str, ...] = ()

    def excuses(self, region: str, error: Exception) -> bool:
        """Return whether an error in ``region`` means that the account doesn't use the region."""
        return region in self.unsure and error_code(error) in _NOT_ENABLED_CODES


class Plans(NamedTuple):
    """The regions of each service. ``unknown`` is why it isn't known which are enabled, or None."""

    codebuild: RegionPlan
    ses: RegionPlan
    unknown: str | None = None


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
) -> Plans:
    """Return the regions to read: those asked for, or all that the account may use.

    :raises InputError: if CodeBuild isn't known to exist in a region asked for.
    """
    codebuild = session.get_available_regions("codebuild", partition)
    ses = session.get_available_regions("sesv2", partition)
    if asked:
        for region in asked:
            if region not in codebuild:
                raise InputError(
                    f"region {region!r}: no region with CodeBuild in partition {partition};"
                    f" there are {', '.join(codebuild) or 'none'} (a newer boto3 may know more)"
                )
        once = tuple(dict.fromkeys(asked))
        return Plans(RegionPlan(once), RegionPlan(tuple(r for r in once if r in ses)))
    if partition != "aws":
        return Plans(RegionPlan(tuple(codebuild)), RegionPlan(tuple(ses)))
    unknown = None
    status: dict[str, str] = {}
    try:
        status = _opt_status(clients.account(home_region(session, partition)))
        if not status:
            unknown = "the answer names no region"
    except AWS_ERRORS as error:
        unknown = describe(error)
    return Plans(_plan(codebuild, status), _plan(ses, status), unknown)


def _plan(known: Sequence[str], status: Mapping[str, str]) -> RegionPlan:
    """Return which of the regions that a service is in are to be read, by their opt-in status."""
    usable = {"ENABLED", "ENABLED_BY_DEFAULT"}
    certain = tuple(r for r in known if r in _ALWAYS_ENABLED or status.get(r) in usable)
    # ENABLING and DISABLING last minutes to hours; a region that the answer leaves out may be new.
    unsure = tuple(r for r in known if r not in certain and status.get(r) != "DISABLED")
    return RegionPlan(certain, unsure)


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
