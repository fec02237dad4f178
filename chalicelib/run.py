"""One audit of the account that the function runs in, and one message about it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from auditor.audit import audit
from auditor.collect.live import collect_account
from auditor.errors import AuditorError
from auditor.notify.sns import publish
from auditor.report.json import role_to_dict
from chalicelib import telemetry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Report
    from auditor.notify.interface import Remedy
    from chalicelib.settings import Settings

# Tries, the first included; waits grow between them
# (https://docs.aws.amazon.com/boto3/latest/guide/retries.html).
TOTAL_ATTEMPTS = 8
CLIENT_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": TOTAL_ATTEMPTS},
    connect_timeout=5,
    read_timeout=30,
)


def audit_account(*, regions: Sequence[str], role_globs: Sequence[str] = ()) -> Report:
    """Audit the function's own account, with its metrics and log lines.

    Raises AuditorError (and botocore's own errors) where the audit can't run: the function then
    fails, and its alarm rings.
    """
    started = time.monotonic()
    try:
        account = collect_account(boto3.Session(), regions=regions)
        report = audit(account, now=datetime.now(UTC).replace(microsecond=0), role_globs=role_globs)
    except AuditorError as error:
        telemetry.logger.error("audit failed: %s", error)
        raise
    telemetry.record(report, (time.monotonic() - started) * 1000)
    return report


def notify(
    settings: Settings, report: Report, *, always: bool, remedy: Remedy | None = None
) -> str | None:
    """Publish the report to the topic; the message's id, or None where there is nothing to say.

    Raises NotifyError where the topic can't be reached. What was found then stands in the log.
    """
    region = settings.topic_arn.split(":")[3]
    client = boto3.Session().client("sns", region_name=region, config=CLIENT_CONFIG)
    try:
        message_id = publish(
            client,
            settings.topic_arn,
            report,
            always=always,
            render_role=role_to_dict,
            remedy=remedy,
        )
    except AuditorError as error:
        telemetry.logger.error("notification failed, the findings stand above: %s", error)
        raise
    telemetry.logger.info("notified" if message_id else "nothing to notify")
    return message_id
