"""The report as JSON: the shape that ``report-1.schema.json`` pins and docs/report.md explains."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC
from typing import TYPE_CHECKING

from auditor.findings import SCHEMA_VERSION
from auditor.report.interface import PLAIN

if TYPE_CHECKING:
    from datetime import datetime

    from auditor.account import Project
    from auditor.findings import Finding, Report, RoleReport, StatementRef, Witness
    from auditor.report.interface import Look

_RECIPIENTS = "ses:recipients"  # the one key that is a list even with one value; keys ignore case


def to_dict(report: Report) -> dict[str, object]:
    """Return the whole report as JSON values, fields in the documented order."""
    return _document(report, [role_to_dict(role) for role in report.roles])


def role_to_dict(role: RoleReport) -> dict[str, object]:
    """Return one entry of the report's ``roles`` as JSON values."""
    return {
        "arn": role.arn,
        "name": role.name,
        "projects": [_project(project) for project in role.projects],
        "verdict": role.verdict,
        "certainty": role.certainty,
        "reason": role.reason,
        "notes": list(role.notes),
        "findings": [_finding(finding) for finding in role.findings],
    }


def render(report: Report, look: Look = PLAIN) -> str:  # noqa: ARG001 - every format takes a look
    """Return the report as JSON text: one line a field, one line an entry of a field's list.

    A role a line keeps large reports quick to write, and lets ``diff`` show which roles changed.
    The text is plain ASCII (everything else is escaped), so it is the same bytes in any locale,
    and nothing in a name can steer the terminal it is shown on.
    """
    fields = _document(report, map(role_to_dict, report.roles))
    return (
        "{\n" + ",\n".join(f"  {json.dumps(k)}: {_value(v)}" for k, v in fields.items()) + "\n}\n"
    )


def timestamp(moment: datetime) -> str:
    """Return an aware datetime as ``2026-11-23T03:00:00Z``, in whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _value(value: object) -> str:
    if isinstance(value, Iterable) and not isinstance(value, str | dict):
        entries = [f"    {json.dumps(entry)}" for entry in value]
        return "[\n" + ",\n".join(entries) + "\n  ]" if entries else "[]"
    return json.dumps(value)


def _document(report: Report, roles: Iterable[dict[str, object]]) -> dict[str, object]:
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
            {**_project(u.project), "role_arn": u.role_arn, "reason": u.reason}
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


def _project(project: Project) -> dict[str, object]:
    return {"name": project.name, "region": project.region, "arn": project.arn}


def _finding(finding: Finding) -> dict[str, object]:
    return {
        "id": finding.id,
        "rule": finding.rule,
        "severity": finding.severity,
        "certainty": finding.certainty,
        "title": finding.title,
        "witness": None if finding.witness is None else _witness(finding.witness),
        "statements": [_statement(ref) for ref in finding.statements],
        "remediation": finding.remediation,
        **_confirmed(finding),
    }


def _confirmed(finding: Finding) -> dict[str, object]:
    """Return AWS's own answer about the witness; no field where nobody asked for it."""
    found = finding.confirmation
    if found is None:
        return {}
    return {
        "confirmation": {
            "outcome": found.outcome,
            "decision": found.decision,
            "message": found.message,
        }
    }


def _witness(witness: Witness) -> dict[str, object]:
    """``resource`` is the first; ``resources`` lists all where the call is checked on several."""
    return {
        "action": witness.action,
        "resource": witness.resources[0],
        **({"resources": list(witness.resources)} if len(witness.resources) > 1 else {}),
        "context": {
            key: _context_value(key, witness.context[key])
            # recipients first, the rest by name: two scans print the same bytes
            for key in sorted(witness.context, key=lambda k: (k.lower() != _RECIPIENTS, k))
        },
    }


def _context_value(key: str, value: str | tuple[str, ...]) -> str | list[str]:
    if isinstance(value, str):
        return [value] if key.lower() == _RECIPIENTS else value
    return list(value)


def _statement(ref: StatementRef) -> dict[str, object]:
    owner = {} if ref.role is None else {"role": ref.role}
    return {
        "layer": ref.layer,
        "policy": ref.policy,
        "policy_arn": ref.policy_arn,
        "kind": ref.kind,
        "sid": ref.sid,
        "index": ref.index,
        "effect": ref.effect,
        **owner,
    }
