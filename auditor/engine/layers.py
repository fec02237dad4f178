"""The layers of policies that a request must pass, as the engine takes them."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from auditor.globs import like

if TYPE_CHECKING:
    from auditor.account import PolicyText
    from auditor.policy.model import Document, Statement

LayerName = Literal["identity", "permissions-boundary", "scp", "identity-policy", "trust"]


class Placed(NamedTuple):
    """A document in its place: what was read of it, and what it said."""

    source: PolicyText
    document: Document


class Layer(NamedTuple):
    """One layer: allowed if some Allow here matches, refused if any Deny does.

    ``unread`` holds one reason for each document that could not be read: such a document could
    hold anything, so nothing proven or safe follows from the layer.
    """

    name: LayerName
    documents: tuple[Placed, ...]
    unread: tuple[str, ...] = ()


class IdentityPolicies(NamedTuple):
    """The policies of one SES identity of the account (sending authorization).

    ``region`` and ``name`` are those of its ARN; ``name`` is its sixth part, ``identity/…``.
    """

    arn: str
    region: str
    name: str
    documents: tuple[Placed, ...]
    unread: tuple[str, ...] = ()


class Located(NamedTuple):
    """One statement with where it stands."""

    layer: LayerName
    source: PolicyText
    statement: Statement


def statements(layer: Layer, action: int | str, *, allows: bool) -> list[Located]:
    """Return the layer's Allow (or Deny) statements that apply to an action.

    A send action is given by its bit, another (in documents read whole) by its name.
    """
    if isinstance(action, str):
        return [
            located
            for placed in layer.documents
            for located in _naming(layer.name, placed, action)
            if located.statement.allows == allows
        ]
    return [
        Located(layer.name, placed.source, statement)
        for placed in layer.documents
        for statement in placed.document.statements
        if statement.actions >> action & 1 and statement.allows == allows
    ]


@lru_cache(maxsize=8_192)
def _naming(layer: LayerName, placed: Placed, action: str) -> tuple[Located, ...]:
    """Return a document's statements that name an action; a policy of many roles is asked once."""
    return tuple(
        Located(layer, placed.source, statement)
        for statement in placed.document.statements
        if names(statement, action)
    )


def asked_of(statement: Statement, actions: tuple[str, ...]) -> int:
    """Return which of some actions a statement applies to: bit ``i`` for ``actions[i]``."""
    mask = 0
    for name in statement.names:
        mask |= _bits(name, actions)
    return mask ^ ((1 << len(actions)) - 1) if statement.not_action else mask


@lru_cache(maxsize=65_536)
def _bits(pattern: str, actions: tuple[str, ...]) -> int:
    return sum(1 << bit for bit, action in enumerate(actions) if _named(pattern, action))


def names(statement: Statement, action: str) -> bool:
    """Tell whether a statement applies to an action, by name and without case."""
    return statement.not_action != any(_named(name, action) for name in statement.names)


@lru_cache(maxsize=65_536)
def _named(pattern: str, action: str) -> bool:
    return like(pattern.lower()).matches(action.lower())
