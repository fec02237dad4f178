"""The forms of AWS's sentence about a refused call: a row each, with its name and its source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from auditor.denial.model import Why

if TYPE_CHECKING:
    from auditor.denial.model import Layer

REFUSED: Final = "notauthorizedtoperform"
"""What every sentence has, in text without white space."""

# the last ones are typographic: acute accent, and curly quotes of chats and word processors
_QUOTES: Final = "`'\"\u00b4\u2018\u2019\u201c\u201d"
QUOTES: Final = rf"[{_QUOTES}]"
UNQUOTED: Final = rf"[^\s<>{_QUOTES}]"


def _loose(words: str) -> str:
    """Return a pattern of words that may be broken anywhere, or have lost their spaces."""
    return r"\s*".join(r"\n?".join(map(re.escape, word)) for word in words.split())


LAYERS: Final[tuple[Layer, ...]] = (
    "identity-based policy",
    "resource-based policy",
    "permissions boundary",
    "service control policy",
    "resource control policy",
    "session policy",
    "VPC endpoint policy",
    "role trust policy",
)
_LAYER: Final = "|".join(_loose(layer) for layer in LAYERS)
_DENIED: Final = _loose("with an explicit deny")
_REASON: Final = (
    rf"(?:{_loose('because no')}\s*(?P<silent>{_LAYER})\s*{_loose('allows')}"
    rf"|{_loose('with an explicit deny in')}\s*a\n?n?\s*(?P<denying>{_LAYER})"
    r"(?:\s*:\s*(?P<policy>arn:[A-Za-z0-9:/_+=,.@-]{1,300}))?"
    rf"|(?P<denied>{_DENIED}))"
)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""

_SERVICE: Final = r"(?:[A-Za-z0-9-]\n?){2,40}"
_CALL: Final = r"(?:[A-Za-z0-9*]\n?){1,80}"
_ON: Final = rf"\s*{_loose('on resource')}\n?s?\s*:?\s*"


class Form(NamedTuple):
    """What may follow ``REFUSED``: groups ``action``, and ``resource``, ``silent``, ``denying``."""

    name: str
    pattern: re.Pattern[str]
    source: str


FORMS: Final = (
    Form(
        "quoted, on a quoted resource",
        re.compile(
            rf"\s*:?\s*{QUOTES}?\s*(?P<action>{_SERVICE}:\n?{_CALL}?)\s*{QUOTES}?"
            rf"{_ON}{QUOTES}(?P<resource>[^{_QUOTES}]{{1,600}})(?P<closed>{QUOTES})"
            rf"(?:[\s.,;)]{{0,8}}{_REASON})?"
        ),
        "https://repost.aws/knowledge-center/amazon-ses-iam-user-email-access-denied",
    ),
    Form(
        "on a resource, with the reason",
        re.compile(
            rf"\s*:?\s*{QUOTES}?\s*(?P<action>{_SERVICE}:\n?{_CALL}?)\s*{QUOTES}?"
            rf"{_ON}(?P<resource>(?:{UNQUOTED}\n?){{1,600}}?)[\s.,;]{{0,8}}{_REASON}"
        ),
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ),
    Form(
        "on a resource",
        re.compile(
            rf"\s*:?\s*{QUOTES}?\s*(?P<action>{_SERVICE}:\n?{_CALL}?)\s*{QUOTES}?"
            rf"{_ON}(?P<open>{QUOTES})?(?P<resource>{UNQUOTED}{{1,600}})"
            rf"(?:[\s.,;]{{0,8}}(?P<denied>{_DENIED}))?"
        ),
        "https://github.com/aws/aws-sdk-php/issues/941",
    ),
    Form(
        "with the reason alone",
        re.compile(
            rf"\s*:?\s*{QUOTES}?\s*(?P<action>{_SERVICE}:\n?{_CALL}?)\s*{QUOTES}?"
            rf"[\s.,;]{{0,8}}{_REASON}"
        ),
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
    ),
    Form(
        "the action alone",
        re.compile(
            rf"\s*:?\s*{QUOTES}?\s*(?P<action>{_SERVICE}:\n?[A-Za-z0-9*]{{1,80}})"
            rf"(?![A-Za-z0-9*:/])(?P<next>\n[A-Za-z]{{1,40}}\b)?"
        ),
        "https://github.com/django-ses/django-ses/issues/220",
    ),
)


def why_of(found: re.Match[str]) -> Why:
    """Return the reason that a match of a form has."""
    groups = found.groupdict()
    said = groups.get("silent") or groups.get("denying")
    if not said:
        return Why("explicit") if groups.get("denied") else Why()
    tight = "".join(said.split())
    layer = next(layer for layer in LAYERS if layer.replace(" ", "") == tight)
    if groups.get("silent"):
        return Why("implicit", layer)
    return Why("explicit", layer, groups.get("policy") or "")


PRINCIPAL: Final = re.compile(
    rf"\s*:?\s*{QUOTES}?(?P<who>[^{_QUOTES}]{{1,600}}?){QUOTES}?\s*i\n?s\s*"
)
"""What stands between ``User`` and ``REFUSED``."""
# how test runners mark what passed: Mocha and Jest, TAP, pytest and Go
PASSED: Final = re.compile(r"(?:^|\n)[ \t]{0,40}(?:[\u2713\u2714\u221a]|ok \d|PASS)[^\n]{0,300}\Z")
USER: Final = re.compile(r"U\n?s\n?e\n?r")
