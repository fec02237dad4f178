"""Entries of GetAccountAuthorizationDetails -> ``Role`` and ``PolicyText``.

The CLI's files and boto3's answers hold the same entries, so both are read here. Their shapes:
https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleDetail.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_ManagedPolicyDetail.html
What can't be read of a role's policies becomes a ``PolicyText`` with ``missing`` set, which reads
on from "could not be read: ": the role is then undetermined, and still in sight. A list that isn't
there is an empty one; what is null, or no list, can't be read. Only an entry that doesn't say who
it is, or whose tags (which conditions ask for) can't be read, is lost whole: ``MalformedEntry``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from auditor.account import PolicyText, Role

if TYPE_CHECKING:
    from auditor.account import PolicyKind

_ROLE_ARN = re.compile(r"arn:(aws[a-z0-9-]*):iam::([0-9]{12}):role/(.*)", re.DOTALL)
_MANAGED_ARN = re.compile(r"arn:(aws[a-z0-9-]*):iam::([0-9]{12}):")
_ABSENT = object()


class MalformedEntry(Exception):  # noqa: N818 - says what the entry is, and is always caught
    """A role entry that can't be used; the message says what is wrong with it."""


def owner(arn: object) -> tuple[str, str] | None:
    """Return (partition, account id) of an IAM ARN, or None where it has none."""
    match = _MANAGED_ARN.match(arn) if isinstance(arn, str) else None
    return (match[1], match[2]) if match else None


def kind_name(value: object) -> str:
    """Return JSON's name for a value's type, for error messages."""
    if isinstance(value, bool) or value is None:
        return "null" if value is None else "true or false"
    if isinstance(value, dict):
        return "an object"
    return (
        "a list"
        if isinstance(value, list)
        else "a string"
        if isinstance(value, str)
        else "a number"
    )


def same(one: object, other: object) -> bool:
    """Return whether two decoded values are equal; nested too deeply to compare is unequal."""
    try:
        return one == other
    except RecursionError:
        return False


class PolicyBook:
    """The managed policies of one account: one shared ``PolicyText`` for each ARN and use.

    Pages name policies before or after they carry them, so a text is handed out as missing and
    completed when its entry is read. Use as a boundary is a text of its own (its kind differs).
    """

    def __init__(self, missing: str) -> None:
        self._missing = missing
        self._texts: dict[tuple[str, bool], PolicyText] = {}
        self._documents: dict[str, tuple[str, object, str | None]] = {}

    def attached(self, arn: str) -> PolicyText:
        """Return the text of a policy attached to a role."""
        return self._texts.get((arn, False)) or self._new(arn, boundary=False)

    def boundary(self, arn: str) -> PolicyText:
        """Return the text of a policy used as a permissions boundary."""
        return self._texts.get((arn, True)) or self._new(arn, boundary=True)

    def add(self, entry: object) -> None:
        """Take in one entry of ``Policies``. One without an ARN can be nobody's policy."""
        if not isinstance(entry, dict) or not isinstance(arn := entry.get("Arn"), str):
            return
        name = entry.get("PolicyName")
        if not isinstance(name, str) or not name:
            name = arn.rpartition("/")[2]
        document, missing = _default_version(entry)
        known = self._documents.get(arn)
        if known is not None and not same(known[1:], (document, missing)):
            document, missing = None, "it stands in the input twice, with different documents"
        self._documents[arn] = (name, document, missing)
        for boundary in (False, True):
            if text := self._texts.get((arn, boundary)):
                text.name, text.document, text.missing = name, document, missing

    def replace_missing(self, reason: str) -> None:
        """Give every text still without an entry, and those to come, this reason."""
        self._missing = reason
        for (arn, _), text in self._texts.items():
            if arn not in self._documents:
                text.missing = reason

    def _new(self, arn: str, *, boundary: bool) -> PolicyText:
        kind: PolicyKind = "aws-managed" if ":iam::aws:policy/" in arn else "managed"
        name, document, missing = self._documents.get(
            arn, (arn.rpartition("/")[2], None, self._missing)
        )
        text = PolicyText(name, arn, "boundary" if boundary else kind, document, missing)
        self._texts[arn, boundary] = text
        return text


def _default_version(entry: dict[str, object]) -> tuple[object, str | None]:
    """Return (document, why missing) of a managed policy's default version.

    Only that version is in force:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
    """
    versions = entry.get("PolicyVersionList")
    if isinstance(versions, dict):
        versions = [versions]
    if not isinstance(versions, list):
        return None, "it has no list of versions in the input"
    default_id = entry.get("DefaultVersionId")
    objects = [version for version in versions if isinstance(version, dict)]
    marked = [version for version in objects if version.get("IsDefaultVersion") is True]
    named = [version for version in objects if version.get("VersionId") == default_id]
    found = marked if default_id is None else named
    if len(found) > 1 or len(marked) > 1:
        return None, "more than one version of it is marked as the default one in the input"
    # Two places say which version is in force. Where they differ, believing one is a guess.
    if (marked and marked != found) or (found and found[0].get("IsDefaultVersion") is False):
        return None, "the input contradicts itself on which version of it is the default one"
    if not found:
        return None, "no version of it is marked as the default one in the input"
    document = found[0].get("Document")
    if document is None:
        return None, "its default version has no document in the input"
    return document, None


def read_role(entry: object, book: PolicyBook) -> Role:
    """Return the role of one ``RoleDetailList`` entry.

    :raises MalformedEntry: if the entry says no role ARN, or has tags that can't be read; it names
        the role where that is known.
    """
    if not isinstance(entry, dict):
        raise MalformedEntry(f"the entry is {kind_name(entry)}, not an object")
    arn = entry.get("Arn")
    if not isinstance(arn, str):
        name = entry.get("RoleName")
        called = f" of role {name}" if isinstance(name, str) and name else ""
        what = "has no Arn" if arn is None else "has an Arn that isn't a string"
        raise MalformedEntry(f"the entry{called} {what}")
    if not (match := _ROLE_ARN.fullmatch(arn)):
        raise MalformedEntry(f"its Arn isn't a role's: {arn}")
    name = entry.get("RoleName")
    if not isinstance(name, str) or not name:
        name = match[3].rpartition("/")[2]
    role_id = entry.get("RoleId")
    document = entry.get("AssumeRolePolicyDocument")
    boundary = entry.get("PermissionsBoundary", _ABSENT)
    return Role(
        arn,
        name,
        role_id if isinstance(role_id, str) else "",
        _tags(entry.get("Tags", []), arn),
        PolicyText(
            "trust policy",
            None,
            "trust",
            document,
            "the role's entry has none" if document is None else None,
        ),
        _inline(entry.get("RolePolicyList", [])),
        _attached(entry.get("AttachedManagedPolicies", []), book),
        None if boundary is _ABSENT or boundary is None else _boundary(boundary, book),
    )


def _tags(tags: object, arn: str) -> dict[str, str]:
    read: dict[str, str] = {}
    for tag in [tags] if isinstance(tags, dict) else tags if isinstance(tags, list) else [tags]:
        key = tag.get("Key") if isinstance(tag, dict) else None
        value = tag.get("Value") if isinstance(tag, dict) else None
        if not isinstance(key, str) or not isinstance(value, str):
            raise MalformedEntry(f"{arn}: its Tags aren't a list of objects with a Key and a Value")
        read[key] = value
    return read


def _inline(policies: object) -> tuple[PolicyText, ...]:
    if isinstance(policies, dict):
        policies = [policies]
    if not isinstance(policies, list):
        what = f"it is {kind_name(policies)}, not a list"
        return (PolicyText("RolePolicyList", None, "inline", None, what),)
    return tuple(_inline_policy(policy, i) for i, policy in enumerate(policies))


def _inline_policy(policy: object, index: int) -> PolicyText:
    place = f"RolePolicyList[{index}]"
    if not isinstance(policy, dict):
        return PolicyText(place, None, "inline", None, f"it is {kind_name(policy)}, not an object")
    name = policy.get("PolicyName")
    document = policy.get("PolicyDocument")
    return PolicyText(
        name if isinstance(name, str) and name else place,
        None,
        "inline",
        document,
        "its entry has no PolicyDocument" if document is None else None,
    )


def _attached(policies: object, book: PolicyBook) -> tuple[PolicyText, ...]:
    if isinstance(policies, dict):
        policies = [policies]
    if not isinstance(policies, list):
        what = f"it is {kind_name(policies)}, not a list"
        return (_unnamed("AttachedManagedPolicies", what),)
    texts = []
    for i, policy in enumerate(policies):
        arn = policy.get("PolicyArn") if isinstance(policy, dict) else None
        if isinstance(arn, str) and arn:
            texts.append(book.attached(arn))
        else:
            place = f"AttachedManagedPolicies[{i}]"
            texts.append(_unnamed(place, "its entry has no PolicyArn"))
    return tuple(texts)


def _unnamed(place: str, what: str) -> PolicyText:
    """Return an attached policy that the entry doesn't name."""
    return PolicyText(place, None, "managed", None, what)


def _boundary(boundary: object, book: PolicyBook) -> PolicyText:
    arn = boundary.get("PermissionsBoundaryArn") if isinstance(boundary, dict) else None
    if isinstance(arn, str) and arn:
        return book.boundary(arn)
    what = "its entry has no PermissionsBoundaryArn"
    return PolicyText("without an ARN", None, "boundary", None, what)
