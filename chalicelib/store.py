"""Where a report that Lambda can't return is put: an S3 bucket of the account."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from auditor.errors import NotifyError
from chalicelib import telemetry
from chalicelib.run import CLIENT_CONFIG

# The functions' policy allows this prefix and no other: keep .chalice/resources.yaml in step.
PREFIX = "auditor/"


def put(bucket: str, report: dict[str, Any]) -> dict[str, str]:
    """Store a report's JSON, encrypted, and return ``{"bucket": ..., "key": ...}``.

    The key starts with the day, and ends with the account and the second. ``ExpectedBucketOwner``
    holds the bucket to this account, so that a name somebody else has taken gets nothing
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html).
    Raises NotifyError where S3 refuses.
    """
    moment, account_id = str(report["generated_at"]), str(report["account_id"])
    key = f"{PREFIX}{moment[:10].replace('-', '/')}/{account_id}-{moment.replace(':', '')}.json"
    client = boto3.Session().client("s3", config=CLIENT_CONFIG)
    try:
        client.put_object(
            Bucket=bucket,
            Key=key,
            Body=json.dumps(report).encode(),
            ContentType="application/json",
            ServerSideEncryption="AES256",
            ExpectedBucketOwner=account_id,
        )
    except (BotoCoreError, ClientError) as error:
        telemetry.logger.error("report not stored, the findings stand above")
        raise NotifyError(f"s3:PutObject s3://{bucket}/{key}: {error}") from error
    return {"bucket": bucket, "key": key}
