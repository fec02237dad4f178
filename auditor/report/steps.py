"""What to do about a report: sentences, with the commands that they speak of."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.report.words import badness
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Report
    from auditor.report.interface import Again

_GOES_ON: Final = " \\"  # a shell reads on in the next line


class Step(NamedTuple):
    """One thing to do. ``command`` is its words, not yet quoted for a shell; empty: there is none.

    ``text`` ends in a colon where a command follows.
    """

    text: str
    command: tuple[str, ...] = ()

    def shell(self) -> str:
        """Return the command in one line, as a shell takes it."""
        return " ".join(_words(self.command))

    def lines(self, width: int) -> list[str]:
        """Return the command in lines of at most ``width`` cells that a shell takes as one.

        A word that is longer stays whole: a command that is cut would do something else.
        """
        from rich.cells import cell_len  # wide characters take two

        found: list[str] = []
        for word in _words(self.command):
            room = width - len(_GOES_ON)
            if found and cell_len(found[-1]) + 1 + cell_len(word) <= room:
                found[-1] += f" {word}"
            else:
                found.append(word)
        return [line + _GOES_ON for line in found[:-1]] + found[-1:]


def next_steps(report: Report, again: Again) -> list[Step]:
    """Return what to do about a report, the gravest first; never nothing at all.

    :param again: what points the commands at what the report is about.
    """
    roles = sorted(report.roles, key=badness)
    exposed = [role for role in roles if role.verdict == "exposed" and not role.accepted()]
    undecided = [role for role in roles if role.verdict == "undetermined"]
    same = " (with the same standard input)" if again.standard_input else ""
    steps = []
    if exposed:
        what = f"See what would close the exposed roles, proven{same}:"
        steps.append(Step(what, ("auditor", "remediate", "plan", *again.plan)))
    if undecided:
        steps.append(Step("Correct what the undetermined roles' reasons name, then scan again."))
    if not report.complete:
        steps.append(Step("Allow or repair the reads that failed, then scan again."))
    if exposed or undecided:
        one = (exposed or undecided)[0]
        name = one.arn if one.name.startswith("-") else one.name  # else it would be an option
        look = f"Look closer at one role{same}:"
        steps.append(Step(look, ("auditor", "explain", name, *again.explain)))
    if any(role.accepted() for role in roles):
        steps.append(Step("Close the excepted roles before their exceptions end: they can mail"
                          " real people."))  # fmt: skip
    if not roles:
        steps.append(
            Step("No role was in scope: is this the account, the region, the --role you meant?")
        )
    part = "Nothing to do for this part of the account."
    return steps or [Step("Nothing to do." if report.limits is None else part)]


def _words(command: Sequence[str]) -> list[str]:
    # What doesn't print is quoted as it is shown: what is pasted is what was read.
    return [shlex.quote(visible(word)) for word in command]
