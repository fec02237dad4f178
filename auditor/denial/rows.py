"""What a problem's row says, and the words that tell whether an error is about mail."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

# Something of SES's near it: otherwise it may be any service's.
NEAR: Final = re.compile(
    r"\bSES(?:[vV]2)?(?:Client|Exception)?\b|Ses(?:V2)?(?:Client|Exception|Transport)\b"
    r"|SimpleEmail|\bemail(?:-smtp)?\.[a-z]{2,3}-[a-z-]{3,20}-\d\.amazonaws|\bsesv2\b|\bses\."
    r"|[sS]end(?:Raw|Templated|BulkTemplated|Bulk|CustomVerification)?Email"
    r"|send[_-](?:(?:raw|templated|bulk)[_-])?email|\bsmtplib\b|\bnodemailer\b"
)
BEFORE: Final = 500
AFTER: Final = 400
"""Characters before and after a problem that count as near it."""


class Row(NamedTuple):
    """One problem. ``anchors`` are the texts it is known by, without white space.

    ``shared``: other services say the same, so it counts only where ``NEAR`` is near. ``details``
    are patterns for what is worth showing, by label, on the text after an anchor. ``what`` says
    what it is, ``then`` what to do.
    """

    id: str
    anchors: tuple[str, ...]
    what: str
    then: tuple[str, ...]
    source: str
    shared: bool = False
    details: tuple[tuple[str, re.Pattern[str]], ...] = ()
