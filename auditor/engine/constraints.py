"""Constraints on one key's value, and whether some value satisfies all of them.

Text comparisons are glob languages (``auditor.languages`` searches them exactly). Numbers, dates,
addresses and booleans are ordered or finite: the thresholds and their neighbours represent every
value there is, so trying those is exact too. Where both kinds meet on one key and no tried value
fits, the question is refused by name.
"""

from __future__ import annotations

import base64
from decimal import Decimal, localcontext
from functools import lru_cache
from math import floor
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.automata import SEARCH_BUDGET, Language, OutOfSteps, Pattern
from auditor.engine.prepared import check
from auditor.errors import Undecidable
from auditor.globs import ANY, STAR, Glob, like
from auditor.languages import find
from auditor.policy import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
    for candidate in dict.fromkeys((*domain.nice, *_candidates(tests))):
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


def _candidates(tests: Tests) -> Iterator[str]:
    """Yield values that represent all: thresholds, their neighbours, and the gaps between."""
    matchers = sorted({m for test in tests for m in test.matchers}, key=repr)
    yield from ("true", "false")
    for matcher in matchers:
        if isinstance(matcher, Glob):
            yield matcher.literal if matcher.literal is not None else _filled(matcher, "1")
        elif isinstance(matcher, values.Bytes):
            yield base64.b64encode(matcher.value).decode("ascii")
    yield ""
    yield from _numbers({m.value for m in _comparisons(matchers, "numeric")})
    for second in _seconds(_comparisons(matchers, "date")):
        yield values.iso(second) if 0 <= second <= values.CLOCK_END else str(second)
    yield from _addresses(m.block for m in matchers if isinstance(m, values.Within))


def _filled(glob: Glob, filler: str) -> str:
    """Return a text that a pattern matches, its wildcards filled in."""
    fill = {STAR: "", ANY: filler}
    return "".join(fill.get(item, item) for item in glob.items)


def _numbers(thresholds: set[Decimal]) -> Iterator[str]:
    """Yield each threshold, its neighbours, and a value between it and the one before."""
    numbers = sorted(thresholds)
    with localcontext(prec=2 * values.NUMBER_LENGTH):
        for at, value in enumerate(numbers):
            nearby = [value, value - 1, value + 1]
            if at:
                nearby.append((numbers[at - 1] + value) / 2)
            yield from [f"{near:f}" for near in nearby]


def _comparisons(matchers: Iterable[Matcher], kind: str) -> list[values.Comparison]:
    return [m for m in matchers if isinstance(m, values.Comparison) and m.kind == kind]


def _seconds(comparisons: Iterable[values.Comparison]) -> Iterator[int]:
    """Yield whole seconds on, before and after each threshold."""
    for second in sorted({floor(m.value) for m in comparisons}):
        yield from (second, second - 1, second + 1, second + 2)


def _addresses(blocks: Iterable[values.Network]) -> Iterator[str]:
    """Yield the ends of each block and the addresses just beyond them."""
    yield "198.51.100.7"
    for block in blocks:
        first, last = block.network_address, block.broadcast_address
        yield str(block[1] if block.num_addresses > 2 else first)
        yield from (str(first), str(last))
        if int(first) > 0:
            yield str(first - 1)
        if int(last) < (1 << block.max_prefixlen) - 1:
            yield str(last + 1)
    yield "2001:db8::7"


_MIDNIGHT: Final = "2000-01-01T00:00:00Z"
"""What completes the beginning of a date, such as a pattern's ``2027-*``."""


@lru_cache(maxsize=16_384)
def satisfy_clock(now: int, tests: Tests) -> Answer:
    """Find a second from ``now`` on that passes all tests; its text is the epoch second."""
    matchers = [m for test in tests for m in test.matchers]
    compared = [m for m in matchers if isinstance(m, values.Comparison)]
    candidates = {now, now + 1, *_seconds(compared)}
    shapes = [_filled(m, "1") for m in matchers if isinstance(m, Glob)]
    whole = [text + rest[len(text) :] for text in shapes for rest in (_MIDNIGHT, "0" * 10)]
    candidates.update(int(at) for text in whole if (at := values.moment(text)) is not None)
    checks, each, cost = _checks(tests)
    clocks = {test.clock for test in tests}
    for second in sorted(candidates):
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


def shown(key: str, second: int) -> str:
    """Return how a clock key shows a second: ISO 8601, or the epoch second."""
    return str(second) if key == "aws:epochtime" else values.iso(second)
