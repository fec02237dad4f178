"""What was found, told to people. Everything from the log goes through ``visible``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

from auditor.denial.advice import enough, recipients
from auditor.denial.asked import SHOWN, asked_words, short
from auditor.denial.command import command_of
from auditor.denial.notes import notes_of, reason_of
from auditor.denial.problems import BY_ID
from auditor.denial.why import SIMULATED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from auditor.denial.look import Seen
    from auditor.denial.model import Denial, Found, Principal


class Page(Protocol):
    """What a page must do: fold paragraphs, and return its text."""

    def title(self, text: str, *, bad: bool = False) -> None:
        """Add the sentence that says it all."""

    def heading(self, text: str) -> None:
        """Add a heading with an empty line before it."""

    def say(self, text: str, indent: int = 2, first: str = "") -> None:
        """Add a paragraph."""

    def items(self, texts: Iterable[str], indent: int = 2) -> None:
        """Add paragraphs with a dash each."""

    def rows(self, rows: Iterable[tuple[str, str]], indent: int = 2, label: int = 10) -> None:
        """Add labelled paragraphs."""

    def text(self) -> str:
        """Return the page, ending in a newline."""


def render(found: Found, seen: Sequence[Seen], new: Callable[[], Page]) -> str:
    """Return the answer as text; ``new`` makes a page. Policies stand in it whole, to be copied."""
    page = new()
    page.title(_title(found), bad=bool(found))
    parts: list[str] = []
    for one in seen:
        _caller(one, page)
        document = one.advice.policy
        if document is not None:
            parts += (page.text(), json.dumps(document, indent=2), "\n")
            command = command_of(one.advice)
            page = new()
            if command:
                page.heading("The command that puts it there")
                parts += (page.text(), command)
                page = new()
            _after(one, page)
    _troubles(found, page)
    _others(found, page)
    if found.unread:
        page.heading("Not looked at")
        page.say(
            f"{found.unread:,} more places of the log: there are too many different ones. Cut the"
            " log, and look again."
        )
    return "".join((*parts, page.text()))


def _title(found: Found) -> str:
    refused, troubles = len(found.denials), len(found.troubles)
    if refused:
        return (
            f"{_count(refused, 'call')} to SES {'was' if refused == 1 else 'were'} refused by a"
            " policy."
        )
    if troubles:
        return "No policy refused mail: something else is wrong with it."
    return f"Nothing about mail was found in {_count(found.lines, 'line')}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _lines(lines: Sequence[int], times: int) -> str:
    shown = ", ".join(f"{line:,}" for line in lines)
    more = ", …" if times > len(lines) else ""
    often = f" ({times:,} times)" if times > 1 else ""
    return f"{'line' if len(lines) == 1 else 'lines'} {shown}{more}{often}"


def _caller(seen: Seen, page: Page) -> None:
    denials = seen.advice.denials
    for denial in denials[:SHOWN]:
        page.heading(f"Refused: {short(denial.action or denial.operation)}")
        page.rows(_rows(denial, seen))
        asked = seen.asked(denial)
        if asked is None or denial.why.outcome != "unsaid":
            page.say(reason_of(denial))
        if asked is not None:
            page.items(asked_words(asked))
        page.items(notes_of(denial))
    if len(denials) > SHOWN:
        page.say(f"… and {len(denials) - SHOWN:,} more calls of this caller.")
    if seen.examined and seen.unseen:
        page.say(f"What was looked at can't contain: {', '.join(seen.unseen)}.")
    if seen.remark:
        page.say(f"The role was not looked at: {seen.remark}.")
    page.items(f"{text.rstrip('.')}." for text in seen.advice.refusals)
    if seen.advice.policy is not None:
        denied = any(one.why.outcome == "explicit" for one in denials) or any(
            asked.denies for asked in seen.examined.values()
        )
        if denied:
            page.heading("Needed as well, and not enough: an Allow for the simulator alone")
            page.say("No Allow gets past a Deny: first change what stands in the way.")
        else:
            page.heading("What lets these calls reach the simulator, and nobody else")
        if any(recipients(one.resource) for one in denials):
            page.say(
                "What was refused is an address, and may be the recipient's: identity/* is here"
                " since the sender's identity isn't known. If you know it, put it there instead."
            )
        if not denied and not all(map(enough, denials)):
            page.say("It is not enough by itself: what AWS named above stands in the way as well.")


def _rows(denial: Denial, seen: Seen) -> Iterator[tuple[str, str]]:
    yield "where", _lines(denial.lines, denial.times)
    yield "who", _who(denial.principal)
    project = denial.project
    if seen.projects:
        listed = ", ".join(f"{short(one.name)} ({one.region})" for one in seen.projects[:SHOWN])
        yield "project", f"{listed}, by the role that it uses"
    elif project is not None:
        how = "by the build's id in the log" if project.sure else "as the role's name suggests"
        yield "project", f"{project.name}, {how}"
    if denial.principal is not None and denial.principal.build:
        yield "build", denial.principal.build
    if denial.resource is not None:
        yield "on", short(denial.resource.text)
    if denial.why.policy:
        yield "by", short(denial.why.policy)
    said = ", ".join(filter(None, (denial.wording, denial.operation, denial.code)))
    if said:
        yield "message", short(said)


def _account(who: Principal) -> str:
    return f"account {who.account}" if who.account else "an account that is blanked out"


def _who(who: Principal | None) -> str:
    if who is None:
        return "the message doesn't say"
    if who.kind == "role":
        session = f", session {who.session}" if who.session else ""
        return f"role {who.name} of {_account(who)}{session}"
    if who.kind == "user":
        return f"IAM user {who.name} of {_account(who)}"
    return short(who.text)


def _after(seen: Seen, page: Page) -> None:
    page.heading("Then")
    steps = [
        (
            f"Let the tests write to the simulator: {SIMULATED}, or bounce@, complaint@, ooto@ and"
            " suppressionlist@ there, with a label such as success+order-17@ to tell mails apart."
        ),
        (
            "The policy takes nothing away: a role that may mail real people still may. 'auditor"
            " scan' tells, 'auditor policy guard' closes it."
        ),
    ]
    if seen.replaces:
        steps.insert(
            0,
            "The role has an inline policy of this name already, and the command replaces it: add"
            " what it allows before you run it.",
        )
    page.items(steps)


def _troubles(found: Found, page: Page) -> None:
    for one in found.troubles[:SHOWN]:
        row = BY_ID[one.row]
        page.heading(f"Not a policy: {row.id}")
        details = ((label, short(text)) for label, text in one.details)
        page.rows((("where", _lines(one.lines, one.times)), *details), label=12)
        page.say(row.what)
        page.items((*row.then, f"See {row.source}"))
    if len(found.troubles) > SHOWN:
        page.say(f"… and {len(found.troubles) - SHOWN:,} more problems.")


def _others(found: Found, page: Page) -> None:
    if not found.others:
        return
    page.heading("Refused too, and not about mail")
    page.items(
        f"{short(one.what)}: {_who(one.principal)}, {_lines(one.lines, one.times)}"
        for one in found.others[:SHOWN]
    )
    if len(found.others) > SHOWN:
        page.say(f"… and {len(found.others) - SHOWN:,} more.")
