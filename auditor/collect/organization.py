"""The organization above an account, and the service control policies that bind the account.

An account is bound by the policies of every level from the root down to itself; the management
account by none:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
Any account may ask which organization it is in. The levels and policies are told to the management
account and to delegated administrators alone, so for most accounts a denial there is no failure:
https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListPoliciesForTarget.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from auditor.account import Failure, Organization, PolicyText, ScpLevel
from auditor.collect.clients import AWS_ERRORS, describe, error_code, pages_of, understood
from auditor.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"})
_NO_ORGANIZATION = "AWSOrganizationsNotInUseException"
# A root, at most five organizational units below each other, and the account:
# https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
_MOST_LEVELS = 7
_NAMES = {"ROOT": "root", "ORGANIZATIONAL_UNIT": "organizational unit"}
_SOMETHING_ELSE = "something else answered for AWS"


class _Pages(Protocol):
    def paginate(self, **_: Any) -> Iterable[Mapping[str, Any]]: ...


class OrganizationsClient(Protocol):
    """The calls of boto3's Organizations client that are made here."""

    def describe_organization(self) -> Mapping[str, Any]:
        """Return ``{"Organization": …}``."""

    def describe_policy(self, *, PolicyId: str) -> Mapping[str, Any]:  # noqa: N803 - boto3's name
        """Return ``{"Policy": …}``."""

    def get_paginator(self, name: str) -> _Pages:
        """Return what pages through a ``list_…`` call."""


class OrganizationRead(NamedTuple):
    """What was read. ``organization`` is None where there is none, or where that isn't known.

    ``evaluated`` tells whether its levels are known: where it is False they are empty because
    nobody said what they are.
    """

    organization: Organization | None
    evaluated: bool
    failures: tuple[Failure, ...] = ()


def read_organization(client: OrganizationsClient, account_id: str) -> OrganizationRead:
    """Return the organization of an account with its SCPs, as far as they can be read."""
    where = "organizations:DescribeOrganization"
    try:
        found = understood(client.describe_organization).get("Organization", {})
    except AWS_ERRORS as error:
        if error_code(error) == _NO_ORGANIZATION:
            return OrganizationRead(None, evaluated=True)
        return _unknown(None, where, error)
    identifier, manager = found.get("Id"), found.get("MasterAccountId")
    if not isinstance(identifier, str) or not isinstance(manager, str):
        why = f"the answer names no organization: {_SOMETHING_ELSE}"
        return OrganizationRead(None, evaluated=False, failures=(Failure(where, why),))
    bare = Organization(identifier, manager == account_id, ())
    # An organization for consolidated billing has no SCPs:
    # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_getting-started_concepts.html
    if bare.management or found.get("FeatureSet") == "CONSOLIDATED_BILLING":
        return OrganizationRead(bare, evaluated=True)
    asked = _Question(client)
    try:
        attached = [
            (target, name, asked.policies_of(target))
            for target, name in reversed(asked.targets(account_id))
        ]
    except AWS_ERRORS as error:
        return _unknown(bare, asked.where, error)
    except _NotAnAnswer as error:
        failure = Failure(asked.where, f"{error}: {_SOMETHING_ELSE}")
        return OrganizationRead(bare, evaluated=False, failures=(failure,))
    # With SCPs enabled at least one is attached at every level; with SCPs disabled, none at any:
    # https://docs.aws.amazon.com/organizations/latest/userguide/disable-policy-type.html
    if not any(summaries for _, _, summaries in attached):
        return OrganizationRead(bare, evaluated=True)
    levels = tuple(
        ScpLevel(target, name, asked.texts(summaries)) for target, name, summaries in attached
    )
    return OrganizationRead(bare._replace(levels=levels), True, tuple(asked.failures))


def _unknown(organization: Organization | None, where: str, error: Exception) -> OrganizationRead:
    """Return that the SCPs aren't known; anything but a denial is a failure."""
    if error_code(error) in _DENIED:
        return OrganizationRead(organization, evaluated=False)
    return OrganizationRead(organization, False, (Failure(where, describe(error)),))


class _NotAnAnswer(Exception):  # noqa: N818 - always caught
    """An answer that doesn't hold what AWS's holds."""


class _Question:
    """Asks one organization; ``where`` names the last call, for messages."""

    def __init__(self, client: OrganizationsClient) -> None:
        self._client = client
        self._texts: dict[str, PolicyText] = {}
        self.where = ""
        self.failures: list[Failure] = []

    def targets(self, account_id: str) -> list[tuple[str, str]]:
        """Return (id, what it is) of the account and of all that is above it, upwards."""
        found = [(account_id, "account")]
        while found[-1][1] != "root":
            # "In the current release, a child can have only a single parent", says AWS.
            parents = self._listed("ListParents", "Parents", ChildId=found[-1][0])
            if len(parents) != 1 or len(found) == _MOST_LEVELS:
                raise _NotAnAnswer(f"no way from {one_line(found[-1][0], 40)} to the root")
            found.append((str(parents[0].get("Id")), _NAMES.get(parents[0].get("Type", ""), "")))
        return found

    def policies_of(self, target: str) -> list[Mapping[str, Any]]:
        """Return the summaries of the SCPs attached at one level."""
        return self._listed(
            "ListPoliciesForTarget", "Policies", TargetId=target, Filter="SERVICE_CONTROL_POLICY"
        )

    def texts(self, summaries: list[Mapping[str, Any]]) -> tuple[PolicyText, ...]:
        """Return the policies themselves, each read once however often it is attached."""
        if not summaries:
            why = "AWS named none at this level, where there always is one while others have any"
            return (PolicyText("service control policies", None, "scp", None, why),)
        return tuple(self._text(summary) for summary in summaries)

    def _listed(self, operation: str, key: str, **arguments: str) -> list[Mapping[str, Any]]:
        self.where = f"organizations:{operation}"
        method = "list_parents" if operation == "ListParents" else "list_policies_for_target"
        found: list[Mapping[str, Any]] = []
        for page in pages_of(self._client.get_paginator(method).paginate(**arguments)):
            if not isinstance(page.get(key), list):
                raise _NotAnAnswer(f"the answer holds no list of {key.lower()}")
            found += page[key]
        return found

    def _text(self, summary: Mapping[str, Any]) -> PolicyText:
        identifier = str(summary.get("Id", ""))
        if identifier not in self._texts:
            self._texts[identifier] = PolicyText(
                str(summary.get("Name") or identifier),
                summary.get("Arn"),
                "scp",
                *self._content(identifier),
            )
        return self._texts[identifier]

    def _content(self, identifier: str) -> tuple[object, str | None]:
        """Return (document, why missing). The failures name the first policy not read."""
        try:
            answer = understood(lambda: self._client.describe_policy(PolicyId=identifier))
            content = answer.get("Policy", {}).get("Content")
            why = None if isinstance(content, str) else f"no content in it: {_SOMETHING_ELSE}"
        except AWS_ERRORS as error:
            content, why = None, describe(error)
        if why and not self.failures:
            place = f"organizations:DescribePolicy {one_line(identifier, 140)}"
            self.failures.append(Failure(place, why))
        return (content, None) if why is None else (None, why)
