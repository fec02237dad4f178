"""A policy document as values. Conditions are read only where a statement can touch a send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from auditor.policy.operators import Operator, Quantifier


class Condition(NamedTuple):
    """One operator, one key, its alternative values (texts as written).

    ``key`` is in lower case (keys ignore case), ``shown`` as the policy spells it.
    ``has_variables``: some value holds ``${``.
    """

    operator: Operator
    quantifier: Quantifier
    if_exists: bool
    key: str
    shown: str
    values: tuple[str, ...]
    spelled: str
    has_variables: bool


class Principals(NamedTuple):
    """Whom a statement of a resource's policy is about (``negated``: everybody else).

    ``aws`` holds ARNs, account ids, unique ids or ``*``; ``services`` service principals.
    """

    aws: frozenset[str]
    services: frozenset[str]
    negated: bool


@dataclass(slots=True, eq=False)
class Statement:
    """One statement.

    ``actions`` is the set of ``SEND_ACTIONS`` it applies to, bit by bit; ``names`` are the action
    patterns as written, which ``not_action`` excludes instead. ``resources`` are the
    texts as written, alternatives; ``not_resource`` says that they are excluded instead.
    ``mentions`` are the context keys it looks at (see ``policy.mentions``). Statements of one
    ``meaning`` decide alike: they differ in their place and Sid alone.
    """

    index: int
    sid: str | None
    allows: bool
    actions: int
    names: tuple[str, ...]
    not_action: bool
    resources: tuple[str, ...]
    not_resource: bool
    conditions: tuple[Condition, ...]
    variables: bool
    mentions: dict[str, str]
    meaning: int
    principals: Principals | None = None


@dataclass(slots=True, eq=False)
class Document:
    """A policy document: its statements, or those that can touch a send action.

    ``powers``: some Allow, kept or not, may name one of ``actions.POWERS``.
    """

    statements: tuple[Statement, ...]
    powers: bool = False
