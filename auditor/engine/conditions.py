"""From a condition to what it asks of its key, when it must hold or must fail.

The table is that of "Condition operators" and "Single-valued vs. multivalued context keys":
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from auditor.actions import RECIPIENTS
from auditor.engine import constraints
from auditor.engine.atoms import Each, Single, Some
from auditor.engine.caller import CLOCK, MFA, RESOURCE_ACCOUNT, Caller, Key, Presence
from auditor.engine.constraints import Test
from auditor.policy.operators import NULL, read
from auditor.policy.variables import resolve

if TYPE_CHECKING:
    from auditor.actions import SendAction
    from auditor.engine.atoms import Atom
    from auditor.policy.model import Condition, Statement
    from auditor.policy.values import Matcher


class Setting(NamedTuple):
    """The question's setting: who asks for which action, under which reading.

    ``least``: undocumented behaviour gives least access (else most). ``elsewhere``: the resource
    belongs to another account. ``facts`` are what is known of this one resource: a key's value, or
    None for one that is absent; a key ending in ``/`` stands for all that begin with it.
    """

    caller: Caller
    action: SendAction
    least: bool
    elsewhere: bool = False
    facts: tuple[tuple[str, str | None], ...] = ()

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
        for name, value in self.facts:
            if name == key or (name.endswith("/") and key.startswith(name)):
                return Key(Presence.ABSENT) if value is None else Key(Presence.KNOWN, value)
        if self.action.name == "sts:AssumeRole" and _is_passed(key):
            # if the caller may: sts:TagSession and sts:SetSourceIdentity aren't looked at
            return Key(Presence.ABSENT) if self.least else Key(Presence.OPTIONAL, "", key)
        return self.caller.key(key, self.action)


def _is_passed(key: str) -> bool:
    """Tell the keys that a call of sts:AssumeRole carries only with a further permission.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html
    """
    return key.startswith("aws:requesttag/") or key in (
        "aws:tagkeys",
        "sts:sourceidentity",
        "sts:transitivetagkeys",
    )


def _matchers(condition: Condition, setting: Setting | None) -> tuple[frozenset[Matcher], bool]:
    """Return a condition's values made ready, and whether some value's meaning isn't known.

    Without a setting, policy variables are plain text.
    """
    operator = condition.operator
    ready: list[Matcher | None] = []
    for text in condition.values:
        if setting is not None and operator.variables and "${" in text:
            parts = resolve(text, setting.lookup)
            ready.append(None if parts is None else operator.read(parts))
        else:
            ready.append(read(operator, text))
    return frozenset(matcher for matcher in ready if matcher is not None), None in ready


def settled(condition: Condition) -> bool:
    """Tell whether a condition plainly asks the same under both readings (False is no proof)."""
    if condition.has_variables or condition.key == MFA:
        return False
    if condition.quantifier == "any" and condition.if_exists:
        return False
    if condition.key == RECIPIENTS and not condition.quantifier:
        return False
    operator = condition.operator
    return operator.family == "string" or all(
        read(operator, text) is not None for text in condition.values
    )


def passing(condition: Condition, setting: Setting, *, allows: bool, variables: bool) -> Test:
    """Return the test that a single value passes where it satisfies the condition."""
    matchers, unknown = _matchers(condition, setting if variables else None)
    return _passing(condition, setting.generous(allows=allows), matchers, unknown)


def _passing(
    condition: Condition, generous: bool, matchers: frozenset[Matcher], unknown: bool
) -> Test:
    """Build the test; a value that nothing resolves matches everything or nothing, by reading."""
    negated = condition.operator.negated
    if unknown and generous != negated:
        return constraints.NOTHING if negated else constraints.EVERYTHING
    return Test(matchers, inside=not negated)


def atom(
    condition: Condition, setting: Setting, statement: Statement, *, want: bool
) -> Atom | bool:
    """Return what must be true of the key for the condition to hold (``want``) or to fail.

    A boolean is an answer that doesn't depend on the request. The readings turn on the effect of
    the condition's statement.
    """
    allows = statement.allows
    key = setting.key(condition.key)
    generous = setting.generous(allows=allows)
    if condition.has_variables and statement.variables:
        test = passing(condition, setting, allows=allows, variables=True)
        return _asked(condition, key, test, generous=generous, want=want)
    return _plain(condition, key, generous, want)


@lru_cache(maxsize=65_536)
def _plain(condition: Condition, key: Key, generous: bool, want: bool) -> Atom | bool:
    """Answer for a condition whose values mean the same to everybody; such ones often recur."""
    test = _passing(condition, generous, *_matchers(condition, None))
    return _asked(condition, key, test, generous=generous, want=want)


def _asked(
    condition: Condition, key: Key, test: Test, *, generous: bool, want: bool
) -> Atom | bool:
    """Return what is asked of a key, given the test that a satisfying value passes."""
    if condition.operator is NULL:
        return _presence(condition, key, generous=generous, want=want)
    absent = _when_absent(condition, generous=generous)
    match key.presence:
        case Presence.ABSENT:
            return absent == want
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
    ready = [read(NULL, text) for text in condition.values]
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
