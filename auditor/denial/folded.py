"""Names at the end of a line: whether they end there, or a terminal cut the line by its width."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from auditor.denial.arns import resource_of
from auditor.denial.wordings import UNQUOTED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.denial.model import Resource
    from auditor.denial.unwrap import Passage

FOLDS: Final = 16
"""Lines that a name is followed over."""
_TOKEN: Final = re.compile(rf"{UNQUOTED}{{1,600}}")
_AFTER: Final = ".,;:)]}\\"
_ENDING: Final = frozenset(",;)]}\\")
_BREAK: Final = re.compile(r"[ \t]*\n[ \t]*")
# how tools say that they left something out: Guzzle's "(truncated...)", and dots
_CUT: Final = re.compile(r"\s*(?:[(\[]truncated|\.\.\.|\u2026)", re.IGNORECASE)


def joined(text: str) -> str:
    """Return a name without the breaks of lines in it.

    Other white space stays: what was put before each line came into the name with it, and the
    name must not pass for one.
    """
    return _BREAK.sub("", text.strip())


def resource_in(passage: Passage, found: re.Match[str]) -> Resource | None:
    """Return the resource that a form matched in ``passage.after``; ``doubt`` where it may go on.

    A quote that was opened and isn't closed, or dots, tell that the text was cut off.
    """
    groups = found.groupdict()
    named = groups.get("resource")
    if not named:
        return None
    if groups.get("closed") or groups.get("silent") or groups.get("denying"):
        return resource_of(joined(named).rstrip(_AFTER))
    text = named.rstrip(_AFTER)
    after = passage.after[found.start("resource") + len(text) :]
    if groups.get("open") or _CUT.match(after) or text.endswith("\u2026"):
        return _doubted(text, "the message is cut off there")
    if groups.get("denied") or named[-1] in _ENDING:
        return resource_of(text)
    start = len(passage.before) + len(passage.here)
    whole = f"{passage.before}{passage.here}{passage.after}"
    return _followed(named, whole.split("\n"), whole[:start].count("\n"), found, passage)


def _followed(
    text: str, lines: Sequence[str], first: int, found: re.Match[str], passage: Passage
) -> Resource:
    """Follow a name from the line that it is in, as far as lines were cut by their width."""
    here = first + passage.after[: found.end("resource")].count("\n")
    # the sentence begins with "User", which its lines are as wide as
    back = range(here, max(-1, here - FOLDS), -1)
    begin = next((at for at in back if "User" in lines[at]), first)
    part = text
    for at in range(here, min(len(lines) - 1, here + FOLDS)):
        line, following = lines[at].rstrip(), lines[at + 1]
        token = _TOKEN.match(following)
        widest = max((len(one.rstrip()) for one in lines[begin:at]), default=0)
        if not line.endswith(part) or token is None or len(line) < widest:
            break
        part, rest = token[0], following[token.end() :].strip()
        longer = f"{text}{part}".rstrip(_AFTER)
        ends, goes_on = _strict(text), _strict(longer)
        anew = bool(rest[:1].isalnum()) or _new(text, part)
        if ends and (anew or not goes_on):
            break
        if ends and len(line) != widest:
            return _doubted(
                text.rstrip(_AFTER),
                "the line ends there, and the name may go on in the next",
                longer,
            )
        if not ends and anew and not goes_on:
            break
        text = f"{text}{part}"
    return resource_of(text.rstrip(_AFTER))


def _strict(text: str) -> bool:
    return bool(resource_of(text.rstrip(_AFTER)).kind) and not text.endswith("-")


def _new(text: str, part: str) -> bool:
    """Tell whether a word is no part of a name: in capitals after a name that has none, a line."""
    name = text.rpartition("/")[2]
    return (part[0].isupper() and name == name.lower()) or not any(map(str.isalnum, part))


def _doubted(text: str, why: str, longer: str = "") -> Resource:
    """Return what can't stand in a policy, for nobody knows where its name ends."""
    return resource_of(text)._replace(kind="", name="", doubt=why, longer=longer)
