"""The account of a boto3 session -> ``Account``: read-only calls, listed in docs/permissions.md."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, NamedTuple

from botocore.exceptions import (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from auditor.account import Account, Failure
from auditor.collect.attach import attach_projects
from auditor.collect.clients import AWS_ERRORS, Clients, describe, error_code, understood
from auditor.collect.codebuild import read_region
from auditor.collect.iam import sweep_roles
from auditor.collect.organization import read_organization
from auditor.collect.regions import LIST_REGIONS, first_region, home_region, plan_regions
from auditor.collect.ses import failures_of, policies_evaluated, read_ses
from auditor.errors import CollectError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Future
    from typing import Any

    import boto3

    from auditor.account import SesRegion
    from auditor.collect.codebuild import RegionRead
    from auditor.collect.regions import Plans
    from auditor.collect.ses import SesRead

# What the caller may not be told: the policies of the levels above, and those of identities.
NOT_EVALUATED = ("scps", "identity-policies")

_LOG = logging.getLogger(__name__)
_THREADS = 16  # questions asked at a time; each waits for AWS nearly all the while
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})


class Reading(NamedTuple):
    """An account as it was read: by whom (the caller's ARN), and in which regions."""

    account: Account
    caller: str
    regions: tuple[str, ...]


def collect_account(
    session: boto3.Session,
    *,
    regions: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Account:
    """Return what ``read_account`` reads, without who read it."""
    return read_account(session, regions=regions, progress=progress).account


def read_account(
    session: boto3.Session,
    *,
    regions: Sequence[str] = (),
    progress: Callable[[str], None] | None = None,
) -> Reading:
    """Read all of the session's account that bears on its roles' sends.

    That is the roles with their policies, the CodeBuild projects, the SCPs, and the SES identities
    with their policies.

    :param regions: where to look for projects and identities; by default, everywhere the account
        may.
    :param progress: called in this thread with a short line after every step.
    :raises CollectError: if AWS doesn't say whose account this is: one line with what to do.
    :raises InputError: if CodeBuild isn't known to exist in one of ``regions``.
        What fails after that stands in ``Account.failures``, and the rest is read all the same.
    """
    say = progress or _silent
    clients = Clients(session)
    caller, partition, account_id = _identity(clients, first_region(session, regions))
    say(f"account {account_id}")
    plans = plan_regions(session, clients, partition, regions)
    # One thread makes all clients: making them isn't safe in several.
    codebuild = {
        r: clients.codebuild(r) for r in (*plans.codebuild.certain, *plans.codebuild.unsure)
    }
    ses = {r: clients.ses(r) for r in (*plans.ses.certain, *plans.ses.unsure)}
    iam = clients.iam(home_region(session, partition))
    organizations = clients.organizations(home_region(session, partition))
    pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="collect")
    stop = threading.Event()
    try:
        prefix = f"arn:{partition}:ses:{{}}:{account_id}:identity/"
        above = pool.submit(read_organization, organizations, account_id)
        mail = [pool.submit(read_ses, ses[r], r, plans.ses, prefix.format(r), stop) for r in ses]
        builds = [pool.submit(read_region, codebuild[r], r, plans.codebuild) for r in codebuild]
        sweep = sweep_roles(iam, say)
        _watch({"CodeBuild": builds, "SES": mail}, say)
        organization = above.result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)
    reads = sorted((job.result() for job in builds), key=lambda read: read.region)
    sent = sorted((job.result() for job in mail), key=lambda read: read.found.region)
    guessed = _note_regions(plans, reads, sent)
    uses = [use for read in reads for use in read.uses]
    unresolved = attach_projects(sweep.roles, uses, account_id, all_roles=sweep.complete)
    told = policies_evaluated(sent)
    evaluated = dict(zip(NOT_EVALUATED, (organization.evaluated, told), strict=True))
    account = Account(
        account_id,
        partition,
        sweep.roles,
        tuple(name for name in NOT_EVALUATED if not evaluated[name]),
        (
            *sweep.failures,
            *guessed,
            *(failure for read in reads for failure in read.failures),
            *organization.failures,
            *failures_of(sent),
        ),
        unresolved,
        dict(sorted(clients.calls.items())),
        organization.organization,
        tuple(_region(read, told=told) for read in sent if read.enabled),
        tuple(regions),
    )
    return Reading(account, caller, tuple(read.region for read in reads if read.enabled))


def _region(read: SesRead, *, told: bool) -> SesRegion:
    """Return a region's facts; where no policy at all could be read, none is half-known either."""
    if told:
        return read.found
    bare = tuple(identity._replace(policies=()) for identity in read.found.identities)
    return read.found._replace(identities=bare)


def _watch(groups: Mapping[str, Sequence[Future[Any]]], say: Callable[[str], None]) -> None:
    """Wait for all jobs, and say after each how many of its group are done."""
    names = {job: name for name, jobs in groups.items() for job in jobs}
    done: Counter[str] = Counter()
    for job in as_completed(names):
        name = names[job]
        done[name] += 1
        say(f"{name}: {done[name]} of {len(groups[name])} regions read")


def _silent(_: str) -> None:
    """Take a line of progress that nobody asked for."""


def _note_regions(
    plans: Plans, reads: list[RegionRead], sent: list[SesRead]
) -> tuple[Failure, ...]:
    """Say which regions were left out, and return the failure that it is to have guessed so.

    Where AWS says that they aren't enabled it is none.
    """
    projects = {read.region for read in reads if not read.enabled}
    identities = {read.found.region for read in sent if not read.enabled}
    unused = ", ".join(sorted(projects | identities))
    if plans.unknown is None:
        if unused:
            _LOG.info("not enabled: %s", unused)
        return ()
    if not unused:
        _LOG.warning("%s: %s; every region was tried", LIST_REGIONS, plans.unknown)
        return ()
    message = (
        f"{plans.unknown}; taken as not enabled, as they refuse these credentials: {unused}."
        f" Permit {LIST_REGIONS}, or name the regions to read"
    )
    return (Failure(LIST_REGIONS, message),)


def _identity(clients: Clients, region: str) -> tuple[str, str, str]:
    """Return the (caller's ARN, partition, account id) that the credentials belong to.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    try:
        answer = understood(clients.sts(region).get_caller_identity)
        return understood(lambda: (answer["Arn"], answer["Arn"].split(":")[1], answer["Account"]))
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
