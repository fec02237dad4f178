"""A large set of matchers that is made ready says what trying each of them would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from auditor.engine.prepared import FEW, check
from auditor.policy.operators import OPERATORS, read

if TYPE_CHECKING:
    from auditor.policy.values import Matcher

NUMBERS = st.integers(-20, 20).map(str) | st.sampled_from(("0.5", "-3.5", "1e1"))
DATES = st.builds(
    "2026-{:02}-{:02}T{:02}:00:00Z".format,
    st.integers(1, 12),
    st.integers(1, 28),
    st.integers(0, 23),
) | st.integers(1_767_225_600, 1_798_761_600).map(str)
BLOCKS = st.builds(
    "10.{}.{}.0/{}".format, st.integers(0, 3), st.sampled_from((0, 64, 128)), st.integers(6, 32)
) | st.sampled_from(("2001:db8::/32", "2001:db8:1::/48", "10.1.0.1", "0.0.0.0/1"))
TEXTS = st.text("ab*?", min_size=1, max_size=4)
DATA = st.sampled_from(("YQ==", "Yg==", "YWI="))
VALUES = {
    "string": TEXTS,
    "numeric": NUMBERS,
    "date": DATES,
    "ip": BLOCKS,
    "binary": DATA,
    "bool": st.sampled_from(("true", "false")),
}
FAMILIES = {
    family: [row for row in OPERATORS.values() if row.family == family] for family in VALUES
}


def matchers_of(family: str) -> st.SearchStrategy[Matcher | None]:
    return st.builds(read, st.sampled_from(FAMILIES[family]), VALUES[family])


MANY = 5 * FEW
ASKED = st.one_of(
    *VALUES.values(), BLOCKS.map(lambda block: block.partition("/")[0]), st.just("no such value")
)


@given(
    st.frozensets(st.one_of(*map(matchers_of, VALUES)), max_size=MANY)
    | st.sampled_from(sorted(VALUES)).flatmap(
        lambda family: st.frozensets(matchers_of(family), max_size=MANY)
    ),
    st.lists(ASKED, min_size=1, max_size=20),
)
def test_a_set_made_ready_is_the_set(matchers: frozenset[Matcher | None], texts: list[str]) -> None:
    """Of one kind, thresholds and blocks within each other, or of all kinds together."""
    real = frozenset(one for one in matchers if one is not None)
    ready = check(real)
    for text in texts:
        assert ready.matches(text) == any(one.matches(text) for one in real), text


def test_a_large_set_is_looked_up() -> None:
    """Asking thousands of plain values costs what asking a few does; wildcards are tried."""
    equals, like = OPERATORS["stringequals"], OPERATORS["stringlike"]
    plain = frozenset(one for at in range(5_000) if (one := read(equals, f"v{at}")) is not None)
    wild = frozenset(one for at in range(50) if (one := read(like, f"v{at}*")) is not None)
    assert check(plain).cost <= FEW
    assert len(wild) <= check(plain | wild).cost <= len(wild) + FEW
    few = frozenset(list(plain)[:FEW])
    assert check(few).cost == len(few)
    assert check(few).setup == 0
    assert check(plain).setup == len(plain)


def test_equal_numbers_are_looked_up() -> None:
    """However they are written; a neighbour is another number."""
    row = OPERATORS["numericequals"]
    ready = check(frozenset(one for at in range(50) if (one := read(row, str(2 * at))) is not None))
    assert [ready.matches(text) for text in ("42", "42.0", "43", "-2")] == [
        True,
        True,
        False,
        False,
    ]
