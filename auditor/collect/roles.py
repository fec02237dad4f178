"""The roles of one account, put together from entries that may come twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.account import PolicyText, Role
from auditor.collect.entries import MalformedEntry, read_role, same
from auditor.text import one_line

if TYPE_CHECKING:
    from auditor.account import PolicyKind
    from auditor.collect.entries import PolicyBook

_TWICE = "the role stands in the input twice, with different contents"
_LOST = "this role wasn't audited"


class Roles:
    """Roles by ARN, in the order of their first entry.

    The same entry twice, as files joined by hand have it, is harmless. Two that say different
    things aren't: nothing may follow from the one that happens to come first.
    """

    def __init__(self, book: PolicyBook) -> None:
        self._book = book
        self._roles: dict[str, Role] = {}
        self._contested: set[str] = set()

    def __len__(self) -> int:
        return len(self._roles)

    def all(self) -> list[Role]:
        """Return the roles."""
        return list(self._roles.values())

    def add(self, entry: object) -> Role | None:
        """Take in one entry, and return its role; None where an earlier entry said the same.

        :raises MalformedEntry: one bounded line: if the entry can't be used, or contradicts an
            earlier one. A role that two entries disagree on stays in sight with a policy that can't
            be read, which makes it undetermined; where they disagree on its tags it is taken out.
        """
        try:
            role = read_role(entry, self._book)
        except MalformedEntry as error:
            raise MalformedEntry(f"{one_line(error)}; {_LOST}") from error
        if role.arn in self._contested:
            return None
        first = self._roles.setdefault(role.arn, role)
        if first is role:
            return role
        if same(_said(first), _said(role)):
            return None
        self._contested.add(role.arn)
        if first.tags != role.tags:
            del self._roles[role.arn]
            raise MalformedEntry(f"{one_line(role.arn)}: {_TWICE}; {_LOST}")
        self._roles[role.arn] = _contested(first, role)
        raise MalformedEntry(f"{one_line(role.arn)}: {_TWICE}, so it can't be decided")


def _said(role: Role) -> object:
    """Return what an entry says of its role. A managed policy's ARN says all: texts are shared."""
    shared = [text.arn or (text.name, text.missing) for text in role.attached]
    inline = [_text(text) for text in role.inline]
    boundary = _boundary(role)
    return role.name, role.role_id, role.tags, _text(role.trust), inline, shared, boundary


def _text(text: PolicyText) -> object:
    return text.name, text.document, text.missing


def _boundary(role: Role) -> object:
    return role.boundary and (role.boundary.arn or role.boundary.missing)


def _contested(one: Role, other: Role) -> Role:
    """Return a role with what two entries agree on; the rest of it could be anything."""
    trust, boundary = one.trust, one.boundary
    if not same(_text(trust), _text(other.trust)):
        trust = _unknown("trust policy", "trust")
    if _boundary(one) != _boundary(other):
        boundary = _unknown("of two entries", "boundary")
    return Role(
        one.arn,
        one.name,
        one.role_id if one.role_id == other.role_id else "",
        one.tags,
        trust,
        (_unknown("of two entries", "inline"),),
        (),
        boundary,
    )


def _unknown(name: str, kind: PolicyKind) -> PolicyText:
    return PolicyText(name, None, kind, None, _TWICE)
