"""The report as JSON: the shape that ``report-1.schema.json`` pins and docs/report.md explains."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from auditor.findings import SCHEMA_VERSION
from auditor.report.interface import PLAIN
from auditor.report.role_json import (
    RoleWriter,
    exception_to_dict,
    project_to_dict,
    role_to_dict,
    timestamp,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from auditor.findings import Report
    from auditor.lasting import Known
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
        **_limits(report),
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
        **_held_against(report),
    }


def _limits(report: Report) -> dict[str, object]:
    """Return what the audit was limited to; no field where it was the whole account."""
    if report.limits is None:
        return {}
    return {"limits": {name: list(values) for name, values in report.limits._asdict().items()}}


def _known(one: Known) -> dict[str, object]:
    return {
        "id": one.id,
        "role_arn": one.role_arn,
        "rule": one.rule,
        "action": one.action,
        "severity": one.severity,
        "title": one.title,
        "first_seen": timestamp(one.first_seen),
        "last_seen": timestamp(one.last_seen),
    }


def _held_against(report: Report) -> dict[str, object]:
    """Return what exceptions did, and what earlier audits found; no field that nobody asked for."""
    values: dict[str, object] = {}
    if report.exceptions is not None:
        values["exceptions"] = [
            {**exception_to_dict(use.exception), "state": use.state} for use in report.exceptions
        ]
    if report.resolved is not None:
        values["resolved"] = [
            {
                "id": one.id,
                "role_arn": one.role_arn,
                "rule": one.rule,
                "action": one.action,
                "severity": one.severity,
                "title": one.title,
                "first_seen": timestamp(one.first_seen),
                "last_seen": timestamp(one.last_seen),
                "resolved_at": timestamp(one.resolved_at),
            }
            for one in report.resolved
        ]
    if report.unseen is not None:
        values["not_looked_at"] = list(map(_known, report.unseen))
    if report.known_later:
        values["known_later"] = list(map(_known, report.known_later))
    return values
