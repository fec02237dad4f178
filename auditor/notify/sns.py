"""Publishing to an Amazon SNS topic."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from auditor.errors import NotifyError
from auditor.notify.email import clean
from auditor.notify.interface import worth_telling
from auditor.notify.message import make_message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishInputTypeDef

    from auditor.findings import Report
    from auditor.notify.interface import Remedy, RoleRenderer
    from auditor.notify.message import SnsMessage


def publish(
    client: SNSClient,
    topic_arn: str,
    report: Report,
    *,
    always: bool,
    render_role: RoleRenderer,
    remedy: Remedy | None = None,
) -> str | None:
    """Publish a report to a topic, standard or FIFO; needs ``sns:Publish`` on it.

    :param always: send even where there is nothing to tell.
    :param render_role: returns a role as JSON values (``report.json.role_to_dict``).
    :param remedy: what was planned or done about the roles, where something was.
    :returns: the message's id, or None where nothing was worth a message and none was sent.
    :raises NotifyError: one line with the topic and AWS's words.
    """
    if not (always or worth_telling(report)):
        return None
    request = _request(topic_arn, make_message(report, render_role, remedy), report.account_id)
    try:
        return client.publish(**request)["MessageId"]
    except (BotoCoreError, ClientError) as error:
        raise NotifyError(
            f"the report could not be published to {clean(topic_arn)}: {clean(str(error), 500)};"
            " check that the topic exists in the client's region, and that sns:Publish is allowed"
            " (for an encrypted topic, its KMS key too)"
        ) from error


def _request(topic_arn: str, message: SnsMessage, account_id: str) -> PublishInputTypeDef:
    request: PublishInputTypeDef = {
        "TopicArn": topic_arn,
        "Subject": message.subject,
        "Message": message.message,
        "MessageStructure": "json",
        "MessageAttributes": {
            name: {"DataType": kind, "StringValue": value}
            for name, (kind, value) in message.attributes.items()
        },
    }
    if topic_arn.endswith(".fifo"):
        # A FIFO topic refuses a message without a group, and without a deduplication id where
        # its content-based deduplication is off. One group an account keeps its reports in order.
        # https://docs.aws.amazon.com/sns/latest/dg/fifo-message-grouping.html
        request["MessageGroupId"] = _digest(account_id)
        request["MessageDeduplicationId"] = _digest(message.subject + message.message)
    return request


def _digest(text: str) -> str:
    """Return 64 characters that FIFO ids may have, whatever the text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
