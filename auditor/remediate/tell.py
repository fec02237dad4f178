"""A plan, and what became of it, for people: plain text in which nothing of others steers."""

from __future__ import annotations

import shlex
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Final

from auditor.corrective.names import MANAGED
from auditor.remediate.page import Page
from auditor.remediate.warn import closing
from auditor.remediate.wording import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from auditor.remediate.model import Change, Left, Outcome, Plan, Proof, Result

APPLY_MAX: Final = 25
"""Changes that one run of 'auditor remediate apply' makes unless told otherwise."""
LEFT_SHOWN: Final = 20
"""Roles named for one reason with nothing to do about it; the others are counted."""
_SAFE: Final = frozenset(("not-exposed", "already"))
"""Reasons that are the same sentence for every role."""


def plan_text(
    plan: Plan, path: str | None = None, width: int = 80, more: Sequence[str] = ()
) -> str:
    """Return a plan as text of at most ``width`` cells (what is to be copied stands whole).

    ``path``, the file that the plan is kept in, and ``more`` options are the next command's.
    """
    page = Page(width)
    page.say(_headline(plan))
    page.say(f"Plan {plan.id}, account {plan.account_id}")
    if not plan.complete:
        page.say(
            "INCOMPLETE: not everything could be read, so roles may be missing here, and what was"
            " not read doesn't count."
        )
    if overruled := closing(plan):
        page.say(f"What an exception covers is closed by {_count(overruled, 'change')}: see !.")
    for change in plan.changes:
        _change(page, plan, change)
    if plan.left:
        page.gap()
        page.say(f"Left as {_is(len(plan.left))}: {_count(len(plan.left), 'role')}")
        _lefts(page, plan.left)
    page.gap()
    command = next_command(plan, path, more)
    if command is None:
        page.say("Nothing to apply.")
    else:
        keep = "" if path else " first keep it in a file (--output PLAN.json), then"
        page.say(f"Nothing has been changed yet. To apply this plan{keep}:")
        page.whole(command, 2)
    return page.text()


def next_command(plan: Plan, path: str | None = None, more: Sequence[str] = ()) -> str | None:
    """Return the command that applies a plan; None where there is nothing to apply."""
    if not plan.changes:
        return None
    words = ["auditor", "remediate", "apply", path or "PLAN.json"]
    if len(plan.changes) > APPLY_MAX:
        words += ["--max-changes", str(len(plan.changes))]
    if plan.create_policy:
        words.append("--create-policies")
    return shlex.join([*words, *more])


def _headline(plan: Plan) -> str:
    number = len(plan.changes)
    name = MANAGED[plan.policy]
    if not number:
        return "Nothing would be changed."
    does = (
        "can then mail nobody but the mailbox simulator"
        if plan.policy == "guard"
        else "can then also mail the mailbox simulator"
    )
    made = ", which is created first" if plan.create_policy else ""
    inline = sum(one.way == "inline" for one in plan.changes)
    how = f" ({inline} of them inline)" if inline else ""
    return f"{_count(number, 'role')} would get the {plan.policy} {name}{made}{how}, and {does}."


def _change(page: Page, plan: Plan, one: Change) -> None:
    before = told(one.before.verdict, one.before.certainty)
    after = told(one.after.verdict, one.after.certainty)
    page.gap()
    page.say(f"{one.role_name}: {before} -> {after}")
    if one.projects:
        page.say(f"projects {', '.join(one.projects)}", 4)
    page.whole(f"+ attach {plan.policy_arn}" if one.way == "attach" else _put(plan), 2)
    for label, text in _proven(one):
        page.say(text, 4, f"{label:11}")
    for sentence in one.still:
        page.say(sentence, 4, f"{'still':11}")
    for warning in one.warnings:
        page.say(warning.text, 2, "! ")
        if warning.snippet is not None:
            page.whole(warning.snippet.rstrip("\n"), 6)


def _put(plan: Plan) -> str:
    return f"+ put inline policy {MANAGED[plan.policy]}"


def _proven(one: Change) -> Iterable[tuple[str, str]]:
    """Yield what is known of a role's requests before and after, the one that says most first."""
    people = [proof for proof in one.proofs if proof.action != "ses:SendBounce"]
    open_now = sorted((p for p in people if p.allowed_before), key=_telling)
    if open_now:
        shown = open_now[0]
        yield "works now", _request(shown)
        yield "then", "let through all the same" if shown.allowed_after else "refused"
        others = list(dict.fromkeys(p.action for p in open_now[1:]))
        if others:
            passed = [p.action for p in open_now[1:] if p.allowed_after]
            yield "also", f"{', '.join(others)}: {_fate(passed)}"
    for proof in people:
        if not proof.allowed_before and proof.simulator_after and not proof.simulator_before:
            yield "opens", f"{proof.action} to the simulator; to anybody else it stays refused"
    reached = [p.action for p in people if p.simulator_before]
    if reached:
        kept = [p.action for p in people if p.simulator_before and p.simulator_after]
        lost = [action for action in dict.fromkeys(reached) if action not in kept]
        yield "simulator", f"NOT reached any more by {', '.join(lost)}" if lost else "still reached"


def _fate(passed: Sequence[str]) -> str:
    return f"LET THROUGH: {', '.join(passed)}" if passed else "refused then"


def _telling(proof: Proof) -> tuple[bool, int]:
    return proof.action != "ses:SendEmail", len(proof.context)


def _request(proof: Proof) -> str:
    """Return a request as ``ses:SendEmail to someone@example.com on arn:…, with …``."""
    context = dict(proof.context)
    recipients = context.pop("ses:Recipients", None)
    to = "" if recipients is None else f" to {_joined(recipients)}"
    rest = ", ".join(f"{key}={_joined(value)}" for key, value in context.items())
    return (
        f"{proof.action}{to} on {' and '.join(proof.resources)}{f', with {rest}' if rest else ''}"
    )


def _joined(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def _lefts(page: Page, lefts: Sequence[Left]) -> None:
    """Tell what is left and why; many roles of one plain reason share a line."""
    ordered = sorted(lefts, key=lambda one: (one.why.code in _SAFE, one.why.code, one.role_arn))
    for code, found in groupby(ordered, lambda one: one.why.code):
        group = list(found)
        if code in _SAFE and len({one.why.text for one in group}) == 1:
            page.say(f"{named([one.role_name for one in group])}: {group[0].why.text}", 2, "- ")
            continue
        for one in group:
            page.say(f"{one.role_name}: {one.why.text}", 2, "- ")
            if one.why.snippet is not None:
                page.whole(one.why.snippet.rstrip("\n"), 6)


def named(roles: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    rest = len(roles) - LEFT_SHOWN
    return ", ".join(roles[:LEFT_SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")


def _is(number: int) -> str:
    return "it is" if number == 1 else "they are"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


_OUTCOMES: Final[dict[Outcome, str]] = {
    "attached": "attached",
    "already": "was there already",
    "detached": "taken back",
    "absent": "wasn't there any more",
    "changed": "NOT DONE",
    "gone": "NOT DONE",
    "refused": "REFUSED",
    "unknown": "UNKNOWN: run it again",
    "limit": "not reached",
    "stopped": "not reached",
}
_DONE: Final = frozenset(("attached", "already", "detached", "absent"))
_ALIKE: Final = frozenset(("limit", "stopped"))
"""Outcomes that are told once for all roles of one reason."""


def results_text(results: Sequence[Result], what: str = "", width: int = 80) -> str:
    """Return what an apply or an undo did: a line a role, what went wrong last, and a summary.

    ``what`` names the run, such as ``apply plan-…``, and stands first, with the account.
    """
    page = Page(width)
    if what:
        arns = (one.role_arn.split(":") for one in results)
        accounts = dict.fromkeys(arn[4] for arn in arns if len(arn) > 5)
        of = f", account {', '.join(accounts)}" if accounts else ""
        page.say(f"{what}{of}")
        page.gap()
    alike: dict[tuple[Outcome, str], list[str]] = {}
    for one in sorted(results, key=lambda one: one.outcome not in _DONE):
        if one.outcome in _ALIKE:
            alike.setdefault((one.outcome, one.message), []).append(one.role_name)
            continue
        before = "" if one.before is None else told(one.before.verdict, one.before.certainty)
        now = "" if one.standing is None else told(one.standing.verdict, one.standing.certainty)
        verdict = f"{before} -> {now}" if before and now else now
        did = _OUTCOMES[one.outcome]
        if one.outcome == "attached" and one.way == "inline":
            did = "put as an inline policy"
        message = f": {one.message}" if one.message else ""
        page.say(f"{one.role_name}: {'; '.join(filter(None, (did, verdict)))}{message}")
    for (outcome, message), names in alike.items():
        page.say(f"{named(names)}: {_OUTCOMES[outcome]}{f': {message}' if message else ''}")
    page.gap()
    counts = Counter(one.outcome for one in results)
    said = [f"{counts[name]:,} {text}" for name, text in _SUMMARY.items() if counts[name]]
    page.say(f"{_count(len(results), 'role')}: {', '.join(said) or 'nothing to do'}.")
    bad = [one for one in results if one.standing and one.standing.verdict == "exposed"]
    if bad:
        page.say(f"{_count(len(bad), 'role')} can mail real people now.")
    return page.text()


_SUMMARY: Final[dict[Outcome, str]] = {
    "attached": "attached",
    "already": "already there",
    "detached": "taken back",
    "absent": "not there any more",
    "changed": "left alone",
    "gone": "gone",
    "refused": "refused",
    "unknown": "unknown",
    "limit": "beyond the limit",
    "stopped": "not reached",
}
