"""Constraints on one key's value, and whether some value satisfies all of them.

Text comparisons are glob languages (``auditor.languages`` searches them exactly). Numbers, dates,
addresses and booleans are ordered or finite: the thresholds and their neighbours represent every
value there is, so trying those is exact too. Where both kinds meet on one key and no tried value
fits, the question is refused by name.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.automata import SEARCH_BUDGET, Language, OutOfSteps, Pattern
from auditor.engine.candidates import candidates, moments, shown
from auditor.engine.prepared import check
from auditor.errors import Undecidable
from auditor.globs import Glob, like
from auditor.languages import find
from auditor.policy import values

if TYPE_CHECKING:
    from collections.abc import Callable

    from auditor.domains import Domain
    from auditor.policy.values import Matcher


class Test(NamedTuple):
    """Values that match some matcher (``inside``), or none of them (not ``inside``).

    ``clock`` is the key through which a clock is read (it shows one second in two ways), or "".
    """

    matchers: frozenset[Matcher]
    inside: bool
    clock: str = ""

    def negated(self) -> Test:
        """Return the test that exactly the other values pass."""
        return Test(self.matchers, not self.inside, self.clock)

    def holds(self, text: str) -> bool:
        """Tell whether a value passes."""
        for matcher in self.matchers:
            if matcher.matches(text):
                return self.inside
        return not self.inside

    @property
    def always(self) -> bool:
        """Whether every value plainly passes."""
        return not self.inside and not self.matchers

    @property
    def never(self) -> bool:
        """Whether no value can pass."""
        return self.inside and not self.matchers


EVERYTHING: Final = Test(frozenset(), inside=False)
NOTHING: Final = Test(frozenset(), inside=True)

SIMULATOR: Final = Test(frozenset((like("*@simulator.amazonses.com", fold=True),)), inside=True)
"""Addresses of the mailbox simulator: its domain, compared without case.
https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html#send-email-simulator"""
REAL: Final = SIMULATOR.negated()
"""Among valid mailboxes, those of people."""


class Answer(NamedTuple):
    """A value that passes every test, or None; what finding out cost; why it can't be told.

    ``question`` tells a dear answer's question apart, so that it is charged once.
    """

    value: str | None
    cost: int
    undecided: str | None = None
    question: object = None


Tests = frozenset[Test]

_TEXTUAL: Final = (Glob, Pattern)


def textual(matchers: frozenset[Matcher]) -> Language:
    """Return the matchers that compare text."""
    if len(matchers) == 1:
        (only,) = matchers
        return frozenset((only,)) if isinstance(only, _TEXTUAL) else frozenset()
    return frozenset(m for m in matchers if isinstance(m, _TEXTUAL))


@lru_cache(maxsize=262_144)
def satisfy(domain: Domain, tests: Tests) -> Answer:
    """Find a value of the domain that passes all tests. Each distinct question is asked once."""
    inside: list[Language] = []
    outside: set[Glob | Pattern] = set()
    other = False
    for test in tests:
        globs = textual(test.matchers)
        if (len(globs) < len(test.matchers) and not domain.textual) or test.clock:
            other = True
        elif test.inside:
            inside.append(globs)
        else:
            outside |= globs
    if not other:
        # the order of equal questions must not depend on how sets were built
        if len(inside) > 1:
            inside.sort(key=lambda globs: (len(globs), sorted(map(repr, globs))))
        try:
            value, cost = find(domain, tuple(inside), frozenset(outside))
        except OutOfSteps:
            raise  # hangs on who asks: nothing to remember
        except Undecidable as reason:
            return Answer(None, SEARCH_BUDGET, str(reason), (domain.name, tests))
        return Answer(value, cost, None, (domain.name, tests) if cost > DEAR else None)
    return _by_candidates(domain, tests, mixed=bool(inside or outside))


DEAR: Final = 1_000
"""What an answer may cost before it is worth remembering that it was paid for."""


def _by_candidates(domain: Domain, tests: Tests, *, mixed: bool) -> Answer:
    """Try the values that represent all others."""
    checks, each, cost = _checks(tests)
    compared = {matcher for test in tests for matcher in test.matchers}
    for candidate in dict.fromkeys((*domain.nice, *candidates(compared))):
        cost += each
        if cost > SEARCH_BUDGET:
            return Answer(None, cost, _too_many(domain.name), (domain.name, tests))
        if domain.contains(candidate) and all(
            matches(candidate) == test.inside for test, matches in checks
        ):
            return Answer(candidate, cost)
    if domain.finite or not (mixed or _families(tests) > 1):
        return Answer(None, cost)
    if any(test.inside and test.matchers and _finite(test) for test in tests):
        return Answer(None, cost)
    return Answer(
        None, cost, f"one key ({domain.name}) is compared both as text and as another kind of value"
    )


def _checks(tests: Tests) -> tuple[list[tuple[Test, Callable[[str], bool]]], int, int]:
    """Return the tests made ready, what trying one value on them costs, and what that took.

    Reading and sorting what is compared is charged too: it is done anew whenever a test is added.
    """
    checks = []
    each = setup = 1
    for test in tests:
        ready = check(test.matchers)
        checks.append((test, ready.matches))
        each += ready.cost
        setup += ready.setup + len(test.matchers)
    return checks, 1 + each // 2, 1 + 2 * (setup // 2) if setup > SETUP_FREE else 1


SETUP_FREE: Final = 64
"""Comparisons on one key up to which reading them is no cost worth counting."""


def _too_many(name: str) -> str:
    return f"one key ({name}) is compared with too many values (more than {SEARCH_BUDGET:,} steps)"


def _finite(test: Test) -> bool:
    return all(isinstance(m, Glob) and m.literal is not None and not m.fold for m in test.matchers)


def _families(tests: Tests) -> int:
    return len({
        (type(matcher), getattr(matcher, "kind", "")) for test in tests for matcher in test.matchers
    })  # fmt: skip


@lru_cache(maxsize=16_384)
def satisfy_clock(now: int, tests: Tests) -> Answer:
    """Find a second from ``now`` on that passes all tests; its text is the epoch second."""
    matchers = [m for test in tests for m in test.matchers]
    compared = [m for m in matchers if isinstance(m, values.Comparison)]
    tried = {now, now + 1, *moments(matchers)}
    checks, each, cost = _checks(tests)
    clocks = {test.clock for test in tests}
    for second in sorted(tried):
        if not now <= second <= values.CLOCK_END:
            continue
        cost += each
        if cost > SEARCH_BUDGET:
            return Answer(None, cost, _too_many("the time"), tests)
        text = {clock: shown(clock, second) for clock in clocks}
        if all(matches(text[test.clock]) == test.inside for test, matches in checks):
            return Answer(str(second), cost)
    if len(compared) == len(matchers) or any(test.inside and _finite(test) for test in tests):
        return Answer(None, cost)
    return Answer(None, cost, "the time is compared as text")
