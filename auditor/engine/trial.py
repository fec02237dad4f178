"""One concrete request put to one statement, whatever layer that stands in.

The half of ``evaluate`` that knows no layers; shares no decision code with ``decide``.
"IAM JSON policy elements: Condition operators":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from auditor.actions import RECIPIENTS, SEND_ACTIONS
from auditor.engine.caller import MFA, Caller, Presence
from auditor.engine.layers import Located
from auditor.engine.principals import Naming, naming
from auditor.globs import EVERYTHING, STAR, Glob, like
from auditor.policy.operators import NULL, read
from auditor.policy.values import joined
from auditor.policy.variables import Literal, Variable, resolve, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.engine.layers import IdentityPolicies
    from auditor.engine.request import Request
    from auditor.policy.model import Condition, Statement

_AUTHORIZED = (
    "ses:SendEmail", "ses:SendRawEmail", "ses:SendTemplatedEmail", "ses:SendBulkTemplatedEmail"
)  # fmt: skip
_SENDS = {action.name: action for action in SEND_ACTIONS}


class Trial:
    """One request under one reading; what tells which statement matches, and which part didn't."""

    def __init__(self, request: Request, caller: Caller, *, least: bool) -> None:
        self.caller = caller
        self.least = least
        self.name = request.action.lower()
        self.action = _SENDS.get(request.action)
        self.context = {
            key.lower(): (value,) if isinstance(value, str) else tuple(value)
            for key, value in request.context.items()
        }

    def values(self, key: str) -> tuple[str, ...] | None:
        """Return a key's values in this request, None where it is absent."""
        if key in self.context:
            return self.context[key]
        if key == "aws:resourceaccount":
            return (self.caller.account,)
        fixed = self.caller.key(key, self.action)
        return (fixed.value,) if fixed.presence is Presence.KNOWN else None

    def matches(self, statement: Statement, resource: str) -> bool:
        """Tell whether a statement applies to the request on a resource."""
        if not self.names(statement):
            return False
        # an undocumented outcome falls so that the reading's access comes out
        leaning = statement.allows != self.least
        if not self.is_about(statement, resource, leaning):
            return False
        for condition in statement.conditions:
            if not self.holds(condition, leaning, statement.variables):
                return False
        return True

    def names(self, statement: Statement) -> bool:
        """Tell whether a statement is about the request's action."""
        return _named(statement.names, self.name) != statement.not_action

    def is_about(self, statement: Statement, resource: str, leaning: bool) -> bool:
        """Tell whether a statement is about a resource; ``leaning``: if nobody can tell, it is."""
        leaning = leaning != statement.not_resource
        for text in statement.resources:
            if self.covers(statement, text, resource, leaning):
                return not statement.not_resource
        return statement.not_resource

    def granted(
        self, resource: str, identities: Sequence[IdentityPolicies]
    ) -> tuple[list[Located], list[Located], list[Located]]:
        """Return what the resource's own policies say: Allows of the role, of its session, Denies.

        Sending authorization covers four of the send actions.
        """
        role: list[Located] = []
        session: list[Located] = []
        denying: list[Located] = []
        if not identities:
            return role, session, denying
        own = [identity for identity in identities if identity.arn == resource]
        user = (self.values("aws:userid") or ("",))[0].partition(":")[2] if own else ""
        for identity in own:
            for placed in identity.documents:
                for statement in placed.document.statements:
                    if statement.principals is None or not self.matches(statement, resource):
                        continue
                    if self.action is None or self.action.name not in _AUTHORIZED:
                        continue
                    how, name = naming(statement.principals, self.caller)
                    here = Located("identity-policy", placed.source, statement)
                    if not statement.allows:
                        sure = how is not Naming.DOUBTFUL and name in ("", user)
                        if how is not Naming.NOT and (self.least or sure):
                            denying.append(here)
                    elif how in (Naming.ROLE, Naming.EVERYONE):
                        role.append(here)
                        named = {condition.key for condition in statement.conditions}
                        everyone = how is Naming.EVERYONE and "aws:principalarn" not in named
                        if everyone and not self.least:
                            session.append(here)
                    elif how is Naming.SESSION and name == user:
                        session.append(here)
        return role, session, denying

    def covers(self, statement: Statement, text: str, resource: str, leaning: bool) -> bool:
        """Tell whether one resource pattern matches an ARN."""
        if "${" not in text or not statement.variables:
            return _plainly_covers(text, resource, leaning)
        parts = resolve(text, self._constant)
        if parts is None and not leaning:
            return False
        if parts is None:  # what nobody can tell may be any text
            parts = tuple(
                ("*", False) if known is None else (known, not isinstance(piece, str))
                for piece in split(text)
                for known in (self._known_text(piece),)
            )
        shown = "".join(part for part, _ in parts)
        return _covers(joined(parts, wild=True, fold=False), shown, resource, leaning)

    def _known_text(self, piece: str | Variable | Literal) -> str | None:
        """Return the text of a piece of a value, None where nobody can tell it."""
        if isinstance(piece, str):
            return piece
        if isinstance(piece, Literal):
            return piece.text
        value = self._constant(piece.key)
        value = piece.default if value is False else value
        return value if isinstance(value, str) else None

    def _constant(self, key: str) -> str | bool | None:
        """Return what a variable stands for, if nobody chooses it."""
        if key == "aws:resourceaccount":
            elsewhere = self.context.get(key, (self.caller.account,))[0] != self.caller.account
            return None if elsewhere else self.caller.account
        return self.caller.known(key)

    def holds(self, condition: Condition, leaning: bool, variables: bool) -> bool:
        """Tell whether one condition holds."""
        values = self.values(condition.key)
        if condition.key == MFA and values is None:
            absent = self._decide(condition, None, leaning, variables)
            false = self._decide(condition, ("false",), leaning, variables)
            return absent if absent == false else leaning
        return self._decide(condition, values, leaning, variables)

    def _decide(
        self, condition: Condition, values: tuple[str, ...] | None, leaning: bool, variables: bool
    ) -> bool:
        operator = condition.operator
        if operator is NULL:
            wanted = [text.lower() for text in condition.values]
            odd = leaning and any(text not in ("true", "false") for text in wanted)
            return odd or ("true" if values is None else "false") in wanted
        if values is None:
            if condition.quantifier == "any":
                return condition.if_exists and leaning
            return condition.quantifier == "all" or condition.if_exists or operator.negated
        if condition.key == RECIPIENTS and not condition.quantifier:
            return leaning and any(self._one(condition, v, leaning, variables) for v in values)
        if len(values) == 1:
            return self._one(condition, values[0], leaning, variables)
        each = [self._one(condition, value, leaning, variables) for value in values]
        return all(each) if condition.quantifier == "all" else any(each)

    def _one(self, condition: Condition, value: str, leaning: bool, variables: bool) -> bool:
        """Tell whether one value of the request satisfies the operator."""
        operator = condition.operator
        matched = False
        for text in condition.values:
            if variables and operator.variables and "${" in text:
                resolved = resolve(text, self._constant)
                ready = None if resolved is None else operator.read(resolved)
            else:
                ready = read(operator, text)
            if ready is None:
                # nobody knows what this value matches: nothing, or everything
                matched = matched or leaning != operator.negated
            else:
                matched = matched or ready.matches(value)
        return matched != operator.negated


@lru_cache(maxsize=8_192)
def _named(patterns: tuple[str, ...], action: str) -> bool:
    """Tell whether one of these action patterns matches an action, all in lower case."""
    return any(like(pattern.lower()).matches(action) for pattern in patterns)


@lru_cache(maxsize=65_536)
def _plainly_covers(text: str, resource: str, leaning: bool) -> bool:
    return _covers(like(text), text, resource, leaning)


def _covers(pattern: Glob, shown: str, resource: str, leaning: bool) -> bool:
    """Tell whether a pattern, completed to six parts, matches an ARN; ``shown`` is its text."""
    if pattern == EVERYTHING:
        return True
    if leaning and pattern.matches(resource):
        return True  # a star may reach beyond a colon, by AWS's page
    missing = 5 - shown.count(":")
    if missing > 0:
        pattern = Glob((*pattern.items, *((":", STAR) * missing)))
    return pattern.matches(resource)
