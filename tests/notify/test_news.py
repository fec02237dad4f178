"""What a channel is told, and that it is told once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.account import Failure
from auditor.life import Changes
from auditor.notify.interface import Remedy
from auditor.notify.news import Heard, Night, after, news_of, partly
from tests import examples
from tests.notify import told

if TYPE_CHECKING:
    from auditor.findings import Report
    from auditor.notify.interface import Occasion

MONDAY = 0  # 2026-11-23, examples.NOW
ERROR = (Failure("codebuild:ListProjects eu-west-1", "AccessDenied"),)
OTHER = (Failure("iam:GetAccountAuthorizationDetails", "Throttling"),)


def night(report: Report, changes: Changes = Changes(), **more: Any) -> Night:  # noqa: B008 - empty, and never changed
    return Night(report, changes, more.pop("run_id", "run"), "outbox", **more)


def follow(*nights: Night, advice: bool = False) -> list[Occasion | None]:
    """Return what one channel is told, night after night."""
    heard, found = Heard(), []
    for one in nights:
        news = news_of(one, heard, advice=advice)
        heard = after(one, heard, news)
        found.append(None if news is None else news.occasion)
    return found


OPEN = examples.report(examples.WEB)
NEW = Changes(new=(told.NEW,))
GONE = Changes(resolved=(told.NEW,))
CLEAN = examples.clean()
BROKEN = examples.report(examples.WEB, errors=ERROR)
PLANNED = Remedy(("planned",), {"plan_id": "plan-1", "changes": 1})
DONE = Remedy(("closed",), {"plan_id": "plan-1", "outcomes": {"arn": "attached"}})

ANEW = Remedy((), {"plan_id": "plan-2", "outcomes": {"arn": "refused"}})
REFUSED = Remedy(("refused",), {"plan_id": "plan-1", "outcomes": {"arn": "refused"}})


@pytest.mark.parametrize(
    ("nights", "expected"),
    [
        ([night(OPEN, NEW), night(OPEN), night(OPEN)], ["changes", None, None]),
        # The outbox is still full: another channel failed, this one has heard it.
        ([night(OPEN, NEW), night(OPEN, NEW)], ["changes", None]),
        ([night(CLEAN)], [None]),
        ([night(OPEN, NEW), night(CLEAN, GONE), night(CLEAN)], ["changes", "all-clear", None]),
        # Cleared without this channel's having heard the change itself, for instance by scope.
        ([night(OPEN, NEW), night(CLEAN)], ["changes", "all-clear"]),
        # An incomplete audit clears nothing; the complete one behind it does.
        (
            [night(OPEN, NEW), night(examples.report(errors=ERROR)), night(CLEAN)],
            ["changes", "changes", "all-clear"],
        ),
        # Nor does one that couldn't look at what was open.
        ([night(OPEN, NEW), night(CLEAN, unseen=(told.NEW,))], ["changes", None]),
        # The same gap is told once, another one anew, and that it is over.
        (
            [night(BROKEN), night(BROKEN), night(replace(BROKEN, errors=OTHER)), night(OPEN)],
            ["changes", None, "changes", "changes"],
        ),
        # Advice wakes nobody.
        ([night(CLEAN, Changes(new=(told.ADVICE,)))], [None]),
        ([night(OPEN, NEW), night(OPEN, NEW._replace(new=(told.NEW, told.ADVICE)))],
         ["changes", None]),
        # A plan comes with other news; what was done, or failed, is news.
        ([night(OPEN, NEW), night(OPEN, remedy=PLANNED)], ["changes", None]),
        ([night(OPEN, remedy=DONE), night(OPEN, remedy=DONE)], ["changes", None]),
        ([night(OPEN, remedy=Remedy(("x",), {"error": "no"}))], ["changes"]),
        # A role that can't be closed is news once, though each night has a plan of its own.
        ([night(OPEN, remedy=REFUSED), night(OPEN, remedy=ANEW)], ["changes", None]),
        # On the digest's day what is open is told, once, and not where it was told already.
        ([night(OPEN, digest=MONDAY), night(OPEN, digest=MONDAY)], ["digest", None]),
        ([night(OPEN, digest=MONDAY + 1)], [None]),
        ([night(OPEN, NEW, digest=MONDAY), night(OPEN, digest=MONDAY)], ["changes", None]),
        ([night(CLEAN, digest=MONDAY)], [None]),
        ([night(CLEAN, digest=MONDAY, unseen=(told.NEW,))], ["digest"]),
        # Always: every run, but a retried one once.
        (
            [night(CLEAN, always=True), night(CLEAN, always=True),
             night(CLEAN, always=True, run_id="next")],
            ["report", None, "report"],
        ),
    ],
)  # fmt: skip
def test_what_is_told(nights: list[Night], expected: list[Occasion | None]) -> None:
    """Each night says what is different from what this channel heard last, and nothing else."""
    assert follow(*nights) == expected


def test_a_week_later_the_digest_comes_again() -> None:
    """The digest's memory is a day, not a flag."""
    later = replace(OPEN, generated_at=OPEN.generated_at + timedelta(days=7))
    assert follow(night(OPEN, digest=MONDAY), night(later, digest=MONDAY)) == ["digest"] * 2


def test_machines_get_advice_too() -> None:
    """A channel for machines hears of every change."""
    changes = Changes(new=(told.ADVICE,))
    assert follow(night(CLEAN, changes), night(CLEAN, changes), advice=True) == ["changes", None]


def test_only_what_it_has_not_heard() -> None:
    """Where another channel keeps a change waiting, this one is told the later ones alone."""
    first = night(OPEN, NEW)
    heard = after(first, Heard(), news_of(first, Heard()))
    news = news_of(night(OPEN, NEW._replace(reopened=(told.REOPENED,))), heard)
    assert news is not None
    assert news.changes == Changes(reopened=(told.REOPENED,))


def test_partly() -> None:
    """A channel that took some changes and failed on others is told the others again."""
    both = Changes(new=(told.NEW, told.REOPENED))
    heard = partly(Heard(), both, frozenset({told.NEW.id}))
    news = news_of(night(OPEN, both), heard)
    assert news is not None
    assert news.changes == Changes(new=(told.REOPENED,))


def test_the_same_news_has_the_same_id() -> None:
    """A channel that takes a message, and whose run is killed then, gets it again as the same."""
    once, twice = (news_of(night(OPEN, NEW, run_id=run), Heard()) for run in ("1", "2"))
    assert once is not None
    assert twice is not None
    assert once.id == twice.id
    reports = [news_of(night(OPEN, always=True, run_id=run), Heard()) for run in ("1", "2")]
    assert len({one.id for one in reports if one}) == 2


KINDS = ("new", "reopened", "resolved", "suppressed")


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.booleans()), max_size=12))
def test_whatever_fails_each_change_is_heard_once(steps: list[tuple[str, bool]]) -> None:
    """A law: a finding changes night by night, and another channel fails in some of them.

    This channel, which works, hears each change once: what changed in kind since it heard last.
    """
    heard, said, waiting = Heard(), [], None
    happened = [kind for at, (kind, _) in enumerate(steps) if not at or steps[at - 1][0] != kind]
    for at, (kind, fails) in enumerate(steps):
        if not at or steps[at - 1][0] != kind:
            waiting = kind
        changes = Changes(**{waiting: (told.NEW,)}) if waiting else Changes()
        one = night(OPEN, changes)
        news = news_of(one, heard)
        heard = after(one, heard, news)
        said += [k for k in KINDS if news and getattr(news.changes, k)]
        if not fails:
            waiting = None  # everybody took it
    assert said == happened
