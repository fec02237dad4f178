"""Laws of globs: matching, normal form, inclusion."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.globs import EVERYTHING, apart, exactly, fold_case, like

SMALL = "ab*?"
PATTERNS = st.text(SMALL, max_size=8)
TEXTS = st.text("abc*?", max_size=8)
relaxed = settings(deadline=None, max_examples=400)


def naive(pattern: str, text: str) -> bool:
    """The definition of a wildcard match, letter by letter."""

    @cache
    def at(i: int, j: int) -> bool:
        if i == len(pattern):
            return j == len(text)
        if pattern[i] == "*":
            return at(i + 1, j) or (j < len(text) and at(i, j + 1))
        return j < len(text) and pattern[i] in ("?", text[j]) and at(i + 1, j + 1)

    return at(0, 0)


@relaxed
@given(PATTERNS, TEXTS)
def test_matching_agrees_with_the_definition(pattern: str, text: str) -> None:
    """``matches`` is exactly the recursive definition of ``*`` and ``?``."""
    assert like(pattern).matches(text) == naive(pattern, text)


@relaxed
@given(st.text("aBé*?", max_size=6), st.text("AbÉx", max_size=6))
def test_ignoring_case_is_matching_in_one_case(pattern: str, text: str) -> None:
    """A folding glob matches what its folded pattern matches of the folded text."""
    assert like(pattern, fold=True).matches(text) == naive(fold_case(pattern), fold_case(text))


@relaxed
@given(st.text(max_size=12), st.text(max_size=12))
def test_an_exact_glob_matches_its_own_text_alone(text: str, other: str) -> None:
    """``exactly`` knows no wildcards, whatever the text holds."""
    assert exactly(text).matches(text)
    assert exactly(text).matches(other) == (text == other)


@relaxed
@given(PATTERNS, st.text("*?", max_size=4), PATTERNS)
def test_equal_normal_forms_match_alike(left: str, run: str, right: str) -> None:
    """Doubled stars, and the order within a run of wildcards, make no difference."""
    plain = like(left + run + right)
    shuffled = like(left + "".join(sorted(run)) + run.count("*") * "*" + right)
    assert plain == shuffled
    assert hash(plain) == hash(shuffled)
    assert like(str(plain)) == plain or "?" in str(plain) or "*" in str(plain)


@relaxed
@given(PATTERNS, PATTERNS, TEXTS, st.booleans(), st.booleans())
def test_covering_is_sound(wide: str, narrow: str, text: str, fold: bool, also: bool) -> None:
    """Where one glob covers another, each text of the other is its own too."""
    first, second = like(wide, fold=fold), like(narrow, fold=also)
    if first.covers(second) and second.matches(text):
        assert first.matches(text)
    if first.covers(second) and second.matches(text.upper()):
        assert first.matches(text.upper())


@relaxed
@given(PATTERNS, PATTERNS, st.booleans())
def test_widening_covers(left: str, right: str, fold: bool) -> None:
    """A glob covers itself, is covered by ``*``, and by itself with a star before or after it."""
    glob = like(left + right, fold=fold)
    assert glob.covers(glob)
    assert EVERYTHING.covers(glob)
    assert like(f"{left}{right}*", fold=fold).covers(glob)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("*a" * 400 + "*b", "a" * 9_000, False),
        ("*a" * 400 + "*b", "a" * 9_000 + "b", True),
        ("?" * 500 + "*", "x" * 499, False),
        ("*?a" * 300, "a" * 4_000, True),
        ("\ud800*", "\ud800x", True),
        ("İ", "i", False),
        ("", "", True),
        ("*", "", True),
        ("?", "", False),
        ("a*a", "a", False),
    ],
)
def test_hostile_patterns_match_without_backtracking(
    pattern: str, text: str, expected: bool
) -> None:
    """Patterns that hang a regular expression are matched in steps that their sizes bound."""
    assert like(pattern).matches(text) is expected


@relaxed
@given(PATTERNS, PATTERNS, TEXTS, st.booleans(), st.booleans())
def test_apart_is_sound(left: str, right: str, text: str, fold: bool, also: bool) -> None:
    """No text matches two globs that are said to be apart."""
    one, other = like(left, fold=fold), like(right, fold=also)
    for each in (text, text.upper()):
        assert not (apart(one, other) and one.matches(each) and other.matches(each))
    assert apart(one, other) == apart(other, one)


@pytest.mark.parametrize(
    ("left", "right", "fold", "said"),
    [
        ("*@a.com", "*@b.com", False, True),
        ("*@a.com", "*@mail.a.com", False, True),
        ("*@A.com", "*@a.com", False, True),
        ("*@A.com", "*@a.com", True, False),
        ("a*", "ab*", False, False),
        ("a*", "b*", False, True),
        ("*a?", "*b?", False, False),  # not plain: nothing is said of ? at an end
        ("*@*.a.com", "*@x.a.com", False, False),
        ("*", "x", False, False),
    ],
)
def test_what_is_plainly_apart(left: str, right: str, fold: bool, said: bool) -> None:
    """Globs whose first or last characters differ are told apart, the commonest of all at once."""
    assert apart(like(left), like(right, fold=fold)) == said
