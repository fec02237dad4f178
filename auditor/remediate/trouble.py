"""What AWS's refusals and silences mean for a change, each on one bounded line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from auditor.text import MESSAGE_LIMIT, visible, without_secrets

if TYPE_CHECKING:
    from auditor.errors import AuditorError

# Whatever a call to AWS can fail with. ResponseParserError stands outside botocore's own root
# (something other than AWS answered, such as a proxy's page).
AWS_ERRORS: Final = (ClientError, BotoCoreError, ResponseParserError)

# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_THROTTLES: Final = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
    }
)
_CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "NoCredentialsError",
        "PartialCredentialsError",
        "CredentialRetrievalError",
        "TokenRetrievalError",
    }
)
# https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html#API_AttachRolePolicy_Errors
_ADVICE: Final = {
    "AccessDenied": "these credentials may not do it",
    "AccessDeniedException": "these credentials may not do it",
    "LimitExceeded": "the role is at IAM's quota: free a place or have the quota raised",
    "UnmodifiableEntity": "an AWS service owns this role, and only it can change it",
    "ConcurrentModification": "somebody else is changing it: wait a few minutes, then run it again",
    "PolicyNotAttachable": "AWS doesn't let this policy be attached to roles",
}


class Trouble(NamedTuple):
    """Why a call failed.

    ``definite``: AWS refused the only try there was, so nothing was done. ``silent``: no answer, or
    one from which it can't be told whether it was done. ``throttled``: AWS asked to slow down.
    ``hopeless``: every further call would fail likewise (the credentials). ``missing``: something
    that the call names isn't there.
    """

    code: str
    message: str
    definite: bool
    silent: bool
    throttled: bool
    hopeless: bool
    missing: bool


def trouble_of(error: Exception) -> Trouble:
    """Return what an error of AWS or botocore means."""
    code, words, status, retries = type(error).__name__, str(error), 0, 0
    if isinstance(error, ClientError):
        told = error.response.get("Error", {})
        code = str(told.get("Code") or code)
        words = str(told.get("Message") or words)
        meta = error.response.get("ResponseMetadata", {})
        status, retries = meta.get("HTTPStatusCode", 0), meta.get("RetryAttempts", 0)
    # A 5xx answer may come after the work was done, as may none at all.
    answered = isinstance(error, ClientError) and 400 <= status < 500
    throttled = code in _THROTTLES
    hopeless = code in _CREDENTIALS
    advice = (
        "AWS asked to slow down, eight times: run it again later"
        if throttled
        else "get fresh credentials, then run it again"
        if hopeless
        else _ADVICE.get(code)
    )
    return Trouble(
        code,
        one_line(f"{code}: {words}") + (f" ({advice})" if advice else ""),
        definite=answered and not retries,
        silent=not answered,
        throttled=throttled,
        hopeless=hopeless,
        missing=code == "NoSuchEntity",
    )


def trouble_behind(error: AuditorError) -> Trouble:
    """Return what an error of a reader means: its words, and its cause's kind."""
    cause = error.__cause__
    kind = trouble_of(cause if isinstance(cause, Exception) else error)
    return kind._replace(message=one_line(str(error)))


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return text that others wrote as one printable line of at most ``limit`` characters."""
    # Cut first, generously: an error page of megabytes should cost nothing.
    shown = without_secrets(text[: limit * 8])
    line = visible(" ".join(shown.split()))
    return line if len(line) <= limit else f"{line[: limit - 3]}..."
