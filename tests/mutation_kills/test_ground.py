"""Automata and domains, character by character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.automata import Automaton, Pattern
from auditor.domains import DEAD, REGION
from auditor.globs import Glob, exactly, like
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
