"""The roles worth getting to, for whoever wants to undo a remedy, and whom they let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.arnindex import ArnIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from auditor.account import Role
    from auditor.engine.layers import Layer


class Doors:
    """The roles worth getting to, and whom their trust policies name.

    ``trust`` gives a role's trust policy, ``worth`` tells which roles may do something themselves.
    """

    def __init__(
        self,
        roles: Sequence[Role],
        trust: Callable[[Role], Layer],
        worth: Callable[[Role], bool],
    ) -> None:
        self._trust = trust
        self._named: dict[str, list[Role]] = {}
        for role in roles:
            for text in self._principals(role):
                self._named.setdefault(text, []).append(role)
        self._sessions = [text for text in self._named if ":assumed-role/" in text]
        # one without powers that no trust policy names can neither undo anything nor go further
        self._useful = {role.arn: role for role in roles if worth(role) or self._names(role)}
        self._index = ArnIndex(self._useful)

    def _principals(self, role: Role) -> frozenset[str]:
        """Return the AWS principals that a role's trust policy lets in; one not read: anyone."""
        layer = self._trust(role)
        if layer.unread:
            return frozenset("*")
        return frozenset(
            text
            for placed in layer.documents
            for statement in placed.document.statements
            if statement.allows and statement.principals is not None
            for text in statement.principals.aws
        )

    def _names(self, role: Role) -> list[str]:
        session = f":assumed-role/{role.name}/"
        plain = [text for text in (role.arn, role.role_id, "*") if text in self._named]
        return plain + [text for text in self._sessions if session in text]

    def of(self, actor: Role, patterns: Sequence[str]) -> list[Role]:
        """Return the roles that one may be able to assume (an upper bound), by ARN."""
        doors = {role.arn: role for text in self._names(actor) for role in self._named[text]}
        doors = {arn: role for arn, role in doors.items() if arn in self._useful}
        doors.update((role.arn, role) for role in self.behind(patterns))
        return [doors[arn] for arn in sorted(doors) if arn != actor.arn]

    def behind(self, patterns: Sequence[str]) -> list[Role]:
        """Return the roles whose ARNs the patterns may match, by ARN."""
        matched = self._index.matching(patterns)
        return [self._useful[arn] for arn in sorted(self._useful if matched is None else matched)]
