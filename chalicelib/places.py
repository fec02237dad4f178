"""What a deployment keeps elsewhere: the file of exceptions, and the address of Slack's webhook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
from aws_lambda_powertools.utilities.parameters import SecretsProvider, SSMProvider
from aws_lambda_powertools.utilities.parameters.exceptions import (
    GetParameterError,
    TransformParameterError,
)
from botocore.exceptions import BotoCoreError, ClientError

from auditor.errors import InputError, NotifyError
from auditor.exceptionfile import SIZE_LIMIT, parse
from auditor.text import words
from chalicelib.clients import CLIENT_CONFIG, TWICE

if TYPE_CHECKING:
    from botocore.config import Config

    from auditor.lasting import RoleException

WEBHOOKS: Final = ("https://hooks.slack.com/", "https://hooks.slack-gov.com/")
"""What the address of a webhook begins with:
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"""

_FAILURES: Final = (GetParameterError, TransformParameterError, BotoCoreError, ClientError)


def exceptions(place: str, account_id: str) -> tuple[RoleException, ...]:
    """Return the exceptions of a file in S3 (``s3://bucket/key``), in SSM (``ssm:/name``), or in
    the deployment itself (``package:exceptions.yaml``, which lies beside ``app.py``).

    The bucket must be this account's. Raises InputError: where the file can't be read, or the
    first thing that is wrong in it, with its line.
    """
    kind = place.partition(":")[0]
    try:
        if kind == "package":
            data = _packaged(place)
        else:
            data = _object(place, account_id) if kind == "s3" else _parameter(place)
    except (*_FAILURES, OSError) as error:
        raise InputError(
            f"exceptions {place}: can't be read: {words(error)}; check that it exists, and that the"
            " stack's parameter Exceptions names it"
        ) from error
    return parse(data, place)


def webhook(place: str) -> str:
    """Return the address of Slack's webhook, which is a secret, from SSM or Secrets Manager.

    Raises NotifyError, which names the place and never what lies there.
    """
    kind, _, name = place.partition(":")
    try:
        if kind == "ssm":
            text = _parameter(place, TWICE).decode()
        else:
            client = boto3.Session().client("secretsmanager", config=TWICE)
            value = SecretsProvider(boto3_client=client).get(name, force_fetch=True)
            text = value if isinstance(value, str) else ""
    except _FAILURES as error:
        raise NotifyError(f"Slack's webhook {place}: can't be read: {words(error)}") from error
    if not text.strip().startswith(WEBHOOKS):
        raise NotifyError(
            f"Slack's webhook {place}: what lies there is no address of a webhook (a text that"
            f" begins with {WEBHOOKS[0]})"
        )
    return text.strip()


def _packaged(place: str) -> bytes:
    path = Path(__file__).resolve().parent.parent / place.partition(":")[2]
    with path.open("rb") as file:
        return file.read(SIZE_LIMIT + 1)


def _parameter(place: str, config: Config = CLIENT_CONFIG) -> bytes:
    client = boto3.Session().client("ssm", config=config)
    value = SSMProvider(boto3_client=client).get(
        place.removeprefix("ssm:"), decrypt=True, force_fetch=True
    )
    return str(value).encode()


def _object(place: str, account_id: str) -> bytes:
    bucket, _, key = place.removeprefix("s3://").partition("/")
    client = boto3.Session().client("s3", config=CLIENT_CONFIG)
    found = client.get_object(Bucket=bucket, Key=key, ExpectedBucketOwner=account_id)
    return found["Body"].read(SIZE_LIMIT + 1)
