"""A story as text for people: the verdict in one sentence, then why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.explain.answer import NOT_LOOKED_AT, opened
from auditor.explain.page import Page
from auditor.explain.tell_keeping import SHOWN, tell_keeping
from auditor.explain.words import (
    capital,
    heard_words,
    listing,
    place,
    request_words,
    short,
    with_words,
)
from auditor.explain.world import written
from auditor.rules.catalogue import RULES
from auditor.text import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.engine.decision import Decision, Exposure
    from auditor.explain.closing import Closing
    from auditor.explain.story import Story, Way

_VERDICTS = {
    "proven": "EXPOSED, proven: {role} can mail real people.",
    "possible": "EXPOSED, possibly: {role} may mail real people, if AWS is as generous as can be.",
    "simulator_only": "SAFE: {role} can mail SES's mailbox simulator alone.",
    "no_send": "SAFE: {role} can't mail addresses of its choosing.",
    "undetermined": "UNDETERMINED: whether {role} can mail real people could not be decided.",
}
_TELLS = {
    "no_send": "then the role can't mail addresses of its choosing",
    "simulator_only": "then the role can mail the simulator alone",
    "undetermined": "then whether the role can mail real people could not be decided",
}

_WOULD = {
    "proven": "the role would be exposed (proven)",
    "possible": "the role would be exposed (possible)",
    "simulator_only": "the role could mail the simulator alone",
    "no_send": "the role couldn't mail addresses of its choosing",
    "undetermined": "the role would still be undetermined",
}


def render(story: Story, page: Page | None = None) -> str:
    """Return the story as text."""
    page = page or Page()
    safe = story.verdict in ("simulator_only", "no_send")
    page.title(verdict_sentence(story), bad=not safe)
    page.say(short(story.role.arn), 0)
    if not story.scanned:
        page.say("It isn't a role of CodeBuild's, so a scan leaves it out.", 0)
    if story.verdict == "undetermined":
        _undetermined(page, story)
    if story.chain is not None:
        _chain(page, story)
    for way in story.ways:
        _way(page, way)
    if story.guard is not None and len(story.ways) > 1:
        page.heading("What would close all of it")
        _closing(page, story.guard)
    if story.keeping is not None:
        if story.chain is not None:
            page.heading("About its own policies only, which don't undo the way above")
            page.say("By its own policies alone this role is safe.")
        _simulator(page, story.own)
        tell_keeping(page, story.keeping, own_only=story.chain is not None)
    _notes(page, story)
    return page.text()


def verdict_sentence(story: Story) -> str:
    """Return the verdict in one sentence."""
    return _VERDICTS[story.certainty or story.verdict].format(role=short(story.role.name))


def rule_words(rule: str) -> str:
    """Return ``rule mixed-recipients (docs/rules/mixed-recipients.md)``."""
    return f"rule {rule} ({RULES[rule].page})"


def _chain(page: Page, story: Story) -> None:
    chain = story.chain
    if chain is None:
        return
    page.heading("It may become another role")
    page.say(visible(chain.title))
    page.say(f"Found by {rule_words(chain.rule)}.")
    way = story.becoming
    if way is None:
        return
    for step in way.steps:
        page.say(f"{short(step.role.name)} may assume {short(step.target.name)}, by", 2)
        for one in dict.fromkeys(step.call.allows):
            owners = {"trust": step.target, "identity": step.role}
            owner = f" of {short(owners[one.layer].name)}" if one.layer in owners else ""
            page.say(f"{place(one)}{owner}:", 4)
            page.quote(written(one), 6)
        if all(one.layer != "identity" for one in step.call.allows):
            page.say("The trust policy names the role itself: no Allow of its own is needed.", 4)
    end = short(way.end.name)
    page.say(f"The request, made as {end} ({way.exposure.certainty} of {end})")
    _request(page, way.exposure)
    page.say(f"It is found by {rule_words(way.rule)}.", 4)
    page.say(f"auditor explain {end} tells more of it.", 4)
    page.say("What would close it")
    for closing in way.closings:
        _closing(page, closing, "then this way is closed; the role is still exposed in another")


def _way(page: Page, way: Way) -> None:
    first = way.exposures[0]
    names = [one.action.name for one in way.exposures]
    page.heading(f"{listing(names)}: {first.certainty}")
    for rule in way.rules:
        page.say(f"Found by {rule_words(rule)}.")
    for told, layers in (
        ("Opened by", ("identity", "identity-policy")),
        ("Let through by", ("permissions-boundary", "scp")),
    ):
        found = [(one, reasons) for one, reasons in way.through if one.layer in layers]
        if found:
            page.say(told)
        for one, why in found:
            page.say(f"{place(one)}:", 4)
            page.quote(written(one), 6)
            page.items((f"It lets this through by {text}." for text in why), 6)
    page.say("The request")
    _request(page, first)
    if way.missed:
        page.say("Denied by none:")
        for heard in way.missed[:SHOWN]:
            page.say(f"{place(heard.located)} doesn't apply:", 4, "- ")
            page.items(heard_words(heard), 6)
        if len(way.missed) > SHOWN:
            page.say(f"and {len(way.missed) - SHOWN:,} more Denies", 4)
    else:
        page.say("No Deny names the action.")
    _certainty(page, way)
    page.say("What would close it" if way.closings else "What would close it could not be found.")
    for closing in way.closings:
        _closing(page, closing)


def _request(page: Page, exposure: Exposure) -> None:
    page.say(request_words(exposure.request), 4)
    rest = with_words(exposure.request)
    if rest:
        page.say(f"with {listing(rest)}", 4)


def _certainty(page: Page, way: Way) -> None:
    first = way.exposures[0]
    if first.certainty == "proven":
        needs = "needs nothing but recipients, an identity and a region of the caller's choice"
        if not first.plain:
            needs = "needs something of the sender or the environment: see the request's keys"
        page.say(f"Proven: it holds whichever way AWS's open questions turn out. It {needs}.")
        return
    page.say("Only possible:")
    page.items((f"{opened(doubt)}." for doubt in way.doubts), 4)


def _closing(
    page: Page,
    closing: Closing,
    left: str = "then these sends are closed; others of this role are not",
) -> None:
    opens = f", but {listing(closing.opens)} is exposed that wasn't" if closing.opens else ""
    page.say(f"{closing.what}; {_TELLS.get(closing.verdict, left)}{opens}:", 4, "- ")
    shown = closing.document if closing.document is not None else closing.statement
    if shown is not None:
        page.quote(shown, 8)


def _simulator(page: Page, own: Decision) -> None:
    if own.simulator is None:
        return
    page.heading("What it can send")
    _request(page, own.simulator)


def _undetermined(page: Page, story: Story) -> None:
    page.heading("Why")
    page.items(map(capital, map(visible, reasons(story))))
    page.heading("What to do")
    page.items(advice(story))
    for told, after in (
        ("If what can't be read weren't there", story.without),
        ("If it allowed everything", story.whatever),
    ):
        if after is not None:
            page.say(f"{told}, {_WOULD[after.certainty or after.verdict]}.")


def reasons(story: Story) -> Sequence[str]:
    """Return the reasons of an undetermined role, one each."""
    return story.unread if story.unread and story.own.reason else (story.reason or "",)


def advice(story: Story) -> list[str]:
    """Return what to do about an undetermined role."""
    text = " ".join(reasons(story))
    found = []
    if "is not a policy that IAM accepts" in text:
        found.append("Correct the document at the place that is named, then scan again.")
    if "could not be read" in text:
        found.append("Let the auditor read it (docs/permissions.md), or make the snapshot whole.")
    if "budget" in text or "entangled" in text:
        found.append("Write the patterns plainer: fewer statements, fewer wildcards in a value.")
    if "compared both as" in text or "compared as text" in text:
        found.append("Compare the key in one way only: addresses as IpAddress, times as Date.")
    if "may assume" in text:
        found.append("Ask auditor explain about the role that it may assume.")
    return found or ["Report it: a verdict should be possible here."]


def _notes(page: Page, story: Story) -> None:
    notes = [f"{one.severity} {one.rule}: {visible(one.title)}" for one in story.others]
    if story.verdict == "exposed":
        notes += [capital(visible(note)) for note in story.own.notes]
    gaps = [NOT_LOOKED_AT[name] for name in story.missing if name in NOT_LOOKED_AT]
    if gaps:
        notes.append(f"Not looked at, for the source doesn't contain them: {listing(gaps)}.")
    if notes:
        page.heading("Notes")
        page.items(notes)
