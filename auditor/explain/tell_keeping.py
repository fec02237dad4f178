"""What keeps a safe role safe, as text for people: each limit, and what its going would open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.explain.words import capital, listing, request_words, with_words
from auditor.text import visible

if TYPE_CHECKING:
    from auditor.engine.decision import Decision
    from auditor.explain.keeping import Keeping, Removal
    from auditor.explain.page import Page

SHOWN = 12
"""Entries of a list on the page; the rest are counted. The JSON has all."""


def tell_keeping(page: Page, found: Keeping, *, own_only: bool) -> None:
    """Write what keeps a role safe, and what would break it. ``own_only``: by its own policies."""
    page.heading("What keeps its own policies safe" if own_only else "What keeps it safe")
    if not found.matter and not found.pairs:
        page.say(_nothing(found))
    for removal in found.matter[:SHOWN]:
        _removal(page, removal)
    for removal in found.pairs[:SHOWN]:
        _removal(page, removal)
    hidden = max(0, len(found.matter) - SHOWN) + max(0, len(found.pairs) - SHOWN)
    if hidden:
        page.say(f"and {hidden:,} more")
    for removal in found.unclear[:SHOWN]:
        page.say(f"Without {removal.limits[0].what} it could not be decided.", 2, "- ")
    if found.idle:
        page.say(f"{_count(len(found.idle))} could go alone, and the role would stay safe:")
        page.items((limit.what for limit in found.idle[:SHOWN]), 4)
        if len(found.idle) > SHOWN:
            page.say(f"and {len(found.idle) - SHOWN:,} more", 4)
    if found.left:
        page.say(f"{found.left:,} more limits weren't tried.")
    page.heading("What would break it")
    page.say(_granted(found.granted))


def _nothing(found: Keeping) -> str:
    """Say why no removal matters: nothing allows a send, or limits stand in for each other."""
    if found.granted.verdict == "exposed":
        return "Nothing in its policies allows a send to a person: there is no limit to take away."
    return "No limit does it alone, nor any two that were tried: more than two stand together."


def _granted(after: Decision) -> str:
    if after.verdict == "exposed":
        way = after.exposures[0]
        return (
            "A further policy that allows it everything would expose it:"
            f" {request_words(way.request)}."
        )
    if after.verdict == "undetermined":
        return f"With a further policy that allows it everything: {visible(after.reason or '')}."
    return "Not even a further policy that allows it everything: the limits above would hold."


def _removal(page: Page, removal: Removal) -> None:
    what = " and ".join(limit.what for limit in removal.limits)
    both = "both " if len(removal.limits) > 1 else ""
    page.say(f"{capital(what)}.", 2, "- ")
    way = removal.after.exposures[0]
    page.say(f"Without {both or 'it '}the role is exposed ({way.certainty}):".replace("  ", " "), 4)
    page.say(request_words(way.request), 6)
    rest = with_words(way.request)
    if rest:
        page.say(f"with {listing(rest)}", 6)


def _count(number: int) -> str:
    return "One limit" if number == 1 else f"Each of {number:,} limits"
