"""Where reports are put: each night's, and those that Lambda can't return."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import boto3

from auditor.errors import NotifyError
from auditor.notify.unanswered import AWS_ERRORS
from auditor.report.formats.html import FORMAT as PAGE
from auditor.report.formats.html import render as render_page
from auditor.report.json import render as render_json
from auditor.report.json import timestamp
from auditor.text import words
from chalicelib import telemetry
from chalicelib.clients import STORE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from auditor.findings import Report
    from auditor.life import Day

_JSON: Final = "application/json"
_PAGE: Final = (PAGE.extension, PAGE.media_type)

# The functions' policy allows this prefix and no other: keep .chalice/resources.yaml in step.
PREFIX = "auditor/"


def put(bucket: str, report: dict[str, Any]) -> dict[str, str]:
    """Store a report's JSON, encrypted, and return ``{"bucket": ..., "key": ...}``.

    Raises NotifyError where S3 refuses.
    """
    text = json.dumps(report)
    key = _put(
        bucket, str(report["account_id"]), str(report["generated_at"]), (".json", _JSON), text
    )
    return {"bucket": bucket, "key": key}


def put_night(bucket: str, report: Report, history: Sequence[Day]) -> str:
    """Store a night's report as JSON and as a page, and return the page's address.

    ``history`` are earlier audits, for the page's trend. Raises NotifyError where S3 refuses.
    """
    moment = timestamp(report.generated_at)
    _put(bucket, report.account_id, moment, (".json", _JSON), render_json(report))
    page = render_page(report, history=history)
    return f"s3://{bucket}/{_put(bucket, report.account_id, moment, _PAGE, page)}"


def _put(bucket: str, account_id: str, moment: str, kind: tuple[str, str], text: str) -> str:
    """Put one object and return its key.

    ``ExpectedBucketOwner`` holds the bucket to this account, so that a name somebody else has taken
    gets nothing (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html).
    """
    extension, media_type = kind
    key = _key(account_id, moment, extension)
    client = boto3.Session().client("s3", config=STORE)
    try:
        client.put_object(
            Bucket=bucket,
            Key=key,
            Body=text.encode("utf-8", "backslashreplace"),
            ContentType=media_type,
            ServerSideEncryption="AES256",
            ExpectedBucketOwner=account_id,
        )
    except AWS_ERRORS as error:
        telemetry.logger.error("report not stored, the findings stand above")
        raise NotifyError(f"s3:PutObject s3://{bucket}/{key}: {words(error)}") from error
    return key


def _key(account_id: str, moment: str, extension: str) -> str:
    """Return an object's key: the day, the account and the second.

    So a retried run replaces nothing but its own.
    """
    day = moment[:10].replace("-", "/")
    return f"{PREFIX}{day}/{account_id}-{moment.replace(':', '')}{extension}"
