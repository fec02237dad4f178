"""The scheduled audit: run, tell the topic."""

from __future__ import annotations

from typing import Any

from auditor.errors import CollectError
from chalicelib import handing_on
from chalicelib import run as runs
from chalicelib import settings as config


def run(context: Any) -> dict[str, Any]:
    """Audit every CodeBuild role and publish what was found; the reply is a short account of it.

    Where the deployment says so, ``remediate`` plans or closes first, and the message tells of it.

    EventBridge and Lambda deliver at least once: a second run reads again, changes nothing, and at
    worst sends the same findings, with the same ids, once more.
    Raises AuditorError where nothing could be audited, or the topic could not be told.
    """
    settings = config.load()
    report = runs.audit_account(regions=settings.regions)
    remedy = handing_on.remedy(settings, report, context)
    message_id = runs.notify(settings, report, always=settings.always_notify, remedy=remedy)
    if not report.complete and not report.roles:
        # Somebody may have been told, but a function that audits nothing must not look well.
        first = report.errors[0]
        raise CollectError(f"no role could be audited: {first.where}: {first.message}")
    return {
        "account_id": report.account_id,
        "complete": report.complete,
        "summary": report.summary(),
        "message_id": message_id,
        **({} if remedy is None else {"remediation": remedy.data}),
    }
