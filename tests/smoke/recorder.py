"""Clients that note what they are called with, and who would get it."""

from __future__ import annotations

from email import message_from_bytes
from email.utils import getaddresses
from typing import Any, NamedTuple

from auditor.smoke.clients import Clients


class Call(NamedTuple):
    """One call of a client."""

    operation: str
    arguments: dict[str, Any]


class Recorder:
    """Answers every call as SES does where all is well."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    def clients(self) -> Clients:
        return Clients(self, self, None, None)

    def __getattr__(self, operation: str) -> Any:
        def call(**arguments: Any) -> dict[str, str]:
            self.calls.append(Call(operation, arguments))
            return {"MessageId": f"id-{len(self.calls)}"}

        return call


def recipients_of(call: Call) -> list[str]:
    """Return everybody who would get a mail: a raw one's headers must say the same."""
    arguments = call.arguments
    if call.operation == "send_raw_email":
        mail = message_from_bytes(arguments["RawMessage"]["Data"])
        headers = ("To", "Cc", "Bcc", "Resent-To")
        named = [text for name in headers for text in mail.get_all(name, [])]
        assert [to for _, to in getaddresses(named)] == arguments["Destinations"]
        found: list[str] = arguments["Destinations"]
        return found
    assert set(arguments["Destination"]) == {"ToAddresses"}
    assert not {"ReplyToAddresses", "ReturnPath", "FeedbackForwardingEmailAddress"} & set(arguments)
    return list(arguments["Destination"]["ToAddresses"])
