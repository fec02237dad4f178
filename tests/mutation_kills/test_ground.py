"""Automata and domains, character by character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.automata import Automaton, Pattern
from auditor.domains import DEAD, REGION, Domain
from auditor.globs import Glob, exactly, like
from auditor.hosts import ADDRESS, is_address
from auditor.languages import find
from auditor.policy.values import arn

PATTERNS = ("*:*:*:*:*:*", "a*:?:*:*:*:*a", "a:b:?:d:e:*", "*:*:*:*:*:?:?")


def accepts(machine: Automaton, text: str) -> bool:
    states = machine.start
    for char in text:
        states = machine.step(states, machine.moves(char))
    return machine.accepts(states)


@settings(deadline=None, max_examples=300)
@given(
    st.frozensets(
        st.one_of(
            st.builds(like, st.text("aB:*?", max_size=5), fold=st.booleans()),
            st.builds(exactly, st.text("aB:*?", max_size=5), fold=st.booleans()),
            st.sampled_from([pattern for text in PATTERNS if (pattern := arn(like(text)))]),
        ),
        max_size=3,
    ),
    st.text("aAbB:*", max_size=12),
)
def test_an_automaton_accepts_what_some_glob_matches(
    globs: frozenset[Glob | Pattern], text: str
) -> None:
    """Walked over any text, colons included, an automaton says what plain matching says."""
    assert accepts(Automaton(globs), text) == any(glob.matches(text) for glob in globs)


@pytest.mark.parametrize("text", [":", "a:a", "::"])
def test_a_plain_star_crosses_colons_and_an_arn_s_does_not(text: str) -> None:
    """``*`` stops at a colon in the first five parts of an ARN pattern and nowhere else."""
    whole = arn(like("*:*:*:*:*:*"))
    assert whole is not None
    assert accepts(Automaton([like("*")]), text)
    assert not accepts(Automaton([whole]), text)
    assert accepts(Automaton([whole]), "1:2:3:4:5:6:7")


@pytest.mark.parametrize("digit", "0123456789")
def test_a_region_s_number_has_any_digits(digit: str) -> None:
    """Regions are numbered in decimal: a tenth of an area would be ``…-10``."""
    for name in (f"eu-west-{digit}", f"eu-west-1{digit}"):
        state = REGION.start
        for char in name:
            state = REGION.step(state, char)
            assert state != DEAD
        assert REGION.accepts(state)
        assert REGION.contains(name)
    assert not REGION.contains(f"eu-west-1{digit}1")


def state_of(domain: Domain, text: str) -> int:
    state = domain.start
    for char in text:
        state = domain.step(state, char)
        if state == DEAD:
            break
    return state


@given(st.one_of(st.ip_addresses(v=4).map(str), st.text("0129.:ax", max_size=9)))
def test_the_ipv4_automaton_agrees_with_the_standard_library(text: str) -> None:
    """A dotted quad is spelled by the automaton, and nothing else is."""
    state = state_of(ADDRESS, text)
    spelled = state != DEAD and ADDRESS.accepts(state)
    assert spelled == (is_address(text) and ":" not in text)


@pytest.mark.parametrize("octet", [*range(256), 256, 260, 300, 999, 1000])
def test_an_octet_is_at_most_255(octet: int) -> None:
    """Each octet is read digit by digit, wherever it stands."""
    for text in (f"{octet}.0.0.1", f"10.{octet}.0.1", f"10.0.0.{octet}"):
        state = state_of(ADDRESS, text)
        assert (state != DEAD and ADDRESS.accepts(state)) == (octet <= 255)
    for text in (".1.1.1", "1..1.1", "1.1.1.1.", "1.1.1.1.1", "01", "1.01"):
        assert state_of(ADDRESS, text) == DEAD
    assert state_of(ADDRESS, "a") == DEAD


@pytest.mark.parametrize("char", "0123456789abcdefABCDEF:")
def test_an_ipv6_address_is_made_of_hexadecimal_digits_and_colons(char: str) -> None:
    """Its automaton is wider than addresses are, but not in its characters."""
    other = ADDRESS.otherwise
    assert other is not None
    assert other.step(other.start, char) != DEAD
    assert other.step(other.start, "x") == DEAD


def test_an_ipv6_address_is_found_where_ipv4_has_none() -> None:
    """A pattern with a colon in it leaves IPv6 addresses, also one that nobody guesses."""
    found = find(ADDRESS, (frozenset((like("*:*:*beef"),)),), frozenset()).value
    assert found is not None
    assert is_address(found)
    assert found.endswith("beef")


def test_an_ipv4_address_is_spelled_with_dots_that_no_pattern_mentions() -> None:
    """A digit in the middle, and no colon anywhere: an IPv4 address that nobody guesses."""
    found = find(ADDRESS, (frozenset((like("*37*"),)),), frozenset((like("*:*"),))).value
    assert found is not None
    assert is_address(found)
    assert "37" in found
    assert ":" not in found


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*?a*", "xa", True),
        ("*?a*", "xxa", True),
        ("*?a*", "a", False),
        ("*a?*", "ba", False),
        ("*a?*", "bax", True),
        ("x*?a*y", "xbay", True),
        ("x*?a*y", "xay", False),
    ],
)
def test_a_chunk_with_a_question_mark_fits_up_to_the_very_end(
    pattern: str, text: str, expected: bool
) -> None:
    """The last place where a chunk between two stars can stand is tried too."""
    assert like(pattern).matches(text) == expected
