"""Words about the audit itself: that it could not be done, and that it works again.

Each channel that people read gets them as its own kind of message.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, NamedTuple

from auditor.notify.facts import clean
from auditor.notify.message import SnsMessage
from auditor.notify.sns import send
from auditor.text import words

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class Word(NamedTuple):
    """A line for people. ``id`` is the same where the same is told again."""

    occasion: Literal["failed", "works-again"]
    account_id: str
    title: str
    text: str
    id: str


def failed(account_id: str, why: object, id_: str, *, remembered: bool = True) -> Word:
    """Return that there was no audit, and why. Secrets are taken out of the reason.

    :param remembered: it will be known that this was said: it is repeated weekly, and its end told.
    """
    text = f"The audit could not be done, so nothing is known of this account: {words(why, 2_000)}"
    text = f"{text.rstrip('.')}. " + (
        "While this lasts, it is said again once a week."
        if remembered
        else "The history's table can't be reached, so nobody hears when this is over."
    )
    return Word("failed", account_id, "the audit FAILED", text, f"failed-{id_}")


def works_again(account_id: str, id_: str) -> Word:
    """Return that there was an audit, where there was none before."""
    text = "The audit works again. What changed meanwhile is told by itself."
    return Word("works-again", account_id, "the audit works again", text, f"works-{id_}")


def sentence(word: Word) -> str:
    """Return the text with whose account it is about, and what shows that one comes twice."""
    account = clean(word.account_id, 40)
    return f"auditor, account {account}: {word.text} (message {clean(word.id, 60)})"


def to_topic(client: SNSClient, topic_arn: str, word: Word) -> str | None:
    """Publish a text for people. Raises NotifyError, as ``sns.send`` does."""
    attributes = {
        "occasion": ("String", word.occasion),
        "complete": ("String", "false" if word.occasion == "failed" else "true"),
        "account_id": ("String", clean(word.account_id, 40)),
    }
    message = SnsMessage(f"auditor: {word.title}", sentence(word), attributes, texts=False)
    return send(client, topic_arn, message, word.account_id, word.id)


def to_chat(client: SNSClient, topic_arn: str, word: Word) -> str | None:
    """Publish it as Amazon Q Developer in chat applications reads it. Raises NotifyError.

    https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
    """
    account = clean(word.account_id, 40)
    notification = {
        "version": "1.0",
        "source": "custom",
        "id": word.id,
        "content": {
            "textType": "client-markdown",
            "title": f"auditor: {word.title}",
            # Amazon Q's markdown is Slack's: nothing in here may become a link or a mention.
            "description": _plain(word.text),
            "keywords": ["SES", "CodeBuild", word.occasion],
        },
        "metadata": {"threadId": f"auditor-{account}", "eventType": word.occasion},
    }
    message = SnsMessage("auditor", json.dumps(notification), {}, texts=False)
    return send(client, topic_arn, message, word.account_id, word.id)


def _plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
