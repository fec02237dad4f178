"""Answers put in below botocore's retries, where the network would be.

A ``before-send`` handler that returns an answer takes the network's place; everything above it
(signing, retries, parsing, paging) is the real thing.
https://botocore.amazonaws.com/v1/documentation/api/latest/topics/events.html
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import boto3


@dataclass
class Request:
    """A request as it would have gone out: ``service:Operation``, region, and its fields."""

    call: str
    region: str
    fields: dict[str, Any]


@dataclass
class Wire:
    """Rules that answer requests in the network's place; ``seen`` keeps every try."""

    rules: list[Callable[[Request], AWSResponse | None]] = field(default_factory=list)
    seen: list[Request] = field(default_factory=list)

    def attach(self, session: boto3.Session) -> None:
        handler: Callable[..., Any] = self._send
        session.events.register_first("before-send", handler)

    def on(
        self, call: str, rule: Callable[[Request], AWSResponse | None], region: str = ""
    ) -> None:
        """Answer this call (in this region) so; None lets it go on to moto."""
        self.rules.append(
            lambda request: (
                rule(request) if request.call == call and region in ("", request.region) else None
            )
        )

    def tries(self, call: str, region: str = "") -> int:
        return sum(r.call == call and region in ("", r.region) for r in self.seen)

    def _send(self, request: AWSPreparedRequest, **_: object) -> AWSResponse | None:
        asked = _read(request)
        self.seen.append(asked)
        return next((answer for rule in self.rules if (answer := rule(asked))), None)


def _read(request: AWSPreparedRequest) -> Request:
    url = urlsplit(request.url)
    host = (url.hostname or "").split(".")
    region = host[1] if host[1] != "amazonaws" else "us-east-1"
    body = request.body or b""
    text = body.decode() if isinstance(body, bytes) else str(body)
    target: str | bytes | None = request.headers.get("X-Amz-Target")
    if target:
        name = target.decode() if isinstance(target, bytes) else target
        return Request(f"{host[0]}:{name.rpartition('.')[2]}", region, json.loads(text))
    if url.path == "/listRegions":
        return Request("account:ListRegions", region, json.loads(text))
    if host[0] == "email":
        return _ses(url.path, region, text)
    fields = {key: values[0] for key, values in parse_qs(text).items()}
    return Request(f"{host[0]}:{fields['Action']}", region, fields)


def _ses(path: str, region: str, body: str) -> Request:
    """A request to SES, whose API tells operations by their paths.

    https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Operations.html
    """
    if path == "/v2/email/account":
        return Request("sesv2:GetAccount", region, {})
    if path == "/v2/email/list-identities":
        return Request("sesv2:ListEmailIdentities", region, json.loads(body or "{}"))
    identity = re.fullmatch("/v2/email/identities/([^/]+)/policies", path)
    fields = {"EmailIdentity": unquote(identity[1])} if identity else {}
    name = "GetEmailIdentityPolicies" if identity else path
    return Request(f"sesv2:{name}", region, fields)


class _Raw(BytesIO):
    def stream(self, *_: object, **__: object) -> Iterable[bytes]:
        yield self.read()


def answer(status: int, body: str, headers: dict[str, str]) -> AWSResponse:
    """An answer of any kind; headers in lower case."""
    raw: Any = _Raw(body.encode())
    plain_headers: Any = headers
    return AWSResponse("https://aws.invalid/", status, plain_headers, raw)


def ok(body: object) -> AWSResponse:
    """A JSON service's answer."""
    return answer(200, json.dumps(body), {"content-type": "application/x-amz-json-1.1"})


def refuse(code: str, message: str = "no", status: int = 400) -> Callable[[Request], AWSResponse]:
    """An error in the form of the service that was asked."""

    def refused(request: Request) -> AWSResponse:
        if request.call.startswith(("iam:", "sts:")):
            body = (
                "<ErrorResponse><Error><Type>Sender</Type>"
                f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
                "<RequestId>r</RequestId></ErrorResponse>"
            )
            return answer(status, body, {"content-type": "text/xml"})
        body = json.dumps({"__type": code, "message": message})
        return answer(status, body, {"x-amzn-errortype": code})

    return refused


def fail(error: Exception) -> Callable[[Request], AWSResponse]:
    """A failure of the network itself."""

    def failed(_: Request) -> AWSResponse:
        raise error

    return failed


def _xml(value: object, tag: str) -> str:
    if isinstance(value, dict) and not tag.endswith("Document"):
        inner = "".join(_xml(item, key) for key, item in value.items())
    elif isinstance(value, list):
        inner = "".join(_xml(item, "member") for item in value)
    elif tag.endswith("Document"):
        inner = quote(value if isinstance(value, str) else json.dumps(value), safe="")
    else:
        inner = escape(str(value).lower() if isinstance(value, bool) else str(value))
    return f"<{tag}>{inner}</{tag}>"


def gaad_page(
    roles: list[dict[str, object]], policies: list[dict[str, object]], marker: str | None = None
) -> AWSResponse:
    """A page of GetAccountAuthorizationDetails as IAM's XML, with a marker where more follow."""
    page: dict[str, object] = {
        "RoleDetailList": roles,
        "Policies": policies,
        "IsTruncated": marker is not None,
    }
    if marker is not None:
        page["Marker"] = marker
    result = _xml(page, "GetAccountAuthorizationDetailsResult")
    body = (
        f"<GetAccountAuthorizationDetailsResponse>{result}</GetAccountAuthorizationDetailsResponse>"
    )
    return answer(200, body, {"content-type": "text/xml"})
