"""The audit by hand: a checked event in, the JSON report out."""

from __future__ import annotations

from typing import Any

from auditor.errors import InputError
from auditor.report.json import to_dict
from chalicelib import reply, request, telemetry
from chalicelib import run as runs
from chalicelib import settings as config


def run(event: object) -> dict[str, Any]:
    """Audit what the event asks for and return the report, shortened where Lambda can't carry it.

    Raises InputError for an event that can't be used, SettingsError for a bad environment.
    """
    settings = config.load()
    try:
        wanted = request.parse(event)
    except InputError as error:
        telemetry.logger.error("%s", error)
        raise
    report, _ = runs.audit_account(
        settings,
        regions=wanted.regions or settings.regions,
        role_globs=wanted.roles,
        whole=not (wanted.roles or wanted.regions),
    )
    if wanted.notify:
        runs.notify(settings, report)
    return reply.fit(to_dict(report), bucket=settings.reports_bucket, limit=reply.MAX_REPLY_BYTES)
