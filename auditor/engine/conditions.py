"""From a condition to what it asks of its key, when it must hold or must fail.

The table is that of "Condition operators" and "Single-valued vs. multivalued context keys":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from auditor.engine import constraints
from auditor.engine.atoms import Each, Single, Some
from auditor.engine.caller import CLOCK, RESOURCE_ACCOUNT, Caller, Key, Presence
from auditor.engine.constraints import Test
from auditor.policy.operators import NULL, Operator
from auditor.policy.variables import resolve

if TYPE_CHECKING:
    from auditor.actions import SendAction
    from auditor.engine.atoms import Atom
    from auditor.policy.model import Condition
    from auditor.policy.values import Matcher


class Setting(NamedTuple):
    """The question's setting: who asks for which action, under which reading.

    ``least``: undocumented behaviour gives least access (else most). ``elsewhere``: the resource
    belongs to another account.
    """

    caller: Caller
    action: SendAction
    least: bool
    elsewhere: bool = False

    def generous(self, *, allows: bool) -> bool:
        """Whether an undocumented condition of such a statement is taken to hold."""
        return allows != self.least

    def lookup(self, key: str) -> str | bool | None:
        """Return what a policy variable stands for (see ``variables.resolve``)."""
        if key == RESOURCE_ACCOUNT and not self.elsewhere:
            return self.caller.account
        return self.caller.known(key)

    def key(self, key: str) -> Key:
        """Return how a key appears in this question's requests."""
        if key == RESOURCE_ACCOUNT and not self.elsewhere:
            return Key(Presence.KNOWN, self.caller.account)
        return self.caller.key(key, self.action)


@lru_cache(maxsize=65_536)
def _read(operator: Operator, text: str) -> Matcher | None:
    return operator.read(((text, False),))


def _matchers(
    condition: Condition, setting: Setting, *, variables: bool
) -> tuple[frozenset[Matcher], bool]:
    """Return a condition's values made ready, and whether some value's meaning isn't known."""
    operator = condition.operator
    ready: list[Matcher | None] = []
    for text in condition.values:
        if variables and operator.variables and "${" in text:
            parts = resolve(text, setting.lookup)
            ready.append(None if parts is None else operator.read(parts))
        else:
            ready.append(_read(operator, text))
    return frozenset(matcher for matcher in ready if matcher is not None), None in ready


def passing(condition: Condition, setting: Setting, *, allows: bool, variables: bool) -> Test:
    """Return the test that a single value passes where it satisfies the condition.

    A value that nothing resolves matches everything or nothing, whichever the reading asks for.
    """
    matchers, unknown = _matchers(condition, setting, variables=variables)
    negated = condition.operator.negated
    if unknown and setting.generous(allows=allows) != negated:
        return constraints.NOTHING if negated else constraints.EVERYTHING
    return Test(matchers, inside=not negated)


def atom(
    condition: Condition, setting: Setting, *, allows: bool, variables: bool, want: bool
) -> Atom | bool:
    """Return what must be true of the key for the condition to hold (``want``) or to fail.

    A boolean is an answer that doesn't depend on the request. ``allows`` tells the effect of the
    condition's statement, on which the readings turn.
    """
    key = setting.key(condition.key)
    generous = setting.generous(allows=allows)
    if condition.operator is NULL:
        return _presence(condition, key, generous=generous, want=want)
    absent = _when_absent(condition, generous=generous)
    if key.presence is Presence.ABSENT:
        return absent == want
    test = passing(condition, setting, allows=allows, variables=variables)
    match key.presence:
        case Presence.KNOWN:
            return test.holds(key.value) == want
        case Presence.ABSENT_OR_FALSE:
            present = test.holds("false")
            return (present if present == absent else generous) == want
        case Presence.MEMBERS:
            return _members(condition, test, generous=generous, want=want)
    if key.variable == CLOCK:
        test = test._replace(clock=condition.key)
    test = test if want else test.negated()
    may_lack = key.presence is Presence.OPTIONAL and absent == want
    if test.always and (may_lack or key.presence is Presence.ALWAYS):
        return True
    if test.never and not may_lack:
        return False
    return Single(
        key.variable,
        key.domain,
        optional=key.presence is Presence.OPTIONAL,
        absent=may_lack,
        test=None if test.never else test,
    )


def _when_absent(condition: Condition, *, generous: bool) -> bool:
    """Tell whether a condition holds where its key is absent."""
    match condition.quantifier:
        case "all":
            return True
        case "any":
            return generous if condition.if_exists else False
    return condition.if_exists or condition.operator.negated


def _members(condition: Condition, test: Test, *, generous: bool, want: bool) -> Atom | bool:
    """Return what a condition on the recipients asks of their set, which is never empty.

    Without a set operator AWS gives it no meaning: in an Allow it never matches or matches if any
    member does, in a Deny the other way round, by the reading.
    """
    if not condition.quantifier and not generous:
        return not want
    universal = (condition.quantifier == "all") == want
    test = test if want else test.negated()
    if test.always:
        return True
    if test.never:
        return False
    return Each(test) if universal else Some(test)


def _presence(condition: Condition, key: Key, *, generous: bool, want: bool) -> Atom | bool:
    """Return what a ``Null`` condition asks: "true" for absent, "false" for present."""
    ready = [_read(NULL, text) for text in condition.values]
    unknown = None in ready and generous
    if_absent = unknown or any(m is not None and m.matches("true") for m in ready)
    if_present = unknown or any(m is not None and m.matches("false") for m in ready)
    match key.presence:
        case Presence.ABSENT:
            return if_absent == want
        case Presence.OPTIONAL:
            absent, present = if_absent == want, if_present == want
            if absent == present:
                return absent
            test = constraints.EVERYTHING if present else None
            return Single(key.variable, key.domain, optional=True, absent=absent, test=test)
        case Presence.ABSENT_OR_FALSE:
            return (if_present if if_present == if_absent else generous) == want
    return if_present == want
