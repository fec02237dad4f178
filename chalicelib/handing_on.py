"""The nightly audit has ``remediate`` plan for what it found, or close it: its one extra right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, Literal

import boto3
from botocore.config import Config
from pydantic import BaseModel, ConfigDict, ValidationError

from auditor.notify.interface import Remedy
from auditor.notify.unanswered import AWS_ERRORS
from auditor.text import without_secrets, words
from chalicelib import telemetry
from chalicelib.clients import CLIENT_CONFIG, STORING_MS, TELLING_MS

if TYPE_CHECKING:
    from auditor.findings import Report
    from chalicelib.settings import Settings

MARGIN_MS: Final = TELLING_MS + STORING_MS + 60_000
"""Kept of the nightly audit's own time, to store and tell what it found whatever remediate does.
The last minute is for the history's table, and for making the page."""
LEAST_MS: Final = 30_000
"""With less than this to wait for it, remediate isn't begun."""

_SHOWN: Final = 40  # roles told of in a message
_TROUBLES: Final = 5  # lines of one kind of trouble
_LOUD: Final = ("exposed", "undetermined")


class _Part(BaseModel):
    """A part of a reply. What isn't needed here is passed over; what is, must be there."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Standing(_Part):
    verdict: str
    certainty: str | None = None

    def __str__(self) -> str:
        return f"{self.verdict} ({self.certainty})" if self.certainty else self.verdict


class _Change(_Part):
    role_name: str
    before: _Standing
    after: _Standing


class _Plan(_Part):
    changes: list[_Change]


class _Why(_Part):
    text: str


class _Left(_Part):
    role_name: str
    standing: _Standing | None
    why: _Why


class _Result(_Part):
    role_arn: str
    role_name: str
    outcome: str
    message: str = ""
    standing: _Standing | None = None


class _About(_Part):
    """What every reply has."""

    plan_id: str
    left: list[_Left]
    left_out: int
    complete: bool = True
    unmatched: list[str] = []
    not_read: list[str] = []
    journal_troubles: list[str] = []

    def lines(self) -> list[str]:
        """Return what stays as it is, and why; and what can't be relied on."""
        loud = [one for one in self.left if one.standing and one.standing.verdict in _LOUD]
        found = [f"  left as it is: {one.role_name}: {one.why.text}" for one in loud[:_SHOWN]]
        rest = max(0, len(loud) - _SHOWN) + self.left_out
        found += [f"  and {rest} more"] if rest else []
        if self.unmatched:
            found.append(f"  match no CodeBuild role: {', '.join(self.unmatched[:_SHOWN])}")
        if not self.complete or self.not_read:
            found.append(
                "  INCOMPLETE: not everything could be read, so roles may be missing here."
            )
        found += [f"  not read: {line}" for line in self.not_read[:_TROUBLES]]
        return found + [f"  journal: {line}" for line in self.journal_troubles[:_TROUBLES]]

    def data(self) -> dict[str, Any]:
        """Return what machines are told beside."""
        return {"complete": self.complete and not self.not_read}


class _Planned(_About):
    applied: Literal[False]
    plan: _Plan
    changes_left_out: int = 0


class _Done(_About):
    results: list[_Result]
    outcomes: dict[str, int] = {}
    results_left_out: int = 0
    next: dict[str, Any] | None = None


def remedy(
    settings: Settings, report: Report, context: Any, run_id: str | None = None
) -> Remedy | None:
    """Have the configured roles planned for, or closed; what came of it, for the message.

    None where nothing is configured or nothing is exposed. Whatever goes wrong is in the message:
    the findings are published all the same.

    :param run_id: the same for an event that is delivered twice, or tried again.
    """
    if not settings.remediate_roles or report.count("exposed") == 0:
        return None
    told = _remedy(settings, context, run_id)
    return told._replace(lines=tuple(map(without_secrets, told.lines)))


def _remedy(settings: Settings, context: Any, run_id: str | None) -> Remedy:
    event = {
        "roles": list(settings.remediate_roles),
        "excepted": list(settings.remediate_except),
        "apply": settings.remediate_apply,
        # A doubled night asks once: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
        "request_id": f"nightly-{run_id or context.aws_request_id}",
    }
    left_ms = context.get_remaining_time_in_millis() - MARGIN_MS
    if left_ms < LEAST_MS:
        return _failed("it was not begun, for the audit left no time for it")
    client = boto3.Session().client(
        "lambda",
        config=CLIENT_CONFIG.merge(
            # One try: what was begun goes on there, whether or not this waits for it.
            Config(retries={"total_max_attempts": 1}, read_timeout=left_ms // 1000)
        ),
    )
    try:
        answer = client.invoke(
            FunctionName=str(settings.remediate_function), Payload=json.dumps(event).encode()
        )
        reply = json.loads(answer["Payload"].read())
    except (*AWS_ERRORS, ValueError) as error:
        return _failed(f"{type(error).__name__}: {words(error)}")
    if answer.get("FunctionError"):
        return _failed(words(reply.get("errorMessage") if isinstance(reply, dict) else reply))
    try:
        if settings.remediate_apply:
            return _done(_Done.model_validate(reply))
        return _planned(_Planned.model_validate(reply))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the reply"
        return _failed(f"its reply can't be understood ({place}: {first['msg']})")


def _failed(why: str) -> Remedy:
    telemetry.logger.error("remediation failed: %s", why)
    line = f"REMEDIATION FAILED or its outcome isn't known: {why}"
    advice = (
        'Look at the log of remediate; {"list": true} tells the plans that were begun,'
        ' {"finish": "PLAN", "apply": true} goes on with one.'
    )
    return Remedy((line, advice), {"error": why})


def _planned(reply: _Planned) -> Remedy:
    changes = reply.plan.changes
    number = len(changes) + reply.changes_left_out
    lines = [f"Planned, not done: {number} roles can be closed ({reply.plan_id})."]
    lines += [f"  {one.role_name}: {one.before} -> {one.after}" for one in changes[:_SHOWN]]
    lines += reply.lines()
    if changes:
        lines.append('Do it: invoke remediate with {"roles": ["ROLE"], "apply": true}')
    return Remedy(tuple(lines), {"plan_id": reply.plan_id, "changes": number, **reply.data()})


def _done(reply: _Done) -> Remedy:
    results, counts = reply.results, reply.outcomes
    closed = counts.get("attached", sum(one.outcome == "attached" for one in results))
    number = sum(counts.values()) or len(results)
    lines = [f"Remediated: {closed} of {number} roles ({reply.plan_id})."]
    if not number:
        lines = ["Nothing was to be remediated."]
    for one in results[:_SHOWN]:
        now = f"; now {one.standing}" if one.standing else ""
        said = f": {one.message}" if one.message else ""
        lines.append(f"  {one.role_name}: {one.outcome}{now}{said}")
    more = len(results) - _SHOWN + reply.results_left_out
    lines += [f"  and {more} more"] if more > 0 else []
    lines += reply.lines()
    if reply.next is not None:
        lines.append(f"Not all were reached. Go on: invoke remediate with {json.dumps(reply.next)}")
    if closed:
        event = json.dumps({"undo": reply.plan_id, "apply": True})
        lines.append(f"Take it back: invoke remediate with {event}")
    outcomes = {one.role_arn: one.outcome for one in results[:_SHOWN]}
    return Remedy(tuple(lines), {"plan_id": reply.plan_id, "outcomes": outcomes, **reply.data()})
