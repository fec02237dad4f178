"""What became of a message that a channel didn't answer for."""

from __future__ import annotations

from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotSentError
from botocore.parsers import ResponseParserError

from auditor.errors import NotifyError

AWS_ERRORS: Final = (BotoCoreError, ClientError, ResponseParserError)
"""Whatever a call can fail with; the last stands outside botocore's own root."""

_PASSING: Final = frozenset({"Throttling", "ThrottlingException", "ThrottledException"})


class UnansweredError(NotifyError):
    """No answer came in time: the message may have been taken, and asking again may repeat it."""


def may_have_arrived(error: Exception) -> bool:
    """Tell whether a call of AWS that failed may have been carried out all the same.

    Where there was an answer it wasn't, nor where no connection came about. The rest is unknown:
    the answer didn't come in time, broke off, or wasn't AWS's.
    """
    return isinstance(error, (HTTPClientError, ResponseParserError))


def passes(error: Exception) -> bool:
    """Tell whether a call of AWS failed that surely wasn't carried out, and may work at once."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        code = error.response.get("Error", {}).get("Code", "")
        return status == 429 or status >= 500 or code in _PASSING
    return isinstance(error, NotSentError)
