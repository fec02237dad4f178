"""The file of exceptions: what is read, and the one line for what can't be."""

from __future__ import annotations

import string
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditor.errors import InputError
from auditor.exceptionfile import GLOB_LIMIT, SIZE_LIMIT, TEXT_LIMIT, ExceptionFileError, parse
from auditor.lasting import RoleException
from auditor.rules.catalogue import RULES

GOOD = """\
# who answers for what
exceptions:
  - role: codebuild-newsletter
    rule: other-recipients-allowed
    reason: >
      mails the beta testers
      until the queue replaces it
    owner: team-mail
    expires: 2027-01-31
  - {role: "arn:aws:iam::*:role/x?", rule: "*", reason: "2", owner: o, expires: "2026-12-01"}
"""
ENTRY = "{role: r, rule: '*', reason: a, owner: b, expires: 2027-01-31}"


def test_a_good_file() -> None:
    """Every form of YAML that the page shows is read, in the file's order, with its lines."""
    assert parse(GOOD.encode(), "e.yaml") == (
        RoleException(
            "codebuild-newsletter",
            "other-recipients-allowed",
            "mails the beta testers until the queue replaces it",
            "team-mail",
            date(2027, 1, 31),
            "e.yaml:3",
        ),
        RoleException("arn:aws:iam::*:role/x?", "*", "2", "o", date(2026, 12, 1), "e.yaml:10"),
    )


@pytest.mark.parametrize(
    "text", ["exceptions: []", "---\nexceptions: []\n...\n", "\ufeffexceptions: []"]
)
def test_none_at_all(text: str) -> None:
    """A file may hold no exception, if it says so."""
    assert parse(text.encode(), "e") == ()


def test_every_rule_can_be_named() -> None:
    """Each rule of the catalogue may stand under rule."""
    for rule in RULES:
        (one,) = parse(
            f"exceptions: [{ENTRY.replace(chr(39) + '*' + chr(39), rule)}]".encode(), "e"
        )
        assert one.rule == rule


def entry(**changed: str | None) -> str:
    values: dict[str, str | None] = {
        "role": "r",
        "rule": "unrestricted-send",
        "reason": "a",
        "owner": "b",
        "expires": "2027-01-31",
    }
    lines = [f"{key}: {value}" for key, value in (values | changed).items() if value is not None]
    return "exceptions:\n  - " + "\n    ".join(lines) + "\n"


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("", 1, "holds nothing"),
        ("# only a comment\n", 1, "holds nothing"),
        ("just a text", 1, "'exceptions:' and a list are expected"),
        ("exceptions:", 1, "exceptions: a list is expected"),
        ("exceptions: {}", 1, "exceptions: a list is expected"),
        ("# x\nexcepions: []", 2, "did you mean exceptions?"),
        ("version: 1\nexceptions: []", 1, "'version' is no key here"),
        ("exceptions: []\nexceptions: []", 2, "exceptions: is given twice"),
        ("{}", 1, "'exceptions:' is missing"),
        ("exceptions:\n  - text", 2, "exception 1: a mapping with role, rule"),
        ("exceptions:\n  - [a]", 2, "exception 1: a mapping"),
        (f"exceptions:\n- {ENTRY}\n- ~\n", 3, "exception 2: a mapping"),
        (entry(owner=None), 2, "exception 1: owner missing"),
        (entry(reason=None, expires=None), 2, "exception 1: reason and expires missing"),
        (entry(onwer="x"), 7, "'onwer' is no key here; did you mean owner?"),
        (entry() + "    role: q\n", 7, "role: is given twice"),
        (entry(owner=""), 5, "owner: is empty"),
        (entry(reason='"  "'), 4, "reason: is empty"),
        (entry(owner="~"), 5, "owner: is empty"),
        (entry(owner="yes"), 5, "owner: 'yes' reads as bool; put it in quotes"),
        (entry(role="12"), 2, "role: '12' reads as int; put it in quotes"),
        (entry(role="2027-01-31"), 2, "role: '2027-01-31' reads as timestamp"),
        (entry(reason="[a]"), 4, "reason: a text is expected, not a list"),
        (entry(reason="{a: b}"), 4, "reason: a text is expected, not a list or a mapping"),
        (entry(reason="[[a]]"), 4, "nested too deeply"),
        (entry(rule="unrestricted-sends"), 3, "did you mean unrestricted-send?"),
        (entry(rule="x"), 3, "there is no rule 'x'; one of docs/rules"),
        (entry(rule="*"), 3, "a text that begins with * must stand in quotes"),
        (entry(role="*-mail"), 2, "aliases are not supported; a text that begins with *"),
        (entry(role="&a b"), 2, "anchors are not supported"),
        (entry(role="!!str b"), 2, "tags (!…) are not supported"),
        (entry(role="!!python/object:os.system b"), 2, "tags (!…) are not supported"),
        ("<<: {a: b}\nexceptions: []", 1, "'<<' is no key here"),
        (entry(expires="31.01.2027"), 6, "expires: '31.01.2027' is no day"),
        (entry(expires="2027-02-30"), 6, "expires: '2027-02-30' is no day"),
        (entry(expires="2027-01-31T00:00:00Z"), 6, "is no day"),
        (entry(expires="never"), 6, "expires: 'never' is no day; write it as 2027-01-31"),
        (entry(expires='"²027-01-31"'), 6, "is no day"),
        ("exceptions: [", 1, "isn't YAML"),
        ("exceptions:\n\t- a", 2, "isn't YAML"),
        (entry(reason='"\\q"'), 4, "isn't YAML"),
        ("exceptions: []\n---\nexceptions: []", 2, "isn't YAML"),
        ("exceptions: []\n\nx\u0001", 3, "holds the character U+0001"),
        (entry(role="r" * (GLOB_LIMIT + 1)), 2, "role: longer than 2,048 characters"),
        (entry(reason="r" * (TEXT_LIMIT + 1)), 4, "reason: longer than 1,000 characters"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, what: str) -> None:
    """One line names the file, the line and the key, and says what to do."""
    with pytest.raises(ExceptionFileError) as caught:
        parse(text.encode(), "dir/e.yaml")

    told = str(caught.value)
    assert told.startswith(f"dir/e.yaml:{line}: ")
    assert what in told
    assert "\n" not in told
    assert isinstance(caught.value, InputError)


def test_bytes_that_are_no_text() -> None:
    """A file in another encoding is named as such, with the line."""
    with pytest.raises(ExceptionFileError, match=r"^e:2: isn't UTF-8"):
        parse(b"exceptions:\n - \xe9", "e")


def test_a_file_too_long_is_refused() -> None:
    """The size is bounded before anything is read of it."""
    parse(b"exceptions: []\n" + b"#" * (SIZE_LIMIT - 15), "e")
    with pytest.raises(ExceptionFileError, match="at most 131,072"):
        parse(b"exceptions: []\n" + b"#" * (SIZE_LIMIT - 14), "e")


def test_a_bomb_of_aliases_is_refused_at_its_first_line() -> None:
    """Nine lines that stand for a billion values cost nothing."""
    bomb = "a: &a [x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{last}'] * 9)}]\n"
        for last, name in zip(string.ascii_lowercase[:9], string.ascii_lowercase[1:10], strict=True)
    )
    with pytest.raises(ExceptionFileError, match="e:1: anchors are not supported"):
        parse(bomb.encode(), "e")


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=60)
    | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text("exceptions: -[]{}&*!|>'\"\n\t,?#%@`~0", max_size=80).map(str.encode)
)
@example(b"[" * 3000)
@example(b"? " * 3000)
@example(b"exceptions: [{[a]: b}]")
@example(b"exceptions:\n- ? a\n")
def test_whatever_the_file_there_is_one_line(data: bytes) -> None:
    """Any bytes give exceptions or one clear line, never another error."""
    told = ""
    try:
        parse(data, "e")
    except ExceptionFileError as error:
        told = str(error)
    assert told.isprintable()
    assert len(told) < 500
