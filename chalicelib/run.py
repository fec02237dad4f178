"""One audit of the account that the function runs in, and the message that somebody asks for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import boto3

from auditor.audit import audit
from auditor.collect.live import collect_account
from auditor.errors import AuditorError
from auditor.exceptions import suppress
from auditor.looked import looked_at
from auditor.notify.interface import News
from auditor.notify.sns import publish
from auditor.report.json import role_to_dict
from chalicelib import places, telemetry
from chalicelib.clients import topic_client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Report
    from auditor.looked import Looked
    from chalicelib.settings import Settings


class Audited(NamedTuple):
    """A report with the deployment's exceptions applied, and what the audit looked at."""

    report: Report
    looked: Looked


def audit_account(
    settings: Settings, *, regions: Sequence[str], role_globs: Sequence[str] = (), whole: bool
) -> Audited:
    """Audit the function's own account, with its metrics and log lines.

    :param whole: not limited to less than the deployment audits each night: counts for its trend.

    :raises AuditorError: (and botocore's own errors) where the audit can't run, or the file of
        exceptions can't be used: the function then fails, and its alarm rings. What was found
        stands in the log all the same.
    """
    started = time.monotonic()
    try:
        account = collect_account(boto3.Session(), regions=regions)
        now = datetime.now(UTC).replace(microsecond=0)
        report = audit(account, now=now, role_globs=role_globs, regions=regions)
    except AuditorError as error:
        telemetry.logger.error("audit failed: %s", error)
        raise
    milliseconds = (time.monotonic() - started) * 1000
    looked = looked_at(account, globs=role_globs, everywhere=not regions)
    try:
        if settings.exceptions is not None:
            listed = places.exceptions(settings.exceptions, report.account_id)
            report = suppress(report, listed, report.generated_at, looked)
    finally:
        telemetry.record(report, milliseconds, whole=whole)
    return Audited(report, looked)


def notify(settings: Settings, report: Report) -> str | None:
    """Publish a whole report to the topic, and return the message's id.

    Raises NotifyError where the topic can't be reached. What was found then stands in the log.
    """
    try:
        message_id = publish(
            topic_client(settings.topic_arn),
            settings.topic_arn,
            News(report),
            render_role=role_to_dict,
        )
    except AuditorError as error:
        telemetry.logger.error("notification failed, the findings stand above: %s", error)
        raise
    telemetry.logger.info("notified")
    return message_id
