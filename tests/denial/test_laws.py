"""Laws of finding: how a log was broken, colored or quoted changes nothing; nor does its size."""

from __future__ import annotations

import html
import json
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from auditor.denial.find import find
from auditor.denial.places import PLACES
from tests.denial.cases import Case, read, told

if TYPE_CHECKING:
    from auditor.denial.model import Found

KNOWN = [case for case in read() if len(case.finds) == 1 and case.file != "logs"]
SENTENCE = [case for case in KNOWN if case.finds[0]["action"] and "\n" not in case.text]
QUOTED = [case for case in SENTENCE if "`" in case.text and "\\" not in case.text]
WHAT = ("principal", "action", "resource", "why", "project")
SGR = ("\x1b[0m", "\x1b[1;31m", "\x1b[38;5;208m", "\x1b[K", "\x1b]0;title\x07", "[33m")


def what(found: Found) -> list[dict[str, object]]:
    """What was refused, without what tells the SDK."""
    return [{key: told(one)[key] for key in WHAT} for one in found.denials]


def wanted(case: Case) -> list[dict[str, object]]:
    return what(find(case.text))


@pytest.mark.parametrize("case", QUOTED[:30], ids=str)
@pytest.mark.parametrize("width", [41, 60, 79, 120])
def test_cut_by_the_terminals_width(case: Case, width: int) -> None:
    """A sentence that a terminal broke anywhere, names included, says the same."""
    text = "\n".join(case.text[at : at + width] for at in range(0, len(case.text), width))
    assert what(find(text)) == wanted(case)


@pytest.mark.parametrize("width", range(40, 121, 9))
def test_a_name_without_quotes_cut_by_the_width(width: int) -> None:
    """Where nothing but the width of the lines tells that a name goes on, it is read whole; in
    lines that weren't cut it ends where its line does.
    """
    who = "arn:aws:sts::123456789012:assumed-role/builds/AWSCodeBuild-1"
    arn = "arn:aws:ses:eu-west-1:123456789012:identity/mail.example.com"
    text = f"User: {who} is not authorized to perform: ses:SendEmail on resource: {arn}"
    cut = "\n".join(text[at : at + width] for at in range(0, len(text), width))
    for whole in (cut, f"{text}\nTraceback"):
        (one,) = find(whole).denials
        assert one.resource is not None
        assert one.resource.text == arn


@given(st.sampled_from(SENTENCE), st.integers(0, 10_000))
@settings(max_examples=150, deadline=None)
def test_folded_between_words(case: Case, seed: int) -> None:
    """A sentence that was folded between words, indented or after the time, says the same."""
    rng = random.Random(seed)  # noqa: S311 - examples, the same ones every time
    end = rng.choice(("\n", "\r\n"))
    lead = rng.choice(("", "    ", "[Container] 2026/11/23 03:00:00.123456 ", "│ "))
    words = case.text.split(" ")
    text = "".join(
        word + ("" if at == len(words) - 1 else rng.choice((" ", " ", f"{end}{lead}")))
        for at, word in enumerate(words)
    )
    assert what(find(text)) == wanted(case)


@given(st.sampled_from(KNOWN), st.lists(st.tuples(st.integers(0, 2_000), st.sampled_from(SGR))))
@settings(max_examples=150, deadline=None)
def test_colored(case: Case, colors: list[tuple[int, str]]) -> None:
    """Colors anywhere, in the middle of a name too, change nothing."""
    if "\\" in case.text or "\x1b" in case.text or "&" in case.text:
        return  # there a place may be within an escape
    text = case.text
    for at, color in sorted(colors, reverse=True):
        text = text[:at] + color + text[at:] if at <= len(text) else text
    assert what(find(text)) == wanted(case)


@given(st.sampled_from(KNOWN), st.integers(1, 2), st.booleans())
@settings(max_examples=150, deadline=None)
def test_in_json_or_xml(case: Case, depth: int, xml: bool) -> None:
    """A message within JSON, within JSON once more, or within XML is the message."""
    if "\\" in case.text:
        return  # it is within JSON already: a level more is more than is undone
    text = html.escape(case.text) if xml else case.text
    for _ in range(0 if xml else depth):
        text = json.dumps({"message": text, "level": "error"})
    assert what(find(text)) == wanted(case)


@given(st.sampled_from(KNOWN), st.text(alphabet="abc \n\t:.,-", max_size=300))
@settings(max_examples=100, deadline=None)
def test_in_a_log(case: Case, noise: str) -> None:
    """Other lines before and after don't matter; the line's number is right."""
    before = f"{noise}\nthe tests start\n\n"
    found = find(f"{before}{case.text}\n\nthe end of the tests\n{noise}")

    assert what(found) == wanted(case)
    shift = before.count("\n")
    moved = [tuple(line + shift for line in one.lines) for one in find(case.text).denials]
    assert [one.lines for one in found.denials] == moved


PIECES = st.sampled_from(
    (
        *(
            "User",
            "`",
            "'",
            ":",
            " is not authorized to perform ",
            "ses:",
            "SendEmail",
            "operation",
        ),
        *(" on resource ", "arn:aws:sts::123456789012:assumed-role/r/s", "arn:", "[", "because no"),
        *(" with an explicit deny in a", "permissions boundary", "An error occurred ("),
        *("AccessDenied) when calling the ", "\n", "\\", "\\u00", "\x1b[", "\x1b]", "&#9"),
        *("\ud800", "\u00e9", "\u2028", "\0"),
    )
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=60).map("".join)))
@example("\\u" * 50)
@example("&#0;&#xd800;&#9999;")
@settings(max_examples=400, deadline=None)
def test_any_text_is_read(text: str) -> None:
    """Whatever the text, something comes out; only names that fit are taken apart."""
    for one in find(text).denials:
        assert one.action.lower().startswith("ses:") or one.operation
        if one.resource is not None and one.resource.kind:
            assert one.resource.text.startswith("arn:aws")


HOSTILE = {
    "sentences": "User `a' is not authorized to perform `ses:SendEmail' on resource `b' ",
    "anchors": "not authorized to perform",
    "users": "User",
    "quotes": "User `is not authorized to perform `",
    "one long name": "a",
    "escapes": "\\",
    "colors": "\x1b[",
    "titles": "\x1b]",
    "empty lines": "\n",
    "short lines": "User\nis not\nauthorized to\nperform\n:\n",
    "reasons": "not authorized to perform: ses:SendEmail because no ",
    "problems": "Email address is not verified. ",
    "calls": "An error occurred (AccessDenied) when calling the X operation: ",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_work_grows_no_faster_than_the_log(name: str) -> None:
    """Twice the text is about twice the characters looked at closely: counted, not timed."""
    part = HOSTILE[name]
    small = part * (20_000 // len(part))
    large = part * (40_000 // len(part))
    looked, twice = find(small).looked, find(large).looked

    assert twice <= 2.2 * looked + 8_192


def test_no_log_takes_more_than_its_budget() -> None:
    """Of very many different places the rest is counted, and not looked at."""
    sentence = "User `u{0}' is not authorized to perform `ses:SendEmail' on resource `r{0}' "
    text = "".join(f"{sentence.format(n)}{'x' * 300}\n" for n in range(PLACES + 7))
    found = find(text)

    assert found.unread == 7
    assert len(found.denials) == PLACES
    assert found.looked < 8_000 * PLACES
