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
from auditor.notify import facts
from auditor.notify.interface import Remedy
from auditor.notify.news import Heard, Night, after, news_of, partly
from tests import examples
from tests.notify import told

if TYPE_CHECKING:
    from auditor.findings import Report
    from auditor.life import Known
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
EXCEPTED = examples.report(told.ACCEPTED)
COVERED = Changes(suppressed=(told.NEW,))
WAS_COVERED = replace(told.NEW, status="resolved", excepted=True)
COVERED_GONE = Changes(resolved=(WAS_COVERED,))
WORSE = Changes(worse=(told.NEW,))
BROKEN = examples.report(examples.WEB, errors=ERROR)
EXCEPTED_BROKEN = examples.report(told.ACCEPTED, errors=ERROR)
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
            ["changes", "reading", "all-clear"],
        ),
        # Nor does one that couldn't look at what was open: that the role left is said, once.
        ([night(OPEN, NEW), night(CLEAN, unseen=(told.NEW,)), night(CLEAN, unseen=(told.NEW,))],
         ["changes", "reading", None]),
        # That it is read again is said where something couldn't be read, not where a role left.
        ([night(CLEAN, unseen=(told.NEW,)), night(OPEN), night(BROKEN), night(OPEN)],
         ["reading", None, "reading", "reading"]),
        # The same gap is told once, another one anew, and that it is over.
        (
            [night(BROKEN), night(BROKEN), night(replace(BROKEN, errors=OTHER)), night(OPEN)],
            ["reading", None, "reading", "reading"],
        ),
        # Only excepted is not all clear; closed beside one that is excepted, or under it, is.
        ([night(OPEN, NEW), night(EXCEPTED, COVERED), night(EXCEPTED)],
         ["changes", "changes", None]),
        ([night(OPEN, NEW), night(EXCEPTED, GONE), night(EXCEPTED)],
         ["changes", "all-clear", None]),
        # Nothing open was closed: that what an exception covered is gone, is a change and no more.
        ([night(EXCEPTED, COVERED), night(CLEAN, COVERED_GONE), night(CLEAN)],
         ["changes", "changes", None]),
        # What was open left the scope, and what was excepted is gone.
        ([night(OPEN, NEW), night(CLEAN, COVERED_GONE), night(CLEAN)],
         ["changes", "all-clear", None]),
        # One was open, the other excepted.
        ([night(OPEN, NEW), night(CLEAN, Changes(resolved=(told.NEW, WAS_COVERED))), night(CLEAN)],
         ["changes", "all-clear", None]),
        # What got worse wakes people, whether or not an exception covers it, once.
        ([night(OPEN, NEW), night(OPEN, WORSE), night(OPEN, WORSE)], ["changes", "changes", None]),
        # A later audit was recorded meanwhile, by hand: the older one says what changed alone, and
        # doesn't make a second all clear of what that one told.
        ([night(OPEN, NEW), night(CLEAN, GONE), night(OPEN, outdated=True), night(CLEAN)],
         ["changes", "all-clear", None, None]),
        ([night(OPEN, NEW), night(BROKEN, digest=MONDAY, always=True, outdated=True),
          night(CLEAN, GONE, outdated=True), night(CLEAN)],
         ["changes", None, "changes", "all-clear"]),
        # Closed while not everything could be read: all clear once everything could.
        ([night(EXCEPTED_BROKEN, GONE), night(EXCEPTED_BROKEN), night(EXCEPTED)],
         ["changes", None, "all-clear"]),
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


def on(day: int, report: Report = OPEN, changes: Changes = Changes()) -> Night:  # noqa: B008 - empty, and never changed
    """A night of November 2026, with the digest on Mondays."""
    moment = OPEN.generated_at + timedelta(days=day - 23)
    return night(replace(report, generated_at=moment), changes, digest=MONDAY)


@pytest.mark.parametrize(
    ("nights", "expected"),
    [
        # The run of Monday the 30th failed: made up on Tuesday, and Monday's again after that.
        ([on(23), on(24), on(25 + 6), on(25 + 7), on(23 + 14)],
         ["digest", None, "digest", None, "digest"]),
        # A channel that has heard nothing yet counts from its first night.
        ([on(25), on(26), on(31)], [None, None, "digest"]),
        # Nothing was open on Monday: that week's digest is done with, whatever comes on Thursday.
        ([on(23), on(24, CLEAN, GONE), on(30, CLEAN), on(33, examples.report(errors=ERROR))],
         ["digest", "all-clear", None, "reading"]),
        # A channel that was told by a clock far ahead isn't silent until then.
        ([on(60), on(24), on(30)], [None, None, "digest"]),
        # What could be read alone tells nobody what is open: the digest still comes.
        ([on(23), on(27, BROKEN), on(30, BROKEN)], ["digest", "reading", "digest"]),
    ],
)  # fmt: skip
def test_the_digest_may_be_late_but_never_lost(
    nights: list[Night], expected: list[Occasion | None]
) -> None:
    """Due on its day, or on the first night after it that there is a run."""
    assert follow(*nights) == expected


def test_what_changed_in_what_could_be_read_leads_whatever_else_is_told() -> None:
    """A gap that begins, and one that ends, is in the first words, beside other news too."""
    heard = after(night(OPEN), Heard(), None)
    begins = news_of(night(BROKEN, NEW), heard)
    assert begins is not None
    assert (begins.occasion, begins.reading) == ("changes", "incomplete")
    assert facts.lead(begins) == "Not everything could be read this time; Changed: 1 new"
    ends = news_of(night(OPEN), after(night(BROKEN, NEW), heard, begins))
    assert ends is not None
    assert facts.lead(ends) == "Everything could be read again"
    assert facts.roles_told(ends) == []  # they were told, and didn't change


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (told.ADVICE, Changes(new=(told.NEW, told.ADVICE))),
        (replace(told.ADVICE, status="resolved"), NEW),  # came and went: nobody missed it
    ],
)
def test_advice_comes_with_the_next_message(now: Known, expected: Changes) -> None:
    """Advice of a silent night waits, where it still stands, and is told once."""
    quiet = night(OPEN, Changes(new=(told.ADVICE,)))
    heard = after(quiet, Heard(), news_of(quiet, Heard()))
    heard = after(night(OPEN), heard, None)
    loud = night(OPEN, NEW, known=(now,))
    news = news_of(loud, heard)
    assert news is not None
    assert news.changes == expected
    assert after(loud, heard, news).waiting == frozenset()


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


def test_new_and_worse_at_once() -> None:
    """Who hears that it is new, hears how bad it is; who knew that, hears that it got worse."""
    graver = replace(told.ADVICE, severity="high")
    both = Changes(new=(graver,), worse=(graver,))
    first = news_of(night(OPEN, both), Heard())
    assert first is not None
    assert first.changes == Changes(new=(graver,))
    lately = night(OPEN, Changes(new=(told.ADVICE,)))
    heard = after(lately, Heard(), news_of(lately, Heard(), advice=True))
    assert follow_on(heard, both, graver) == [Changes(worse=(graver,)), None]


def follow_on(heard: Heard, changes: Changes, known: Known) -> list[Changes | None]:
    """Return what is told in two nights that have the same changes waiting."""
    found = []
    for _ in range(2):
        one = night(OPEN, changes, known=(known,))
        news = news_of(one, heard)
        heard = after(one, heard, news)
        found.append(None if news is None else news.changes)
    return found


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


KINDS = ("new", "reopened", "resolved", "suppressed", "worse")


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
