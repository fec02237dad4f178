"""The scheduled audit: run, hold it against earlier ones, and tell what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import boto3

from auditor.errors import AuditorError, CollectError, NotifyError
from auditor.history.items import KINDS
from auditor.history.table import TableHistory
from auditor.life import annotated
from auditor.looked import missed
from auditor.notify.news import Night
from chalicelib import channels, clients, handing_on, store, telemetry
from chalicelib import run as runs
from chalicelib import settings as config
from chalicelib.memory import Memory
from chalicelib.troubles import Desk
from chalicelib.watched import unseen, watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from auditor.findings import Report
    from auditor.history.table import Outbox
    from auditor.lasting import Known
    from auditor.notify.interface import Remedy
    from chalicelib.channels import Outcome
    from chalicelib.settings import Settings

LEASE: Final = 600
"""Seconds that a run has for telling all channels, Slack's and AWS's waits included."""
FUTURE: Final = timedelta(days=1)
"""How far in the future an earlier audit's time may lie before it is said that a clock is wrong."""


class BusyError(AuditorError):
    """Another run is telling at the moment: Lambda tries this one again."""


class _Past(NamedTuple):
    """The history of an account, and what its channels heard.

    ``retried``: an earlier attempt of this run stored what it found, and didn't end.
    """

    history: TableHistory
    memory: Memory
    retried: bool


class _Ready(NamedTuple):
    """What is to be told, by whom, and what it is kept as."""

    night: Night
    outbox: Outbox
    past: _Past


def run(context: Any, event_id: str = "") -> dict[str, Any]:
    """Audit every CodeBuild role, and tell each channel what changed; the reply is a short account.

    Where the deployment says so, ``remediate`` plans or closes first, and the messages tell of it.

    EventBridge and Lambda deliver at least once, and a run may be killed at any moment: what was
    stored and not told is told by the next one, and what a channel took it doesn't hear again.
    Raises AuditorError where nothing could be audited, or a channel could not be told.

    :param event_id: of the event that EventBridge delivers, maybe twice.
    """
    settings = config.load()
    run_id = _run_id(event_id, context)
    left_ms: Callable[[], int] = context.get_remaining_time_in_millis
    table = settings.history_table
    memory = None if table is None else _memory(table, settings.topic_arn.split(":")[4])
    desk = Desk(settings, memory, run_id, left_ms)
    try:
        ready = _ready(settings, run_id, context)
    except BusyError:
        raise  # the other run tells
    except Exception as error:
        desk.tell(error)
        raise
    if isinstance(ready, dict):
        return ready
    report = ready.night.report
    blind = not report.complete and not report.roles
    outcome = _tell(settings, ready, context, None if blind else desk)
    if blind:
        # Somebody was told, but a function that audits nothing must not look well; and the run
        # isn't told: its retry audits anew.
        first = report.errors[0]
        raise CollectError(f"no role could be audited: {first.where}: {first.message}")
    ready.past.history.told(run_id, ready.outbox)
    changes = {kind: len(getattr(ready.outbox.changes, kind)) for kind in KINDS}
    telemetry.count(**{kind.capitalize(): number for kind, number in changes.items()}, Succeeded=1)
    remedy = ready.night.remedy
    return {
        **_summary(report),
        "message_id": outcome.sent.get("topic"),
        "channels": outcome.sent,
        "changes": changes,
        **({} if remedy is None else {"remediation": remedy.data}),
    }


def _ready(settings: Settings, run_id: str, context: Any) -> _Ready | dict[str, Any]:
    """Audit, store what was found, have it remediated, and take what is to be told.

    A reply where this run was told before. Raises BusyError where another run is telling.
    """
    table = config.table_of(settings)
    report, looked = runs.audit_account(settings, regions=settings.regions, whole=True)
    client: Any = boto3.Session().client("dynamodb", config=clients.CLIENT_CONFIG)
    history = TableHistory(client, table, report.account_id, clock=_now, lease=LEASE)
    state = history.state(run_id)
    if state == "told":
        return {**_summary(report), "repeated": True}
    seen = watched(report)
    _hold_clock(history.known().values(), report.generated_at)
    history.record(run_id, seen, looked)
    remedy = handing_on.remedy(settings, report, context, run_id)
    outbox = history.claim(str(context.aws_request_id))
    if outbox is None:
        raise BusyError("another run is telling what changed; this one is tried again later")
    known = history.known()
    # What this run changed, in this try or an earlier one; what waits from other nights is old.
    report = annotated(report, known, outbox.made_by(run_id))
    report = replace(report, unseen=missed(known.values(), seen))
    night = _night(settings, report, seen, known.values(), outbox, run_id, remedy)
    night = night._replace(outdated=history.outdated(report))
    memory = _memory(table, report.account_id)
    return _Ready(night, outbox, _Past(history, memory, retried=state == "recorded"))


def _night(
    settings: Settings,
    report: Report,
    seen: Report,
    known: Iterable[Known],
    outbox: Outbox,
    run_id: str,
    remedy: Remedy | None,
) -> Night:
    day = settings.digest_day
    return Night(
        report,
        outbox.changes,
        run_id,
        outbox.id,
        unseen=unseen(known, seen),
        remedy=remedy,
        always=settings.always_notify,
        digest=config.DAYS.index(day) if day in config.DAYS else None,
        known=tuple(known),
    )


def _tell(settings: Settings, ready: _Ready, context: Any, desk: Desk | None) -> Outcome:
    """Tell everybody; raises NotifyError at the end where somebody could not be told.

    A message names the night's page only where it lies there. So the page is stored first, where
    there is time for that and for telling; but if an attempt of this run ended early, maybe on the
    page, people come first, and their messages name none.

    :param desk: tells that the audit works again; None where it doesn't.
    """
    night, past = ready.night, ready.past
    left_ms: Callable[[], int] = context.get_remaining_time_in_millis
    outcome = channels.Outcome()
    first = not past.retried and left_ms() > clients.TELLING_MS + clients.STORING_MS
    if first:
        night = night._replace(stored=_store(settings, night, past, outcome))
    channels.tell(settings, night, past.memory, outcome, left_ms)
    if desk is not None:
        desk.over(outcome)
    if not first:
        _store(settings, night, past, outcome)
    if settings.security_hub:
        outcome.attempt("security-hub", lambda: channels.import_findings(night, left_ms))
    telemetry.count(ChannelsFailed=len(outcome.failed))
    if outcome.failed or desk is None:
        try:
            past.memory.release(str(context.aws_request_id))
        except AuditorError as error:  # it runs out by itself; who wasn't told matters more
            telemetry.logger.error("the next run has to wait: %s", error)
    if outcome.failed:
        told = "; ".join(f"{name}: {why}" for name, why in outcome.failed.items())
        raise NotifyError(f"notification failed, the findings stand in the log: {told}")
    return outcome


def _store(settings: Settings, night: Night, past: _Past, outcome: Outcome) -> str | None:
    """Store a night's report where that is configured, and return its page's address."""
    bucket = settings.reports_bucket
    if bucket is None:
        return None
    return outcome.attempt(
        "reports", lambda: store.put_night(bucket, night.report, past.history.days())
    )


def _memory(table: str, account_id: str) -> Memory:
    client: Any = boto3.Session().client("dynamodb", config=clients.MEMORY)
    return Memory(client, table, account_id)


def _hold_clock(known: Iterable[Known], now: datetime) -> None:
    """Say it loudly where earlier audits had a clock that runs ahead of this one's."""
    latest = max((one.last_seen for one in known), default=now)
    if latest > now + FUTURE:
        telemetry.logger.error(
            "the history knows an audit of %s, which is to come: one of the clocks is or was wrong."
            " What it saw counts as seen now",
            latest.isoformat(),
        )


def _run_id(event_id: str, context: Any) -> str:
    """Return what is the same for a run that is delivered twice, or tried again."""
    try:
        return f"event-{UUID(event_id)}"
    except ValueError:  # by hand, where somebody wrote something there
        return f"request-{context.aws_request_id}"


def _summary(report: Report) -> dict[str, Any]:
    return {
        "account_id": report.account_id,
        "complete": report.complete,
        "summary": report.summary(),
    }


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
