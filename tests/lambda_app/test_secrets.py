"""No credential reaches a topic, a log or a reply, whichever call of AWS it comes back from."""

from __future__ import annotations

import ast
import io
import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

import auditor.notify
import chalicelib
from chalicelib import telemetry
from tests.lambda_app.test_nights_trouble import EXCEPTION, put_exceptions
from tests.lambda_app.world import hook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chalice.test import Client

    from tests.lambda_app.everybody import Everybody

TOKEN = "c2VjcmV0LXRva2VuLW9mLWEtc2Vzc2lvbg" * 4
# https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html
ANSWER = (
    "The request signature we calculated does not match the signature you provided. Check your AWS"
    " Secret Access Key and signing method.\n\nThe Canonical String for this request should have"
    f" been\n'POST\n/\n\nhost:x.amazonaws.com\nx-amz-security-token:{TOKEN}\n"
)
CALLS = [
    *("sts.GetCallerIdentity", "iam.GetAccountAuthorizationDetails", "codebuild.ListProjects"),
    *("codebuild.BatchGetProjects", "sesv2.ListEmailIdentities", "organizations"),
    *("dynamodb.GetItem", "dynamodb.Query", "dynamodb.PutItem", "dynamodb.TransactWriteItems"),
    *("ssm.GetParameter", "s3.GetObject", "lambda.Invoke", "sns.Publish", "s3.PutObject"),
    *("eventbridge.PutEvents", "securityhub.GetFindings", "securityhub.BatchImportFindings"),
]

pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


def answer(**_: object) -> tuple[object, dict[str, Any]]:
    """Answer as AWS does where a signature is wrong."""
    error = {"Code": "InvalidSignatureException", "Message": ANSWER}
    return SimpleNamespace(status_code=403, headers={}), {"Error": error}


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What the functions' logger writes, as Lambda gets it."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(telemetry.logger.registered_formatter)
    telemetry.logger.addHandler(handler)
    yield text
    logging.getLogger(telemetry.SERVICE).removeHandler(handler)


@pytest.mark.parametrize("call", CALLS)
def test_what_aws_says_is_told_without_the_token(
    client: Client,
    everybody: Everybody,
    monkeypatch: pytest.MonkeyPatch,
    written: io.StringIO,
    call: str,
) -> None:
    """A night on which one call fails with the request's token in its text tells nobody the token.

    The reason is told all the same, in the log at least.
    """
    put_exceptions(EXCEPTION.replace("codebuild-open", "codebuild-nobody"))
    place = (
        "s3://exceptions/auditor/file.yaml" if call == "s3.GetObject" else "ssm:/auditor/exceptions"
    )
    monkeypatch.setenv("AUDITOR_EXCEPTIONS", place)
    monkeypatch.setenv("AUDITOR_REMEDIATE_ROLES", "*")
    monkeypatch.setenv("AUDITOR_REMEDIATE_FUNCTION", "remediate")
    if call != "lambda.Invoke":
        reply = {
            "applied": False,
            "plan_id": "p",
            "plan": {"changes": []},
            "left": [],
            "left_out": 0,
        }
        body = SimpleNamespace(read=lambda: json.dumps(reply).encode())
        response = SimpleNamespace(status_code=200, headers={}), {"Payload": body}
        hook(monkeypatch, "before-call.lambda.Invoke", lambda **_: response)
    hook(monkeypatch, f"before-call.{call}", answer)
    event = client.events.generate_cw_event("aws.events", "Scheduled Event", {}, [])
    replied: object
    try:
        replied = client.lambda_.invoke("audit_nightly", event).payload
    except Exception as error:  # noqa: BLE001 - whatever ends it is Lambda's reply
        replied = [str(error), repr(error.__cause__)]
    monkeypatch.undo()

    heard = [*everybody.world.heard(), *everybody.slack.posts, written.getvalue(), replied]
    assert TOKEN[:20] not in repr(heard)
    assert "signature" in written.getvalue() or call == "organizations"


def test_the_reply_of_any_function_is_without_secrets(
    client: Client, everybody: Everybody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error from nowhere, which no function foresaw, leaves without its token, too."""
    del everybody

    def broken(*_: object, **__: object) -> None:
        raise KeyError(ANSWER) from RuntimeError(ANSWER)

    monkeypatch.setattr("chalicelib.run.collect_account", broken)
    with pytest.raises(KeyError) as caught:
        client.lambda_.invoke("audit_now", {})
    assert TOKEN not in repr(caught.value) + repr(caught.value.__cause__)


def handlers(tree: ast.AST) -> Iterator[ast.ExceptHandler]:
    """Yield the handlers that catch errors of AWS or of a library, and name them."""
    ours = ("AuditorError", "NotifyError", "PartlyToldError", "UnansweredError", "InputError",
            "ValidationError", "HistoryError")  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.name and node.type is not None:
            kinds = [one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)]
            if not set(kinds) <= set(ours):
                yield node


def test_no_channel_tells_an_error_s_own_words() -> None:
    """In channels and functions, a foreign error becomes text through one function alone."""
    checked = 0
    for package in (auditor.notify, chalicelib):
        for path in Path(str(package.__file__)).parent.glob("*.py"):
            for handler in handlers(ast.parse(path.read_text("utf-8"))):
                checked += 1
                for node in ast.walk(handler):
                    shown = None
                    if isinstance(node, ast.FormattedValue):
                        shown = node.value
                    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "str":
                        shown = node.args[0]
                    told = isinstance(shown, ast.Name) and shown.id == handler.name
                    assert not told, f"{path.name}:{node.lineno}: use auditor.text.words"  # type: ignore[attr-defined]
    assert checked > 5


def test_boto3_is_what_is_hooked() -> None:
    """Each call that is made to fail is one that AWS has, so that none of the cases is idle."""
    for call in CALLS:
        service, _, operation = call.partition(".")
        name = {"eventbridge": "events"}.get(service, service)
        known: Any = boto3.Session(region_name="eu-west-1")._session.get_service_model(name)
        assert not operation or operation in known.operation_names
