"""The report as JSON: the shape that ``report-1.schema.json`` pins and docs/report.md explains."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING

from auditor.findings import SCHEMA_VERSION
from auditor.report.interface import PLAIN
from auditor.report.role_json import RoleWriter, project_to_dict, role_to_dict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from auditor.findings import Report
    from auditor.report.interface import Look

__all__ = ["render", "role_to_dict", "timestamp", "to_dict"]


def to_dict(report: Report) -> dict[str, object]:
    """Return the whole report as JSON values, fields in the documented order."""
    return _document(report, [role_to_dict(role) for role in report.roles])


def render(report: Report, look: Look = PLAIN) -> str:  # noqa: ARG001 - every format takes a look
    """Return the report as JSON text: one line a field, one line an entry of a field's list.

    A role a line keeps large reports quick to write, and lets ``diff`` show which roles changed.
    The text is plain ASCII (everything else is escaped), so it is the same bytes in any locale,
    and nothing in a name can steer the terminal it is shown on.
    """
    write = RoleWriter()
    parts = ["{"]
    for name, value in _document(report, []).items():
        parts.append(f"\n  {json.dumps(name)}: ")
        if name == "roles":
            parts += _lines(map(write.role, report.roles))
        elif isinstance(value, list):
            parts += _lines(map(json.dumps, value))
        else:
            parts.append(json.dumps(value))
        parts.append(",")
    parts[-1] = "\n}\n"
    return "".join(parts)


def timestamp(moment: datetime) -> str:
    """Return an aware datetime as ``2026-11-23T03:00:00Z``, in whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _lines(entries: Iterable[str]) -> Iterator[str]:
    """Yield the parts of a list with an entry a line."""
    start = "[\n    "
    for entry in entries:
        yield start
        yield entry
        start = ",\n    "
    yield "[]" if start.startswith("[") else "\n  ]"


def _document(report: Report, roles: list[dict[str, object]]) -> dict[str, object]:
    return {
        "schema_version": SCHEMA_VERSION,
        "generated_at": timestamp(report.generated_at),
        "account_id": report.account_id,
        "complete": report.complete,
        "summary": report.summary(),
        "roles": roles,
        "not_evaluated": list(report.not_evaluated),
        "errors": [{"where": e.where, "message": e.message} for e in report.errors],
        "unresolved_projects": [
            {**project_to_dict(u.project), "role_arn": u.role_arn, "reason": u.reason}
            for u in report.unresolved_projects
        ],
        "ses": [
            {
                "region": one.region,
                "production_access": one.production_access,
                "sending_enabled": one.sending_enabled,
                "verified_identities": [each.name for each in one.identities if each.verified],
            }
            for one in report.ses
        ],
    }
