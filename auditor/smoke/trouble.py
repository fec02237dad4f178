"""What went wrong, named for what it is, on one bounded line without secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from auditor.text import MESSAGE_LIMIT, one_line, without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")

Kind = Literal[
    "accepted",
    "credentials",
    "denied",
    "event-missing",
    "no-message-id",
    "not-attempted",
    "not-found",
    "open",
    "paused",
    "queue-unreadable",
    "rejected",
    "sandbox",
    "throttled",
    "unexpected-event",
    "unreachable",
    "unverified-identity",
]

Denial = Literal["deny", "layer", "role", "untold"]
"""Why IAM refused: a Deny; a layer around the role that doesn't allow; the role's own policies."""

# Whatever a call can fail with; the last stands outside botocore's own root (something other than
# AWS answered, such as a proxy's page).
AWS_ERRORS: Final = (ClientError, BotoCoreError, ResponseParserError)

_SILENT: Final = re.compile(r"because no ([a-z -]{1,40}?) (?:policy|boundary) allows")

_CREDENTIALS: Final = (
    NoCredentialsError,
    PartialCredentialsError,
    CredentialRetrievalError,
    TokenRetrievalError,
    ProfileNotFound,
)
# Codes of SES v1, SES v2, SQS and STS, each without the "Exception" that some of them end with.
# https://docs.aws.amazon.com/ses/latest/APIReference/API_SendEmail.html#API_SendEmail_Errors
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
# https://docs.aws.amazon.com/ses/latest/APIReference/CommonErrors.html
_CODES: Final[dict[str, Kind]] = {
    "AccessDenied": "denied",
    "NotAuthorized": "denied",
    "Throttling": "throttled",
    "Throttled": "throttled",
    "RequestThrottled": "throttled",
    "TooManyRequests": "throttled",
    "LimitExceeded": "throttled",
    "AccountSendingPaused": "paused",
    "ConfigurationSetSendingPaused": "paused",
    "SendingPaused": "paused",
    "AccountSuspended": "paused",
    "MailFromDomainNotVerified": "unverified-identity",
    "ConfigurationSetDoesNotExist": "not-found",
    "TemplateDoesNotExist": "not-found",
    "NotFound": "not-found",
    "ExpiredToken": "credentials",
    "RequestExpired": "credentials",
    "InvalidClientTokenId": "credentials",
    "UnrecognizedClient": "credentials",
    "SignatureDoesNotMatch": "credentials",
    "IncompleteSignature": "credentials",
    "MissingAuthenticationToken": "credentials",
}


def understood(ask: Callable[[], _T]) -> _T:
    """Return what ``ask`` (one call of a client) returns.

    :raises ResponseParserError: also where botocore's readers stumble over an answer that isn't
        AWS's, such as a proxy's page: they raise KeyError or AttributeError then.
    """
    try:
        return ask()
    except (AttributeError, KeyError, TypeError) as error:
        raise ResponseParserError("the answer isn't one that AWS gives") from error


class Trouble(NamedTuple):
    """What went wrong: of which kind, and in words. ``denial``: of ``denied``, as AWS tells it."""

    kind: Kind
    message: str
    denial: Denial = "untold"


def trouble_of(error: Exception, *, sender: str = "", to: str = "") -> Trouble:
    """Return what an error of AWS or botocore means for a mail (or a call that has none)."""
    message = describe(error)
    if isinstance(error, _CREDENTIALS):
        return Trouble("credentials", message)
    if isinstance(error, HTTPClientError):
        return Trouble("unreachable", message)
    code = error_code(error).removesuffix("Exception")
    if code == "MessageRejected" and "not verified" in str(error).lower():
        return Trouble(_unverified(str(error), sender, to), message)
    kind = _CODES.get(code, "rejected")
    return Trouble(kind, message, _denial(error) if kind == "denied" else "untold")


def _denial(error: Exception) -> Denial:
    """Tell why IAM refused. A message that doesn't say is the usual one of SES.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
    """
    words = " ".join(str(error)[: MESSAGE_LIMIT * 8].lower().split())
    if "explicit deny" in words:
        return "deny"
    silent = _SILENT.search(words)
    if silent is None:
        return "untold"
    return "role" if silent[1] == "identity-based" else "layer"


def _unverified(words: str, sender: str, to: str) -> Kind:
    """Tell whose address isn't verified: AWS lists the identities that failed its check.

    In the sandbox the recipient's must be verified too:
    https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html
    """
    listed = words.lower()
    mine = bool(sender) and sender.lower() in listed
    return "sandbox" if to and to.lower() in listed and not mine else "unverified-identity"


def error_code(error: Exception) -> str:
    """Return the error's code as AWS gave it, or the name of botocore's own error."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code") or "ClientError")
    return type(error).__name__


def describe(error: Exception) -> str:
    """Return ``Code: message`` on one bounded line, without secrets."""
    text = str(error)
    if isinstance(error, ClientError):
        text = str(error.response.get("Error", {}).get("Message") or text)
    return one_line(without_secrets(f"{error_code(error)}: {text}"))
