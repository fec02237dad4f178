"""The account of a boto3 session -> ``Account``: read-only calls, listed in docs/permissions.md."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from botocore.exceptions import (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from auditor.account import Account
from auditor.collect.attach import attach_projects
from auditor.collect.clients import AWS_ERRORS, Clients, describe, error_code, understood
from auditor.collect.codebuild import RegionRead, read_region
from auditor.collect.iam import sweep_roles
from auditor.collect.regions import RegionPlan, first_region, home_region, plan_regions
from auditor.errors import CollectError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import boto3

# What collecting doesn't ask for (yet).
NOT_EVALUATED = ("scps", "identity-policies")

_LOG = logging.getLogger(__name__)
_THREADS = 8  # regions asked at a time; each waits for AWS nearly all the while
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})


def collect_account(
    session: boto3.Session,
    *,
    regions: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Account:
    """Read the roles, policies and CodeBuild projects of the session's account.

    :param regions: where to look for projects; by default, everywhere the account may.
    :param progress: called in this thread with a short line after every step.
    :raises CollectError: if AWS doesn't say whose account this is: one line with what to do.
    :raises InputError: if CodeBuild isn't known to exist in one of ``regions``.
        What fails after that stands in ``Account.failures``, and the rest is read all the same.
    """
    say = progress or _silent
    clients = Clients(session)
    partition, account_id = _identity(clients, first_region(session, regions))
    say(f"account {account_id}")
    plan = plan_regions(session, clients, partition, regions)
    # One thread makes all clients: making them isn't safe in several.
    codebuild = {region: clients.codebuild(region) for region in (*plan.certain, *plan.unsure)}
    iam = clients.iam(home_region(session, partition))
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="codebuild")
    try:
        jobs = [pool.submit(read_region, codebuild[region], region, plan) for region in codebuild]
        sweep = sweep_roles(iam, say)
        reads: list[RegionRead] = []
        for job in as_completed(jobs):
            reads.append(job.result())
            say(f"CodeBuild: {len(reads)} of {len(jobs)} regions read")
    finally:
        pool.shutdown(cancel_futures=True)
    reads.sort(key=lambda read: read.region)
    _note_regions(plan, reads)
    uses = [use for read in reads for use in read.uses]
    unresolved = attach_projects(sweep.roles, uses, account_id, all_roles=sweep.complete)
    return Account(
        account_id,
        partition,
        sweep.roles,
        NOT_EVALUATED,
        (*sweep.failures, *(failure for read in reads for failure in read.failures)),
        unresolved,
        dict(sorted(clients.calls.items())),
    )


def _silent(_: str) -> None:
    """Take a line of progress that nobody asked for."""


def _note_regions(plan: RegionPlan, reads: list[RegionRead]) -> None:
    """Say what was taken for granted about regions. It isn't incompleteness, so it is logged."""
    unused = ", ".join(read.region for read in reads if not read.enabled)
    if plan.note:
        _LOG.warning("%s; taken as not enabled: %s", plan.note, unused or "none")
    elif unused:
        _LOG.info("not enabled: %s", unused)


def _identity(clients: Clients, region: str) -> tuple[str, str]:
    """Return the (partition, account id) that the credentials belong to.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    try:
        answer = understood(clients.sts(region).get_caller_identity)
        return understood(lambda: (answer["Arn"].split(":")[1], answer["Account"]))
    except AWS_ERRORS as error:
        raise CollectError(
            f"sts:GetCallerIdentity {region}: {describe(error)}; {_advice(error)}"
        ) from error


def _advice(error: Exception) -> str:
    """Return what to do about an error of the very first call."""
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return "give --profile NAME, set AWS_PROFILE, or sign in with `aws configure`"
    code = error_code(error)
    # `aws login` has errors of its own (LoginRefreshRequired, …), which older botocores lack.
    if isinstance(error, SSOError | TokenRetrievalError) or code.startswith("Login"):
        return "sign in again (`aws sso login` or `aws login`)"
    if code in _EXPIRED:
        return "the credentials have expired: get fresh ones, or sign in again"
    if isinstance(error, CredentialRetrievalError):
        return "check where the profile gets its credentials from"
    if code in {"InvalidClientTokenId", "UnrecognizedClientException"}:
        return (
            "AWS doesn't know these credentials: check the profile, and in China or GovCloud set"
            " AWS_DEFAULT_REGION to a region there"
        )
    if code == "SignatureDoesNotMatch":
        return "the secret key is wrong, or this machine's clock is"
    return "check the profile, the region and the network"
