"""What a problem's row says, and the words that tell whether an error is about mail."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

# Something of SES's near it: otherwise it may be any service's.
NEAR: Final = re.compile(
    r"\bSES(?:[vV]2)?(?:Client|Exception)?\b|Ses(?:V2)?(?:Client|Exception|Transport)\b"
    r"|SimpleEmail|\bemail(?:-smtp)?\.[a-z]{2,3}-[a-z-]{3,20}-\d\.amazonaws|\bsesv2\b|\bses\.|\(Service:\s*Ses"
    r"|[sS]end(?:Raw|Templated|BulkTemplated|Bulk|CustomVerification)?Email"
    r"|send[_-](?:(?:raw|templated|bulk)[_-])?email|\bsmtplib\b|\bnodemailer\b"
)
# Whose message it is, where it says so: SDKs' wordings, and the host that wasn't reached.
_OTHERS: Final = (
    re.compile(r"\(Service:\s*(?P<ours>(?:AmazonSimpleEmail|Ses))?\w"),
    re.compile(
        r"when calling the (?P<ours>\w{0,40}(?:Email|Template|Identit|ConfigurationSet|Quota"
        r"|Account|SendBounce)\w{0,40})?\w{0,80} ?operation"
    ),
    re.compile(r"\bcalling (?P<ours>ses\w{0,4}\.)?\w{1,40}\.[A-Z]\w{1,60}"),
    re.compile(r"\boperation error (?P<ours>SES)?\w"),
    re.compile(r"(?P<ours>\bSES\w{0,4})?(?:\b[A-Za-z]{2,40})?Client\.(?:send|request)"),
    re.compile(
        r"(?:\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN)|\blookup|\brequest to|\bendpoint URL:)"
        r"[\s\"']{1,3}(?:https?://)?(?P<ours>[\w.-]{0,100}email)?[\w.-]{2,200}"
    ),
)


def another_services(line: str) -> bool:
    """Tell whether a problem's line names services, and SES isn't one of them."""
    named = [found["ours"] for form in _OTHERS for found in form.finditer(line)]
    return bool(named) and not any(named)


BEFORE: Final = 500
AFTER: Final = 400
"""Characters before and after a problem that count as near it."""


class Row(NamedTuple):
    """One problem. ``anchors`` are the texts it is known by, without white space.

    ``shared``: other services say the same, so it counts only where ``NEAR`` is near. ``details``
    are patterns for what is worth showing, by label, on the text after an anchor. ``also`` is an
    anchor that counts only where its pattern is near. ``what`` says what it is, ``then`` what to
    do.
    """

    id: str
    anchors: tuple[str, ...]
    what: str
    then: tuple[str, ...]
    source: str
    shared: bool = False
    also: tuple[str, re.Pattern[str]] | None = None
    details: tuple[tuple[str, re.Pattern[str]], ...] = ()
