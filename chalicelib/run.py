"""One audit of the account that the function runs in, and the message that somebody asks for."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import boto3
from botocore.config import Config

from auditor.audit import audit
from auditor.collect.live import collect_account
from auditor.errors import AuditorError
from auditor.looked import looked_at
from auditor.notify.interface import News
from auditor.notify.sns import publish
from auditor.report.json import role_to_dict
from chalicelib import telemetry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_sns import SNSClient

    from auditor.findings import Report
    from auditor.looked import Looked
    from chalicelib.settings import Settings

# Tries, the first included; waits grow between them
# (https://docs.aws.amazon.com/boto3/latest/guide/retries.html).
TOTAL_ATTEMPTS = 8
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
    connect_timeout=5,
    read_timeout=30,
)


class Audited(NamedTuple):
    """A report, and what the audit looked at."""

    report: Report
    looked: Looked


def audit_account(
    *, regions: Sequence[str], role_globs: Sequence[str] = (), whole: bool
) -> Audited:
    """Audit the function's own account, with its metrics and log lines.

    :param whole: not limited to less than the deployment audits each night: counts for its trend.

    :raises AuditorError: (and botocore's own errors) where the audit can't run: the function then
        fails, and its alarm rings.
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
    telemetry.record(report, milliseconds, whole=whole)
    return Audited(report, looked_at(account, globs=role_globs, everywhere=not regions))


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


def topic_client(arn: str) -> SNSClient:
    """Return a client of the region that a topic is in."""
    return boto3.Session().client("sns", region_name=arn.split(":")[3], config=CLIENT_CONFIG)
