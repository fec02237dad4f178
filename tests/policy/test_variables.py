"""Policy variables: split and resolved as AWS's page says, whatever text they stand in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.policy.values import joined
from auditor.policy.variables import Literal, Variable, resolve, split

relaxed = settings(deadline=None, max_examples=300)
SOUP = st.text("${}a,' *?:/", max_size=16)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ()),
        ("plain", ("plain",)),
        ("${aws:username}", (Variable("aws:username", None),)),
        ("a${AWS:UserName}b", ("a", Variable("aws:username", None), "b")),
        ("${aws:username, 'anonymous'}", (Variable("aws:username", "anonymous"),)),
        ("${aws:username,'a'}", (Variable("aws:username", "a"),)),
        ("${aws:username, anonymous}", (Variable("aws:username", None),)),
        ("${aws:PrincipalTag/a, 'co-wide'}", (Variable("aws:principaltag/a", "co-wide"),)),
        ("${*}${?}${$}", (Literal("*"), Literal("?"), Literal("$"))),
        ("x${", ("x${",)),
        ("x${y", ("x${y",)),
        ("${}", (Variable("", None),)),
        ("$${a}", ("$", Variable("a", None))),
        ("${a}}", (Variable("a", None), "}")),
        ("$*", ("$*",)),
    ],
)
def test_splitting_by_example(text: str, parts: tuple[object, ...]) -> None:
    """The forms of "IAM policy elements: Variables and tags", and what isn't one of them.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    assert split(text) == parts


@relaxed
@given(SOUP)
def test_splitting_loses_no_plain_text(text: str) -> None:
    """A text without ``${`` is one part; plain parts and variables alternate at most."""
    parts = split(text)
    if "${" not in text:
        assert parts == ((text,) if text else ())
    assert all(part for part in parts if isinstance(part, str))
    plain = [part for part in parts if isinstance(part, str)]
    at = 0
    for part in plain:
        at = text.index(part, at) + len(part)


@relaxed
@given(SOUP, st.text("ab*?$", max_size=4))
def test_known_values_are_put_in_as_literals(text: str, value: str) -> None:
    """A variable's value is itself, never a wildcard; what is known of all keys resolves all."""
    found = resolve(text, lambda _key: value)
    assert found is not None
    for part, (shown, literal) in zip(split(text), found, strict=True):
        assert literal == (not isinstance(part, str))
        assert shown == (
            part if isinstance(part, str) else part.text if isinstance(part, Literal) else value
        )


@relaxed
@given(SOUP)
def test_an_unknown_value_leaves_nothing_resolved(text: str) -> None:
    """Where a key's value isn't known no default serves; where it is absent only a default does."""
    parts = split(text)
    variables = [part for part in parts if isinstance(part, Variable)]
    assert (resolve(text, lambda _key: None) is None) == bool(variables)
    lacking = any(part.default is None for part in variables)
    assert (resolve(text, lambda _key: False) is None) == lacking


def test_a_star_from_a_variable_matches_a_star_alone() -> None:
    """``${*}`` and a tag of ``*`` are an asterisk."""
    for parts in ((("*", True), ("@x", False)),):
        glob = joined(parts, wild=True, fold=False)
        assert glob.matches("*@x")
        assert not glob.matches("a@x")


def test_a_flood_of_openings_is_one_pass() -> None:
    """Hundreds of thousands of ``${`` are split in time that their number bounds."""
    assert split("${" * 300_000) == ("${" * 300_000,)
    assert len(split("${a}" * 100_000)) == 100_000
