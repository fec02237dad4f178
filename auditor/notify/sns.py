"""Publishing to an Amazon SNS topic."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final

from auditor.errors import NotifyError
from auditor.notify.facts import clean
from auditor.notify.message import make_message
from auditor.notify.unanswered import AWS_ERRORS, UnansweredError, may_have_arrived, passes
from auditor.text import words

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sns.type_defs import PublishInputTypeDef

    from auditor.notify.interface import News, RoleRenderer
    from auditor.notify.message import SnsMessage

TRIES: Final = 2  # of a message that surely wasn't taken
WAIT: Final = 1.0  # seconds between them


def publish(
    client: SNSClient, topic_arn: str, news: News, *, render_role: RoleRenderer
) -> str | None:
    """Publish news to a topic, standard or FIFO; needs ``sns:Publish`` on it.

    :param render_role: returns a role as JSON values (``report.json.role_to_dict``).
    :returns: the message's id.
    :raises NotifyError: as ``send`` does.
    """
    message = make_message(news, render_role)
    return send(client, topic_arn, message, news.report.account_id, news.id)


def send(
    client: SNSClient, topic_arn: str, message: SnsMessage, group: str, id_: str = ""
) -> str | None:
    """Publish a message; it is tried again only where SNS surely didn't take it.

    :param client: one that tries once, since botocore asks again after an answer that didn't come.
    :param group: keeps order on a FIFO topic.
    :param id_: the same for the same news: a FIFO topic drops a repeat within five minutes.
    :raises NotifyError: one line with the topic and AWS's words; as ``UnansweredError`` where the
        message may have been taken.
    """
    request = _request(topic_arn, message, group, id_)
    for left in reversed(range(TRIES)):
        try:
            return client.publish(**request)["MessageId"]
        except AWS_ERRORS as error:
            if may_have_arrived(error):
                raise UnansweredError(
                    f"{clean(topic_arn)} didn't answer, so the message may or may not have been"
                    f" published: {words(error)}"
                ) from error
            if not (left and passes(error)):
                raise NotifyError(
                    f"nothing could be published to {clean(topic_arn)}: {words(error)}; check that"
                    " the topic exists in the client's region, and that sns:Publish is allowed (for"
                    " an encrypted topic, its KMS key too)"
                ) from error
        time.sleep(WAIT)
    return None  # pragma: no cover - the last try returns or raises


def _request(topic_arn: str, message: SnsMessage, group: str, id_: str) -> PublishInputTypeDef:
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
        # https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
        request["MessageGroupId"] = _digest(group)
        request["MessageDeduplicationId"] = _digest(id_ or message.subject + message.message)
    return request


def _digest(text: str) -> str:
    """Return 64 characters that FIFO ids may have, whatever the text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
