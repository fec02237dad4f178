"""The nightly audit has ``remediate`` plan for what it found, or close it: its one extra right."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from auditor.notify.interface import Remedy
from chalicelib import telemetry
from chalicelib.run import CLIENT_CONFIG

if TYPE_CHECKING:
    from auditor.findings import Report
    from chalicelib.settings import Settings

_MARGIN_MS: Final = 60_000
"""Kept of the nightly audit's own time, to publish what it found whatever remediate does."""

_SHOWN: Final = 40  # roles told of in a message


def remedy(settings: Settings, report: Report, context: Any) -> Remedy | None:
    """Have the configured roles planned for, or closed; what came of it, for the message.

    None where nothing is configured or nothing is exposed. Whatever goes wrong is in the message:
    the findings are published all the same.
    """
    if not settings.remediate_roles or report.count("exposed") == 0:
        return None
    event = {
        "roles": list(settings.remediate_roles),
        "apply": settings.remediate_apply,
        # A doubled night asks once: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async.html
        "request_id": f"nightly-{context.aws_request_id}",
    }
    seconds = max(1, (context.get_remaining_time_in_millis() - _MARGIN_MS) // 1000)
    client = boto3.Session().client(
        "lambda",
        config=CLIENT_CONFIG.merge(
            # One try: what was begun goes on there, whether or not this waits for it.
            Config(retries={"total_max_attempts": 1}, read_timeout=seconds)
        ),
    )
    try:
        answer = client.invoke(
            FunctionName=str(settings.remediate_function), Payload=json.dumps(event).encode()
        )
        reply = json.loads(answer["Payload"].read())
    except (BotoCoreError, ClientError, ValueError) as error:
        return _failed(f"{type(error).__name__}: {error}")
    if answer.get("FunctionError") or not isinstance(reply, dict):
        return _failed(str(reply.get("errorMessage") if isinstance(reply, dict) else reply))
    return _done(reply) if reply.get("applied") else _planned(reply)


def _failed(why: str) -> Remedy:
    telemetry.logger.error("remediation failed: %s", why)
    line = f"REMEDIATION FAILED or its outcome isn't known: {why}"
    return Remedy((line, "Look at the log of remediate, and run it again by hand."), {"error": why})


def _planned(reply: dict[str, Any]) -> Remedy:
    plan = reply["plan"]
    lines = [f"Planned, not done: {len(plan['changes'])} roles can be closed ({plan['id']})."]
    lines += [
        f"  {one['role_name']}: {_verdict(one['before'])} -> {_verdict(one['after'])}"
        for one in plan["changes"][:_SHOWN]
    ]
    lines += _left(reply)
    if plan["changes"]:
        lines.append('Do it: invoke remediate with {"roles": ["ROLE"], "apply": true}')
    return Remedy(tuple(lines), {"plan_id": plan["id"], "changes": len(plan["changes"])})


def _done(reply: dict[str, Any]) -> Remedy:
    results = reply["results"]
    closed = [one for one in results if one["outcome"] == "attached"]
    lines = [f"Remediated: {len(closed)} of {len(results)} roles ({reply['plan_id']})."]
    for one in results[:_SHOWN]:
        now = f"; now {_verdict(one['standing'])}" if one["standing"] else ""
        said = f": {one['message']}" if one["message"] else ""
        lines.append(f"  {one['role_name']}: {one['outcome']}{now}{said}")
    lines += _left(reply)
    if closed:
        event = json.dumps({"undo": reply["plan_id"], "apply": True})
        lines.append(f"Take it back: invoke remediate with {event}")
    outcomes = {one["role_arn"]: one["outcome"] for one in results[:_SHOWN]}
    return Remedy(tuple(lines), {"plan_id": reply["plan_id"], "outcomes": outcomes})


def _left(reply: dict[str, Any]) -> list[str]:
    """Return lines about roles that stay exposed, and why."""
    loud = [
        one
        for one in reply["left"]
        if one["standing"] and one["standing"]["verdict"] in ("exposed", "undetermined")
    ]
    lines = [f"  left as it is: {one['role_name']}: {one['why']['text']}" for one in loud[:_SHOWN]]
    rest = len(loud) - _SHOWN + reply["left_out"]
    return [*lines, f"  and {rest} more"] if rest > 0 else lines


def _verdict(standing: dict[str, Any]) -> str:
    sure = f" ({standing['certainty']})" if standing.get("certainty") else ""
    return f"{standing['verdict']}{sure}"
