"""An AWS account as the auditor sees it: plain values, made by ``collect``, read by ``audit``.

Policy documents are kept as they came (decoded JSON or URL-encoded JSON text): reading them is
``policy``'s work, so that one bad document costs its role and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PolicyKind = Literal[
    "inline", "managed", "aws-managed", "boundary", "trust", "scp", "identity-policy"
]


@dataclass(slots=True, eq=False)
class PolicyText:
    """One policy document as it was read, with where it came from.

    A managed policy attached to many roles is one shared instance: identity is its cache key.
    ``document`` is a decoded JSON object, or JSON text (plain or URL-encoded as on IAM's wire).
    ``missing`` says why there is no document, or is None where there is one.
    """

    name: str
    arn: str | None
    kind: PolicyKind
    document: object
    missing: str | None = None


class Project(NamedTuple):
    """A CodeBuild project that uses a role as ``serviceRole`` or ``buildBatchConfig``'s."""

    name: str
    region: str
    arn: str


class UnresolvedProject(NamedTuple):
    """A project whose role isn't among the account's roles, and why."""

    project: Project
    role_arn: str
    reason: str


class Failure(NamedTuple):
    """Something that should have been read and wasn't: makes a report incomplete."""

    where: str
    message: str


@dataclass(slots=True)
class Role:
    """An IAM role with everything that bears on what it may do.

    ``trust`` is the assume-role policy. ``tags`` keep their case. ``role_id`` is the ``AROA…`` id,
    empty where the source didn't give it.
    """

    arn: str
    name: str
    role_id: str
    tags: Mapping[str, str]
    trust: PolicyText
    inline: tuple[PolicyText, ...]
    attached: tuple[PolicyText, ...]
    boundary: PolicyText | None = None
    projects: tuple[Project, ...] = ()


class ScpLevel(NamedTuple):
    """One level of the organization above (or at) the account, with the SCPs attached there.

    ``target`` is the id of the root, the organizational unit or the account.
    """

    target: str
    name: str
    policies: tuple[PolicyText, ...]


class Organization(NamedTuple):
    """The organization of the account. ``levels`` go from the root down to the account.

    SCPs don't bind the management account: there ``levels`` is empty.
    """

    id: str
    management: bool
    levels: tuple[ScpLevel, ...]


class Identity(NamedTuple):
    """An SES identity (a domain or an address) of one region, and its own policies."""

    name: str
    arn: str
    verified: bool
    policies: tuple[PolicyText, ...]


class SesRegion(NamedTuple):
    """What is known of SES in one region; None where it could not be read.

    ``production_access``: out of the sandbox, so that mail may go to anyone.
    """

    region: str
    production_access: bool | None
    sending_enabled: bool | None
    identities: tuple[Identity, ...]


@dataclass(slots=True)
class Account:
    """What was collected of one account.

    ``roles`` holds every role of the source that matched no exclusion, CodeBuild's or not: who is
    in scope is decided by ``auditor.scope``. ``roles`` may be a one-pass iterable, so that 50,000
    roles need not be alive at once. ``api_calls`` counts requests to AWS, retries not included.
    ``organization`` is None where there is none, or where ``not_evaluated`` says ``scps``.
    ``not_evaluated`` names what the source can't contain (see the report's field of that name).
    ``limited_to`` are the regions that whoever collected it named; empty where all were asked for,
    or the source doesn't say.
    """

    account_id: str
    partition: str
    roles: Iterable[Role]
    not_evaluated: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()
    unresolved_projects: tuple[UnresolvedProject, ...] = ()
    api_calls: Mapping[str, int] = field(default_factory=dict)
    organization: Organization | None = None
    ses: tuple[SesRegion, ...] = ()
    limited_to: tuple[str, ...] = ()


_SHOWN: Final = 5  # regions named in one sentence


def reach_of(regions: Sequence[SesRegion]) -> str | None:
    """Return in a sentence whom mail can reach, as SES has it; None where nobody asked.

    A new account is in the sandbox of each region, where SES delivers to verified addresses
    alone: https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
    """
    if not regions:
        return None
    kinds = {
        "mail from {} reaches anyone": [r for r in regions if _reaches_anyone(r)],
        "in {} SES is in the sandbox and reaches verified addresses only": [
            r for r in regions if r.production_access is False
        ],
        "in {} sending is switched off": [
            r for r in regions if r.production_access and r.sending_enabled is False
        ],
        "for {} it could not be read": [r for r in regions if r.production_access is None],
    }
    told = [text.format(_listed([r.region for r in rs])) for text, rs in kinds.items() if rs]
    anyone = any(map(_reaches_anyone, regions))
    head = "This account can mail anyone" if anyone else "No region is known to reach anyone"
    return f"{head}: {'; '.join(told)}."


def _reaches_anyone(one: SesRegion) -> bool:
    return bool(one.production_access) and one.sending_enabled is not False


def _listed(regions: Sequence[str]) -> str:
    shown = ", ".join(regions[:_SHOWN])
    return shown if len(regions) <= _SHOWN else f"{shown} and {len(regions) - _SHOWN} more regions"
