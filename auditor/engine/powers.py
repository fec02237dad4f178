"""Calls on one given resource: whether a role may assume another, or change its own permissions.

The same search as for sends, with the resource fixed, so that only conditions are left to meet.
"Policy evaluation logic", and "Roles terms and concepts" on who may assume a role:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from auditor import domains
from auditor.actions import SendAction
from auditor.engine.atoms import TRUE, Option
from auditor.engine.budget import Budget
from auditor.engine.caller import REGION
from auditor.engine.conditions import Setting
from auditor.engine.grants import as_session, past_boundary
from auditor.engine.layers import Located, names, statements
from auditor.engine.plain import is_plain
from auditor.engine.principals import Naming, naming
from auditor.engine.resources import holds
from auditor.engine.solver import Search
from auditor.engine.state import State, Variable
from auditor.engine.ways import holding, not_holding
from auditor.errors import Undecidable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.account import Role
    from auditor.engine.atoms import Clause
    from auditor.engine.caller import Caller
    from auditor.engine.layers import Layer
    from auditor.findings import Certainty

Facts = tuple[tuple[str, str | None], ...]

ASSUME_ROLE = "sts:AssumeRole"


def facts_of(role: Role) -> Facts:
    """Return what is known of a role as a resource: its tags, and no others."""
    return tuple(
        fact
        for prefix in ("aws:resourcetag/", "iam:resourcetag/")
        for fact in (
            *((prefix + key.lower(), text) for key, text in role.tags.items()),
            (prefix, None),
        )
    )


class Call(NamedTuple):
    """A call that a role may make on one resource, how sure that is, and what allows it.

    ``plain``: no condition of the environment has to be met for it.
    """

    action: str
    resource: str
    certainty: Certainty
    allows: tuple[Located, ...]
    plain: bool = True


class Powers:
    """What one role may do to given resources; its layers are read whole."""

    def __init__(self, caller: Caller, layers: Sequence[Layer]) -> None:
        self.caller = caller
        self.layers = layers
        self.budget = Budget()
        self._listed: dict[tuple[int, str, bool], list[Located]] = {}

    def call(self, action: str, resource: str, facts: Facts = ()) -> Call | None:
        """Return the call if it is allowed. Raises ``Undecidable``."""
        return self._either(action, resource, facts, None)

    def assume(self, resource: str, trust: Layer, facts: Facts) -> Call | None:
        """Return how the role may assume another, whose trust policy is ``trust``.

        A trust policy that names the role is enough in the same account; one that names the
        account leaves it to the role's identity policies. Raises ``Undecidable``.
        """
        if trust.unread:
            raise Undecidable("; ".join(trust.unread))
        return self._either(ASSUME_ROLE, resource, facts, trust)

    def _either(self, action: str, resource: str, facts: Facts, trust: Layer | None) -> Call | None:
        row = SendAction(action, (), ())
        if trust is None:
            plain = self._plainly(Setting(self.caller, row, least=True, facts=facts), resource)
            if plain is not None:
                return Call(action, resource, "proven", plain)
        for least in (True, False):
            setting = Setting(self.caller, row, least, facts=facts)
            asked = self._clauses(setting, resource, trust)
            if asked is None:
                continue
            variables = {REGION: Variable(domains.REGION, False, False, frozenset())}
            solution = Search(self.budget).run(State(self.caller.now, variables), asked)
            if solution is not None:
                sure = least and not any(layer.unread for layer in self.layers)
                chosen = tuple(one for one in solution.chosen if isinstance(one, Located))
                freely = is_plain(solution.state)
                return Call(action, resource, "proven" if sure else "possible", chosen, freely)
        return None

    def _plainly(self, setting: Setting, resource: str) -> tuple[Located, ...] | None:
        """Return an unconditional Allow a layer, where there are such and no Denies at all."""
        found: list[Located] = []
        for index, layer in enumerate(self.layers):
            if layer.unread or self._on(index, setting, resource, allows=False):
                return None
            allows = self._on(index, setting, resource, allows=True)
            plain = next((one for one in allows if not one.statement.conditions), None)
            if plain is None:
                return None
            found.append(plain)
        return tuple(found)

    def patterns(self, action: str) -> list[str]:
        """Return the resource patterns of the Allows that name an action; ``*`` for all others."""
        if not self.names(action):
            return []
        return [
            pattern
            for located in self._listed[0, action, True]
            for pattern in (
                ("*",) if located.statement.not_resource else located.statement.resources
            )
        ]

    def names(self, action: str) -> bool:
        """Tell whether any Allow of the role's identity policies names an action."""
        key = (0, action, True)
        if key not in self._listed:
            self._listed[key] = statements(self.layers[0], action, allows=True)
        return bool(self._listed[key])

    def _on(self, layer: int, setting: Setting, resource: str, *, allows: bool) -> list[Located]:
        """Return a layer's statements on the call, by action and resource."""
        key = (layer, setting.action.name, allows)
        if key not in self._listed:
            self._listed[key] = statements(self.layers[layer], key[1], allows=allows)
        return [one for one in self._listed[key] if holds(one.statement, resource, setting)]

    def _clauses(self, setting: Setting, resource: str, trust: Layer | None) -> list[Clause] | None:
        found: list[Clause] = []
        past: Clause = () if trust is None else _past_boundary(trust, setting)
        for index, layer in enumerate(self.layers):
            if layer.unread and layer.name != "identity":
                continue
            clause = _allowing(self._on(index, setting, resource, allows=True), setting)
            if index == 0 and trust is not None:
                clause = _trusted(trust, clause, setting)
            if layer.name == "permissions-boundary":
                clause += past
            if not clause:
                return None
            found.append(clause)
        denying = [
            one
            for index in range(len(self.layers))
            for one in self._on(index, setting, resource, allows=False)
        ]
        for located in denying + _trust_denies(trust, setting):
            avoiding = not_holding(located.statement, setting)
            if not avoiding:
                return None
            if avoiding != [TRUE]:
                found.append(tuple(avoiding))
        return found


def _allowing(allows: Sequence[Located], setting: Setting) -> Clause:
    return tuple(
        Option(tuple(asked), (), located)
        for located in allows
        if (asked := holding(located.statement, setting)) is not None
    )


def _trust_on(trust: Layer | None, setting: Setting, *, allows: bool) -> list[Located]:
    if trust is None:
        return []
    return [
        Located(trust.name, placed.source, statement)
        for placed in trust.documents
        for statement in placed.document.statements
        if statement.allows == allows and names(statement, setting.action.name)
    ]


def _trusted(trust: Layer, by_identity: Clause, setting: Setting) -> Clause:
    """Return how a trust policy lets the role in, with the role's own policies where asked for."""
    options: list[Option] = []
    for located in _trust_on(trust, setting, allows=True):
        principals = located.statement.principals
        if principals is None:
            continue
        how, session = naming(principals, setting.caller)
        asked = holding(located.statement, setting)
        if how in (Naming.NOT, Naming.DOUBTFUL) or asked is None:
            continue
        if how is not Naming.ACCOUNT:
            if session:
                asked.append(as_session(session, setting.caller))
            options.append(Option(tuple(asked), (), located))
        elif by_identity:
            options.append(Option(tuple(asked), (by_identity,), located))
    return tuple(options)


def _past_boundary(trust: Layer, setting: Setting) -> Clause:
    """Return the ways in which a trust policy lets the role in whatever its boundary lacks."""
    options: list[Option] = []
    for located in _trust_on(trust, setting, allows=True):
        principals = located.statement.principals
        how, session = naming(principals, setting.caller) if principals else (Naming.NOT, "")
        if not past_boundary(how, located.statement, least=setting.least):
            continue
        asked = holding(located.statement, setting)
        if asked is not None:
            asked += [as_session(session, setting.caller)] if session else []
            options.append(Option(tuple(asked), (), located))
    return tuple(options)


def _trust_denies(trust: Layer | None, setting: Setting) -> list[Located]:
    return [
        located
        for located in _trust_on(trust, setting, allows=False)
        if located.statement.principals is not None
        and _counts(naming(located.statement.principals, setting.caller)[0], setting)
    ]


def _counts(how: Naming, setting: Setting) -> bool:
    """Tell whether a Deny that names the caller so must be got round."""
    if how in (Naming.SESSION, Naming.DOUBTFUL):
        return setting.least
    return how is not Naming.NOT
