"""How each SDK frames AWS's sentence: a row each, with its name and its source.

They are matched against text without white space, so that no wrapping hides them.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from auditor.denial.model import Context

AFTER_REACH: Final = 1_000
"""Characters after a message in which its stack trace begins."""
LONGEST: Final = 500
"""Characters of the longest thing that one of the rows before a message matches."""


class Sdk(NamedTuple):
    """How an SDK frames the message. Groups of the pattern: ``operation``, ``code``, ``two``.

    ``two`` is there where it is API v2; ``version`` is the API's where the form alone tells.
    ``after``: it stands after the message. ``reach``: characters that may lie between.
    """

    name: str
    pattern: re.Pattern[str]
    source: str
    version: str = ""
    after: bool = False
    reach: int = 250


BOTOCORE: Final = "botocore (Python SDK, AWS CLI)"
_ERROR: Final = r"(?P<code>AccessDenied(?:Exception)?)"
_SDKS: Final = "https://docs.aws.amazon.com/sdkref/latest/guide/supported-sdks-and-tools.html"
SDKS: Final = (
    Sdk(
        BOTOCORE,
        re.compile(
            r"Anerroroccurred\((?P<code>\w{1,60})\)whencallingthe(?P<operation>\w{1,80}?)operation"
            r"(?:\(reachedmaxretries:\d+\))?:?"
        ),
        "https://github.com/HHS/simpler-grants-gov/issues/6013",
        reach=2,
    ),
    Sdk(
        "Go SDK v2",
        re.compile(
            r"operationerrorSESv?(?P<two>2)?:(?P<operation>\w{1,80}?),"
            r"(?:.{0,200}?(?P<code>AccessDenied(?:Exception)?):)?"
        ),
        "https://github.com/aws/aws-sdk-go-v2/issues/2859",
    ),
    Sdk(
        "PHP SDK",
        re.compile(r"Errorexecuting\"(?P<operation>\w{1,80})\"on\"https://email"),
        "https://github.com/aws/aws-sdk-php/issues/941",
        reach=600,  # it quotes the HTTP answer first
    ),
    Sdk(
        "Symfony Mailer (PHP)",
        re.compile(r"HttpTransportException|Unabletosendanemail:"),
        "https://github.com/symfony/symfony/issues/51461",
    ),
    Sdk(
        ".NET SDK",
        re.compile(r"Amazon\.SimpleEmail(?:V(?P<two>2))?\.(?:Model\.)?\w{1,80}Exception"),
        "https://github.com/aws/aws-sdk-net/issues/3550",
    ),
    Sdk(
        "Ruby SDK",
        re.compile(rf"Aws::SES(?:V(?P<two>2))?::Errors::{_ERROR}"),
        "https://github.com/exercism/website/issues/6156",
    ),
    Sdk(
        "Rust SDK",
        re.compile(
            rf"unhandlederror\({_ERROR}\)|code:Some\(\"{_ERROR.replace('code', 'code2')}\"\)"
        ),
        "https://github.com/awslabs/aws-sdk-rust/issues/227",
    ),
    Sdk(
        "Swift SDK",
        re.compile(r"UnknownAWSHTTPServiceError\(typeName:Optional\(\"(?P<code>\w{1,60})"),
        "https://github.com/awslabs/aws-sdk-swift/issues/1278",
    ),
    Sdk(
        "Java SDK v1",
        re.compile(
            r"Service:AmazonSimpleEmailService(?:V(?P<two>2))?;StatusCode:403;"
            r"ErrorCode:(?P<code>\w{1,60})"
        ),
        "https://github.com/aws/aws-sdk-js/issues/4610",
        after=True,
    ),
    Sdk(
        "Java SDK v2",
        re.compile(r"\(Service:Ses(?:V(?P<two>2))?,StatusCode:403"),
        "https://github.com/aws/aws-toolkit-jetbrains/issues/2846",
        after=True,
    ),
    Sdk(
        "SMTP",
        re.compile(r"554[ -]?,?(?:b?[\"'])?Accessdenied:|Accessdenied:U?"),
        "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html",
        version="smtp",
    ),
    Sdk(
        "Go SDK v1",
        re.compile(r"^.{0,12}statuscode:403,requestid:"),
        "https://github.com/aws/aws-sdk/issues/76",
        version="1",
        after=True,
    ),
    Sdk(
        "JavaScript SDK v3",
        re.compile(rf"{_ERROR}Error:?|\$metadata|@aws-sdk/|\$fault"),
        "https://github.com/nodemailer/nodemailer/issues/1734",
        after=True,
    ),
    Sdk(
        "JavaScript SDK v2",
        re.compile(r"Request\.extractError|aws-sdk/lib|statusCode:403,retryable"),
        "https://github.com/dwyl/aws-ses-lambda/issues/10",
        after=True,
    ),
    Sdk("XML answer of the API", re.compile(rf"<Code>{_ERROR}</Code>"), _SDKS, version="1"),
    Sdk("an SDK's message", re.compile(rf"{_ERROR}[\"'\]:,]"), _SDKS),
)

# what only API v2's clients and their stack traces have
_TWO: Final = re.compile(r"client-sesv2|services\.sesv2|SESv2Client|de_SendEmailCommandError")
_CODE: Final = re.compile(r"AccessDenied(?:Exception)?")


def context_of(before: str, after: str) -> Context:
    """Return whose message it is, from what stands around it (white space left out)."""
    for sdk in SDKS:
        found = _nearest(sdk, after if sdk.after else before)
        if found is None:
            continue
        groups = found.groupdict()
        codes = _CODE.findall(before)
        code = groups.get("code") or groups.get("code2") or (codes[-1] if codes else "")
        version = "2" if groups.get("two") or _TWO.search(f"{before[-LONGEST:]}{after}") else ""
        version = version or sdk.version
        if not version and code in ("AccessDenied", "AccessDeniedException"):
            # v1 answers in XML with the first, v2 in JSON with the second
            version = "2" if code == "AccessDeniedException" else "1"
        return Context(sdk.name, groups.get("operation") or "", code, version)
    return Context()


def _nearest(sdk: Sdk, text: str) -> re.Match[str] | None:
    """Return the match that is nearest to the message, if it is near enough."""
    if sdk.after:
        found = sdk.pattern.search(text)
        return found if found and found.start() <= AFTER_REACH else None
    last = list(sdk.pattern.finditer(text, max(0, len(text) - sdk.reach - LONGEST)))[-1:]
    return last[0] if last and len(text) - last[0].end() <= sdk.reach else None
