"""Laws of the search for a member of several languages at once."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.automata import Language, Pattern, automaton
from auditor.domains import ANYTHING, DEAD, MAILBOX, Domain
from auditor.errors import Undecidable
from auditor.globs import exactly, like
from auditor.languages import find
from auditor.policy.values import arn

if TYPE_CHECKING:
    from collections.abc import Iterable

relaxed = settings(deadline=None, max_examples=300)
LONGEST = 4


def _upto(alphabet: str, longest: int) -> list[str]:
    return [
        "".join(chars)
        for size in range(longest + 1)
        for chars in itertools.product(alphabet, repeat=size)
    ]


def small(alphabet: str, longest: int = LONGEST) -> Domain:
    """The texts of at most so many characters of an alphabet, without anything to guess."""
    return Domain(
        name="small",
        start=0,
        step=lambda state, char: state + 1 if char in alphabet and state < longest else DEAD,
        accepts=lambda _state: True,
        contains=lambda text: len(text) <= longest and set(text) <= set(alphabet),
        fresh=tuple(alphabet),
    )


ABC = small("abc")
ABC_TEXTS = _upto("abc", LONGEST)
GLOBS = st.builds(
    lambda text, fold, wild: like(text, fold=fold) if wild else exactly(text, fold=fold),
    st.text("abC*?", max_size=5),
    st.booleans(),
    st.sampled_from((True, True, False)),
)
SETS: st.SearchStrategy[Language] = st.frozensets(GLOBS, max_size=3)


def member(inside: Iterable[Language], outside: Language, text: str) -> bool:
    return all(any(glob.matches(text) for glob in globs) for globs in inside) and not any(
        glob.matches(text) for glob in outside
    )


@relaxed
@given(st.lists(SETS, max_size=3), SETS)
def test_emptiness_agrees_with_trying_every_text(inside: list[Language], outside: Language) -> None:
    """``find`` answers with a member where there is one, and with None where there is none."""
    found = find(ABC, tuple(inside), outside).value
    members = [text for text in ABC_TEXTS if member(inside, outside, text)]
    if found is None:
        assert members == []
    else:
        assert found in members


COLONS = small("a:", 9)
COLON_TEXTS = _upto("a:", 9)
ARN_PATTERNS = st.lists(st.text("a*?", max_size=2), min_size=6, max_size=6).map(":".join)
ARNS = st.builds(arn, ARN_PATTERNS.map(like)).filter(lambda made: made is not None)


@relaxed
@given(st.frozensets(ARNS, min_size=1, max_size=2), st.frozensets(ARNS, max_size=2))
def test_arn_patterns_agree_with_trying_every_text(
    inside: frozenset[Pattern], outside: frozenset[Pattern]
) -> None:
    """The same for patterns whose wildcards stay between their colons."""
    found = find(COLONS, (inside,), outside).value
    members = [text for text in COLON_TEXTS if member((inside,), outside, text)]
    if found is None:
        assert members == []
    else:
        assert found in members


@relaxed
@given(st.frozensets(GLOBS, min_size=1, max_size=3), st.text("abC", max_size=5))
def test_an_automaton_accepts_what_its_globs_match(globs: Language, text: str) -> None:
    """Stepping a set's automaton over a text is matching the text against each glob."""
    machine = automaton(globs)
    states = machine.start
    for char in text:
        states = machine.step(states, machine.moves(char))
    assert machine.accepts(states) == any(glob.matches(text) for glob in globs)


@relaxed
@given(st.frozensets(GLOBS, min_size=1, max_size=3), st.text("abC", max_size=5))
def test_the_distance_left_never_overstates(globs: Language, text: str) -> None:
    """From no prefix of a text that is accepted is the distance longer than the rest."""
    machine = automaton(globs)
    states = machine.start
    seen = [states]
    for char in text:
        states = machine.step(states, machine.moves(char))
        seen.append(states)
    if machine.accepts(states):
        for at, before in enumerate(seen):
            assert machine.distance(before) <= len(text) - at


@relaxed
@given(st.lists(SETS, max_size=2), SETS)
def test_the_answer_is_the_same_each_time(inside: list[Language], outside: Language) -> None:
    """Neither the order in which a set was built nor an earlier answer changes a later one."""
    again = [frozenset(sorted(globs, key=str, reverse=True)) for globs in inside]
    assert find(ABC, tuple(inside), outside) == find(ABC, tuple(again), frozenset(list(outside)))


def test_an_empty_set_of_globs_is_an_empty_language() -> None:
    """No alternative means no member, and no set at all means the whole domain."""
    assert find(ABC, (frozenset(),), frozenset()).value is None
    assert find(ABC, (), frozenset()).value is not None
    assert find(ABC, (), frozenset((like("*"),))).value is None


def test_a_domain_that_counts_is_searched_again() -> None:
    """Where the plain automaton's answer is too long, the counting one is asked."""
    exact = small("a", 2)
    loose = Domain(
        name="loose",
        start=0,
        step=lambda _state, char: 0 if char == "a" else DEAD,
        accepts=lambda _state: True,
        contains=exact.contains,
        fresh=("a",),
        counted=exact,
    )
    assert find(loose, (frozenset((like("aaa*"),)),), frozenset()).value is None
    assert find(loose, (frozenset((like("a*"), like("aaaa*"))),), frozenset()).value is not None


HARD = Domain(
    name="hard",
    start=0,
    step=lambda _state, char: 0 if char in "ab" else DEAD,
    accepts=lambda _state: True,
    contains=lambda text: set(text) <= {"a", "b"},
    fresh=("a", "b"),
)


def test_a_search_that_outgrows_its_budget_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What needs more than the budget says so, with the budget, the same way each time."""
    monkeypatch.setattr("auditor.automata.SEARCH_BUDGET", 30_000)
    inside = tuple(frozenset((like(f"*{char}" + "?" * 24),)) for char in "ab")
    reasons = set()
    for _ in range(2):
        with pytest.raises(Undecidable, match=r"too complex to compare \(hard: more than 30,000"):
            find(HARD, inside, frozenset())
        try:
            find(HARD, inside, frozenset())
        except Undecidable as reason:
            reasons.add(str(reason))
    assert len(reasons) == 1


@pytest.mark.parametrize(
    ("inside", "outside", "nonempty"),
    [
        (["*a*a*a*a*a*a*a*a*b"], ["*b"], False),
        (["*a*a*a*a*a*a*a*a*b"], ["a*b"], True),
        (["?" * 1_000 + "*"], [], True),
        (["*ab" * 300], ["*ba" * 300], True),
        (["\ud800*", "x"], ["x"], True),
        (["\u202e*"], ["\u202e*"], False),
        ([f"a*{number}" for number in range(60)], [f"*{number}" for number in range(60)], False),
    ],
)
def test_hostile_sets_are_decided(inside: list[str], outside: list[str], nonempty: bool) -> None:
    """Stars by the dozen, long patterns, odd Unicode and thousands of patterns are decided."""
    languages = (frozenset(map(like, inside)),)
    found = find(ANYTHING, languages, frozenset(map(like, outside))).value
    assert (found is not None) is nonempty
    if found is not None:
        assert member(languages, frozenset(map(like, outside)), found)


def test_thousands_of_literals_are_decided() -> None:
    """A set of literals is looked through, text by text; a complement of them as quickly."""
    literals = frozenset(exactly(f"user-{number}@example.com") for number in range(5_000))
    one = exactly("user-4999@example.com")
    assert find(MAILBOX, (literals,), literals - {one}).value == "user-4999@example.com"
    assert find(MAILBOX, (literals,), literals).value is None
    found = find(MAILBOX, (frozenset((like("user-*@example.com"),)),), literals).value
    assert found is not None
    assert not any(glob.matches(found) for glob in literals)
