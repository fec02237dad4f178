"""SES's event records, as its pages show them, and the messages that carry them."""

from __future__ import annotations

import json
from typing import Any

MAIL = "0102018f3c1a2b3c-4d5e6f70-8192-4a3b-bc4d-5e6f70819203-000000"
TO = "bounce+run@simulator.amazonses.com"


def record(
    kind: str, message_id: str = MAIL, to: str = TO, *, field: str = "eventType", **details: Any
) -> dict[str, Any]:
    """Return an event record.

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-examples.html
    https://docs.aws.amazon.com/ses/latest/dg/notification-examples.html
    """
    time = "2026-11-23T03:00:01.204Z"
    about: dict[str, dict[str, Any]] = {
        "Bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [
                {
                    "emailAddress": to,
                    "action": "failed",
                    "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }
            ],
            "timestamp": time,
            "feedbackId": message_id,
            "reportingMTA": "dns; example.smtp-out.eu-west-1.amazonses.com",
        },
        "Complaint": {
            "complainedRecipients": [{"emailAddress": to}],
            "timestamp": time,
            "feedbackId": message_id,
            "complaintFeedbackType": "abuse",
        },
        "Delivery": {
            "timestamp": time,
            "processingTimeMillis": 546,
            "recipients": [to],
            "smtpResponse": "250 2.6.0 Message received",
            "reportingMTA": "example.smtp-out.eu-west-1.amazonses.com",
        },
    }
    return {
        field: kind,
        "mail": {
            "timestamp": "2026-11-23T03:00:00.658Z",
            "source": "ci@example.com",
            "sourceArn": "arn:aws:ses:eu-west-1:123456789012:identity/example.com",
            "sendingAccountId": "123456789012",
            "messageId": message_id,
            "destination": [to],
        },
        kind[:1].lower() + kind[1:].replace(" ", ""): {**about.get(kind, {}), **details},
    }


def envelope(inner: object) -> str:
    """Return SNS's envelope around a message.

    https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html
    """
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:eu-west-1:123456789012:mail",
            "Message": inner if isinstance(inner, str) else json.dumps(inner),
            "Timestamp": "2026-11-23T03:00:01.300Z",
        }
    )


def eventbridge(inner: object) -> str:
    """Return EventBridge's envelope around an event.

    https://docs.aws.amazon.com/ses/latest/dg/monitoring-eventbridge.html
    """
    return json.dumps(
        {"version": "0", "detail-type": "Email Bounced", "source": "aws.ses", "detail": inner}
    )
