"""The scheduled audit: run, hold it against earlier ones, and tell what changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from uuid import UUID

import boto3

from auditor.errors import AuditorError, CollectError, NotifyError
from auditor.exceptions import suppress
from auditor.history.table import TableHistory
from auditor.life import annotated
from auditor.looked import missed
from auditor.notify.news import Night
from auditor.notify.sns import publish_trouble
from auditor.report.page.trend import Past
from chalicelib import channels, handing_on, places, store, telemetry
from chalicelib import run as runs
from chalicelib import settings as config
from chalicelib.memory import Memory
from chalicelib.watched import unseen, watched

if TYPE_CHECKING:
    from auditor.findings import Report
    from auditor.looked import Looked
    from chalicelib.channels import Outcome
    from chalicelib.settings import Settings

LEASE: Final = 600
"""Seconds that a run has for telling all channels, Slack's and AWS's waits included."""


class BusyError(AuditorError):
    """Another run is telling at the moment: Lambda tries this one again."""


class _Past(NamedTuple):
    """The history of an account, what its channels heard, and this run's id in it."""

    history: TableHistory
    memory: Memory
    run_id: str


def run(context: Any, event_id: str = "") -> dict[str, Any]:
    """Audit every CodeBuild role, and tell each channel what changed; the reply is a short account.

    Where the deployment says so, ``remediate`` plans or closes first, and the messages tell of it.

    EventBridge and Lambda deliver at least once, and a run may be killed at any moment: what was
    stored and not told is told by the next one, and what a channel took it doesn't hear again.
    Raises AuditorError where nothing could be audited, or a channel could not be told.

    :param event_id: of the event that EventBridge delivers, maybe twice.
    """
    settings = config.load()
    table = config.table_of(settings)
    report, looked = runs.audit_account(regions=settings.regions, whole=True)
    client: Any = boto3.Session().client("dynamodb", config=runs.CLIENT_CONFIG)
    past = _Past(
        TableHistory(client, table, report.account_id, clock=_now, lease=LEASE),
        Memory(client, table, report.account_id),
        _run_id(event_id, context),
    )
    try:
        if past.history.state(past.run_id) == "told":
            return {**_summary(report), "repeated": True}
        report, night = _night(settings, report, looked, past)
    except AuditorError as error:
        _tell_trouble(settings, past, error)
        raise
    remedy = handing_on.remedy(settings, report, context, past.run_id)
    outcome = _tell(settings, night._replace(remedy=remedy), past, context)
    if not report.complete and not report.roles:
        # Somebody may have been told, but a function that audits nothing must not look well.
        first = report.errors[0]
        raise CollectError(f"no role could be audited: {first.where}: {first.message}")
    telemetry.count(Succeeded=1)
    return {
        **_summary(report),
        "message_id": outcome.sent.get("topic"),
        "channels": outcome.sent,
        "changes": {
            kind: len(getattr(night.changes, kind)) for kind in ("new", "reopened", "resolved")
        },
        **({} if remedy is None else {"remediation": remedy.data}),
    }


def _night(settings: Settings, report: Report, looked: Looked, past: _Past) -> tuple[Report, Night]:
    """Return the report with exceptions and lives, and what it changes, stored by then."""
    if settings.exceptions is not None:
        listed = places.exceptions(settings.exceptions, report.account_id)
        report = suppress(report, listed, report.generated_at)
    seen = watched(report)
    changed = past.history.record(past.run_id, seen, looked)
    known = past.history.known()
    report = replace(annotated(report, known, changed), unseen=missed(known.values(), seen))
    telemetry.count(
        New=len(changed.new), Reopened=len(changed.reopened), Resolved=len(changed.resolved)
    )
    day = settings.digest_day
    night = Night(
        report,
        changed,
        past.run_id,
        "",
        unseen=unseen(known.values(), seen),
        always=settings.always_notify,
        digest=config.DAYS.index(day) if day in config.DAYS else None,
        known=tuple(known.values()),
    )
    return report, night


def _tell(settings: Settings, night: Night, past: _Past, context: Any) -> Outcome:
    """Tell everybody; raises NotifyError at the end where somebody could not be told."""
    outcome = channels.Outcome()
    attempt = str(context.aws_request_id)
    outbox = past.history.claim(attempt)
    if outbox is None:
        raise BusyError("another run is telling what changed; this one is tried again later")
    night = night._replace(changes=outbox.changes, outbox_id=outbox.id)
    bucket = settings.reports_bucket
    if bucket is not None:
        night = night._replace(stored=store.night_place(bucket, night.report))
    # People first: whatever takes long, or until the run is killed, comes when they have heard.
    channels.tell(settings, night, past.memory, outcome)
    if bucket is not None:
        outcome.attempt(
            "reports", lambda: store.put_night(bucket, night.report, _trend(past.history))
        )
    if settings.security_hub:
        outcome.attempt(
            "security-hub",
            lambda: channels.import_findings(night, context.get_remaining_time_in_millis),
        )
    telemetry.count(ChannelsFailed=len(outcome.failed))
    if outcome.failed:
        try:
            past.memory.release(attempt)
        except AuditorError as error:  # it runs out by itself; who wasn't told matters more
            telemetry.logger.error("the next run has to wait: %s", error)
        told = "; ".join(f"{name}: {why}" for name, why in outcome.failed.items())
        raise NotifyError(f"notification failed, the findings stand in the log: {told}")
    past.history.told(past.run_id, outbox)
    return outcome


def _tell_trouble(settings: Settings, past: _Past, error: AuditorError) -> None:
    """Tell the topic that this run fails, once however often Lambda tries it."""
    telemetry.logger.error("nothing could be told: %s", error)
    try:
        if not past.memory.first_trouble(past.run_id):
            return
    except AuditorError as second:
        telemetry.logger.error("told without memory: %s", second)
    try:
        publish_trouble(runs.topic_client(settings.topic_arn), settings.topic_arn, str(error))
    except NotifyError as second:
        telemetry.logger.error("the topic could not be told either: %s", second)


def _trend(history: TableHistory) -> list[Past]:
    # A day that could not be audited whole would look better than it was.
    days = [day for day in history.days() if day.complete]
    return [Past(d.at, d.roles, d.proven, d.possible, d.undetermined) for d in days]


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
