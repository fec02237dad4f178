"""What to do about a report: sentences, with the commands that they speak of."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.report.guarding import beyond, guarded, overruled
from auditor.report.words import badness, some
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from auditor.findings import Report, RoleReport
    from auditor.report.interface import Again

_NAMED: Final = 3  # roles in a sentence
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
    return [*to_do(report, again)] or [_nothing(report)]


def first_step(report: Report, again: Again) -> Step:
    """Return the first of the next steps: finding out the others takes a look at every role."""
    return next(to_do(report, again), _nothing(report))


def _nothing(report: Report) -> Step:
    part = "Nothing to do for this part of the account."
    return Step("Nothing to do." if report.limits is None else part)


def to_do(report: Report, again: Again) -> Iterator[Step]:
    """Yield what to do about a report, likewise; nothing where there is nothing to do."""
    roles = report.roles
    exposed = [role for role in roles if role.verdict == "exposed" and not role.accepted()]
    undecided = [role for role in roles if role.verdict == "undetermined"]
    same = " (with the same standard input)" if again.standard_input else ""
    if any(map(guarded, exposed)):
        too = "; that closes what exceptions cover of them as well" if overrules(exposed) else ""
        what = f"See what would close the exposed roles, proven{too}{same}:"
        yield Step(what, ("auditor", "remediate", "plan", *again.plan))
    yield from left_open(sorted(exposed, key=badness))
    if undecided:
        yield Step("Correct what the undetermined roles' reasons name, then scan again.")
    if not report.complete:
        yield Step("Allow or repair the reads that failed, then scan again.")
    if exposed or undecided:
        one = min(exposed or undecided, key=badness)
        name = one.arn if one.name.startswith("-") else one.name  # else it would be an option
        look = f"Look closer at one role{same}:"
        yield Step(look, ("auditor", "explain", name, *again.explain))
    if any(role.accepted() for role in roles):
        yield Step("Close the excepted roles before their exceptions end: they can mail"
                   " real people.")  # fmt: skip
    if not roles:
        yield Step("No role was in scope: is this the account, the region, the --role you meant?")


def left_open(exposed: Sequence[RoleReport]) -> list[Step]:
    """Return what to do where the guard on exposed roles leaves something open."""
    left = [f"{name} (as {some(others, _NAMED)})" for name, others in beyond(exposed)]
    if not left:
        return []
    return [
        Step(
            f"A guard leaves open what these roles send as another one: {some(left, _NAMED)}."
            " Close the other role, or take away sts:AssumeRole on it: that is for somebody to"
            " decide who knows what the other role is for."
        )
    ]


def overrules(exposed: Sequence[RoleReport]) -> bool:
    """Tell whether a plan for exposed roles closes something that exceptions cover."""
    return any(overruled(role) and guarded(role) for role in exposed if role.suppressed)


def _words(command: Sequence[str]) -> list[str]:
    # What doesn't print is quoted as it is shown: what is pasted is what was read.
    return [shlex.quote(visible(word)) for word in command]
