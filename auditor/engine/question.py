"""One question as clauses: an action, a reading, the resource types it is authorised on, a goal."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor import domains
from auditor.engine.atoms import TRUE, Each, Option
from auditor.engine.caller import REGION, RESOURCE_ACCOUNT, carried
from auditor.engine.conditions import Setting, settled
from auditor.engine.constraints import REAL, SIMULATOR, Test, satisfy
from auditor.engine.grants import applies, denies, elsewhere, granting, past_boundary
from auditor.engine.listing import Listing
from auditor.engine.principals import Naming
from auditor.engine.resources import matching, whole
from auditor.engine.state import State, Variable
from auditor.engine.ways import avoiding, holding, not_holding
from auditor.globs import exactly, like

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.engine.atoms import Atom, Clause
    from auditor.engine.budget import Budget
    from auditor.engine.constraints import Tests
    from auditor.engine.grants import Grant
    from auditor.engine.layers import Layer, Located
    from auditor.engine.listing import Listed
    from auditor.policy.model import Statement

LIMITS_MAX: Final = 16
"""Limits on recipients that are looked at one by one before a search; it looks at them anyway."""


class Question(NamedTuple):
    """What is asked: is there a request like this that every layer allows?

    ``kinds`` are the resource types that must all be allowed, on one context. ``simulator`` asks
    for recipients at the simulator alone; otherwise one must be a real address.
    """

    setting: Setting
    action: int
    kinds: tuple[str, ...]
    simulator: bool = False


def start(question: Question) -> State:
    """Return the state that holds before any statement is looked at."""
    setting = question.setting
    caller = setting.caller
    keyed = setting.action.carries_recipients
    owner = caller.account if setting.elsewhere else ""
    # nobody can send from a region that doesn't exist; under most access, one may be new to us
    regions = domains.KNOWN_REGION if setting.least else domains.REGION
    return _start(caller.now, caller.partition, owner, keyed, question.simulator, regions)


@lru_cache(maxsize=1_024)
def _start(
    now: int,
    partition: str,
    not_owner: str,
    keyed: bool,
    simulator: bool,
    regions: domains.Domain,
) -> State:
    wanted, unwanted = domains.regions_of(partition)
    tests = {Test(frozenset(map(like, unwanted)), inside=False)} if unwanted else set()
    if wanted is not None:
        tests.add(Test(frozenset((like(wanted),)), inside=True))
    variables = {REGION: Variable(regions, False, False, frozenset(tests))}
    if not_owner:
        other = Test(frozenset((exactly(not_owner),)), inside=False)
        variables[RESOURCE_ACCOUNT] = Variable(domains.ACCOUNT, False, False, frozenset((other,)))
    each = frozenset((SIMULATOR,)) if keyed and simulator else frozenset()
    return State(now, variables, each, (REAL,) if keyed and not simulator else ())


class Statements(Listing):
    """The statements of one role, compiled once for each way in which they are asked about."""

    def __init__(self, layers: Sequence[Layer], grants: Sequence[Grant] = ()) -> None:
        super().__init__(layers, grants)
        self.layers = layers
        self.grants = grants
        self._matching: dict[tuple[Statement, str, bool, bool], list[Option]] = {}
        self._settled: dict[Statement, bool] = {}
        self._avoided: dict[object, list[Option]] = {}
        self._asked: dict[object, tuple[Atom, ...] | None] = {}

    def may_reach(self, question: Question, budget: Budget) -> bool:
        """Tell whether some Allow may let real recipients through (an upper bound).

        ``question`` asks under most access: what can't hold there holds nowhere, whatever the
        resource. Raises ``Undecidable`` where the budget ends.
        """
        setting = question.setting
        listed = self.of(question.action)
        granting = [one.statement for one in listed.allows[0]]
        if listed.grants:
            named = [grant.located.statement for grant in listed.grants]
            granting += [statement for statement in named if statement.allows]
        limits: list[Tests] = []
        for statement in granting:
            asked = self._holding(statement, setting)
            if RESOURCE_ACCOUNT in statement.mentions:
                return True
            if asked is None:
                continue
            limit = frozenset(atom.test for atom in asked if isinstance(atom, Each))
            if not limit or not setting.action.carries_recipients:
                return True
            limits.append(limit)
        if len(limits) > LIMITS_MAX:
            return True
        for limit in dict.fromkeys(limits):
            found = satisfy(domains.MAILBOX, limit | {REAL})
            budget.pay(found.cost, found.question)
            if found.value is not None or found.undecided is not None:
                return True
        return False

    def clauses(self, question: Question) -> list[Clause] | None:
        """Return all that must hold; None where it plainly can't."""
        found: list[Clause] = []
        setting = question.setting
        listed = self.of(question.action)
        for kind in question.kinds:
            allowing = self._allowing(question, kind, listed)
            if allowing is None:
                return None
            found += allowing
        for denies_of_layer in listed.denies:
            for located in denies_of_layer:
                for kind in question.kinds:
                    avoiding = self._avoiding(located.statement, kind, setting)
                    if not avoiding:
                        return None
                    if avoiding[0] != TRUE:
                        found.append(tuple(avoiding))
        for grant in self.grants if "identity" in question.kinds else ():
            if denies(grant, question.setting) and applies(
                grant, question.action, question.setting
            ):
                avoiding = not_holding(grant.located.statement, question.setting)
                if avoiding != [TRUE]:
                    found.append((*elsewhere(grant), *avoiding))
        return found

    def _allowing(self, question: Question, kind: str, listed: Listed) -> list[Clause] | None:
        """Return what allows a resource type: a clause a layer; None where one has no Allow.

        An identity's policy may stand in for the identity layer, and one that names the session
        for the permissions boundary too.
        """
        found: list[Clause] = []
        direct: list[Option] = []
        unbounded: list[Option] = []
        if kind == "identity" and self.grants:
            direct, unbounded = self._granted(question)
        for index, layer in enumerate(self.layers):
            if layer.unread and layer.name != "identity":
                continue  # it could hold any Allow: no limit can be told; the reason is reported
            options: list[Option] = []
            for located in listed.allows[index]:
                options += self._ways(located, kind, question)
            if index == 0:
                options += direct
            if len(options) > 1:
                options.sort(key=_size)
            if unbounded and layer.name in ("identity", "permissions-boundary"):
                found.append((*options, *unbounded))
            elif options:
                found.append(tuple(options))
            else:
                return None
        return found

    def _granted(self, question: Question) -> tuple[list[Option], list[Option]]:
        """Return the ways in which identities' policies grant: within a boundary, and past it."""
        direct: list[Option] = []
        unbounded: list[Option] = []
        setting = question.setting
        for grant in self.grants:
            if not grant.located.statement.allows or not applies(grant, question.action, setting):
                continue
            asked = holding(grant.located.statement, setting)
            if asked is not None:
                option = granting(grant, asked, setting.caller)
                if grant.naming is not Naming.SESSION:
                    direct.append(option)
                if past_boundary(grant.naming, grant.located.statement, least=setting.least):
                    unbounded.append(option)
        return direct, unbounded

    def _ways(self, located: Located, kind: str, question: Question) -> list[Option]:
        """Return the ways in which an Allow applies."""
        setting = question.setting
        statement = located.statement
        asked = self._holding(statement, setting)
        if asked is None:
            return []
        least = setting.least and not all(map(whole, statement.resources))
        place = (statement, kind, least, setting.elsewhere)
        found = self._matching.get(place)
        if found is None:
            found = self._matching[place] = matching(statement, kind, setting)
        return [Option((*asked, *option.atoms), option.then, located) for option in found]

    def _holding(self, statement: Statement, setting: Setting) -> tuple[Atom, ...] | None:
        """Return what a statement's conditions ask for, worked out once for each question."""
        if not statement.conditions:
            return ()
        both = self._settled.get(statement)
        if both is None:
            both = self._settled[statement] = all(map(settled, statement.conditions))
        least, elsewhere = setting.least, setting.elsewhere
        if both:  # one answer serves both readings
            least, elsewhere = False, elsewhere and RESOURCE_ACCOUNT in statement.mentions
        keys = carried(setting.action.context_keys).intersection(statement.mentions)
        key = (statement, keys, least, elsewhere)
        if key not in self._asked:
            found = holding(statement, setting)
            self._asked[key] = None if found is None else tuple(found)
        return self._asked[key]

    def _avoiding(self, statement: Statement, kind: str, setting: Setting) -> list[Option]:
        """Return the ways in which a Deny doesn't apply, worked out once for each question."""
        keys = carried(setting.action.context_keys).intersection(statement.mentions)
        key = (statement, kind, keys, setting.least, setting.elsewhere)
        found = self._avoided.get(key)
        if found is None:
            found = self._avoided[key] = avoiding(statement, kind, setting)
        return found


def _size(option: Option) -> int:
    return len(option.atoms) + len(option.then)
