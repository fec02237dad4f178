"""The scheduled audit: run, tell the topic."""

from __future__ import annotations

from typing import Any

from chalicelib import run as runs
from chalicelib import settings as config


def run() -> dict[str, Any]:
    """Audit every CodeBuild role and publish what was found; the reply is a short account of it.

    EventBridge and Lambda deliver at least once: a second run reads again, changes nothing, and at
    worst sends the same findings, with the same ids, once more.
    """
    settings = config.load()
    report = runs.audit_account(regions=settings.regions)
    message_id = runs.notify(settings, report, always=settings.always_notify)
    return {
        "account_id": report.account_id,
        "complete": report.complete,
        "summary": report.summary(),
        "message_id": message_id,
    }
