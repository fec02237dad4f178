"""One question as clauses: an action, a reading, the resource types it is authorised on, a goal."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor import domains
from auditor.engine.atoms import Each, Option, Single
from auditor.engine.caller import REGION, RESOURCE_ACCOUNT, USER_ID
from auditor.engine.conditions import Setting, atom, settled
from auditor.engine.constraints import REAL, SIMULATOR, Test, satisfy
from auditor.engine.grants import applies, denies, elsewhere, granting, past_boundary
from auditor.engine.layers import Located, statements
from auditor.engine.principals import Naming
from auditor.engine.resources import failing, matching, whole
from auditor.engine.state import State, Variable
from auditor.globs import exactly, like

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.engine.atoms import Atom, Clause
    from auditor.engine.constraints import Tests
    from auditor.engine.grants import Grant
    from auditor.engine.layers import Layer
    from auditor.engine.solver import Budget
    from auditor.policy.model import Statement

LIMITS_MAX: Final = 16
"""Limits on recipients that are looked at one by one before a search; it looks at them anyway."""

TRUE: Final = Option(())
"""An option that asks for nothing."""


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


class Statements:
    """The statements of one role, compiled once for each way in which they are asked about."""

    def __init__(self, layers: Sequence[Layer], grants: Sequence[Grant] = ()) -> None:
        self.layers = layers
        self.grants = grants
        self._listed: dict[tuple[int, int | str, bool], list[Located]] = {}
        for at, layer in enumerate(layers):
            for placed in layer.documents:
                for statement in placed.document.statements:
                    located = Located(layer.name, placed.source, statement)
                    for action in _bits(statement.actions):
                        place = (at, action, statement.allows)
                        self._listed.setdefault(place, []).append(located)
        self.allowed = 0
        """The actions that anything grants, bit by bit: most roles have nothing that does."""
        for layer in layers[:1]:
            for placed in layer.documents:
                for statement in placed.document.statements:
                    self.allowed |= statement.actions if statement.allows else 0
        for grant in grants:
            statement = grant.located.statement
            self.allowed |= statement.actions if statement.allows else 0
        self._mentioned: dict[int, dict[str, str]] = {}
        self._matching: dict[tuple[Statement, str, bool, bool], list[Option]] = {}
        self._settled: dict[Statement, bool] = {}
        self._avoided: dict[object, list[Option]] = {}
        self._asked: dict[object, tuple[Atom, ...] | None] = {}

    def listed(self, layer: int, action: int | str, *, allows: bool) -> list[Located]:
        """Return a layer's Allow (or Deny) statements that apply to an action."""
        key = (layer, action, allows)
        found = self._listed.get(key)
        if found is None:
            found = []
            if isinstance(action, str):
                found = statements(self.layers[layer], action, allows=allows)
            self._listed[key] = found
        return found

    def about(self, action: int) -> Iterator[Located]:
        """Yield every statement that applies to an action, of all layers and both effects."""
        for layer in range(len(self.layers)):
            for allows in (True, False):
                yield from self.listed(layer, action, allows=allows)
        for grant in self.grants:
            if grant.located.statement.actions >> action & 1:
                yield grant.located

    def may_reach(self, question: Question, budget: Budget) -> bool:
        """Tell whether some Allow may let real recipients through (an upper bound).

        ``question`` asks under most access: what can't hold there holds nowhere, whatever the
        resource. Raises ``Undecidable`` where the budget ends.
        """
        action, setting = question.action, question.setting
        granting = [one.statement for one in self.listed(0, action, allows=True)]
        granting += [
            grant.located.statement
            for grant in self.grants
            if grant.located.statement.allows and grant.located.statement.actions >> action & 1
        ]
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

    def of(self, action: int) -> tuple[int, ...]:
        """Return the meanings of all that applies to an action, layer by layer, told apart."""
        found: list[int] = []
        for layer in range(len(self.layers)):
            for allows in (True, False):
                found.append(-1)
                listed = self.listed(layer, action, allows=allows)
                found += [located.statement.meaning for located in listed]
        for index, grant in enumerate(self.grants):
            if grant.located.statement.actions >> action & 1:
                found.append(-2 - index)
        return tuple(found)

    def mentioned(self, action: int) -> dict[str, str]:
        """Return the keys that the action's statements mention, lower case to AWS's spelling."""
        found = self._mentioned.get(action)
        if found is None:
            found = self._mentioned[action] = {}
            for located in self.about(action):
                found.update(located.statement.mentions)
            if any(grant.naming is Naming.SESSION for grant in self.grants):
                found[USER_ID] = "aws:userid"
        return found

    def account_matters(self, action: int) -> bool:
        """Tell whether it may matter whose account a resource is in (an upper bound)."""
        return RESOURCE_ACCOUNT in self.mentioned(action) or any(
            _names_account(text)
            for located in self.about(action)
            for text in located.statement.resources
        )

    def clauses(self, question: Question) -> list[Clause] | None:
        """Return all that must hold; None where it plainly can't."""
        found: list[Clause] = []
        setting = question.setting
        for kind in question.kinds:
            allowing = self._allowing(question, kind)
            if allowing is None:
                return None
            found += allowing
        for index in range(len(self.layers)):
            for located in self.listed(index, question.action, allows=False):
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

    def _allowing(self, question: Question, kind: str) -> list[Clause] | None:
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
            allows = self.listed(index, question.action, allows=True)
            options = [one for located in allows for one in self._ways(located, kind, question)]
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
        key = (statement, setting.action.context_keys, least, elsewhere)
        if key not in self._asked:
            found = holding(statement, setting)
            self._asked[key] = None if found is None else tuple(found)
        return self._asked[key]

    def _avoiding(self, statement: Statement, kind: str, setting: Setting) -> list[Option]:
        """Return the ways in which a Deny doesn't apply, worked out once for each question."""
        names = setting.action.context_keys
        key = (statement, kind, names, setting.least, setting.elsewhere)
        found = self._avoided.get(key)
        if found is None:
            found = self._avoided[key] = _avoiding(statement, kind, setting)
        return found


@lru_cache(maxsize=256)
def _bits(actions: int) -> tuple[int, ...]:
    """Return the bits that are set."""
    return tuple(bit for bit in range(actions.bit_length()) if actions >> bit & 1)


def _names_account(text: str) -> bool:
    parts = text.split(":", 5)
    return "${" in text or (len(parts) > 4 and parts[4] != "*")


def _size(option: Option) -> int:
    return len(option.atoms) + len(option.then)


def holding(statement: Statement, setting: Setting) -> list[Atom] | None:
    """Return what a statement's conditions ask for; None where one can't hold."""
    asked: list[Atom] = []
    for condition in statement.conditions:
        one = atom(condition, setting, statement, want=True)
        if one is False:
            return None
        if one is not True:
            asked.append(one)
    return asked


def _avoiding(statement: Statement, kind: str, setting: Setting) -> list[Option]:
    """Return the ways in which a Deny doesn't apply: [TRUE]: it never does, []: it always does."""
    options = not_holding(statement, setting)
    if options == [TRUE]:
        return options
    for option in failing(statement, kind, setting):
        if option == TRUE:
            return [TRUE]
        options.append(option)
    # leaving a key out is the plainest way round a Deny, so such ways are tried first
    return sorted(options, key=_intrusion) if len(options) > 1 else options


def not_holding(statement: Statement, setting: Setting) -> list[Option]:
    """Return the ways in which some condition fails: [TRUE] if one does anyway."""
    options: list[Option] = []
    for condition in statement.conditions:
        one = atom(condition, setting, statement, want=False)
        if one is True:
            return [TRUE]
        if one is not False:
            options.append(Option((one,)))
    return options


def _intrusion(option: Option) -> int:
    if not option.atoms:
        return 2
    first = option.atoms[0]
    if isinstance(first, Single):
        return 0 if first.absent else 1
    return 3
