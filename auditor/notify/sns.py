"""Publishing to an Amazon SNS topic."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from auditor.errors import NotifyError
from auditor.notify.facts import clean
from auditor.notify.message import SnsMessage, make_message

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishInputTypeDef

    from auditor.notify.interface import News, RoleRenderer


def publish(
    client: SNSClient, topic_arn: str, news: News, *, render_role: RoleRenderer
) -> str | None:
    """Publish news to a topic, standard or FIFO; needs ``sns:Publish`` on it.

    :param render_role: returns a role as JSON values (``report.json.role_to_dict``).
    :returns: the message's id.
    :raises NotifyError: one line with the topic and AWS's words.
    """
    return send(client, topic_arn, make_message(news, render_role), news.report.account_id)


def publish_trouble(client: SNSClient, topic_arn: str, what: str) -> str | None:
    """Publish that there was no audit, and why: a line for people.

    :raises NotifyError: as ``publish`` does.
    """
    text = f"The audit could not be done, so nothing is known of this account: {clean(what, 2_000)}"
    attributes = {"occasion": ("String", "failed"), "complete": ("String", "false")}
    return send(
        client,
        topic_arn,
        SnsMessage("auditor: the audit FAILED", text, attributes, texts=False),
        "",
    )


def send(client: SNSClient, topic_arn: str, message: SnsMessage, group: str) -> str | None:
    """Publish a message; ``group`` keeps order on a FIFO topic. Raises NotifyError."""
    try:
        return client.publish(**_request(topic_arn, message, group))["MessageId"]
    except (BotoCoreError, ClientError) as error:
        raise NotifyError(
            f"nothing could be published to {clean(topic_arn)}: {clean(str(error), 500)};"
            " check that the topic exists in the client's region, and that sns:Publish is allowed"
            " (for an encrypted topic, its KMS key too)"
        ) from error


def _request(topic_arn: str, message: SnsMessage, account_id: str) -> PublishInputTypeDef:
    request: PublishInputTypeDef = {
        "TopicArn": topic_arn,
        "Subject": message.subject,
        "Message": message.message,
        "MessageAttributes": {
            name: {"DataType": kind, "StringValue": value}
            for name, (kind, value) in message.attributes.items()
        },
    }
    if message.texts:
        request["MessageStructure"] = "json"
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
